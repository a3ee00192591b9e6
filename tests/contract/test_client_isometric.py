"""The Isometric client against written examples of the contract, and against the sandbox.

The examples (fixtures/isometric) are the contract's and the vendor's own; bodies must reproduce
the requests among them exactly, models must read the answers. Everything that goes over the wire
goes to a real sandbox on loopback.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.clients.errors import (
    ApiError,
    BadRequestError,
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    OutcomeUnknownError,
    UnauthorizedError,
)
from lib.clients.http import Reply, encode_body
from lib.clients.isometric import IsometricClient, bodies, read_delivery, read_retirement
from lib.clients.isometric.models import (
    CreditBatch,
    CreditQuantity,
    Delivery,
    Issuance,
    IssuanceCreditBatches,
    Order,
    OrganisationCreditBalance,
    Page,
    Project,
    Retirement,
)
from lib.clients.models import WireModel, read_model
from lib.clients.payload import read_json
from tests.conftest import Sandbox

FIXTURES = Path(__file__).parent / "fixtures" / "isometric"
SECRET = "sandbox-isometric-secret"
ORDER, BATCH = "ord_9AAA1111BBBB2222", "ctb_9AAA1111BBBB2222"
BUYER, SUPPLIER = "org_9BBB1111BBBB2222", "spl_9AAA1111BBBB2222"
CLAIM: dict[str, Any] = {
    "owner_organisation_id": BUYER,
    "beneficiary_organisation_id": BUYER,
    "supplier_id": SUPPLIER,
    "retirement_purposes": ["corporate_targets"],
}


def example(name: str) -> Any:
    return read_json((FIXTURES / f"{name}.json").read_bytes())


def reply_of(value: Any, request: str = "GET /x") -> Reply:
    return Reply(200, {}, encode_body(value), request)


OBJECTS: list[tuple[str, type[WireModel]]] = [
    ("delivery", Delivery),
    ("vendor_delivery", Delivery),
    ("paginated_list_resource_delivery", Page),
    ("order", Order),
    ("credit_batch", CreditBatch),
    ("project", Project),
    ("issuance", Issuance),
    ("issuance_credit_batches", IssuanceCreditBatches),
    ("retirement", Retirement),
    ("organisation_credit_balance", OrganisationCreditBalance),
]


@pytest.mark.parametrize(("name", "model"), OBJECTS)
def test_every_example_is_read_and_nothing_in_it_is_unknown(name, model):
    assert read_model(reply_of(example(name)), model).raw == {}


def test_the_vendors_own_delivery_is_read_to_the_kilogram():
    delivery = read_delivery(reply_of(example("vendor_delivery")))
    assert delivery.credit_batch_size_total.credit_kgs == 125632
    assert delivery.credit_batch_size_total.credits == Decimal("125.632")
    assert delivery.from_supplier.short_description is None
    assert delivery.from_supplier.location is not None
    assert delivery.from_supplier.location.latitude is None


def test_the_older_name_of_the_sequestration_date_is_read():
    raw = example("credit_batch")
    raw["sequestered_at"] = raw.pop("sequestered_on")
    assert read_model(reply_of(raw), CreditBatch).sequestered_on == date(2024, 11, 30)
    raw["sequestered_at"] = "2024-12-31T23:30:00.000000Z"
    assert read_model(reply_of(raw), CreditBatch).sequestered_on == date(2024, 12, 31)


def test_what_the_registry_may_change_does_not_break_reading():
    raw = example("credit_batch") | {"status": "frozen", "grade": "A"}
    del raw["beneficiary"], raw["removal_id"]
    batch = read_model(reply_of(raw), CreditBatch)
    assert (batch.status, batch.raw) == ("frozen", {"grade": "A"})


@pytest.mark.parametrize("missing", ["id", "serial_number", "status", "size", "sequestered_on"])
def test_a_batch_without_what_matters_is_malformed(missing):
    raw = example("credit_batch")
    del raw[missing]
    with pytest.raises(MalformedReplyError):
        read_model(reply_of(raw), CreditBatch)


@pytest.mark.parametrize("day", [1700000000, "1700000000", "30.11.2024", "2024-11-31", "", None])
def test_only_a_written_day_is_a_sequestration_date(day):
    raw = example("credit_batch") | {"sequestered_on": day}
    with pytest.raises(MalformedReplyError, match="sequestered"):
        read_model(reply_of(raw), CreditBatch)


def test_null_is_not_found_for_a_read_and_doubt_after_a_write():
    with pytest.raises(NotFoundError):
        read_model(Reply(200, {}, b"null", "GET /projects/x"), Project)
    with pytest.raises(MalformedReplyError):
        read_delivery(Reply(200, {}, b"null", "POST /deliveries"))
    with pytest.raises(MalformedReplyError):
        read_retirement(Reply(200, {}, b"null", "POST /retirements"))


@given(st.integers(0, 2**80))
def test_kilograms_of_any_size_are_exact(kilograms):
    raw = {"credits": Decimal(kilograms).scaleb(-3), "credit_kgs": kilograms}
    size = read_model(reply_of(raw), CreditQuantity)
    assert size.credit_kgs == kilograms
    assert size.credits * 1000 == kilograms


@pytest.mark.parametrize("kilograms", ["1500", Decimal("1500.5"), True, None, -1])
def test_only_whole_numbers_are_kilograms(kilograms):
    with pytest.raises(MalformedReplyError, match="credit_kgs"):
        read_model(reply_of({"credits": 1, "credit_kgs": kilograms}), CreditQuantity)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(field=st.sampled_from(sorted(example("credit_batch"))), value=json_values)
def test_a_batch_with_any_field_replaced_is_read_or_malformed(field, value):
    try:
        batch = read_model(reply_of(example("credit_batch") | {field: value}), CreditBatch)
    except MalformedReplyError:
        return
    assert batch.size.credit_kgs >= 0


# Bodies


REQUESTS: list[tuple[str, Any]] = [
    (
        "create_delivery_request",
        lambda: bodies.delivery_body(order_id=ORDER, credit_batch_quantities=[(BATCH, 1500)]),
    ),
    (
        "vendor_create_delivery_request",
        lambda: bodies.delivery_body(
            order_id="ord_1FAN3S3WV1S0B842",
            credit_batch_quantities=[("ctb_1DRBTYA8Q1S07CBY", 1000)],
            notes="Delivered with care.",
        ),
    ),
    (
        "create_retirement_by_batch_request",
        lambda: bodies.retirement_body(
            **CLAIM, notes="Year 2025", credit_batch_quantities=[(BATCH, 1000)]
        ),
    ),
    (
        "create_retirement_oldest_credits_request",
        lambda: bodies.oldest_retirement_body(
            **CLAIM | {"retirement_purposes": ["other"]}, credit_quantity_kg=500, vintage=2024
        ),
    ),
    (
        "create_organization_beneficiary",
        lambda: bodies.organisation_beneficiary_body(
            name="Client Nine SA", domain="client9.example"
        ),
    ),
]


@pytest.mark.parametrize(("name", "build"), REQUESTS)
def test_bodies_are_the_contracts_examples_to_the_byte(name, build):
    assert encode_body(build()) == encode_body(example(name))


def test_together_the_examples_are_all_covered():
    covered = {name for name, _ in OBJECTS + REQUESTS}
    assert {path.stem for path in FIXTURES.glob("*.json")} == covered | {"http_validation_error"}


REFUSED: list[tuple[str, Any]] = [
    (
        "at least one credit batch",
        lambda: bodies.delivery_body(order_id=ORDER, credit_batch_quantities=[]),
    ),
    (
        "only once",
        lambda: bodies.delivery_body(
            order_id=ORDER, credit_batch_quantities=[(BATCH, 1), (BATCH, 2)]
        ),
    ),
    (
        "must begin with ctb_",
        lambda: bodies.delivery_body(order_id=ORDER, credit_batch_quantities=[(ORDER, 1)]),
    ),
    (
        "must begin with ord_",
        lambda: bodies.delivery_body(order_id="ord_1", credit_batch_quantities=[(BATCH, 1)]),
    ),
    (
        "256",
        lambda: bodies.delivery_body(
            order_id=ORDER, credit_batch_quantities=[(BATCH, 1)], notes="n" * 257
        ),
    ),
    (
        "retirement purpose",
        lambda: bodies.oldest_retirement_body(
            **CLAIM | {"retirement_purposes": []}, credit_quantity_kg=1
        ),
    ),
    (
        "retirement purpose",
        lambda: bodies.oldest_retirement_body(
            **CLAIM | {"retirement_purposes": ["bragging"]}, credit_quantity_kg=1
        ),
    ),
    (
        "year",
        lambda: bodies.oldest_retirement_body(**CLAIM, credit_quantity_kg=1, vintage=24),
    ),
    ("1 to 256", lambda: bodies.organisation_beneficiary_body(name="", domain="a.example")),
    ("contain an @", lambda: bodies.individual_beneficiary_body(name="Ada", email="ada")),
]


@pytest.mark.parametrize(("sentence", "build"), REFUSED)
def test_what_the_contract_refuses_is_never_sent(sentence, build):
    with pytest.raises(ValueError, match=sentence):
        build()


@pytest.mark.parametrize("kilograms", [0, -1, True, 1.5, Decimal("1.5"), "1"])
def test_a_quantity_is_a_whole_number_of_kilograms(kilograms):
    with pytest.raises(ValueError, match="whole number"):
        bodies.delivery_body(order_id=ORDER, credit_batch_quantities=[(BATCH, kilograms)])


# Against the sandbox


def connect(sandbox: Sandbox, role: str) -> IsometricClient:
    return IsometricClient(
        client_secret=SECRET,
        access_token=f"sandbox-isometric-{role}",
        base_url=f"{sandbox.url}/isometric/registry/v0",
    )


@pytest.fixture
def buyer(demo_sandbox: Sandbox) -> Iterator[IsometricClient]:
    """For reading only."""
    with connect(demo_sandbox, "buyer") as client:
        yield client


@pytest.fixture
def owner(sandbox: Sandbox) -> Iterator[IsometricClient]:
    """A buyer whose sandbox may be changed."""
    with connect(sandbox, "buyer") as client:
        yield client


@pytest.fixture
def supplier(sandbox: Sandbox) -> Iterator[IsometricClient]:
    """A supplier whose sandbox may be changed."""
    with connect(sandbox, "supplier") as client:
        yield client


def deliverable(sandbox: Sandbox, supplier: IsometricClient) -> tuple[Order, CreditBatch]:
    """A new order of 10 t, and a newly issued batch of the supplier that may go into it."""
    control = sandbox.control
    placed = control.post("/isometric/orders", json={"credit_quantity_kg": 10_000})
    control.post("/isometric/issuances", json={"credit_quantity_kg": 5_000}).raise_for_status()
    me = supplier.suppliers.current()
    batches = supplier.organisations.credit_batches(
        me.organisation.id, where={"status": ["active"], "supplier_id": me.id}
    )
    batch = next(b for b in batches if b.delivery_id is None)
    return supplier.orders.get(placed.raise_for_status().json()["id"]), batch


def test_who_the_token_acts_for(buyer):
    me = buyer.organisations.current()
    assert buyer.organisations.get(me.id) == me
    with pytest.raises((ForbiddenError, NotFoundError)):
        buyer.suppliers.current()


def test_every_register_is_listed_and_its_entries_are_found_again(buyer):
    supplier = next(buyer.suppliers.list())
    assert buyer.suppliers.get(supplier.id) == supplier
    projects = list(buyer.projects.list())
    assert [p.name for p in projects] == sorted(p.name for p in projects)
    assert buyer.projects.get(projects[0].id) == projects[0]
    issuance = next(buyer.issuances.list())
    assert buyer.issuances.get(issuance.id) == issuance
    delivery = next(buyer.deliveries.list())
    assert buyer.deliveries.get(delivery.id) == delivery
    retirement = next(buyer.retirements.list())
    assert buyer.retirements.get(retirement.id) == retirement


def test_what_belongs_to_a_supplier(buyer):
    supplier = next(buyer.deliveries.list()).from_supplier
    assert {p.supplier.id for p in buyer.suppliers.projects(supplier.id)} == {supplier.id}
    assert {i.supplier.id for i in buyer.suppliers.issuances(supplier.id)} == {supplier.id}
    of_supplier = [d.id for d in buyer.suppliers.deliveries(supplier.id)]
    assert of_supplier == [d.id for d in buyer.deliveries.list(from_supplier_id=supplier.id)]


def test_delivered_kilograms_agree_from_batch_to_order(buyer):
    me = buyer.organisations.current()
    orders = list(buyer.organisations.orders(me.id))
    assert any(order.credits_delivered.credit_kgs for order in orders)
    for order in orders:
        assert buyer.orders.get(order.id) == order
        delivered = 0
        for delivery in buyer.orders.deliveries(order.id):
            batches = buyer.deliveries.credit_batches(delivery.id)
            total = delivery.credit_batch_size_total.credit_kgs
            assert sum(batch.size.credit_kgs for batch in batches) == total
            delivered += total
        assert delivered == order.credits_delivered.credit_kgs


def test_an_issuance_adds_up_with_its_buffer_pool(buyer):
    issuance = next(buyer.issuances.list())
    batches = buyer.issuances.credit_batches(issuance.id)
    assert sum(b.size.credit_kgs for b in batches.supplier_credit_batches) == (
        issuance.supplier_credit_batch_size_total.credit_kgs
    )
    assert sum(b.size.credit_kgs for b in batches.buffer_pool_credit_batches) == (
        issuance.buffer_pool_credit_batch_size_total.credit_kgs
    )


def test_a_retirement_equals_its_batches(buyer):
    me = buyer.organisations.current()
    for retirement in buyer.retirements.list(beneficiary_org_id=me.id):
        batches = buyer.retirements.credit_batches(retirement.id)
        total = retirement.credit_batch_size_total.credit_kgs
        assert sum(batch.size.credit_kgs for batch in batches) == total
        assert {batch.status for batch in batches} == {"retired"}


@pytest.mark.parametrize("page_size", [1, 3, 50])
def test_a_list_is_the_same_in_both_directions_and_any_page_size(buyer, page_size):
    there = [d.id for d in buyer.deliveries.list(page_size=page_size)]
    back = [d.id for d in buyer.deliveries.list(page_size=page_size, backwards=True)]
    assert len(set(there)) == len(there) > 3
    assert back == there[::-1]


def test_batches_are_filtered(buyer):
    me = buyer.organisations.current()
    default = {b.id: b for b in buyer.organisations.credit_batches(me.id)}
    assert "split" not in {b.status for b in default.values()}
    retired = list(buyer.organisations.credit_batches(me.id, where={"status": ["retired"]}))
    assert {b.id for b in retired} == {b.id for b in default.values() if b.status == "retired"}
    year = {
        "issued_after": datetime(2025, 1, 1, tzinfo=UTC),
        "issued_before": datetime(2026, 1, 1, tzinfo=UTC),
        "sort_direction": "asc",
    }
    issued = [b.issued_at for b in buyer.organisations.credit_batches(me.id, where=year)]
    assert issued == sorted(issued)
    assert {moment.year for moment in issued} <= {2025}
    one = next(iter(default.values()))
    assert buyer.credit_batches.get(one.id) == one
    with pytest.raises(ValueError, match="zone"):
        buyer.organisations.credit_batches(me.id, where={"issued_after": datetime(2025, 1, 1)})  # noqa: DTZ001 (a time without a zone is what is tried)


def test_the_balance_equals_the_batches(buyer):
    me = buyer.organisations.current()
    balance = buyer.organisations.credit_balance(me.id)
    owned = [
        b
        for b in buyer.organisations.credit_batches(me.id, where={"status": ["active"]})
        if b.owner.id == me.id
    ]
    assert balance.total.active_credits_total.credit_kgs == sum(b.size.credit_kgs for b in owned)


def test_a_delivery_in_part_splits_the_batch(supplier, sandbox):
    order, batch = deliverable(sandbox, supplier)
    delivery = supplier.deliveries.create(
        order_id=order.id, credit_batch_quantities=[(batch.id, 1)], notes="ref:ABCDEF"
    )
    assert (delivery.order_id, delivery.notes) == (order.id, "ref:ABCDEF")
    assert delivery.credit_batch_size_total.credit_kgs == 1
    parent = supplier.credit_batches.get(batch.id)
    assert parent.status == "split"
    children = [
        supplier.credit_batches.get(child)
        for child in (parent.left_child_id, parent.right_child_id)
        if child
    ]
    assert sum(child.size.credit_kgs for child in children) == batch.size.credit_kgs
    assert {child.parent_id for child in children} == {batch.id}
    assert next(supplier.orders.deliveries(order.id)) == delivery
    grown = supplier.orders.get(order.id).credits_delivered.credit_kgs
    assert grown == order.credits_delivered.credit_kgs + 1
    with pytest.raises(BadRequestError):
        supplier.deliveries.create(order_id=order.id, credit_batch_quantities=[(batch.id, 1)])


def test_a_buyer_delivers_nothing(owner, supplier, sandbox):
    order, batch = deliverable(sandbox, supplier)
    with pytest.raises((ForbiddenError, NotFoundError)):
        owner.deliveries.create(order_id=order.id, credit_batch_quantities=[(batch.id, 1)])


def test_doubt_after_a_delivery_is_settled_by_looking(supplier, sandbox):
    order, batch = deliverable(sandbox, supplier)
    sandbox.faults("drop_after", path="/isometric/registry/v0/deliveries", method="POST")
    with pytest.raises(OutcomeUnknownError):
        supplier.deliveries.create(
            order_id=order.id, credit_batch_quantities=[(batch.id, 1)], notes="ref:DOUBT"
        )
    found = [d for d in supplier.orders.deliveries(order.id) if d.notes == "ref:DOUBT"]
    assert [d.credit_batch_size_total.credit_kgs for d in found] == [1]


def test_retirements_of_named_and_of_oldest_batches(owner, supplier, sandbox):
    order, undelivered = deliverable(sandbox, supplier)
    quantity = (undelivered.id, undelivered.size.credit_kgs)
    supplier.deliveries.create(order_id=order.id, credit_batch_quantities=[quantity])
    batch = owner.credit_batches.get(undelivered.id)
    assert (batch.owner.id, batch.status) == (owner.organisations.current().id, "active")
    claim = CLAIM | {
        "owner_organisation_id": batch.owner.id,
        "beneficiary_organisation_id": batch.owner.id,
        "supplier_id": batch.supplier_id,
    }
    named = owner.retirements.create(
        **claim, notes="ref:NAMED", credit_batch_quantities=[(batch.id, 2)]
    )
    assert named.credit_batch_size_total.credit_kgs == 2
    assert named.notes == "ref:NAMED"
    assert named.purposes == ("corporate_targets",)
    oldest = owner.retirements.from_oldest(**claim, credit_quantity_kg=1)
    assert oldest.credit_batch_size_total.credit_kgs == 1
    newest_first = list(owner.retirements.list(owner_org_id=batch.owner.id))
    assert [r.id for r in newest_first[:2]] == [oldest.id, named.id]
    with pytest.raises(BadRequestError):
        owner.retirements.from_oldest(**claim, credit_quantity_kg=10**18)


def test_beneficiaries(owner):
    client = owner.beneficiaries.create(name="Client Nine SA", domain="client9.example")
    person = owner.beneficiaries.create_individual(name="Ada Nine", email="ada@nine.example")
    listed = {organisation.id: organisation.name for organisation in owner.beneficiaries.list()}
    assert listed[client.id] == "Client Nine SA"
    assert listed[person.id] == "Ada Nine"


@pytest.mark.parametrize(
    ("group", "prefix"), [("organisations", "org"), ("suppliers", "spl"), ("projects", "prj")]
)
def test_an_unknown_object_is_not_found(buyer, group, prefix):
    with pytest.raises(NotFoundError):
        getattr(buyer, group).get(f"{prefix}_0000000000000000")


def test_an_id_of_another_kind_is_refused_before_anything_is_sent(buyer):
    with pytest.raises(ValueError, match="must begin with ord_"):
        buyer.orders.get("dlv_9AAA1111BBBB2222")
    with pytest.raises(ValueError, match="must begin with ord_"):
        buyer.orders.deliveries("ord_../../organisation")


@pytest.mark.parametrize("page_size", [0, 51])
def test_a_page_size_out_of_range_is_refused_before_anything_is_sent(buyer, page_size):
    with pytest.raises(ValueError, match="page size"):
        buyer.projects.list(page_size=page_size)


def test_a_page_that_promises_more_without_a_cursor_is_malformed(supplier, sandbox):
    info = {
        "has_next_page": True,
        "end_cursor": None,
        "has_previous_page": False,
        "start_cursor": None,
    }
    sandbox.faults("body", path="/isometric/registry/v0/deliveries", patch={"page_info": info})
    with pytest.raises(MalformedReplyError, match="cursor"):
        list(supplier.deliveries.list())


@pytest.mark.parametrize(
    ("secret", "token"), [("wrong-secret", "sandbox-isometric-buyer"), (SECRET, "wrong-token")]
)
def test_wrong_credentials_are_told_and_told_nowhere(demo_sandbox, secret, token):
    client = IsometricClient(
        client_secret=secret,
        access_token=token,
        base_url=f"{demo_sandbox.url}/isometric/registry/v0",
    )
    with client, pytest.raises(UnauthorizedError) as caught:
        client.organisations.current()
    assert isinstance(caught.value, ApiError)
    told = f"{caught.value!r} {caught.value} {client!r}"
    assert "wrong-secret" not in told
    assert "wrong-token" not in told
