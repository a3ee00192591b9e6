"""From a quote to a retired tonne, through the pages; the worker and the sandbox are real."""

from __future__ import annotations

import httpx

from lib.desk import Desk
from lib.domain.intents import IntentState
from lib.ui.format import headline_mass
from tests.app.conftest import OpenPage, wait_for


def test_an_order_goes_from_quote_to_the_ledger_and_is_placed_once(
    open_page: OpenPage, desk: Desk
) -> None:
    """Quote, order, review, confirm twice: one order, carried out as the clock advances."""
    before = len(desk.orders())
    page = open_page("quotes", **{"for": "Mass", "mass": "0.5"})
    _button(page, "Get quotes").click().run()
    assert {"CNaught", "Lune"} <= _providers(page)

    _button(page, "Order").click().run()
    _button(page, "Review order").click().run()
    draft = page.query_params["draft"]
    assert desk.intent(draft).state == IntentState.DRAFT
    assert desk.intent(draft).quantity_g == 500_000
    assert len(desk.orders()) == before, "a draft is no order"

    confirm = page.button(key="confirm")
    confirm.click().run()
    assert not page.exception
    confirmed = desk.confirm(draft)
    assert confirmed.intent_id == draft, "a second click confirms the same intent"
    wait_for(lambda: desk.intent(draft).settled, "the worker's answer")
    intent = desk.intent(draft)
    assert intent.state == IntentState.CONFIRMED, intent.message
    assert intent.receipt is not None

    desk.advance_sandbox(86_400)
    desk.sync([intent.account])
    order = desk.orders(order_id=intent.receipt.effect_id).iloc[0]
    assert order["retired_g"] == 500_000
    assert len(desk.orders()) == before + 1

    followed = open_page("orders", intent=draft)
    assert "0.500 t retired on the recipient’s behalf" in _prose(followed)


def test_the_same_again_needs_a_typed_word(open_page: OpenPage, desk: Desk) -> None:
    """What stands where a double click lands orders nothing: a person types the word first."""
    drafts = []
    for _ in range(2):
        page = open_page("quotes", **{"for": "Mass", "mass": "0.7"})
        _button(page, "Get quotes").click().run()
        _button(page, "Order").click().run()
        _button(page, "Review order").click().run()
        drafts.append(page.query_params["draft"])
        page.button(key="confirm").click().run()
    assert desk.intent(drafts[1]).state == IntentState.DRAFT
    assert page.button(key="again").disabled
    page.text_input(key="typed-again").set_value("again").run()
    page.button(key="again").click().run()
    wait_for(lambda: desk.intent(drafts[1]).settled, "the worker's answer")
    assert desk.intent(drafts[1]).state == IntentState.CONFIRMED


def test_a_claim_is_for_one_beneficiary(open_page: OpenPage, desk: Desk) -> None:
    """All together is said to be so; one chosen leaves the others out."""
    everybody = desk.impact()
    name = everybody.by_beneficiary.iloc[0]["beneficiary"]
    page = open_page("impact", beneficiary=name)
    assert page.selectbox(key="beneficiary").value == name
    shown = next(m.value for m in page.metric if m.label == "Retired, CO2e")
    theirs = desk.impact(beneficiary=name).retired_g
    assert shown == headline_mass(theirs, "t")
    assert 0 < theirs < everybody.retired_g


def test_a_draft_of_another_desk_is_told_in_a_sentence(open_page: OpenPage) -> None:
    """An id that the journal does not know is no traceback."""
    page = open_page("quotes", may_fail=True, draft="no-such-draft")
    assert len(page.error) == 1


def test_a_limit_below_the_price_orders_nothing(open_page: OpenPage, desk: Desk) -> None:
    """The sentence stands in the dialog; no draft is made."""
    page = open_page("quotes", **{"for": "Mass", "mass": "2"})
    _button(page, "Get quotes").click().run()
    known = len(desk.intents())
    _button(page, "Order").click().run()
    limit = next(t for t in page.text_input if t.label.startswith("Most you will pay"))
    limit.set_value("0.01")
    _button(page, "Review order").click().run()
    assert "above the limit" in page.error[0].value.replace("\\", "")
    assert len(desk.intents()) == known


def test_an_order_that_is_not_carried_out_yet_can_be_cancelled(
    open_page: OpenPage, desk: Desk
) -> None:
    """Picked in the table, its consequences told, confirmed with a tick, queued as an intent."""
    orders = desk.orders(provider="cnaught", state="placed")
    order_id = orders.iloc[0]["order_id"]
    page = open_page("orders", search=order_id)
    page.session_state["orders"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    page.run()
    assert order_id in next(h.value.replace("\\", "") for h in page.subheader)
    assert page.button(key=f"cancel-{order_id}").disabled
    page.checkbox(key=f"sure-{order_id}").check().run()
    page.button(key=f"cancel-{order_id}").click().run()
    assert not page.exception
    intent_id = page.query_params["intent"]
    wait_for(lambda: desk.intent(intent_id).settled, "the cancellation")
    assert desk.intent(intent_id).state == IntentState.CONFIRMED
    desk.sync(["cnaught"])
    cancelled = desk.orders(order_id=order_id).iloc[0]
    assert cancelled["cancelled_g"] == cancelled["quantity_g"]


def test_a_supplier_delivers_against_an_open_order(open_page: OpenPage, desk: Desk) -> None:
    """A batch in part: the sandbox splits it, the ledger holds the delivered kilograms."""
    account = "isometric-supplier"
    order, batch = desk.open_orders(account)[0], desk.deliverable_batches(account)[0]
    before = desk.orders(account=account, order_id=order.order_id).iloc[0]["held_g"]
    page = open_page("orders")
    page.toggle(key="deliver_form").set_value(True).run()
    page.selectbox(key="supplier").set_value(account).run()
    batches = page.multiselect(key="batches")
    batches.select(batches.options[0]).run()
    page.text_input(key=f"kg-{batch.batch_id}").set_value("99999999").run()
    assert "take less" in page.error[0].value
    page.text_input(key=f"kg-{batch.batch_id}").set_value("3").run()
    page.button(key="deliver").click().run()
    intent_id = page.query_params["intent"]
    wait_for(lambda: desk.intent(intent_id).settled, "the delivery")
    assert desk.intent(intent_id).state == IntentState.CONFIRMED, desk.intent(intent_id).message
    desk.sync([account])
    after = desk.orders(account=account, order_id=order.order_id).iloc[0]["held_g"]
    assert after == before + 3_000


def test_one_provider_down_leaves_the_others(open_page: OpenPage, desk: Desk) -> None:
    """Lune's place is taken by a sentence; CNaught's prices are there."""
    fault = {"path": "/lune/v1/*", "kind": "status", "status": 503, "times": 200}
    control = f"{desk.embedded_sandbox_url}/_sandbox/faults"
    httpx.post(control, json={"method": "POST", **fault}).raise_for_status()
    try:
        page = open_page("quotes", **{"for": "Mass"})
        _button(page, "Get quotes").click().run()
    finally:
        httpx.delete(control).raise_for_status()
    assert not page.exception
    prices = [metric.label for metric in page.metric]
    assert prices
    told = [c.value for c in page.caption if c.value.startswith(":material/info:")]
    assert any("Lune" in sentence for sentence in told)


def _button(page, label):
    return next(button for button in page.button if button.label == label)


def _prose(page) -> str:
    return "\n".join(element.value for element in page.markdown).replace("\\", "")


def _providers(page) -> set[str]:
    return {caption.value.split(" ")[0] for caption in page.caption}
