"""Every page, wide and narrow: drawn whole, by the router, without errors or foreign requests."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.fixtures_app import AppServer, Visitor, serve_app, visit

pytestmark = pytest.mark.browser

#: Title and address of every page.
PAGES = {
    "Overview": "/",
    "Quotes": "/quotes",
    "Orders": "/orders",
    "Deliveries": "/deliveries",
    "Impact": "/impact",
    "Explore": "/explore",
    "Connections": "/connections",
}
WITH_A_CHART = {"Overview", "Deliveries", "Impact", "Explore"}
BADGE = "SAMPLE DATA: embedded sandbox, invented prices, projects and serial numbers"


def expect_whole(visitor: Visitor, title: str) -> None:
    """The page is drawn: its heading, the badge of sample data, its chart, nothing too wide."""
    page = visitor.page
    visitor.expect_settled()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_text(BADGE)).to_be_visible()
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    if title in WITH_A_CHART:
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_drawn_whole(app_server: AppServer, chromium: Browser, width: int) -> None:
    app_server.wait_for_history()
    with visit(chromium, width=width) as visitor:
        for title, path in PAGES.items():
            visitor.open(app_server, path)
            expect_whole(visitor, title)


def test_the_navigation_leads_to_every_page(app_server: AppServer, visitor: Visitor) -> None:
    visitor.open(app_server, "/")
    for title in [*PAGES, "Overview"]:
        visitor.follow(title)
        expect_whole(visitor, title)


def test_the_very_first_request_passes_the_router(
    fresh_app_server: AppServer, visitor: Visitor
) -> None:
    """Beside `pages/`, Streamlit would run the page alone until somebody had opened `/`."""
    visitor.page.goto(f"{fresh_app_server.url}/orders")
    navigation = visitor.page.get_by_test_id("stSidebarNav")
    expect(navigation).to_be_visible()
    expect(navigation.get_by_role("link")).to_have_count(len(PAGES))
    expect_whole(visitor, "Orders")


def test_a_figure_that_cannot_be_is_one_sentence(app_server: AppServer, visitor: Visitor) -> None:
    visitor.open(app_server, "/quotes?for=Mass&mass=-5")
    alert = visitor.page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("The mass must be above 0, at least one gram.")
    expect(visitor.page.get_by_role("textbox", name="Mass of CO2e")).to_have_value("-5")


def test_a_broken_setting_is_one_sentence(tmp_path: Path, chromium: Browser) -> None:
    with (
        serve_app(tmp_path, REPORTING_TIMEZONE="Middle Earth") as server,
        visit(chromium) as visitor,
    ):
        visitor.page.goto(server.url)
        alert = visitor.page.get_by_test_id("stAlert")
        expect(alert).to_contain_text("CARBON_DESK_REPORTING_TIMEZONE")
        assert "Traceback" not in visitor.page.content()


def test_a_read_only_desk_has_no_way_to_buy(tmp_path: Path, chromium: Browser) -> None:
    with serve_app(tmp_path, READ_ONLY="true") as server, visit(chromium) as visitor:
        visitor.open(server, "/quotes")
        visitor.page.get_by_role("button", name="Get quotes").click()
        expect(visitor.page.get_by_text("CNaught portfolio").first).to_be_visible()
        visitor.expect_settled()
        expect(visitor.page.get_by_role("button", name="Order", exact=True)).to_have_count(0)


def test_a_request_to_another_host_is_noticed(app_server: AppServer, chromium: Browser) -> None:
    """And does not leave: the tests above would fail on one."""
    with pytest.raises(AssertionError, match=r"carbon\.example"):
        _fetch_from_elsewhere(app_server, chromium)


def _fetch_from_elsewhere(app_server: AppServer, chromium: Browser) -> None:
    fetching = "fetch('http://carbon.example/').then(() => 'reached', () => 'refused')"
    with visit(chromium) as visitor:
        visitor.open(app_server, "/")
        assert visitor.page.evaluate(fetching) == "refused"
