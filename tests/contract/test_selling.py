"""Quoting and ordering against the real sandbox, over real connections that really break.

Journal, ordering, worker, adapters and clients as the desk puts them together; the sandbox's list
of effects is the ground truth that the journal is held against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lib.clients.cnaught import CNaughtClient
from lib.clients.isometric import IsometricClient
from lib.clients.lune.client import LuneClient
from lib.domain.activities import (
    Activity,
    Drive,
    Electricity,
    Flight,
    Freight,
    OfficeSpace,
    TrainRide,
)
from lib.domain.errors import BadInput, CredentialRefused, NotAllowed, ProviderUnreachable
from lib.domain.intents import Intent, IntentState
from lib.domain.quantities import Money, wished_money
from lib.domain.quotes import Quote
from lib.providers.base import Account, Seller
from lib.providers.cnaught.provider import CNaught
from lib.providers.isometric.provider import Isometric
from lib.providers.lune.provider import Lune
from lib.services.ordering import Ordering, Rules
from lib.services.quoting import Quoting
from lib.services.worker import Worker
from lib.store.engine import open_engines
from lib.store.journal import Journal
from tests.conftest import Sandbox

ORDERS = {"cnaught": "/cnaught/v1/orders", "lune": "/lune/v1/orders/by-mass"}


@dataclass
class Desk:
    """What the desk composes, with a clock that tests move."""

    sandbox: Sandbox
    sellers: dict[str, Seller]
    supplier: Isometric
    journal: Journal
    ordering: Ordering
    worker: Worker
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def quote(self, account: str, mass_g: int = 2_500_000) -> Quote:
        seller = self.sellers[account]
        offer = seller.offers()[0]
        return seller.quote(offer, mass_g=mass_g, budget=None, subaccount=None)

    def place(self, account: str, **rest: Any) -> Intent:
        quote = rest.pop("quote", None) or self.quote(account)
        return self.ordering.place(
            quote, ceiling=rest.pop("ceiling", quote.price), confirm=True, **rest
        )

    def outcome(self, intent: Intent) -> Intent:
        """Work until only a person can go on; waiting is done by the clock."""
        for _ in range(60):
            if not self.worker.step():
                now = self.journal.get(intent.intent_id)
                if now.settled or now.state is IntentState.NEEDS_A_PERSON:
                    return now
                self.ahead += timedelta(seconds=60)
        raise AssertionError(self.journal.get(intent.intent_id))

    def effects(self, intent: Intent) -> list[dict[str, Any]]:
        marks = (intent.request.reference, f"ref:{intent.request.reference}")
        return [x for x in self.sandbox.effects() if x["reference"] in marks]


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    def account(name: str, provider: Any, path: str) -> Account:
        return Account(name, provider, "sandbox", f"{sandbox.url}{path}", "fingerprint")

    cnaught, lune = (
        account("cnaught", "cnaught", "/cnaught/v1"),
        account("lune", "lune", "/lune/v1"),
    )
    registry = account("isometric", "isometric", "/isometric/registry/v0")
    engines = open_engines(None, tmp_path)
    with (
        CNaughtClient(api_key="sandbox-cnaught-key", base_url=cnaught.base_url, timeout=5) as one,
        LuneClient(api_key="sandbox-lune-key", base_url=lune.base_url, timeout=5) as two,
        IsometricClient(
            client_secret="sandbox-isometric-secret",
            access_token="sandbox-isometric-supplier",
            base_url=registry.base_url,
            timeout=5,
        ) as three,
    ):
        sellers: dict[str, Seller] = {"cnaught": CNaught(cnaught, one), "lune": Lune(lune, two)}
        supplier = Isometric(registry, three)
        journal = Journal(engines.records)
        desk: Desk

        def clock() -> datetime:
            return desk.now()

        ordering = Ordering(
            journal,
            sellers=sellers,
            registries={"isometric": supplier},
            clock=clock,
            rules=Rules(),
        )
        worker = Worker(
            journal,
            {**sellers, "isometric": supplier},
            requote=ordering.reprice,
            on_settled=lambda _: None,
            clock=clock,
        )
        desk = Desk(sandbox, sellers, supplier, journal, ordering, worker)
        yield desk
    engines.dispose()


# -- quoting -------------------------------------------------------------------------------


def test_all_offers_of_both_sellers_side_by_side(desk: Desk) -> None:
    board = Quoting(desk.sellers).board(mass_g=10_500_000)
    assert board.failures == ()
    assert {quote.account for quote in board} == {"cnaught", "lune"}
    for quote in board:
        assert quote.mass_g == 10_500_000
        assert quote.price.amount > 0
        assert quote.price_per_tonne is not None
    lune = [quote for quote in board if quote.account == "lune"]
    assert all(quote.fee is not None and len(quote.parts) == 1 for quote in lune)


@pytest.mark.parametrize("account", ["cnaught", "lune"])
def test_a_budget_is_kept_to_the_cent(desk: Desk, account: str) -> None:
    seller = desk.sellers[account]
    budget = wished_money("123.45", seller.currency(None))
    for offer in seller.offers():
        quote = seller.quote(offer, mass_g=None, budget=budget, subaccount=None)
        assert quote.price == budget
        assert quote.mass_g > 0
    with pytest.raises(BadInput, match="budget is in JPY"):
        seller.quote(offer, mass_g=None, budget=wished_money("100", "JPY"), subaccount=None)


@pytest.mark.parametrize(
    ("activity", "cnaught_kg", "lune_kg"),
    # From the emission factors of the built-in catalogue.
    [
        (Flight(Decimal(5540), passengers=2, return_trip=True), "2264", "2593.6064"),
        (Flight(Decimal(5540), cabin="business"), "566", "1880.276"),
        (TrainRide(Decimal(1000), passengers=3), "180", "106.38"),
        (Drive(Decimal(100)), "19", "15.473"),
        (Drive(Decimal(120), vehicle="coach_bus"), "102", None),
        (Freight("air", Decimal(1000), Decimal(5000)), "3750", None),
        (Freight("ground", Decimal(1000), Decimal(1000)), "128", "101.63"),
        (OfficeSpace(Decimal(1000)), "6190", None),
        (Electricity(Decimal(12_000), "GBR"), None, "2124"),
    ],
    ids=lambda value: value.describe() if hasattr(value, "describe") else str(value),
)
def test_activities_are_estimated_by_the_providers(
    desk: Desk, activity: Activity, cnaught_kg: str | None, lune_kg: str | None
) -> None:
    found = {name: seller.estimate(activity) for name, seller in desk.sellers.items()}
    for name, kg in (("cnaught", cnaught_kg), ("lune", lune_kg)):
        estimate = found[name]
        if kg is not None:
            assert estimate is not None
            assert estimate.mass_g == round(Decimal(kg) * 1000)
            assert estimate.method.startswith({"cnaught": "CNaught", "lune": "Lune"}[name])


def test_airports_and_distance_give_about_the_same_flight(desk: Desk) -> None:
    by_code = desk.sellers["lune"].estimate(Flight(Decimal(5540), origin="LHR", destination="jfk"))
    by_distance = desk.sellers["lune"].estimate(Flight(Decimal(5540)))
    assert by_code is not None
    assert by_distance is not None
    assert abs(by_code.mass_g - by_distance.mass_g) < by_distance.mass_g / 50


def test_one_provider_that_is_down_leaves_the_other(desk: Desk) -> None:
    desk.sandbox.faults("status", "/lune/*", status=503, times=1000)
    board = Quoting(desk.sellers).board(mass_g=1_000_000)
    assert {quote.account for quote in board} == {"cnaught"}
    assert ["Lune cannot be reached" in failure.reason for failure in board.failures] == [True]


def test_a_wrong_key_is_a_sentence_without_the_key(desk: Desk) -> None:
    account = desk.sellers["cnaught"].account
    with (
        CNaughtClient(api_key="canary-key-123", base_url=account.base_url) as client,
        pytest.raises(CredentialRefused, match="Connections") as refused,
    ):
        CNaught(account, client).offers()
    assert "canary" not in f"{refused.value!r} {refused.value} {refused.value.__cause__!r}"


# -- placing -------------------------------------------------------------------------------


@pytest.mark.parametrize("account", ["cnaught", "lune"])
def test_an_order_end_to_end(desk: Desk, account: str) -> None:
    intent = desk.place(account, description="Team offsite", who="ana")
    assert desk.effects(intent) == []
    done = desk.outcome(intent)
    assert done.state is IntentState.CONFIRMED
    assert done.receipt is not None
    [effect] = desk.effects(intent)
    assert effect["id"] == done.receipt.effect_id
    assert effect["grams"] == done.receipt.quantity_g == 2_500_000
    assert effect["key"] == intent.request.key
    assert intent.expected == done.receipt.price
    assert "ana" not in intent.request.body.decode()


@pytest.mark.parametrize("account", ["cnaught", "lune"])
def test_an_order_for_a_budget(desk: Desk, account: str) -> None:
    seller = desk.sellers[account]
    budget = wished_money("80", seller.currency(None))
    quote = seller.quote(seller.offers()[0], mass_g=None, budget=budget, subaccount=None)
    done = desk.outcome(desk.place(account, quote=quote))
    assert done.state is IntentState.CONFIRMED
    assert done.receipt is not None
    assert done.receipt.price == budget
    assert done.receipt.quantity_g == quote.mass_g


@pytest.mark.parametrize("account", ["cnaught", "lune"])
def test_an_order_for_a_recipient(desk: Desk, account: str) -> None:
    seller = desk.sellers[account]
    if account == "cnaught":
        recipient = seller.client.subaccounts.create(name="Porto office").id  # type: ignore[attr-defined]
    else:
        recipient = seller.client.accounts.create_client(  # type: ignore[attr-defined]
            name="Porto office", currency="EUR"
        ).id
    assert recipient in [x.recipient_id for x in seller.recipients()]
    offer = seller.offers()[0]
    quote = seller.quote(offer, mass_g=1_000_000, budget=None, subaccount=recipient)
    desk.sandbox.faults("drop_after", ORDERS[account])
    intent = desk.place(account, quote=quote)
    done = desk.outcome(intent)
    assert done.state is IntentState.CONFIRMED
    [effect] = desk.effects(intent)
    assert effect["subaccount"] == recipient


@pytest.mark.parametrize("account", ["cnaught", "lune"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "truncate"},
        {"kind": "malformed"},
        {"kind": "html"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "times": 2},
        {"kind": "status", "status": 429, "retry_after": 2},
        {"kind": "delay", "seconds": 7, "when": "after"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_whatever_breaks_there_is_one_order(
    desk: Desk, account: str, fault: dict[str, Any]
) -> None:
    intent = desk.place(account)
    desk.sandbox.faults(
        fault["kind"], ORDERS[account], **{k: fault[k] for k in fault if k != "kind"}
    )
    done = desk.outcome(intent)
    assert done.state is IntentState.CONFIRMED, done.message
    assert len(desk.effects(intent)) == 1


@pytest.mark.parametrize("account", ["cnaught", "lune"])
@pytest.mark.parametrize(
    "patch",
    [
        {"amount_kg": 1, "quantity": "0.001"},
        {"price_usd_cents": 9**9, "total_cost": "9999999.00"},
    ],
    ids=["amount", "price"],
)
def test_an_answer_that_lies_is_a_persons_matter(
    desk: Desk, account: str, patch: dict[str, Any]
) -> None:
    intent = desk.place(account)
    desk.sandbox.faults("body", ORDERS[account], patch=patch)
    done = desk.outcome(intent)
    assert done.state is IntentState.NEEDS_A_PERSON
    assert len(desk.effects(intent)) == 1


def test_another_orders_answer_is_not_taken_for_ours(desk: Desk) -> None:
    intent = desk.place("cnaught")
    desk.sandbox.faults("body", ORDERS["cnaught"], patch={"metadata": "somebody else's"})
    assert desk.outcome(intent).state is IntentState.NEEDS_A_PERSON


def test_a_conflict_at_cnaught_is_waited_for(desk: Desk) -> None:
    intent = desk.place("cnaught")
    desk.sandbox.faults("status", ORDERS["cnaught"], status=409, times=3)
    done = desk.outcome(intent)
    assert done.state is IntentState.CONFIRMED, done.message
    assert len(desk.effects(intent)) == 1


def test_after_the_window_cnaught_is_searched_by_reference(desk: Desk) -> None:
    intent = desk.place("cnaught")
    desk.sandbox.faults("drop_after", ORDERS["cnaught"])
    desk.worker.step()
    desk.ahead += timedelta(minutes=20)
    done = desk.outcome(intent)
    assert done.state is IntentState.CONFIRMED
    assert [x.what for x in desk.journal.attempts(intent.intent_id)] == ["send", "look"]


@pytest.mark.parametrize("account", ["cnaught", "lune"])
def test_a_price_above_the_limit_is_never_sent(desk: Desk, account: str) -> None:
    quote = desk.quote(account)
    too_low = Money(quote.price.amount - Decimal("0.01"), quote.price.currency)
    with pytest.raises(BadInput, match="above the limit"):
        desk.place(account, quote=quote, ceiling=too_low)
    # The price rises after the confirmation: the worker asks again before it sends.
    lower = Quote(**{name: getattr(quote, name) for name in quote.__slots__} | {"price": too_low})
    intent = desk.place(account, quote=lower, ceiling=too_low)
    done = desk.outcome(intent)
    assert done.state is IntentState.REJECTED
    assert str(quote.price) in done.message
    assert str(too_low) in done.message
    assert desk.effects(intent) == []


def test_an_unreachable_provider_leaves_the_order_to_expire(desk: Desk) -> None:
    intent = desk.place("cnaught")
    desk.sandbox.running.close()
    desk.worker.step()
    assert desk.journal.get(intent.intent_id).state is IntentState.QUEUED
    desk.ahead += timedelta(minutes=10)
    assert desk.outcome(intent).state is IntentState.EXPIRED


# -- cancelling, certificates --------------------------------------------------------------


def test_an_order_is_cancelled_once_and_the_lost_answer_found(desk: Desk) -> None:
    placed = desk.outcome(desk.place("cnaught"))
    assert placed.receipt is not None
    desk.sandbox.faults("drop_after", "/cnaught/v1/orders/*/cancel")
    intent = desk.ordering.cancel("cnaught", placed.receipt.effect_id, confirm=True)
    done = desk.outcome(intent)
    assert done.state is IntentState.CONFIRMED
    assert "cancelled" in done.message
    with pytest.raises(NotAllowed, match="dashboard"):
        desk.ordering.cancel("lune", "any", confirm=True)


@pytest.mark.parametrize("account", ["cnaught", "lune"])
def test_the_certificate_is_a_pdf(desk: Desk, account: str) -> None:
    done = desk.outcome(desk.place(account))
    assert done.receipt is not None
    desk.sandbox.advance(7 * 24 * 3600)
    assert desk.sellers[account].certificate(done.receipt.effect_id).startswith(b"%PDF-")


# -- delivering ----------------------------------------------------------------------------


@pytest.fixture
def deliver(desk: Desk) -> Callable[[int], Intent]:
    control = desk.sandbox.control
    control.post("/isometric/orders", json={"credit_quantity_kg": 10_000}).raise_for_status()
    control.post("/isometric/issuances", json={"credit_quantity_kg": 9_000}).raise_for_status()
    order = desk.supplier.open_orders()[0]
    batch = max(desk.supplier.deliverable_batches(), key=lambda x: x.quantity_g)

    def queue(mass_g: int) -> Intent:
        pairs = [(batch.batch_id, mass_g)]
        return desk.ordering.deliver("isometric", order.order_id, pairs, confirm=True)

    return queue


def test_a_delivery_end_to_end(desk: Desk, deliver: Callable[[int], Intent]) -> None:
    before = desk.supplier.open_orders()[0]
    intent = deliver(5_000)
    with pytest.raises(BadInput, match="still under way"):
        deliver(5_000)
    done = desk.outcome(intent)
    assert done.state is IntentState.CONFIRMED
    assert len(desk.effects(intent)) == 1
    after = next(x for x in desk.supplier.open_orders() if x.order_id == before.order_id)
    assert after.delivered_g == before.delivered_g + 5_000
    with pytest.raises(BadInput, match="whole kilograms"):
        deliver(1_500)


@pytest.mark.parametrize(
    ("kind", "state", "effects"),
    [
        ("drop_after", IntentState.CONFIRMED, 1),
        ("truncate", IntentState.CONFIRMED, 1),
        ("drop_before", IntentState.NEEDS_A_PERSON, 0),
    ],
)
def test_a_delivery_is_never_repeated(
    desk: Desk,
    deliver: Callable[[int], Intent],
    kind: str,
    state: IntentState,
    effects: int,
) -> None:
    intent = deliver(5_000)
    desk.sandbox.faults(kind, "/isometric/registry/v0/deliveries", method="POST")
    done = desk.outcome(intent)
    assert done.state is state
    assert len(desk.effects(intent)) == effects
    assert [x.what for x in desk.journal.attempts(intent.intent_id)].count("send") == 1


def test_a_buyer_delivers_nothing(desk: Desk) -> None:
    account = desk.supplier.account
    with (
        IsometricClient(
            client_secret="sandbox-isometric-secret",
            access_token="sandbox-isometric-buyer",
            base_url=account.base_url,
        ) as client,
        pytest.raises(NotAllowed, match="only a supplier"),
    ):
        Isometric(account, client).open_orders()


def test_no_connection_is_a_sentence(desk: Desk) -> None:
    desk.sandbox.running.close()
    for seller in desk.sellers.values():
        with pytest.raises(ProviderUnreachable, match="Try again"):
            seller.offers()
