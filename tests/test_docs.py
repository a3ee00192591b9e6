"""The documentation is true: settings, options and commands exist, links resolve, code runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lib.settings import AccountSettings, Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: Read by the tests' tools, not by the desk.
TEST_SETTINGS = {"CARBON_DESK_TEST_CHROMIUM"}

#: What a reader of our documentation may be asked to run.
COMMANDS = {"make", "python", "pip", "git", "cd", "streamlit", "curl", "export"}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


#: Section numbers of each contract, as code cites them.
CONTRACTS = {
    api: set(
        re.findall(
            r"^#+ (\d+(?:\.\d+)?)\b", _text(ROOT / "docs" / "contracts" / f"{api}.md"), re.MULTILINE
        )
    )
    for api in ("cnaught", "lune", "isometric")
}


def _blocks(language: str) -> list[tuple[Path, str]]:
    """Every fenced block in a language, with the page it stands on."""
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    return [(page, block) for page in PAGES for block in fence.findall(_text(page))]


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _lib(*arguments: str) -> str:
    command = [sys.executable, "-m", "lib", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


# --- Links -----------------------------------------------------------------------------------


def _links(page: Path) -> list[tuple[str, Path, str]]:
    """Links of a page into this project: as written, the file, the anchor."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _text(page)):
        if not target.startswith(("http://", "https://")):
            file, _, anchor = target.partition("#")
            found.append((target, (page.parent / file).resolve() if file else page, anchor))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    dead = [
        target
        for target, file, anchor in _links(page)
        if not file.exists() or (anchor and anchor not in _anchors(file))
    ]
    assert dead == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in PAGES and page not in reached:
            reached.add(page)
            ahead += [file for _, file, _ in _links(page)]
    assert set(PAGES) - reached == set()


# --- Contracts -------------------------------------------------------------------------------


def test_every_cited_section_of_a_contract_exists() -> None:
    cited = re.compile(r"\b(?:(CNaught|Lune|Isometric)(?:['’]s)? )?contract (\d+(?:\.\d+)*)")
    dead = []
    for file in sorted((ROOT / "lib").rglob("*.py")):
        for name, section in cited.findall(_text(file)):
            apis = [name.lower()] if name else [part for part in file.parts if part in CONTRACTS]
            known = set().union(*(CONTRACTS[api] for api in apis or CONTRACTS))
            if ".".join(section.split(".")[:2]) not in known:
                dead.append(f"{file.relative_to(ROOT)}: {name} contract {section}")
    assert dead == []


# --- Settings --------------------------------------------------------------------------------


def _settings() -> set[str]:
    own = {f"CARBON_DESK_{name.upper()}" for name in Settings.model_fields if name != "accounts"}
    nested = {
        f"CARBON_DESK_ACCOUNTS__<name>__{name.upper()}" for name in AccountSettings.model_fields
    }
    return own | nested


def test_every_setting_is_documented() -> None:
    page = _text(ROOT / "docs" / "settings.md")
    assert [name for name in sorted(_settings()) if f"`{name}`" not in page] == []


def test_every_documented_setting_exists() -> None:
    known = _settings() | TEST_SETTINGS | {"CARBON_DESK_ACCOUNTS"}
    unknown = {
        name
        for page in PAGES
        for name in re.findall(r"CARBON_DESK_[A-Z](?:[A-Za-z_]|<name>)*[A-Za-z]", _text(page))
        if re.sub(r"(?<=ACCOUNTS__)\w+?(?=__)", "<name>", name) not in known
    }
    assert unknown == set()


# --- Commands --------------------------------------------------------------------------------


def _subcommands() -> list[str]:
    found = re.findall(r"^ {4}([a-z]+)\b", _lib("--help"), re.MULTILINE)
    assert "sandbox" in found
    return found


def test_every_command_and_option_is_documented() -> None:
    page = _text(ROOT / "docs" / "command-line.md")
    missing = []
    for command in _subcommands():
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", _lib(command, "--help"))) - {"--help"}
        words = [f"python -m lib {command}", *(f"`{option}" for option in sorted(options))]
        missing += [f"{command}: {word}" for word in words if word not in page]
    assert missing == []


def test_every_documented_command_exists() -> None:
    known = set(_subcommands())
    named = {
        name for page in PAGES for name in re.findall(r"python -m lib ([a-z]+)\b", _text(page))
    }
    assert named <= known


def test_every_documented_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", _text(ROOT / "Makefile"), re.MULTILINE))
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z-]+)", _text(page), re.MULTILINE)
    }
    assert named <= targets
    development = _text(ROOT / "docs" / "development.md")
    assert [
        name for name in sorted(targets - {"help"}) if f"`make {name}`" not in development
    ] == []


# --- Code ------------------------------------------------------------------------------------


def test_shell_blocks_can_be_typed() -> None:
    for page, block in _blocks("bash"):
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            assert not words or words[0] in COMMANDS, f"{page.name}: {line}"


def test_settings_files_are_settings(tmp_path: Path) -> None:
    example = ROOT / ".streamlit" / "secrets.toml.example"
    for text in [_text(example), *(block for _, block in _blocks("toml"))]:
        file = tmp_path / "secrets.toml"
        file.write_text(text, encoding="utf-8")
        load_settings({}, file)


def test_python_blocks_run(tmp_path: Path) -> None:
    """All of them, in order, as one notebook on the embedded sandbox."""
    blocks = [block for _, block in _blocks("python")]
    assert blocks
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CARBON_DESK_")}
    environment |= {"CARBON_DESK_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
