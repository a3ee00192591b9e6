"""Every page through the router, on the real desk and its sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.desk import Desk
from lib.ui import runtime
from lib.ui.frame import SAMPLE_DATA
from lib.ui.text import literal
from tests.app.conftest import ROUTER, OpenPage

PAGES = ["overview", "quotes", "orders", "deliveries", "impact", "explore", "connections"]


def texts(page: AppTest) -> str:
    """All prose of a page."""
    kinds = (page.title, page.subheader, page.markdown, page.caption, page.text)
    return "\n".join(element.value for kind in kinds for element in kind)


def chart(page: AppTest, number: int = 0) -> dict[str, Any]:
    """A plotly chart of the page as the browser gets it."""
    found: dict[str, Any] = json.loads(page.get("plotly_chart")[number].proto.spec)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_drawn_and_says_that_its_data_is_invented(
    open_page: OpenPage, name: str
) -> None:
    """Title, sample-data badge, freshness; no exception and no error sentence."""
    page = open_page(name)
    assert [title.value for title in page.title] == [name.capitalize()]
    assert SAMPLE_DATA in texts(page)
    assert "CNaught" in texts(page)


def test_the_first_page_is_the_overview(desk: Desk) -> None:
    """The router's default, without any page named."""
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    assert page.title[0].value == "Overview"
    retired = desk.orders(side="bought")["retired_g"].sum()
    tonnes = f"{retired / 10**6:,.3f} t"
    assert tonnes in [metric.value for metric in page.metric]


def test_the_picture_holds_every_gram_of_the_ledger(open_page: OpenPage, desk: Desk) -> None:
    """The bars on the page add up to what the ledger says was delivered."""
    page = open_page("deliveries")
    bars = [t for t in chart(page)["data"] if t["type"] == "bar" and t.get("customdata")]
    drawn = {"delivered": 0, "outstanding": 0}
    for trace in bars:
        hatched = trace["marker"].get("pattern", {}).get("shape") == "/"
        drawn["outstanding" if hatched else "delivered"] += sum(
            round(mass * 10**6) for mass in trace["x"]
        )
    table = desk.delivered()
    assert drawn["delivered"] == table["delivered_g"].sum()
    assert drawn["outstanding"] == table["outstanding_g"].sum()


def test_the_view_stands_in_the_address(open_page: OpenPage) -> None:
    """Unit, rows and filters come from the link that somebody sent."""
    page = open_page("deliveries", rows="Vintages", unit="kg", provider="Isometric")
    spec = chart(page)
    assert spec["layout"]["xaxis"]["title"]["text"] == "delivered to date, kg CO2e"
    names = [note["text"] for note in spec["layout"]["annotations"]]
    assert names, "rows are vintages"
    assert all(name[:4].isdigit() or name == "vintage not provided" for name in names)


def test_reconciliation_is_green_only_where_it_is_independent(open_page: OpenPage) -> None:
    """Lune publishes no total of its own: never green."""
    page = open_page("deliveries")
    badges = [m.value for m in page.markdown if "badge[" in m.value]
    assert any(b.startswith(":green-badge") and "CNaught" in b for b in badges)
    lune = [b for b in badges if "Lune" in b]
    assert len(lune) == 1
    assert lune[0].startswith(":gray-badge")


@pytest.mark.parametrize(
    ("kind", "key", "typed", "told"),
    [
        ("Mass", "mass", "abc", "plain number"),
        ("Mass", "mass", "NaN", "plain number"),
        ("Mass", "mass", "-1", "above 0"),
        ("Mass", "mass", "0", "above 0"),
        ("Mass", "mass", "9" * 30, "larger than the world"),
        ("Budget", "budget", "-5", "above 0"),
        ("Budget", "budget", "1.234", "more decimals"),
        ("Flight", "from", "qqqq", "No airport"),
        ("Flight", "passengers", "1.5", "whole number"),
        ("Flight", "to", "LHR", "must be different"),
        ("Electricity", "country", "England", "three-letter"),
    ],
)
def test_a_wrong_input_is_told_in_a_sentence_and_kept(
    open_page: OpenPage, kind: str, key: str, typed: str, told: str
) -> None:
    """One sentence that says what to do; what was typed stays for correction."""
    page = open_page("quotes", may_fail=True, **{"for": kind})
    page.text_input(key=key).set_value(typed).run()
    assert not page.exception
    (error,) = page.error
    assert told in error.value.replace("\\", "")
    assert page.text_input(key=key).value == typed


def test_explore_groups_and_filters_the_ledger(open_page: OpenPage, desk: Desk) -> None:
    """The table is the ledger of the chosen side and stage."""
    page = open_page("explore", stage="retired", group="Provider")
    ledger = desk.ledger(stage="retired", side="bought")
    assert len(page.dataframe[0].value) == len(ledger)
    names = {note["text"] for note in chart(page)["layout"]["annotations"]}
    assert names <= {"CNaught", "Lune", "Isometric"}


def test_connections_tell_who_an_account_acts_as(open_page: OpenPage) -> None:
    """The test button makes one cheap read."""
    page = open_page("connections")
    page.button(key="test-cnaught").click().run()
    assert not page.exception
    assert "It works" in page.success[0].value


def test_connections_show_no_credential(open_page: OpenPage) -> None:
    """Not in any element of the page."""
    page = open_page("connections")
    assert "sandbox-cnaught-key" not in str(page)
    assert "sandbox-isometric-secret" not in str(page)


def test_a_read_only_desk_offers_nothing_to_buy(
    open_page: OpenPage, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No order button, no delivery form, no cancellation."""
    read_only = desk.settings.model_copy(update={"read_only": True})
    monkeypatch.setattr(desk, "settings", read_only)
    page = open_page("quotes", **{"for": "Mass"})
    next(b for b in page.button if b.label == "Get quotes").click().run()
    assert "per tonne" in texts(page)
    assert not [b for b in page.button if b.label == "Order"]
    assert not [t for t in open_page("orders").toggle if "delivery" in t.label]


def test_provider_text_on_a_page_is_literal(open_page: OpenPage, desk: Desk) -> None:
    """The demo catalogue has a project named with markup: nowhere is it markup."""
    hostile = [name for name in desk.ledger()["project_name"].unique() if "<b>" in name]
    assert hostile
    page = open_page("deliveries")
    assert "&lt;b&gt;" in json.dumps(chart(page))
    assert hostile[0] not in texts(page).replace(literal(hostile[0]), "")


def test_the_desk_of_the_process_is_open(desk: Desk) -> None:
    """What `/healthz` reports."""
    assert runtime.status() == "open"
    assert runtime.desk() is desk
