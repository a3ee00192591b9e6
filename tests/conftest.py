"""Fixtures shared by all tests: real sandboxes on loopback, each on a database of its own."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from lib.sandbox.options import Options
from lib.sandbox.serve import RunningSandbox

pytest_plugins = ["tests.fixtures_app", "tests.fixtures_postgres"]

# How long an example takes says more of the machine than of the code. In CI the examples are the
# same each time, so that what lands is what was tested; elsewhere every run tries others.
settings.register_profile(
    "desk",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("desk")

CLOCK = datetime(2026, 11, 1, tzinfo=UTC)
_TLS = ssl.create_default_context()  # reading the certificates takes httpx 40 ms per client


class Sandbox:
    """A running sandbox as tests hold it: its URL, its state, and its control plane."""

    def __init__(self, running: RunningSandbox) -> None:
        self.running = running
        self.url = running.url
        self.world = running.world
        self.control = self.client("/_sandbox")
        self.http = self.client()

    def client(self, path: str = "", **headers: str) -> httpx.Client:
        """A client of one of the sandbox's APIs."""
        return httpx.Client(base_url=self.url + path, headers=headers, timeout=30, verify=_TLS)

    def advance(self, seconds: float) -> None:
        """Move the clock forward; what falls due on the way has then happened."""
        self.control.post("/clock", json={"advance_s": seconds}).raise_for_status()

    def faults(self, kind: str, path: str = "*", **rest: Any) -> None:
        """Arm a fault, by default for one request."""
        fault = {"kind": kind, "path": path} | rest
        self.control.post("/faults", json=fault).raise_for_status()

    def clear_faults(self) -> None:
        """Disarm all faults."""
        self.control.delete("/faults").raise_for_status()

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Ground truth by account name."""
        accounts = self.control.get("/ledger").raise_for_status().json()["accounts"]
        return {entry["account"]: entry for entry in accounts}

    def effects(self) -> list[dict[str, Any]]:
        """All effects so far, in the order they happened."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self.control.get("/ledger/effects", params={"after": after}).json()
            found += page["effects"]
            after = page["next"]
        return found


SandboxFactory = Callable[..., Sandbox]


def _start(stack: ExitStack, folder: Path, options: Options) -> Sandbox:
    if options.database == Options().database:
        options = replace(options, database=f"sqlite:///{folder / 'sandbox.db'}")
    sandbox = Sandbox(stack.enter_context(RunningSandbox(options)))
    stack.callback(sandbox.http.close)
    stack.callback(sandbox.control.close)
    sandbox.running.filling.wait(timeout=60)
    return sandbox


@pytest.fixture
def sandbox_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxFactory]:
    """Start sandboxes with options of `lib.sandbox.options.Options`; they stop with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> Sandbox:
            defaults: dict[str, Any] = {"port": 0, "history": "none", "clock": CLOCK}
            folder = tmp_path_factory.mktemp("sandbox")
            return _start(stack, folder, Options(**defaults | options))

        yield start


@pytest.fixture
def sandbox(sandbox_factory: SandboxFactory) -> Sandbox:
    """A fresh sandbox without history or rate limits."""
    return sandbox_factory(rate_limits="off")


@pytest.fixture(scope="session")
def demo_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox with the demo history for the whole session: for reading only."""
    options = Options(port=0, history="demo", seed=1, clock=CLOCK, rate_limits="off")
    with ExitStack() as stack:
        yield _start(stack, tmp_path_factory.mktemp("demo"), options)
