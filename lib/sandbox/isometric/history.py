"""A believable past of the registry: contracts, then issuances, deliveries and retirements.

Imported only inside this package. `history` decides everything with its own random numbers and
writes it down as events; they are carried out through the API's own rules when they fall due, so
suppliers go on delivering as the clock runs on. Only the past retires by itself: from the end of
history on, what the buyer holds is the buyer's business.
"""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..options import History
from ..state import World
from . import actions, tables
from .batches import size_kg
from .schemas import (
    CreateDeliveryRequest,
    CreateOrganizationBeneficiary,
    CreateRetirementByBatchRequest,
    CreditBatchQuantity,
)
from .section import BUYER, section_of
from .seeding import bystander_id, organisation_of

_DELIVER, _RETIRE = "isometric.deliver", "isometric.retire"

_DEMO_ORDERS = 10
_ORDERS_PER_CNAUGHT_ORDER = 20
_TRANCHES = 4
_HOSTILE_NOTE = "<img src=x onerror=alert(1)> =1+1"
_CLIENT = CreateOrganizationBeneficiary(
    beneficiary_name="Ordane Outfitters", beneficiary_domain="ordane-outfitters.example"
)
_PURPOSES = ("corporate_targets", "public_environmental_claims", "insetting", "other")
_NOTES = ("Inbound freight", "Warehouse heating", "Business travel", None)
# How much of a delivery the buyer retires: all, a part, or for now nothing.
_RETIRED_PERMILLE = (1000, 1000, 625, 340, 0)


def register(world: World) -> None:
    """Say how planned deliveries and retirements are carried out."""
    world.on(_DELIVER, _deliver)
    world.on(_RETIRE, _retire)


