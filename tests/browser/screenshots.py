"""Takes the pictures of the documentation: `make screenshots`.

Runs the app on its embedded sandbox and writes docs/screenshots/*.png, the screens as a visitor
sees them with the demo history.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.fixtures_app import FLAGS, AppServer, Visitor, serve_app, visit
from tests.tools.needs import require

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"


def take(visitor: Visitor, name: str) -> None:
    """Write what is in the window."""
    # Charts fade in, and fonts arrive after the text.
    visitor.page.wait_for_timeout(1500)
    visitor.page.screenshot(path=FOLDER / f"{name}.png")
    print(f"docs/screenshots/{name}.png", flush=True)


def ask_for_quotes(visitor: Visitor) -> None:
    """A flight, priced by everybody."""
    visitor.page.get_by_role("button", name="Get quotes").click()
    visitor.page.get_by_text("Lune bundle").first.wait_for()
    visitor.expect_settled()


def wait_for_the_ledger(server: AppServer, visitor: Visitor) -> None:
    """Until every account has been read once."""
    server.wait_for_history()
    visitor.open(server, "/")
    visitor.page.get_by_text("history is filling").wait_for(state="detached")


def main() -> None:
    """Take all of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_app(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=require("chromium"), args=FLAGS)
        with visit(browser, height=1250, device_scale_factor=1.5) as visitor:
            wait_for_the_ledger(server, visitor)
            visitor.open(server, "/deliveries")
            take(visitor, "deliveries")
            visitor.open(server, "/quotes")
            ask_for_quotes(visitor)
            take(visitor, "quotes")
        browser.close()


if __name__ == "__main__":
    main()
