"""The Lune client against written examples of the contract, and against the sandbox.

The examples (fixtures/lune) are the contract's own; bodies must reproduce the requests among
them exactly, models must read the answers. Everything that goes over the wire goes to a real
sandbox on loopback.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.clients.cache import Cache
from lib.clients.errors import (
    BadRequestError,
    ConflictError,
    MalformedReplyError,
    NotFoundError,
    OutcomeUnknownError,
    UnauthorizedError,
)
from lib.clients.http import Reply, encode_body
from lib.clients.lune import LuneClient, bodies, read_order
from lib.clients.lune.analytics import (
    AggregatedAnalytics,
    BundleSeries,
    EmissionCalculations,
    Metrics,
)
from lib.clients.lune.catalogue import Bundle, Project
from lib.clients.lune.estimates import Estimate, QuoteRefusal, ShippingEstimate
from lib.clients.lune.models import Account, BundlePercentage, Order, OrderQuote
from lib.clients.models import WireModel, read_list, read_model
from lib.clients.payload import read_json
from tests.conftest import Sandbox

FIXTURES = Path(__file__).parent / "fixtures" / "lune"
MASS = (Decimal("2500"), "kg")
ROUTE = (Decimal(9000), "km")


def example(name: str) -> Any:
    return read_json((FIXTURES / f"{name}.json").read_bytes())


def reply_of(value: Any, request: str = "GET /orders/x") -> Reply:
    return Reply(200, {}, encode_body(value), request)


OBJECTS: list[tuple[str, type[WireModel]]] = [
    ("order_by_quantity", Order),
    ("order_quote_by_quantity", OrderQuote),
    ("order_quote_by_value", OrderQuote),
    ("electricity_emission_estimate", Estimate),
    ("single_shipping_emission_estimate", ShippingEstimate),
    ("client_account", Account),
    ("bundle", Bundle),
    ("project", Project),
    ("analytics_metrics", Metrics),
    ("aggregated_analytics_by_property", AggregatedAnalytics),
    ("emission_calculation_metrics", EmissionCalculations),
]


@pytest.mark.parametrize(("name", "model"), OBJECTS)
def test_every_example_is_read_and_nothing_in_it_is_unknown(name, model):
    assert read_model(reply_of(example(name)), model).raw == {}


def test_bare_lists_are_read():
    (series,) = read_list(reply_of(example("cumulative_bundle_analytics")), BundleSeries)
    assert [point.quantity for point in series.timeseries] == [Decimal("1.5"), Decimal(3)]
    rows = read_list(reply_of(example("bundle_selection_request")), BundlePercentage)
    assert [row.percentage for row in rows] == [Decimal("75.5"), Decimal("24.5")]


def test_an_orders_figures_are_exact():
    order = read_order(reply_of(example("order_by_quantity")))
    assert (order.quantity, order.total_cost) == (Decimal("2.5"), Decimal("242.22"))
    assert sum(part.quantity for part in order.bundles) == order.quantity
    assert order.created_at.isoformat() == "2026-03-02T10:00:00+00:00"
    assert order.projects == ()
    assert order.requested_value is None


def test_an_estimates_quote_may_be_a_refusal():
    estimate = read_model(reply_of(example("single_shipping_emission_estimate")), ShippingEstimate)
    assert isinstance(estimate.quote, QuoteRefusal)
    assert estimate.quote.errors[0].error_code == "bundle_selection_bundle_invalid"
    assert estimate.mass.amount == Decimal("2.9016")
    priced = read_model(reply_of(example("electricity_emission_estimate")), Estimate)
    assert isinstance(priced.quote, OrderQuote)


def test_what_lune_may_change_does_not_break_reading():
    raw = example("order_by_quantity") | {"status": "hibernating", "new_field": {"a": 1}}
    del raw["offset_link_id"], raw["projects"]
    raw["metadata"] = None
    order = read_order(reply_of(raw))
    assert order.status == "hibernating"
    assert order.raw == {"new_field": {"a": 1}}
    assert (order.projects, order.metadata) == ((), {})


@pytest.mark.parametrize("missing", ["id", "type", "status", "currency", "created_at"])
def test_an_order_without_what_matters_is_malformed(missing):
    raw = example("order_by_quantity")
    del raw[missing]
    with pytest.raises(MalformedReplyError, match=missing):
        read_order(reply_of(raw))


@pytest.mark.parametrize(
    "bad", [2.5, 2, "2,5", "-2.5", "1e3", " 2.5", "2.5\n", "", ".5", "٢", True]
)
def test_only_decimal_strings_are_amounts(bad):
    raw = example("order_by_quantity") | {"quantity": bad}
    with pytest.raises(MalformedReplyError, match="quantity"):
        read_order(Reply(200, {}, json.dumps(raw).encode(), "GET /orders/x"))


def test_null_after_a_placement_is_no_proof_that_nothing_was_placed():
    with pytest.raises(MalformedReplyError):
        read_order(Reply(200, {}, b"null", "POST /orders/by-mass"))


@given(st.decimals(min_value=0, max_value=10**15, places=6, allow_nan=False))
def test_any_decimal_string_is_read_exactly(amount):
    raw = example("order_by_quantity") | {"quantity": f"{amount:f}"}
    assert read_order(reply_of(raw)).quantity == amount


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(field=st.sampled_from(sorted(example("order_by_quantity"))), value=json_values)
def test_an_order_with_any_field_replaced_is_read_or_malformed(field, value):
    raw = example("order_by_quantity") | {field: value}
    try:
        order = read_order(reply_of(raw))
    except MalformedReplyError:
        return
    assert order.id == raw["id"]
    assert order.total_cost is None or order.total_cost >= 0


# Bodies


REQUESTS: list[tuple[str, Any]] = [
    (
        "create_order_by_quantity_request",
        lambda: bodies.order_by_mass_body(
            mass=MASS,
            bundle_selection={"bndA": 60, "bndB": Decimal("40.00")},
            idempotency_key="inv-2041",
            metadata={"trip": "9"},
        ),
    ),
    (
        "create_order_by_value_request",
        lambda: bodies.order_by_value_body(
            value=Decimal(100), bundle_selection={"bndA": 60, "bndB": 40}
        ),
    ),
    (
        "create_order_by_estimate_request",
        lambda: bodies.order_by_estimate_body(estimate_id="est55", idempotency_key="est55-order"),
    ),
    (
        "order_quote_by_quantity_request",
        lambda: bodies.order_by_mass_body(
            bundle_masses={"bndA": (Decimal("1.5"), "t")}, quantity_trunc="kg"
        ),
    ),
    (
        "bundle_selection_request",
        lambda: bodies.selection_body({"bndA": Decimal("75.5"), "bndB": Decimal("24.5")}),
    ),
    (
        "electricity_estimate_request",
        lambda: bodies.electricity_body(
            consumption=(12, "MWh"),
            country_code="GBR",
            name="Office March",
            metadata={"site": "A"},
        ),
    ),
    (
        "flight_estimate_request",
        lambda: bodies.flight_body(route=("LHR", "JFK"), cabin_class="economy", passengers=2),
    ),
    (
        "passenger_transportation_estimate_request",
        lambda: bodies.passenger_transportation_body(
            passengers=1,
            legs=[
                bodies.road_leg(route=(40, "km"), vehicle_type="car_lower_medium"),
                bodies.rail_leg(route=(300, "km")),
            ],
        ),
    ),
    (
        "shipping_estimate_request",
        lambda: bodies.shipping_body(
            containers=2,
            cargo_type="average",
            route=ROUTE,
            method={"vessel_type": "container_ship"},
            is_shipment=True,
        ),
    ),
]


@pytest.mark.parametrize(("name", "build"), REQUESTS)
def test_bodies_are_the_contracts_examples_to_the_byte(name, build):
    assert encode_body(build()) == encode_body(example(name))


def test_together_the_examples_are_all_covered():
    covered = {name for name, _ in OBJECTS + REQUESTS}
    lists_and_errors = {"cumulative_bundle_analytics", "error"}
    assert {path.stem for path in FIXTURES.glob("*.json")} == covered | lists_and_errors


REFUSED: list[tuple[str, Any]] = [
    ("either one mass", bodies.order_by_mass_body),
    (
        "either one mass",
        lambda: bodies.order_by_mass_body(mass=MASS, bundle_masses={"bndA": MASS}),
    ),
    ("at least one bundle", lambda: bodies.order_by_mass_body(bundle_masses={})),
    (
        "no room",
        lambda: bodies.order_by_mass_body(
            bundle_masses={"bndA": MASS}, bundle_selection={"bndA": 100}
        ),
    ),
    ("unit of the mass", lambda: bodies.order_by_mass_body(mass=(1, "lb"))),  # type: ignore[arg-type]
    ("number above 0", lambda: bodies.order_by_mass_body(mass=(0, "t"))),
    ("number above 0", lambda: bodies.order_by_value_body(value=Decimal(-1))),
    ("number above 0", lambda: bodies.order_by_value_body(value=Decimal("NaN"))),
    ("number above 0", lambda: bodies.order_by_value_body(value=Decimal("Infinity"))),
    ("Name the estimate", lambda: bodies.order_by_estimate_body(estimate_id="")),
    (
        "1 to 100 characters",
        lambda: bodies.order_by_value_body(value=1, idempotency_key="k" * 101),
    ),
    ("every bundle or for none", lambda: bodies.selection_body({"a": 50, "b": None})),
    ("add up to 100", lambda: bodies.selection_body({"a": 50, "b": 49})),
    (
        "two decimals",
        lambda: bodies.selection_body({"a": Decimal("33.333"), "b": Decimal("66.667")}),
    ),
    ("three-letter", lambda: bodies.electricity_body(consumption=(1, "kWh"), country_code="GB")),
    ("IATA or ICAO", lambda: bodies.flight_body(route=("London", "JFK"))),
    ("one passenger", lambda: bodies.flight_body(route=(1, "km"), passengers=0)),
    ("1 to 10 legs", lambda: bodies.passenger_transportation_body(legs=[])),
    ("mass or its number", lambda: bodies.shipping_body(route=ROUTE, method="rail")),
    ("needs a name", lambda: bodies.client_account_body(name=" ")),
    ("A handle", lambda: bodies.client_account_body(name="N", handle="Not A Handle")),
]


@pytest.mark.parametrize(("sentence", "build"), REFUSED)
def test_what_the_contract_refuses_is_never_sent(sentence, build):
    with pytest.raises(ValueError, match=sentence):
        build()


@given(st.decimals(min_value="0.000001", max_value=10**12, allow_nan=False))
def test_amounts_go_out_as_plain_decimal_strings(amount):
    text = bodies.decimal_text(amount, "mass")
    assert Decimal(text) == amount
    assert set(text) <= set("0123456789.")


@given(st.lists(st.integers(1, 9999), min_size=1, max_size=6))
def test_percentages_that_add_up_exactly_are_taken(parts):
    # Cut a hundred in hundredths at arbitrary places: the parts always add up to 100.
    marks = sorted({*parts, 10_000})
    cuts = [Decimal(b - a) / 100 for a, b in zip([0, *marks], marks, strict=False)]
    rows = bodies.selection_body({f"b{index}": cut for index, cut in enumerate(cuts)})
    assert sum(Decimal(row["percentage"]) for row in rows) == 100


# Against the sandbox


@pytest.fixture
def lune(sandbox: Sandbox) -> Iterator[LuneClient]:
    with LuneClient(api_key="sandbox-lune-key", base_url=f"{sandbox.url}/lune/v1") as client:
        yield client


def test_the_catalogue(lune):
    bundles = list(lune.bundles.list(limit=1))
    assert len({bundle.id for bundle in bundles}) == len(bundles) > 1
    assert lune.bundles.get(bundles[0].id) == bundles[0]
    assert all(bundle.gross_unit_price > bundle.unit_price for bundle in bundles)
    projects = list(lune.projects.list())
    assert lune.projects.get(projects[0].id) == projects[0]
    assert lune.projects.by_slug(projects[0].slug) == projects[0]
    with pytest.raises(NotFoundError):
        lune.bundles.get("nothing-of-that-name")


def test_an_order_by_mass_costs_what_its_quote_said(lune):
    first, second, *_ = lune.bundles.list()
    selection = {first.id: 60, second.id: Decimal("40.00")}
    quote = lune.orders.quote_by_mass(mass=MASS, bundle_selection=selection)
    order = lune.orders.create_by_mass(
        mass=MASS, bundle_selection=selection, idempotency_key="k-1", metadata={"trip": "9"}
    )
    assert order.quantity == quote.estimated_quantity == Decimal("2.5")
    assert order.total_cost == quote.estimated_total_cost
    assert order.metadata == {"trip": "9"}
    assert lune.orders.get(order.id) == order
    assert lune.orders.by_idempotency_key("k-1") == order
    with pytest.raises(ConflictError) as caught:
        lune.orders.create_by_mass(mass=MASS, idempotency_key="k-1")
    assert caught.value.code == "order_idempotency_already_exists"
    assert caught.value.idempotency_key == "k-1"


def test_an_order_by_value_spends_no_more(lune):
    quote = lune.orders.quote_by_value(value=Decimal("100"))
    order = lune.orders.create_by_value(value=Decimal("100"))
    assert order.requested_value == order.total_cost == quote.estimated_total_cost == 100


def test_exact_masses_of_bundles(lune):
    bundle = next(lune.bundles.list())
    masses = {bundle.id: (Decimal("1.5"), "t")}
    quote = lune.orders.quote_by_mass(bundle_masses=masses, quantity_trunc="kg")
    order = lune.orders.create_by_mass(bundle_masses=masses, quantity_trunc="kg")
    assert [part.bundle_id for part in order.bundles] == [bundle.id]
    assert order.quantity == quote.estimated_quantity == Decimal("1.5")


def test_orders_are_walked_once_each_newest_first_while_new_ones_arrive(lune):
    placed = [lune.orders.create_by_mass(mass=(n, "kg")).id for n in range(1, 6)]
    walk = lune.orders.list(limit=2)
    seen = [next(walk).id]
    lune.orders.create_by_mass(mass=(9, "kg"))
    seen += [order.id for order in walk]
    assert seen == placed[::-1]


def test_a_certificate_exists_once_credits_are_retired(lune, sandbox):
    order = lune.orders.create_by_mass(mass=(2, "t"))
    with pytest.raises(NotFoundError):
        lune.orders.certificate(order.id)
    sandbox.advance(90 * 86400)
    assert lune.orders.get(order.id).status == "complete"
    assert lune.orders.certificate(order.id).startswith(b"%PDF-")


def test_the_selection_is_stored_and_cleared(lune):
    default = lune.bundle_selections.get()
    first, second, *_ = lune.bundles.list()
    stored = lune.bundle_selections.update({first.id: 30, second.id: Decimal("70.00")})
    assert lune.bundle_selections.get() == stored
    assert {row.bundle_id: row.percentage for row in stored} == {first.id: 30, second.id: 70}
    lune.bundle_selections.update({})
    assert lune.bundle_selections.get() == default


def test_estimates_are_made_read_again_and_ordered_once(lune):
    estimate = lune.estimates.electricity(
        consumption=(12, "MWh"), country_code="GBR", name="Office March"
    )
    assert estimate.mass.unit == "t"
    assert lune.estimates.get_electricity(estimate.id) == estimate
    order = lune.orders.create_by_estimate(estimate_id=estimate.id)
    assert order.estimate_id == estimate.id
    assert order.requested_quantity == estimate.mass.amount
    with pytest.raises(ConflictError) as caught:
        lune.orders.create_by_estimate(estimate_id=estimate.id)
    assert caught.value.code == "estimate_order_already_placed"


def test_flights_journeys_and_shipments(lune):
    one = lune.estimates.flight(route=(5000, "km"))
    two = lune.estimates.flight(route=(5000, "km"), passengers=2)
    assert two.mass.amount == 2 * one.mass.amount
    assert lune.estimates.flight(route=("LHR", "JFK")).mass.amount > 0
    journey = lune.estimates.passenger_transportation(
        legs=[
            bodies.road_leg(route=(40, "km"), vehicle_type="car_lower_medium"),
            bodies.rail_leg(route=(300, "km")),
            bodies.flight_leg(route=(1000, "km")),
        ]
    )
    assert len(journey.legs) == 3
    assert lune.estimates.get_passenger_transportation(journey.id) == journey
    shipment = lune.estimates.shipping(
        containers=2, cargo_type="average", route=ROUTE, method={"vessel_type": "container_ship"}
    )
    in_kg = lune.estimates.get_shipping(shipment.id, estimate_mass_unit="kg")
    assert in_kg.mass.unit == "kg"
    assert in_kg.mass.amount == 1000 * shipment.mass.amount
    asked_in_kg = lune.estimates.shipping(
        mass=(20, "t"), route=ROUTE, method="diesel_truck", estimate_mass_unit="kg"
    )
    assert asked_in_kg.mass.unit == "kg"
    with pytest.raises(NotFoundError):
        lune.estimates.get_shipping("unknown")


def test_client_accounts_and_their_scope(lune):
    account = lune.accounts.me()
    assert account.scope == "account"
    client = lune.accounts.create_client(
        name="Client Nine", currency="EUR", beneficiary="Client Nine SA", handle="client-nine"
    )
    assert client.scope == "client_account"
    assert [row.id for row in lune.accounts.clients(name="Nine")] == [client.id]
    assert lune.accounts.client_me(account_id=client.id).id == client.id
    order = lune.orders.create_by_mass(mass=MASS, account_id=client.id, idempotency_key="k-2")
    assert [found.id for found in lune.orders.list(account_id=client.id)] == [order.id]
    assert list(lune.orders.list()) == []
    with pytest.raises(NotFoundError):
        lune.orders.by_idempotency_key("k-2")
    kept = lune.accounts.patch_client(client.id, name="Client Ten")
    assert (kept.name, kept.beneficiary) == ("Client Ten", "Client Nine SA")
    assert lune.accounts.patch_client(client.id, beneficiary=None).beneficiary is None
    assert lune.accounts.update_client(client.id, name="Client Nine").beneficiary is None
    with pytest.raises(BadRequestError):
        lune.orders.list(account_id="of-nobody").__next__()


def test_analytics_sum_up_the_orders(lune, sandbox):
    lune.orders.create_by_mass(mass=(2, "t"))
    sandbox.advance(90 * 86400)
    period = {"start": date(2026, 10, 1), "end": date(2027, 3, 1)}
    series = lune.analytics.cumulative_per_bundle(**period)
    assert sum(one.timeseries[-1].quantity for one in series) == 2
    cut = lune.analytics.aggregated_by_property(**period)
    assert sum(row.quantity for row in cut.bundle) == 2
    assert sum(row.quantity for row in cut.registry) == 2
    assert lune.analytics.metrics(**period).number_of_projects >= 1
    lune.estimates.flight(route=(5000, "km"))
    counts = lune.analytics.emission_calculations(**period, interval="month")
    assert sum(point.count for point in counts.timeseries) == 1
    with pytest.raises(ValueError, match="start"):
        lune.analytics.metrics(start=date(2026, 2, 1), end=date(2026, 1, 1))


def test_cached_reads_stay_within_their_scope_and_end_with_a_write(sandbox, tmp_path):
    cache = Cache(tmp_path / "cache.db")
    one, two = (
        LuneClient(api_key=key, base_url=f"{sandbox.url}/lune/v1", cache=cache)
        for key in ("sandbox-lune-key", "sandbox-lune-key-2")
    )
    with one, two:
        assert one.accounts.me().id != two.accounts.me().id
        client = one.accounts.create_client(name="Client Nine", currency="EUR")
        assert one.accounts.me(account_id=client.id).id == client.id
        hits = cache.stats().hits
        assert one.accounts.me(account_id=client.id).name == "Client Nine"
        assert cache.stats().hits == hits + 1
        one.accounts.patch_client(client.id, name="Client Ten")
        assert one.accounts.me(account_id=client.id).name == "Client Ten"
    cache.close()


def test_a_wrong_key_is_told_and_told_nowhere(sandbox):
    client = LuneClient(api_key="not-a-key-of-ours", base_url=f"{sandbox.url}/lune/v1")
    with client, pytest.raises(UnauthorizedError) as caught:
        client.accounts.me()
    assert "not-a-key-of-ours" not in f"{caught.value!r} {caught.value} {client!r}"


def test_doubt_is_settled_by_the_key_and_nothing_is_sent_twice(lune, sandbox):
    sandbox.faults("drop_after", path="/lune/v1/orders/by-mass", method="POST")
    with pytest.raises(OutcomeUnknownError):
        lune.orders.create_by_mass(mass=MASS, idempotency_key="k-3")
    assert lune.orders.by_idempotency_key("k-3").quantity == Decimal("2.5")
    assert len(list(lune.orders.list())) == 1


def test_a_page_that_promises_more_without_a_cursor_is_malformed(lune, sandbox):
    lie = {"has_more": True, "next_cursor": None}
    sandbox.faults("body", path="/lune/v1/orders", patch=lie)
    with pytest.raises(MalformedReplyError, match="cursor"):
        list(lune.orders.list())


@pytest.mark.parametrize("fault", ["malformed", "html"])
def test_a_certificate_that_is_no_whole_pdf_is_malformed(lune, sandbox, fault):
    order = lune.orders.create_by_mass(mass=(2, "t"))
    sandbox.advance(90 * 86400)
    sandbox.faults(fault, path="/lune/v1/orders/*/certificate")
    with pytest.raises(MalformedReplyError, match="complete PDF"):
        lune.orders.certificate(order.id)


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_size_out_of_range_is_refused_before_anything_is_sent(lune, limit):
    with pytest.raises(ValueError, match="limit"):
        lune.orders.list(limit=limit)
