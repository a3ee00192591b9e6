"""The desk's own sandbox, started when no account is set: a child process on loopback.

It keeps its database and its port in the data folder, so that the same history is there next
time. Several processes that use one data folder (the app, a notebook, the command line) share
one server: whoever comes first starts it, and whoever finds it gone starts it again on the same
port. It stops with the process that started it.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from pydantic import SecretStr

from ..domain.errors import ProviderUnreachable, SettingsProblem
from ..settings import AccountSettings

ROOT = Path(__file__).resolve().parents[2]

# Loopback only: no proxy of the environment may see it.
_OPENER = build_opener(ProxyHandler({}))


class EmbeddedSandbox:
    """Starts, finds and stops the sandbox of one data folder."""

    def __init__(self, data_dir: Path, *, patience_s: float = 60.0) -> None:
        self._data_dir = data_dir
        self._note = data_dir / "sandbox.json"
        self._patience_s = patience_s
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it listens; starts it when nobody has. Raises SettingsProblem if that fails."""
        with self._lock:
            noted = self._noted_url()
            if noted and _healthy(noted):
                return noted
            return self._start(noted)

    def accounts(self) -> dict[str, AccountSettings]:
        """The demo company's accounts, with the sandbox's published credentials."""
        url = self.url
        secret = SecretStr("sandbox-isometric-secret")
        registry = f"{url}/isometric/registry/v0"
        return {
            "cnaught": _account("cnaught", f"{url}/cnaught/v1", "sandbox-cnaught-key"),
            "lune": _account("lune", f"{url}/lune/v1", "sandbox-lune-key"),
            "isometric": _account("isometric", registry, "sandbox-isometric-buyer", secret),
            "isometric-supplier": _account(
                "isometric", registry, "sandbox-isometric-supplier", secret
            ),
        }

    def ready(self) -> bool:
        """Whether the demo history is complete; False while it fills or cannot be asked."""
        noted = self._noted_url()
        return bool(noted) and _health(str(noted)).get("history") != "filling"

    def advance(self, seconds: int) -> str:
        """Move the sandbox's clock forward; returns its new time (RFC 3339)."""
        body = json.dumps({"advance_s": seconds}).encode()
        request = Request(  # noqa: S310 (our own loopback address)
            f"{self.url}/_sandbox/clock", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with _OPENER.open(request, timeout=60) as reply:
                return str(json.load(reply)["now"])
        except (URLError, OSError, ValueError, KeyError):
            raise ProviderUnreachable("The sandbox's clock did not answer: try again.") from None

    def stop(self) -> None:
        """Stop the server if this process started it."""
        child, self._child = self._child, None
        if child is not None and child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _noted_url(self) -> str | None:
        try:
            noted = json.loads(self._note.read_text(encoding="utf-8"))
            return f"http://127.0.0.1:{int(noted['port'])}"
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _start(self, noted: str | None) -> str:
        self._data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        ports = [noted.rsplit(":", 1)[1], "0"] if noted else ["0"]
        said = ""
        for port in ports:
            url, said = self._launch(port)
            if url:
                note = json.dumps({"port": int(url.rsplit(":", 1)[1]), "pid": os.getpid()})
                self._note.write_text(note, encoding="utf-8")
                return url
        raise SettingsProblem(
            f"The built-in sandbox did not start: {said or 'it gave no reason'}. "
            f"Remove {self._data_dir / 'sandbox.db'} to begin with a fresh history."
        )

    def _launch(self, port: str) -> tuple[str | None, str]:
        log = (self._data_dir / "sandbox.log").open("w", encoding="utf-8")
        with log:
            child = subprocess.Popen(  # noqa: S603 (our own module, no shell)
                [
                    sys.executable, "-m", "lib", "sandbox", "--host", "127.0.0.1", "--port", port,
                    "--history", "demo", "--exit-with-parent",
                    "--database", f"sqlite:///{(self._data_dir / 'sandbox.db').resolve()}",
                ],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT,
            )  # fmt: skip
        line = _first_line(child, self._patience_s)
        words = [word for word in line.split() if word.startswith("http://")]
        if not words:
            child.kill()
            child.wait()
            tail = (self._data_dir / "sandbox.log").read_text(encoding="utf-8").strip()
            return None, tail.splitlines()[-1].rstrip(".") if tail else ""
        self._child = child
        atexit.register(self.stop)
        return words[0].rstrip("/.,"), ""


def _first_line(child: subprocess.Popen[str], patience_s: float) -> str:
    found: list[str] = []

    def read() -> None:
        if child.stdout is not None:
            found.append(child.stdout.readline())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(patience_s)
    return found[0] if found else ""


def _account(
    provider: str, base_url: str, api_key: str, client_secret: SecretStr | None = None
) -> AccountSettings:
    return AccountSettings.model_validate(
        {
            "provider": provider,
            "base_url": base_url,
            "api_key": SecretStr(api_key),
            "client_secret": client_secret,
            "mode": "sandbox",
        }
    )


def _health(url: str) -> dict[str, object]:
    try:
        with _OPENER.open(f"{url}/_sandbox/health", timeout=5) as reply:
            body = json.load(reply)
    except (URLError, OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _healthy(url: str) -> bool:
    return _health(url).get("status") == "ok"