def history(
    world: World,
    connection: Connection,
    *,
    size: History,
    start: datetime,
    end: datetime,
    rng: random.Random,
) -> None:
    """Place the buyer's orders between `start` and `end`, and plan what follows from them.

    `size` is "demo", or the number of CNaught orders for which a proportionate history is wanted.
    """
    if size == "none":
        return
    count = max(1, size // _ORDERS_PER_CNAUGHT_ORDER) if isinstance(size, int) else _DEMO_ORDERS
    until = datetime.fromisoformat(world.get(connection, "history_end") or end.isoformat())
    with world.at(start):
        _first_issuances(world, connection, rng)
    planner = _Planner(world, connection, rng, until)
    every = (end - start) / count
    moment = start
    for index in range(count):
        moment = start + every * (index + rng.uniform(0, 0.7))
        world.carry_out_until(connection, moment)
        with world.at(moment):
            planner.place(index, hostile=size == "demo" and index == 1)
        if size == "demo" and index == 2:
            with world.at(moment):
                planner.let_another_retire_for_the_buyer()
    if size == "demo":
        moment = max(moment, end - timedelta(days=30))
        world.carry_out_until(connection, moment)
        with world.at(moment):
            planner.leave_something_to_deliver()
    world.carry_out_until(connection, end)


class _Planner:
    """Places orders and decides, at once, all that will come of them."""

    def __init__(
        self, world: World, connection: Connection, rng: random.Random, until: datetime
    ) -> None:
        self._world, self._connection, self._rng, self._until = world, connection, rng, until
        self._projects = section_of(world).projects
        self._buyer_id = organisation_of(connection, BUYER)
        self._client_id = actions.register_beneficiary(
            world, connection, caller_id=self._buyer_id, request=_CLIENT
        )

    def place(self, index: int, *, hostile: bool) -> None:
        """One order of 5 to 400 t; every fifth is a distant forward contract, one in five stalls
        before its last tranche."""
        rng = self._rng
        project = self._projects[index % len(self._projects)]
        kg = rng.choice((rng.randint(5_000, 40_000), rng.randint(40_000, 400_000)))
        order_id = self._order(self._buyer_id, project.supplier_id, kg)
        siblings = [p.id for p in self._projects if p.supplier_id == project.supplier_id]
        tranches = rng.randint(_TRANCHES - 1, _TRANCHES + 1)
        days = rng.randint(300, 480) if index % 5 == 4 else rng.randint(60, 210)
        for number, part in enumerate(_parts(kg, tranches, rng), start=1):
            stalled = index % 5 == 2 and number == tranches
            note = f"Tranche {number} of {tranches}"
            self._plan_delivery(
                days + 900 if stalled else days,
                order_id=order_id,
                project_id=project.id if number < 3 else rng.choice(siblings),
                kg=part,
                notes=_HOSTILE_NOTE if hostile and number == 1 else note,
                retirement=self._retirement(),
            )
            days += rng.randint(25, 110)

    def let_another_retire_for_the_buyer(self) -> None:
        """Somebody else buys credits and retires some of them for the buyer's claim."""
        giver_id = bystander_id(self._world, self._connection)
        if giver_id is None:
            return
        actions.allow_beneficiary(self._connection, giver_id, self._buyer_id)
        project = self._projects[-1]
        self._plan_delivery(
            75,
            order_id=self._order(giver_id, project.supplier_id, 12_000),
            project_id=project.id,
            kg=12_000,
            notes=None,
            retirement={
                "days": 20,
                "permille": 300,
                "beneficiary_id": self._buyer_id,
                "purpose": "other",
                "notes": "With thanks for the shared lanes",
            },
        )

    def leave_something_to_deliver(self) -> None:
        """The first supplier has a credential: give it an open order and credits to deliver."""
        project = self._projects[0]
        self._plan_delivery(
            10,
            order_id=self._order(self._buyer_id, project.supplier_id, 60_000),
            project_id=project.id,
            kg=22_500,
            notes="Tranche 1 of 2",
            retirement={"days": 0, "permille": 0},
        )
        _issue(self._world, self._connection, project.id, 90_000)

    def _order(self, buyer_id: str, supplier_id: str, kg: int) -> str:
        today = self._world.now(self._connection).date()
        return actions.place_order(
            self._world,
            self._connection,
            buyer_id=buyer_id,
            supplier_id=supplier_id,
            kg=kg,
            on=today - timedelta(days=self._rng.randint(3, 30)),
        )

    def _retirement(self) -> dict[str, Any]:
        rng = self._rng
        return {
            "days": rng.randint(10, 60),
            "permille": rng.choice(_RETIRED_PERMILLE),
            "beneficiary_id": self._client_id if rng.random() < 0.15 else self._buyer_id,
            "purpose": rng.choice(_PURPOSES),
            "notes": rng.choice(_NOTES),
        }

    def _plan_delivery(self, days: int, *, retirement: dict[str, Any], **plan: Any) -> None:
        due = self._world.now(self._connection) + timedelta(
            days=days, seconds=self._rng.randint(0, 36_000)
        )
        if due + timedelta(days=retirement["days"]) <= self._until and retirement["permille"]:
            plan["retirement"] = retirement
        plan["issue_percent"] = self._rng.randint(110, 240)
        self._world.schedule(self._connection, due, _DELIVER, json.dumps(plan))


def _deliver(world: World, connection: Connection, ref: str) -> None:
    """Carry out a planned delivery, as far as the order is still open."""
    plan = json.loads(ref)
    order = connection.execute(
        sa.select(tables.orders).where(tables.orders.c.id == plan["order_id"])
    ).one()
    kg = min(plan["kg"], order.ordered_kg - order.delivered_kg)
    if kg == 0:
        return
    supplier_id = connection.execute(
        sa.select(tables.suppliers.c.organisation_id).where(
            tables.suppliers.c.id == order.supplier_id
        )
    ).scalar_one()
    request = CreateDeliveryRequest(
        credit_batch_quantities=_stock(
            world, connection, plan["project_id"], supplier_id, kg, plan["issue_percent"]
        ),
        order_id=order.id,
        notes=plan["notes"],
    )
    delivery_id = actions.deliver(world, connection, caller_id=supplier_id, request=request)
    retirement = plan.get("retirement")
    if retirement is not None:
        due = world.now(connection) + timedelta(days=retirement["days"])
        ref = json.dumps(retirement | {"delivery_id": delivery_id})
        world.schedule(connection, due, _RETIRE, ref)


def _retire(world: World, connection: Connection, ref: str) -> None:
    """Carry out a planned retirement of what a delivery brought and nobody has used since."""
    plan = json.loads(ref)
    delivery = connection.execute(
        sa.select(tables.deliveries).where(tables.deliveries.c.id == plan["delivery_id"])
    ).one()
    held = _held(connection, delivery)
    if not held:
        return
    request = CreateRetirementByBatchRequest(
        owner_organisation_id=delivery.to_organisation_id,
        beneficiary_organisation_id=plan["beneficiary_id"],
        supplier_id=delivery.supplier_id,
        retirement_purposes=[plan["purpose"]],
        notes=plan["notes"],
        credit_batch_quantities=[
            _some_of(batch, max(1, size_kg(batch) * plan["permille"] // 1000)) for batch in held
        ],
    )
    actions.retire(world, connection, caller_id=delivery.to_organisation_id, request=request)


def _held(connection: Connection, delivery: sa.Row[Any]) -> list[sa.Row[Any]]:
    batches, links = tables.batches, tables.delivered_batches
    query = (
        sa.select(batches)
        .join(links, links.c.batch_id == batches.c.id)
        .where(
            links.c.delivery_id == delivery.id,
            batches.c.status == "active",
            batches.c.owner_id == delivery.to_organisation_id,
        )
        .order_by(batches.c.first_unit)
    )
    return list(connection.execute(query).all())


def _stock(
    world: World,
    connection: Connection,
    project_id: str,
    supplier_id: str,
    kg: int,
    issue_percent: int,
) -> list[CreditBatchQuantity]:
    """`kg` of the project's undelivered credits, oldest first; issues more if they run short."""
    batches = tables.batches
    query = (
        sa.select(batches)
        .where(
            batches.c.project_id == project_id,
            batches.c.owner_id == supplier_id,
            batches.c.status == "active",
            ~batches.c.buffer,
            batches.c.order_id.is_(None),
        )
        .order_by(batches.c.sequestered_on, batches.c.first_unit)
    )
    missing = kg - sum(size_kg(batch) for batch in connection.execute(query))
    if missing > 0:
        kept = 1000 - section_of(world).project(project_id).buffer_pool_kg_per_tonne
        # Two kilograms more than the share: it is rounded once for each of two vintages.
        gross = (missing * 1000 // kept + 2) * issue_percent // 100
        with world.at(world.now(connection) - timedelta(days=20)):
            _issue(world, connection, project_id, gross)
    picked = []
    for batch in connection.execute(query).all():
        part = min(kg, size_kg(batch))
        picked.append(_some_of(batch, part))
        kg -= part
        if kg == 0:
            break
    return picked


def _first_issuances(world: World, connection: Connection, rng: random.Random) -> None:
    """Let every project that has none yet issue once, so that each is known by its credits."""
    columns = tables.issuances.c
    known = set(connection.execute(sa.select(columns.project_id)).scalars())
    for project in section_of(world).projects:
        kg = rng.randint(20_000, 90_000)
        if project.id not in known:
            _issue(world, connection, project.id, kg)


def _issue(world: World, connection: Connection, project_id: str, kg: int) -> None:
    """Issue for the eight months up to 45 days ago, split over its calendar years."""
    last = world.now(connection).date() - timedelta(days=45)
    first = last - timedelta(days=240)
    removals = [(last, kg)]
    if first.year != last.year:
        new_year = date(last.year, 1, 1)
        earlier = kg * (new_year - first).days // ((last - first).days + 1)
        removals = [(new_year - timedelta(days=1), earlier), (last, kg - earlier)]
    actions.issue(
        world,
        connection,
        project_id=project_id,
        removals=[(on, part) for on, part in removals if part],
        period=(first, last),
    )


def _parts(kg: int, count: int, rng: random.Random) -> list[int]:
    """`kg` in `count` parts that sum to it, none of them empty."""
    cuts = sorted(rng.sample(range(1, kg), count - 1))
    return [after - before for before, after in zip([0, *cuts], [*cuts, kg], strict=True)]


def _some_of(batch: sa.Row[Any], kg: int) -> CreditBatchQuantity:
    return CreditBatchQuantity(credit_batch_id=batch.id, credit_quantity_kg=kg)
