"""What the tests need beside Python: Chromium, PostgreSQL's server programs, Node.

    python -m tests.tools.needs [chromium] [postgresql] [node]

finds each one, installs what is missing where it can, and otherwise ends with one sentence that
says what to install. `make test` runs it first, fixtures ask the same functions for paths, so a
test is never skipped for want of a program. Uses the standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


class Missing(Exception):
    """A program that the tests need is not here; the message says what to install."""


@dataclass(frozen=True)
class Need:
    """One thing the tests need: how to find it and the ways to get it, the first that works."""

    title: str
    find: Callable[[], Path | None]
    ways: tuple[Callable[[], bool], ...]
    advice: str


def require(name: str) -> Path:
    """Return where the program is; raises Missing with what to do."""
    need = NEEDS[name]
    found = need.find()
    if found is None:
        raise Missing(f"The tests need {need.title}: {need.advice} and run `make test` again.")
    return found


def obtain(name: str) -> Path:
    """Find the program, or install it and find it then; raises Missing when neither works."""
    need = NEEDS[name]
    for way in need.ways:
        if need.find() is not None:
            break
        print(f"Installing {need.title} for the tests ...", flush=True)
        way()
    return require(name)


def _first_working(candidates: Iterable[Path | str | None]) -> Path | None:
    """The first candidate that can tell its version: a stub or a broken link does not count."""
    for candidate in candidates:
        if candidate and Path(candidate).is_file() and _tells_version(candidate):
            return Path(candidate)
    return None


def _tells_version(program: Path | str) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _newest(folder: str, pattern: str) -> list[Path]:
    """Matches below a folder, the highest version first."""
    return sorted(Path(folder).expanduser().glob(pattern), reverse=True)


def _chromium() -> Path | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return _first_working(
        [
            os.environ.get("CARBON_DESK_TEST_CHROMIUM"),
            *(shutil.which(name) for name in names),
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
            *_newest("~/.cache/ms-playwright", "chromium-*/chrome-linux*/chrome"),
            *_newest(
                "~/Library/Caches/ms-playwright", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*"
            ),
        ]
    )


def _postgresql() -> Path | None:
    """`pg_ctl`, which finds `initdb` and `postgres` beside its own real file."""
    on_path = shutil.which("pg_ctl")
    places = [
        *([Path(on_path).resolve()] if on_path else []),
        *_newest("/usr/lib/postgresql", "*/bin/pg_ctl"),
        *_newest("/usr", "pgsql-*/bin/pg_ctl"),
        *_newest("/opt/homebrew/opt", "postgresql@*/bin/pg_ctl"),
        *_newest("/usr/local/opt", "postgresql@*/bin/pg_ctl"),
    ]
    return _first_working(place for place in places if place.with_name("postgres").is_file())


def _node() -> Path | None:
    return _first_working([shutil.which("node"), shutil.which("nodejs")])


def _run(*command: str, env: Mapping[str, str] | None = None) -> bool:
    """Run quietly; what a failing installer had to say goes to stderr."""
    done = subprocess.run(
        command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stderr.strip()[-2000:], file=sys.stderr)
    return done.returncode == 0


def _apt(*packages: str) -> Callable[[], bool]:
    def install() -> bool:
        if not shutil.which("apt-get"):
            return False
        if os.geteuid() == 0:
            sudo: tuple[str, ...] = ()
        elif shutil.which("sudo"):
            sudo = ("sudo", "--non-interactive", "--preserve-env=DEBIAN_FRONTEND")
        else:
            return False
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        command = ("apt-get", "install", "--yes", "--no-install-recommends", *packages)
        return _run(*sudo, "apt-get", "update", env=quiet) and _run(*sudo, *command, env=quiet)

    return install


def _brew(*packages: str) -> Callable[[], bool]:
    return lambda: bool(shutil.which("brew")) and _run("brew", "install", *packages)


def _playwright_chromium() -> bool:
    with_libraries = ("--with-deps",) if sys.platform == "linux" and os.geteuid() == 0 else ()
    return _run(sys.executable, "-m", "playwright", "install", *with_libraries, "chromium")


NEEDS: Mapping[str, Need] = {
    "chromium": Need(
        title="Chromium",
        find=_chromium,
        ways=(_apt("chromium"), _playwright_chromium),
        advice="install it (Debian: apt-get install chromium; elsewhere: .venv/bin/python -m "
        "playwright install --with-deps chromium), or set CARBON_DESK_TEST_CHROMIUM to its path",
    ),
    "postgresql": Need(
        title="PostgreSQL's server programs",
        find=_postgresql,
        ways=(_apt("postgresql"), _brew("postgresql@17")),
        advice="install them (Debian and Ubuntu: apt-get install postgresql; macOS: brew install "
        "postgresql@17)",
    ),
    "node": Need(
        title="Node",
        find=_node,
        ways=(_apt("nodejs"), _brew("node")),
        advice="install it (Debian and Ubuntu: apt-get install nodejs; macOS: brew install node)",
    ),
}


def main(names: list[str]) -> int:
    """Obtain the named needs (all by default); 0 when they are there."""
    unknown = sorted(set(names) - set(NEEDS))
    if unknown:
        print(f"Unknown need {unknown[0]!r}: choose from {', '.join(NEEDS)}.", file=sys.stderr)
        return 2
    for name in names or NEEDS:
        try:
            print(f"{NEEDS[name].title}: {obtain(name)}", flush=True)
        except Missing as missing:
            print(missing, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
