"""From a quote to a retired tonne, through the pages; the worker and the sandbox are real."""

from __future__ import annotations

from lib.desk import Desk
from lib.domain.intents import IntentState
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


def _button(page, label):
    return next(button for button in page.button if button.label == label)


def _prose(page) -> str:
    return "\n".join(element.value for element in page.markdown).replace("\\", "")


def _providers(page) -> set[str]:
    return {caption.value.split(" ")[0] for caption in page.caption}
