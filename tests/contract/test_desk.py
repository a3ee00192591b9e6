"""The desk as a notebook holds it: quote, place, wait, sync, over real HTTP and both databases."""

from __future__ import annotations

import threading

import pytest

from lib.domain.errors import BadInput, NotAllowed, NoWorker
from lib.domain.intents import IntentState
from tests.desks import desk_on


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request, sandbox, tmp_path):
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with desk_on(sandbox.url, tmp_path / "desk", database_url=url) as opened:
        yield opened


@pytest.fixture
def working(desk):
    """The desk with a worker beside it."""
    stop = threading.Event()
    thread = threading.Thread(target=desk.worker().run, args=(stop,))
    thread.start()
    yield desk
    stop.set()
    thread.join()


def first_quote(desk, account, **wish):
    return desk.quote(account=account, **(wish or {"mass": "2.5", "unit": "t"}))[0]


@pytest.mark.parametrize("account", ["cnaught", "lune"])
def test_a_quote_becomes_an_order_becomes_rows_of_the_ledger(working, sandbox, account):
    quote = first_quote(working, account)
    intent = working.place(quote, ceiling=quote.price, confirm=True).wait(30)
    assert intent.state == IntentState.CONFIRMED
    sandbox.advance(3600)
    assert working.sync([account]).complete
    rows = working.ledger(order_id=intent.receipt.effect_id)
    assert rows["quantity_g"].sum() == 2_500_000
    assert sum(rows["price"]) == quote.price.amount
    effects = [e for e in sandbox.effects() if e["kind"] == "order"]
    assert [(e["id"], e["grams"]) for e in effects] == [(intent.receipt.effect_id, 2_500_000)]
    assert effects[0]["reference"] == intent.request.reference


def test_placing_sends_nothing_and_waiting_says_when_nobody_will(desk, sandbox):
    quote = first_quote(desk, "cnaught")
    intent = desk.place(quote, ceiling=quote.price, confirm=True)
    assert intent.state == IntentState.QUEUED
    with pytest.raises(NoWorker, match="python -m lib worker"):
        intent.wait(5)
    assert sandbox.effects() == []


def test_nothing_is_ordered_without_confirmation_or_above_the_ceiling(desk, sandbox):
    quote = first_quote(desk, "cnaught")
    with pytest.raises(BadInput, match="confirm"):
        desk.place(quote, ceiling=quote.price, confirm=False)
    cheap = type(quote.price)(quote.price.amount - 1, "USD")
    with pytest.raises(BadInput, match="above the limit"):
        desk.place(quote, ceiling=cheap, confirm=True)
    assert sandbox.effects() == []


def test_a_supplier_delivers_and_the_buyer_sees_it_by_vintage(working, sandbox):
    control = sandbox.control
    control.post("/isometric/orders", json={"credit_quantity_kg": 5000}).raise_for_status()
    control.post("/isometric/issuances", json={"credit_quantity_kg": 9000}).raise_for_status()
    (order,) = working.open_orders("isometric-supplier")
    batch = working.deliverable_batches("isometric-supplier")[0]
    grams = min(batch.quantity_g, 1_500_000)
    intent = working.deliver(
        "isometric-supplier", order.order_id, [(batch.batch_id, grams)], confirm=True
    ).wait(30)
    assert intent.state == IntentState.CONFIRMED
    working.sync(["isometric"])
    delivered = working.delivered(providers=["isometric"])
    assert delivered["delivered_g"].sum() == grams
    assert delivered["vintage_label"].iloc[0] == batch.vintage


def test_a_read_only_desk_has_no_path_to_an_order(sandbox, tmp_path):
    with desk_on(sandbox.url, tmp_path / "desk", read_only=True) as desk:
        quote = first_quote(desk, "cnaught")
        with pytest.raises(NotAllowed, match="read-only"):
            desk.place(quote, ceiling=quote.price, confirm=True)
        with pytest.raises(NotAllowed, match="read-only"):
            desk.cancel("cnaught", "whatever", confirm=True)


def test_a_live_account_orders_only_behind_its_switch(sandbox, tmp_path):
    live = {
        "cnaught": {
            "provider": "cnaught",
            "base_url": f"{sandbox.url}/cnaught/v1",
            "api_key": "sandbox-cnaught-key",
        }
    }
    with desk_on(sandbox.url, tmp_path / "desk", accounts=live) as desk:
        quote = first_quote(desk, "cnaught")
        assert not desk.is_sandbox
        with pytest.raises(NotAllowed, match="CARBON_DESK_ALLOW_LIVE_ORDERS"):
            desk.place(quote, ceiling=quote.price, confirm=True)


@pytest.mark.parametrize(
    "wish",
    [
        {"mass": "-1"}, {"mass": "0"}, {"mass": "a lot"}, {"mass": "NaN"}, {"mass": "1" * 30},
        {"mass": "1", "unit": "stone"}, {}, {"mass": "1", "account": "nobody"},
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_quoted_is_one_sentence(desk, wish):
    with pytest.raises(BadInput) as raised:
        desk.quote(**wish)
    assert str(raised.value).count("\n") == 0
