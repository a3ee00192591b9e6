"""The CNaught client: against published examples, and against the sandbox over real sockets.

The fixtures are examples from CNaught's documentation (`seeds/cnaught_*`) and from the contract
(`cnaught/*`). Neither the client nor the sandbox was written from the other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from lib.clients import errors
from lib.clients.cache import Cache
from lib.clients.cnaught import CNaughtClient, bodies, models, read_order
from lib.clients.cnaught.shared import scope
from lib.clients.http import Reply, encode_body
from lib.clients.models import WireModel, read_model
from lib.clients.payload import read_json
from tests.unit.wire import Wire, answer, drop

FIXTURES = Path(__file__).parent / "fixtures"
KEY, OTHER_KEY = "sandbox-cnaught-key", "sandbox-cnaught-key-2"


def fixture(name: str) -> Any:
    return read_json((FIXTURES / f"{name}.json").read_bytes())


def reply(value: object) -> Reply:
    return Reply(200, {}, encode_body(value), "GET /example")


# --- published examples


ANSWERS: dict[str, type[WireModel]] = {
    "cnaught/quote": models.Quote,
    "cnaught/impact_data": models.ImpactData,
    "cnaught/impact_hosted_page_config": models.ImpactHostedPageConfig,
    "cnaught/subaccount": models.Subaccount,
    "cnaught/checkout_session": models.CheckoutSession,
    "cnaught/portfolio_with_category_allocations": models.PortfolioDetails,
    "seeds/cnaught_order": models.Order,
    "seeds/cnaught_order_cancelled": models.Order,
    "seeds/cnaught_order_with_allocation": models.Order,
    "seeds/cnaught_order_placed": models.OrderReceipt,
    "seeds/cnaught_ride_order_placed": models.OrderReceipt,
    "seeds/cnaught_quote": models.Quote,
    "seeds/cnaught_ride_quote": models.Quote,
    "seeds/cnaught_impact_data": models.ImpactData,
    "seeds/cnaught_subaccount": models.Subaccount,
}
LISTS = ("cnaught/order_list", "seeds/cnaught_order_list")
CALLBACK = "cnaught/order_callback"
REQUESTS: dict[str, Callable[[], dict[str, Any]]] = {
    "cnaught/order_request": lambda: bodies.order_body(
        amount_kg=Decimal("250.5"),
        description="Team offsite",
        notification_url="https://hooks.example.org/cn",
    ),
    "cnaught/ride_order_request": lambda: bodies.ride_order_body(
        distance_km=Decimal("18.2"), metadata="trip-9"
    ),
    "cnaught/ground_transport_quote_request": lambda: bodies.quote_body(
        {"distance_km": 120}, vehicle_type="coach_bus", source="api"
    ),
    "cnaught/subaccount_create_request": lambda: bodies.subaccount_body(
        name="Porto office", email="porto@example.org"
    ),
    "cnaught/checkout_session_request": lambda: bodies.checkout_body(
        amount_kg=100,
        success_url="https://shop.example.org/ok?cs={CHECKOUT_SESSION_ID}",
        cancel_url="https://shop.example.org/back",
        description="Order 512",
    ),
    "seeds/cnaught_quote_request": lambda: bodies.quote_body({"amount_kg": Decimal("8.5")}),
    "seeds/cnaught_ride_quote_request": lambda: bodies.quote_body({"distance_km": Decimal("10.5")}),
    "seeds/cnaught_subaccount_create_request": lambda: bodies.subaccount_body(
        name="Marketing Department", default_portfolio_id="mHvNvWbq"
    ),
}


def test_every_example_is_used() -> None:
    found = {f"cnaught/{p.stem}" for p in (FIXTURES / "cnaught").glob("*.json")}
    found |= {f"seeds/{p.stem}" for p in (FIXTURES / "seeds").glob("cnaught_*.json")}
    assert found == {*ANSWERS, *LISTS, *REQUESTS, CALLBACK}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_example_is_read_and_every_field_of_it_known(name: str) -> None:
    value = fixture(name)
    found = read_model(reply(value), ANSWERS[name])
    assert found.raw == {}
    shown = found.model_dump()
    for field in ("id", "amount_kg", "price_usd_cents", "total_offset_kgs", "name"):
        assert shown.get(field) == value.get(field)


@pytest.mark.parametrize("name", LISTS)
def test_an_example_list_is_walked(name: str) -> None:
    with Wire(answer(200, (FIXTURES / f"{name}.json").read_bytes())) as wire, client(wire) as api:
        orders = list(api.orders.list())
    assert [order.id for order in orders] == [row["id"] for row in fixture(name)["data"]]


def test_the_example_callback_holds_an_order() -> None:
    order = read_model(reply(fixture(CALLBACK)["order"]), models.Order)
    assert (order.state, order.project_allocations) == ("cancelled", ())


@pytest.mark.parametrize("name", REQUESTS)
def test_our_wrongare_those_of_the_examples(name: str) -> None:
    without_nulls = {k: v for k, v in fixture(name).items() if v is not None}
    assert REQUESTS[name]() == without_nulls


def test_the_allocation_example_is_exact() -> None:
    order = read_model(reply(fixture("seeds/cnaught_order_with_allocation")), models.Order)
    (allocation,) = order.project_allocations
    assert allocation.amount_kg == 1000
    assert allocation.project.registry_id == "824"
    assert allocation.project.location_latitude == Decimal("26.0833")
    assert allocation.retirements[0].serial_number_range is not None
    assert order.created_on == datetime(2022, 8, 1, 18, tzinfo=UTC)


# --- what a reader must bear, and what it must not


ORDER = fixture("seeds/cnaught_order")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "retiring"},
        {"new": {"deep": [1]}},
        {"project_allocations": None},
        {"metadata": None},
        {"subaccount_id": "s"},
    ],
    ids=str,
)
def test_what_may_change_is_borne(change: dict[str, Any]) -> None:
    read_model(reply(ORDER | change), models.Order)


@pytest.mark.parametrize("field", ["id", "amount_kg", "price_usd_cents", "state", "created_on"])
def test_an_order_without_what_matters_is_malformed(field: str) -> None:
    for changed in ({k: v for k, v in ORDER.items() if k != field}, ORDER | {field: None}):
        with pytest.raises(errors.MalformedReplyError, match=field):
            read_model(reply(changed), models.Order)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(Decimal("1.5")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(
    change=st.dictionaries(st.sampled_from(sorted(models.Order.model_fields)), junk, max_size=4),
    gone=st.sets(st.sampled_from(sorted(ORDER)), max_size=2),
)
def test_an_order_is_read_exactly_or_refused(change: dict[str, Any], gone: set[str]) -> None:
    value = {name: v for name, v in (ORDER | change).items() if name not in gone}
    try:
        order = read_model(reply(value), models.Order)
    except errors.MalformedReplyError:
        return
    assert order.id == value["id"]
    assert order.amount_kg == value["amount_kg"]
    assert order.price_usd_cents == value["price_usd_cents"]


# --- arguments


BAD_CALLS: dict[str, Callable[[CNaughtClient], object]] = {
    "Give either amount_kg": lambda c: c.orders.place(),
    "Give either": lambda c: c.orders.place(amount_kg=1, total_price_usd_cents=1),
    "amount_kg must be greater": lambda c: c.orders.place(amount_kg=0),
    "amount_kg must be a Decimal": lambda c: c.orders.place(amount_kg=0.5),  # type: ignore[arg-type]
    "finite": lambda c: c.orders.place(amount_kg=Decimal("NaN")),
    "whole number": lambda c: c.orders.place(total_price_usd_cents=Decimal("1.5")),  # type: ignore[arg-type]
    "total_price_usd_cents must be greater": lambda c: c.orders.place(total_price_usd_cents=-1),
    "metadata must": lambda c: c.orders.place(amount_kg=1, metadata="x" * 513),
    "description must": lambda c: c.orders.place(amount_kg=1, description="x" * 513),
    "notification_url": lambda c: c.orders.place(amount_kg=1, notification_url="nowhere"),
    "1 to 512": lambda c: c.orders.place(amount_kg=1, idempotency_key="k" * 513),
    "distance_km": lambda c: c.orders.place_ride(distance_km=-1),
    "not an id": lambda c: c.orders.get(""),
    "limit must": lambda c: c.orders.list(limit=101),
    "limit must be 1": lambda c: c.subaccounts.list(limit=0),
    "not both": lambda c: c.orders.list(starting_after="a", ending_before="b"),
    "freight_mass_kg": lambda c: c.quotes.air_freight(freight_mass_kg=0, distance_km=1),
    "square_footage": lambda c: c.quotes.office_space(square_footage=0),
    "from_": lambda c: c.impact.data(from_=datetime(2026, 1, 1)),  # noqa: DTZ001 (no zone is the point)
    "needs a name": lambda c: c.subaccounts.create(name=" "),
    "name must": lambda c: c.subaccounts.create(name="x" * 513),
    "success_url": lambda c: c.checkout_sessions.create(
        amount_kg=1, success_url="http://x.example/", cancel_url="https://x.example/"
    ),
    "cancel_url": lambda c: c.checkout_sessions.create(
        amount_kg=1, success_url="https://x.example/", cancel_url="/back"
    ),
}


@pytest.mark.parametrize("sentence", BAD_CALLS)
def test_a_wrong_argument_is_refused_before_anything_is_sent(sentence: str) -> None:
    with Wire(answer(200, {})) as wire, client(wire) as api:
        with pytest.raises(ValueError, match=sentence):
            BAD_CALLS[sentence](api)
        assert wire.requests == []


# --- what goes over the wire


def client(wire: Wire, **options: Any) -> CNaughtClient:
    return CNaughtClient(api_key=KEY, base_url=f"{wire.url}/v1", **options)


def test_an_order_is_sent_as_the_contract_says() -> None:
    with Wire(answer(201, (FIXTURES / "seeds/cnaught_order_placed.json").read_bytes())) as wire:
        with client(wire) as api:
            receipt = api.orders.place(
                amount_kg=Decimal("10.50"),
                portfolio_id="p",
                metadata="m",
                idempotency_key="k-1",
                subaccount_id="s-1",
            )
        (request,) = wire.requests
    assert (request.method, request.target) == ("POST", "/v1/orders")
    assert request.body == b'{"amount_kg":10.50,"metadata":"m","portfolio_id":"p"}'
    assert request.headers["idempotency-key"] == "k-1"
    assert request.headers["x-subaccount-id"] == "s-1"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert (receipt.state, receipt.price_usd_cents) == ("not provided", 2350)


def test_an_order_is_not_repeated_when_its_outcome_is_unknown() -> None:
    with Wire(drop()) as wire, client(wire) as api:
        with pytest.raises(errors.OutcomeUnknownError) as caught:
            api.orders.place(amount_kg=1, idempotency_key="k-2")
        assert len(wire.requests) == 1
    assert caught.value.idempotency_key == "k-2"


def test_a_quote_is_repeated() -> None:
    script = [drop(), answer(429), answer(200, {"amount_kg": 1, "price_usd_cents": 2})]
    with Wire(*script) as wire, client(wire) as api, stamina.set_testing(True, attempts=3):
        assert api.quotes.generic(amount_kg=1).price_usd_cents == 2
        assert len(wire.requests) == 3


def rows(*ids: str) -> dict[str, Any]:
    """A page of orders, as the plain JSON module of the wire helper can write it."""
    plain = {**ORDER, "amount_kg": 10}
    return {"data": [plain | {"id": one} for one in ids]}


def test_older_pages_end_with_a_short_one() -> None:
    with Wire(answer(200, rows("d", "c")), answer(200, rows("b"))) as wire, client(wire) as api:
        assert [o.id for o in api.orders.list(limit=2)] == ["d", "c", "b"]
        assert [r.target.partition("?")[2] for r in wire.requests] == [
            "limit=2",
            "limit=2&starting_after=c",
        ]


def test_newer_pages_are_walked_from_the_cursor_up() -> None:
    script = [answer(200, rows("c", "b")), answer(200, rows("e", "d")), answer(200, rows())]
    with Wire(*script) as wire, client(wire) as api:
        assert [o.id for o in api.orders.list(limit=2, ending_before="a")] == ["b", "c", "d", "e"]
        assert [r.target.partition("ending_before=")[2] for r in wire.requests] == ["a", "c", "e"]


def test_a_server_that_ignores_the_cursor_does_not_trap_us() -> None:
    with Wire(answer(200, rows("b", "a"))) as wire, client(wire) as api:
        with pytest.raises(errors.PagingError):
            list(api.orders.list(limit=2))
        assert len(wire.requests) == 2


def test_a_list_without_data_is_malformed() -> None:
    wrong: list[Any] = [{"orders": []}, [], {"data": {}}]
    script = [answer(200, body) for body in wrong]
    with Wire(*script) as wire, client(wire) as api:
        for _ in script:
            with pytest.raises(errors.MalformedReplyError):
                list(api.orders.list())


# --- against the sandbox


@pytest.fixture
def api(sandbox: Any) -> Iterator[CNaughtClient]:
    with CNaughtClient(api_key=KEY, base_url=f"{sandbox.url}/cnaught/v1") as found:
        yield found


@pytest.fixture
def other(sandbox: Any) -> Iterator[CNaughtClient]:
    with CNaughtClient(api_key=OTHER_KEY, base_url=f"{sandbox.url}/cnaught/v1") as found:
        yield found


def test_an_order_from_placing_to_fulfilment(sandbox: Any, api: CNaughtClient) -> None:
    placed = api.orders.place(
        amount_kg=Decimal("250.5"),
        description="Team offsite",
        metadata="po=77",
        notification_url="https://hooks.example.org/cn",
        idempotency_key=str(uuid4()),
    )
    assert placed.state == "placed"
    assert placed.amount_kg == Decimal("250.5")
    assert placed.callback_url == "https://hooks.example.org/cn"
    sandbox.advance(30 * 86400)
    order = api.orders.get(placed.id)
    assert (order.state, order.metadata) == ("fulfilled", "po=77")
    assert sum(part.amount_kg for part in order.project_allocations) == order.amount_kg
    assert order.project_allocations[0].retirements[0].serial_number_range
    assert order.raw == {}
    assert order.project_allocations[0].project.raw == {}
    assert api.impact.data().total_offset_kgs == Decimal("250.5")


def test_an_order_by_price_and_one_for_a_ride(api: CNaughtClient) -> None:
    by_price = api.orders.place(total_price_usd_cents=3190)
    assert by_price.price_usd_cents == 3190
    assert by_price.amount_kg > 0
    ride = api.orders.place_ride(distance_km=Decimal("18.2"), metadata="trip-9")
    assert ride.amount_kg == api.quotes.ride(distance_km=Decimal("18.2")).amount_kg


def test_cancelling_is_final(api: CNaughtClient) -> None:
    order = api.orders.place(amount_kg=5)
    cancelled = api.orders.cancel(order.id, idempotency_key="c-1")
    assert (cancelled.state, cancelled.certificate_public_url) == ("cancelled", None)
    assert api.orders.cancel(order.id, idempotency_key="c-1").state == "cancelled"
    with pytest.raises(errors.ForbiddenError):
        api.orders.cancel(order.id)
    with pytest.raises(errors.NotFoundError, match="order"):
        api.orders.cancel("unknown12345")


def test_the_same_key_gives_the_same_order_and_another_body_is_refused(
    sandbox: Any, api: CNaughtClient
) -> None:
    first = api.orders.place(amount_kg=7, idempotency_key="same")
    assert api.orders.place(amount_kg=7, idempotency_key="same").id == first.id
    with pytest.raises(errors.UnprocessableError) as caught:
        api.orders.place(amount_kg=8, idempotency_key="same")
    assert caught.value.code == "idempotency-changed-payload"
    assert caught.value.idempotency_key == "same"
    assert [e["key"] for e in sandbox.effects() if e["kind"] == "order"] == ["same"]


def test_frozen_bytes_are_sent_once(sandbox: Any, api: CNaughtClient) -> None:
    body = encode_body(bodies.order_body(amount_kg=Decimal("3.25"), metadata="ref"))
    headers = scope(None, "frozen")
    sandbox.faults("drop_after", "/cnaught/v1/orders")
    with pytest.raises(errors.OutcomeUnknownError):
        api.session.send_once("POST", "/orders", headers=headers, body=body)
    again = read_order(api.session.send_once("POST", "/orders", headers=headers, body=body))
    assert again.amount_kg == Decimal("3.25")
    assert len([e for e in sandbox.effects() if e["kind"] == "order"]) == 1


def test_the_list_is_walked_in_both_directions(api: CNaughtClient) -> None:
    placed = [api.orders.place(amount_kg=1 + n).id for n in range(7)]
    newest_first = placed[::-1]
    for limit in (1, 3, 7, 100):
        assert [o.id for o in api.orders.list(limit=limit)] == newest_first
        older = [o.id for o in api.orders.list(limit=limit, starting_after=placed[4])]
        assert older == placed[3::-1]
        newer = [o.id for o in api.orders.list(limit=limit, ending_before=placed[2])]
        assert newer == placed[3:]
    with pytest.raises(errors.BadRequestError) as caught:
        list(api.orders.list(starting_after="unknown12345"))
    assert caught.value.code == "invalid-pagination"


def test_orders_that_arrive_while_walking_lose_nothing(api: CNaughtClient) -> None:
    placed = [api.orders.place(amount_kg=1).id for _ in range(6)]
    walking = api.orders.list(limit=2)
    seen = [next(walking).id]
    for _ in range(3):
        api.orders.place(amount_kg=2)
    seen += [order.id for order in walking]
    assert seen == placed[::-1]


QUOTES: dict[str, Callable[[CNaughtClient], models.Quote]] = {
    "ride": lambda c: c.quotes.ride(distance_km=10),
    "air freight": lambda c: c.quotes.air_freight(freight_mass_kg=1000, distance_km=2000),
    "flight": lambda c: c.quotes.flight(distance_km=Decimal("5500.5")),
    "ground freight": lambda c: c.quotes.ground_freight(freight_mass_kg=1000, distance_km=200),
    "ground transport": lambda c: c.quotes.ground_transport(
        distance_km=120, vehicle_type="coach_bus", source="api"
    ),
    "office": lambda c: c.quotes.office_space(square_footage=1000),
    "train": lambda c: c.quotes.train(distance_km=500),
}


def test_activities_are_quoted_in_whole_kilograms(api: CNaughtClient) -> None:
    for kind, ask in QUOTES.items():
        quote = ask(api)
        assert quote.amount_kg == int(quote.amount_kg) > 0, kind
        assert quote.price_usd_cents > 0, kind
        assert quote.raw == {}, kind


def test_a_mass_is_quoted_exactly_and_by_price_list(api: CNaughtClient) -> None:
    quote = api.quotes.generic(amount_kg=Decimal("8.5"))
    assert quote.amount_kg == Decimal("8.5")
    details = [api.portfolios.get(p.id) for p in api.portfolios.list()]
    assert details
    for portfolio in details:
        for source, price in (
            ("api", portfolio.api_price_per_kg_usd_cents),
            ("checkout", portfolio.checkout_price_per_kg_usd_cents),
        ):
            found = api.quotes.generic(amount_kg=1000, portfolio_id=portfolio.id, source=source)  # type: ignore[arg-type]
            assert found.price_usd_cents == price * 1000
        assert sum(part.allocated_fraction for part in portfolio.category_allocations) == 1


def test_the_catalogue_hangs_together(api: CNaughtClient) -> None:
    portfolio = api.portfolios.get(api.portfolios.list()[0].id)
    category = portfolio.category_allocations[0].category
    assert api.project_categories.get(category.id).projects == category.projects
    project = api.projects.get(category.projects[0].id)
    assert project.credit_issuances
    assert project.raw == {}
    for unknown in (api.projects.get, api.portfolios.get, api.project_categories.get):
        with pytest.raises(errors.NotFoundError):
            unknown("unknown1")


def test_subaccounts_live_and_scope_orders(api: CNaughtClient) -> None:
    made = api.subaccounts.create(
        name="Porto office", email="porto@example.org", idempotency_key="s-1"
    )
    assert api.subaccounts.get(made.id) == made
    assert made.id in [s.id for s in api.subaccounts.list(limit=1)]
    theirs = api.orders.place(amount_kg=4, subaccount_id=made.id)
    ours = api.orders.place(amount_kg=5)
    assert theirs.subaccount_id == made.id
    assert [o.id for o in api.orders.list(subaccount_id=made.id)] == [theirs.id]
    with pytest.raises(errors.NotFoundError):
        api.orders.get(ours.id, subaccount_id=made.id)
    changed = api.subaccounts.update(made.id, name="Lisbon", email=None, default_portfolio_id=None)
    assert (changed.name, changed.email) == ("Lisbon", None)
    with pytest.raises(errors.ForbiddenError):
        api.subaccounts.delete(made.id)
    empty = api.subaccounts.create(name="Empty")
    api.subaccounts.delete(empty.id)
    with pytest.raises(errors.NotFoundError):
        api.subaccounts.get(empty.id)
    with pytest.raises(errors.BadRequestError) as caught:
        list(api.orders.list(subaccount_id="unknown1"))
    assert caught.value.code == "invalid-subaccount"


def test_a_checkout_session_is_opened(sandbox: Any, api: CNaughtClient) -> None:
    session = api.checkout_sessions.create(
        amount_kg=100,
        success_url="https://shop.example.org/ok?cs={CHECKOUT_SESSION_ID}",
        cancel_url="https://shop.example.org/back",
        description="Order 512",
    )
    assert (session.state, session.order_description) == ("open", "Order 512")
    assert session.raw == {}
    assert api.checkout_sessions.get(session.id) == session
    sandbox.advance(25 * 3600)
    assert api.checkout_sessions.get(session.id).state == "expired"


def test_impact_by_period(sandbox: Any, api: CNaughtClient) -> None:
    start = datetime.fromisoformat(sandbox.control.get("/clock").json()["now"])
    api.orders.place(amount_kg=10)
    sandbox.advance(30 * 86400)
    assert api.impact.data(from_=start).total_offset_kgs == 10
    before = api.impact.data(from_=start - timedelta(days=9), to=start)
    assert before.total_offset_kgs == 0
    assert before.to_date == start
    with pytest.raises(errors.BadRequestError):
        api.impact.data(from_=start, to=start - timedelta(days=1))
    assert isinstance(api.impact.hosted_page_config().enabled, bool)


def test_validation_errors_name_their_field(api: CNaughtClient) -> None:
    with pytest.raises(errors.BadRequestError) as caught:
        api.session.post("/orders", {"amount_kg": -10})
    assert caught.value.code == "invalid-parameters"
    assert "amount_kg" in caught.value.field_errors


def test_a_wrong_key_is_unauthorized(sandbox: Any) -> None:
    wrong = CNaughtClient(api_key="wrong", base_url=f"{sandbox.url}/cnaught/v1")
    with wrong, pytest.raises(errors.UnauthorizedError):
        wrong.portfolios.list()


def test_two_accounts_with_one_cache_never_share(sandbox: Any, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.db")
    url = f"{sandbox.url}/cnaught/v1"
    with contextlib.ExitStack() as stack:
        first, second = (
            stack.enter_context(CNaughtClient(api_key=key, base_url=url, cache=cache))
            for key in (KEY, OTHER_KEY)
        )
        made = first.subaccounts.create(name="Only ours")
        for _ in range(2):
            assert made.id in [s.id for s in first.subaccounts.list()]
            with contextlib.suppress(errors.ForbiddenError):
                assert made.id not in [s.id for s in second.subaccounts.list()]
        assert first.portfolios.list() == first.portfolios.list()
        assert cache.stats().hits >= 2
        another = first.subaccounts.create(name="Another")
        assert another.id in [s.id for s in first.subaccounts.list()]
    cache.close()


def test_orders_of_one_account_are_unknown_to_the_other(
    api: CNaughtClient, other: CNaughtClient
) -> None:
    order = api.orders.place(amount_kg=1)
    with pytest.raises(errors.NotFoundError):
        other.orders.get(order.id)
    assert list(other.orders.list()) == []
