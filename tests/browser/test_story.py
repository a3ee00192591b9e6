"""The whole story in a real browser: quote, order, fulfilment, its tonnes in the chart, impact.

Nothing is faked in between: the app on its own server, its worker, its embedded sandbox over
HTTP. What the screens say is held against the sandbox's ground truth, to the gram.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from lib.domain.serials import parse_serial
from tests.fixtures_app import AppServer, Visitor

pytestmark = pytest.mark.browser

#: The accounts whose headline counts: what the demo company bought.
BUYERS = ("cnaught-1", "lune-1", "isometric-buyer")
CNAUGHT = {"Authorization": "Bearer sandbox-cnaught-key"}

#: Grams delivered per provider, project and vintage, as a screen says.
Delivered = dict[tuple[str, str, str], int]


def truth(server: AppServer, measure: str) -> int:
    """Grams that the buyers' accounts really hold, by the sandbox's own books."""
    accounts = server.control("GET", "/ledger")["accounts"]
    return sum(entry[measure] for entry in accounts if entry["account"] in BUYERS)


def order_ids(server: AppServer) -> list[str]:
    """The CNaught orders that really exist, newest last, by the sandbox's own books."""
    found: list[str] = []
    after: int | None = 0
    while after is not None:
        page = server.control("GET", "/ledger/effects", params={"after": after})
        found += [
            effect["id"]
            for effect in page["effects"]
            if effect["provider"] == "cnaught" and effect["kind"] == "order"
        ]
        after = page["next"]
    return found


def expect_metric(visitor: Visitor, label: str, mass_g: int) -> None:
    """A metric comes to show a mass, to the kilogram, once the ledger has followed."""
    card = visitor.page.get_by_test_id("stMetric").filter(has_text=label)
    expect(card.get_by_test_id("stMetricValue")).to_have_text(
        f"{Decimal(mass_g) / 1_000_000:,.3f} t"
    )


def delivered_by_csv(visitor: Visitor) -> Delivered:
    """The table below the chart, as it downloads."""
    with visitor.page.expect_download() as download:
        visitor.page.get_by_test_id("stDownloadButton").first.click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    rows: Delivered = defaultdict(int)
    for row in csv.DictReader(io.StringIO(text)):
        if row["Project"] != "Total":
            key = (row["Provider"], row["Project"], row["Vintage"])
            rows[key] += int(Decimal(row["Delivered to date (t CO2e)"]) * 1_000_000)
    return rows


def growth(before: Delivered, after: Delivered) -> Delivered:
    """What came in between, where something did."""
    return {
        key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)
    }


def allocations(server: AppServer, order_id: str) -> Delivered:
    """What an order was really given, read from the provider's API, by its serial numbers."""
    reply = httpx.get(
        f"{server.sandbox_url}/cnaught/v1/orders/{order_id}", headers=CNAUGHT, trust_env=False
    )
    order: dict[str, Any] = reply.raise_for_status().json(parse_float=Decimal)
    assert order["state"] == "fulfilled"
    given: Delivered = defaultdict(int)
    for part in order["project_allocations"]:
        years = {vintage(retired["serial_number_range"]) for retired in part["retirements"]}
        label = years.pop() if len(years) == 1 else f"{'/'.join(sorted(years))} (mixed)"
        given["CNaught", part["project"]["name"], label] += int(part["amount_kg"] * 1000)
    return given


def vintage(text: str | None) -> str:
    serial = parse_serial(text) if text else None
    return str(serial.vintage_year) if serial else "not provided"


def order_the_first_cnaught_offer(visitor: Visitor) -> None:
    """From the cards to the review, which fixes every figure."""
    page = visitor.page
    card = page.locator('[class*="st-key-order-"]').first
    card.get_by_role("button", name="Order").click()
    page.get_by_role("textbox", name="Public description").fill("Team flight to New York")
    page.get_by_role("button", name="Review order").click()
    expect(page.get_by_role("heading", name="Review your order")).to_be_visible()


def confirm_with_two_clicks(visitor: Visitor) -> None:
    """What an impatient person does; two events, as a double click sends them."""
    button = visitor.page.get_by_role("button", name="Confirm order")
    box = button.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visitor.page.mouse.click(x, y)
    visitor.page.wait_for_timeout(60)
    visitor.page.mouse.click(x, y)


def test_from_a_quote_to_its_tonnes_in_the_chart(app_server: AppServer, visitor: Visitor) -> None:
    page = visitor.page
    app_server.wait_for_history()

    # The ledger has read everything, and says what the sandbox's own books say.
    visitor.open(app_server, "/deliveries?every=true")
    expect_metric(visitor, "Delivered to date", truth(app_server, "delivered_g"))
    before = delivered_by_csv(visitor)
    assert sum(before.values()) == truth(app_server, "delivered_g")
    assert {provider for provider, _, _ in before} == {"CNaught", "Lune", "Isometric"}
    visitor.follow("Impact")
    retired_before = truth(app_server, "retired_g")
    expect_metric(visitor, "Retired", retired_before)
    orders_before = order_ids(app_server)

    # A flight, and what both sellers would charge for it, side by side.
    visitor.follow("Quotes")
    page.get_by_role("button", name="Get quotes").click()
    expect(page.get_by_text("CNaught portfolio").first).to_be_visible()
    expect(page.get_by_text("Lune bundle").first).to_be_visible()

    # One order, confirmed by a double click: one effect.
    order_the_first_cnaught_offer(visitor)
    confirm_with_two_clicks(visitor)
    expect(page.get_by_role("heading", level=1)).to_have_text("Orders")
    expect(page.get_by_text("The provider has it.")).to_be_visible()
    visitor.expect_settled()
    placed = [order for order in order_ids(app_server) if order not in orders_before]
    assert len(placed) == 1
    expect(page.get_by_text(placed[0]).first).to_be_visible()

    # Time passes at the provider; the ledger follows by itself, and the order is fulfilled.
    app_server.control("POST", "/clock", json={"advance_s": 3600})
    expect(page.get_by_text("The provider’s state is fulfilled")).to_be_visible()
    visitor.follow("Deliveries")
    expect_metric(visitor, "Delivered to date", truth(app_server, "delivered_g"))
    visitor.expect_settled()

    # Its tonnes are in the chart, in their projects and vintages, beside Isometric's deliveries.
    after = delivered_by_csv(visitor)
    came = growth(before, after)
    for key, mass_g in allocations(app_server, placed[0]).items():
        assert came.get(key, 0) >= mass_g, key
    assert sum(after.values()) == truth(app_server, "delivered_g")
    drawn = page.locator(".js-plotly-plot")
    expect(drawn).to_have_count(1)
    for name in {project for _, project, _ in came}:
        expect(drawn.get_by_text(name[:20]).first).to_be_attached()
    expect(drawn.get_by_text("Isometric").first).to_be_attached()

    # And the impact has moved by what was retired.
    visitor.follow("Impact")
    assert truth(app_server, "retired_g") > retired_before
    expect_metric(visitor, "Retired", truth(app_server, "retired_g"))
