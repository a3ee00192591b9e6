"""The real app on a real server, and a real Chromium that may talk to this machine only.

    def test_something(app_server, visitor):
        visitor.open(app_server, "/deliveries")
        visitor.expect_settled()

`app_server` runs `streamlit run app.py` on a data folder of its own, so with no account it starts
its own sandbox with the demo history. `visitor` ends with an assertion that the browser asked no
other host, logged no error and was shown no exception box.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.tools.needs import require

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app.py"

#: No name but this machine's resolves, so nothing can leave; a route through Playwright would do
#: the same and turn the browser's cache off.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]

#: Two shared cores: pages are quick, but nothing here is about how quick.
PATIENCE_S = 60


@dataclass(frozen=True)
class AppServer:
    """A running app: its address, its data folder, and what it logged."""

    url: str
    data_dir: Path
    log_file: Path

    @property
    def log(self) -> str:
        """What the server printed so far."""
        return self.log_file.read_text(encoding="utf-8")

    @property
    def sandbox_url(self) -> str:
        """The embedded sandbox's address, once the app has started it."""
        note = self.data_dir / "sandbox.json"
        _wait_for(note.exists, "the embedded sandbox did not start")
        return f"http://127.0.0.1:{json.loads(note.read_text(encoding='utf-8'))['port']}"

    def control(self, method: str, path: str, **request: Any) -> Any:
        """A call of the embedded sandbox's control plane; returns the answer's JSON."""
        reply = httpx.request(
            method, f"{self.sandbox_url}/_sandbox{path}", timeout=30, trust_env=False, **request
        )
        return reply.raise_for_status().json()

    def wait_for_history(self) -> None:
        """Return when the sandbox holds its whole history."""
        _wait_for(
            lambda: self.control("GET", "/health")["history"] != "filling",
            "the demo history was not finished",
        )


def _wait_for(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{otherwise} within {PATIENCE_S} s"
        time.sleep(0.1)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve_app(folder: Path, **settings: str) -> Iterator[AppServer]:
    """Run the app on a data folder below `folder`, with settings given without their prefix."""
    port = free_port()
    server = AppServer(f"http://127.0.0.1:{port}", folder / "data", folder / "app.log")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CARBON_DESK_")}
    environment |= {f"CARBON_DESK_{name}": value for name, value in settings.items()}
    environment["CARBON_DESK_DATA_DIR"] = str(server.data_dir)
    command = [sys.executable, "-m", "streamlit", "run", str(APP)]
    command += ["--server.headless", "true", "--server.port", str(port)]
    with server.log_file.open("w") as log:
        # Started from elsewhere, so that a developer's own secrets.toml is not read.
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(lambda: _is_healthy(server, process), f"the app did not start: {server.log}")
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_healthy(server: AppServer, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, f"the app ended: {server.log}"
    try:
        return httpx.get(f"{server.url}/_stcore/health", timeout=5, trust_env=False).text == "ok"
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app with its embedded sandbox, shared by the tests of a module."""
    with serve_app(tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture
def fresh_app_server(tmp_path: Path) -> Iterator[AppServer]:
    """The app with its embedded sandbox, seen by nobody yet."""
    with serve_app(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser per module: Playwright keeps an event loop running as long as it lives."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require("chromium"), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody with a browser window, and everything that should not have happened to them."""

    page: Page
    foreign_requests: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)

    def open(self, server: AppServer, path: str) -> None:
        """Go to a page by its address and wait until it is drawn."""
        self.page.goto(server.url + path)
        self.expect_settled()

    def follow(self, title: str) -> None:
        """Go to a page by the navigation and wait until it is drawn."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        self.expect_settled()

    def expect_settled(self) -> None:
        """The script has ended, nothing is a placeholder any more, and nothing has failed."""
        idle = "[data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
        expect(self.page.locator(f"[data-testid=stApp]{idle}")).to_be_attached()
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)
        self.expect_no_exception()

    def note_request(self, request: Request) -> None:
        """Remember a request that should not have been made; the browser lets none out."""
        if not _is_local(request.url):
            self.foreign_requests.append(request.url)

    def expect_no_exception(self) -> None:
        """No traceback box on the page."""
        expect(self.page.get_by_test_id("stException")).to_have_count(0)


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "about") or parts.hostname in (
        "127.0.0.1",
        "localhost",
        "::1",
    )


def _is_search_for_the_root(message: ConsoleMessage) -> bool:
    """Opened at /orders, Streamlit's own code asks below /orders for its server first: a 404."""
    url = message.location["url"]
    below_a_page = re.search(r"\w/_stcore/(health|host-config)$", urlsplit(url).path)
    return "404" in message.text and below_a_page is not None


@contextmanager
def visit(
    browser: Browser, width: int = 1440, height: int = 900, **options: Any
) -> Iterator[Visitor]:
    """A window of its own; on leaving, nothing that should not have happened has happened."""
    with ExitStack() as stack:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        stack.callback(context.close)
        visitor = Visitor(context.new_page())

        def listen(message: ConsoleMessage) -> None:
            if message.type == "error" and not _is_search_for_the_root(message):
                visitor.console_errors.append(f"{message.text} ({message.location['url']})")

        visitor.page.on("request", visitor.note_request)
        visitor.page.on("console", listen)
        visitor.page.on("pageerror", lambda error: visitor.console_errors.append(str(error)))
        visitor.page.set_default_timeout(PATIENCE_S * 1000)
        expect.set_options(timeout=PATIENCE_S * 1000)
        yield visitor
        visitor.expect_no_exception()
        assert visitor.foreign_requests == []
        assert visitor.console_errors == []


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Visitor]:
    """Somebody at a desktop screen."""
    with visit(chromium) as somebody:
        yield somebody
