"""What changes the registry, each with its rules: all of it happens, or nothing does.

Imported only inside this package: by the API, the control plane and the history, so that all
three obey the same rules. Every function runs inside the caller's transaction and raises
`Refused` before it writes anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World, to_us
from . import tables
from .batches import create_batch, new_id, size_kg, take
from .schemas import (
    CreateBeneficiaryRequest,
    CreateDeliveryRequest,
    CreateOrganizationBeneficiary,
    CreateRetirementByBatchRequest,
    CreateRetirementOldestCreditsRequest,
    CreditBatchQuantity,
)
from .section import section_of
from .wire import broken_rule, forbidden, not_found

GRAMS_PER_KG = 1000


def place_order(
    world: World, connection: Connection, *, buyer_id: str, supplier_id: str, kg: int, on: date
) -> str:
    """Enter an order under a contract effective `on`; returns its id. No API call can."""
    _find(connection, tables.organisations, buyer_id, "organisation")
    _find(connection, tables.suppliers, supplier_id, "supplier")
    order_id = new_id(world, connection, "ord")
    connection.execute(
        sa.insert(tables.orders).values(
            id=order_id,
            buyer_id=buyer_id,
            supplier_id=supplier_id,
            placed_us=to_us(world.now(connection)),
            effective_contract_date=on,
            ordered_kg=kg,
            delivered_kg=0,
        )
    )
    return order_id


def issue(
    world: World,
    connection: Connection,
    *,
    project_id: str,
    removals: Sequence[tuple[date, int]],
    period: tuple[date, date],
) -> str:
    """Issue credits for `removals` (sequestered on, net kg), less the buffer pool's share.

    Each removal becomes a batch of the supplier and, where it has a share, one of the buffer
    pool; returns the issuance's id.
    """
    section = section_of(world)
    project_row = _find(connection, tables.projects, project_id, "project")
    project = section.project(project_id)
    supplier = _find(connection, tables.suppliers, project_row.supplier_id, "supplier")
    shares = [(on, kg, kg * project.buffer_pool_kg_per_tonne // 1000) for on, kg in removals]
    issuance = {
        "id": new_id(world, connection, "iss"),
        "supplier_id": supplier.id,
        "project_id": project_id,
        "issued_us": to_us(world.now(connection)),
        "reporting_period_start_at": period[0],
        "reporting_period_end_at": period[1],
        "supplier_kg": sum(kg - buffer for _, kg, buffer in shares),
        "buffer_kg": sum(buffer for _, _, buffer in shares),
    }
    connection.execute(sa.insert(tables.issuances).values(**issuance))
    for on, kg, buffer_kg in shares:
        parts = (
            (kg - buffer_kg, supplier.organisation_id, False),
            (buffer_kg, section.buffer_pool_organisation_id, True),
        )
        for part_kg, owner_id, buffer in parts:
            if part_kg:
                create_batch(
                    world,
                    connection,
                    issuance=issuance,
                    sequestered_on=on,
                    kg=part_kg,
                    owner_id=owner_id,
                    buffer=buffer,
                )
    return str(issuance["id"])


def deliver(
    world: World,
    connection: Connection,
    *,
    caller_id: str,
    request: CreateDeliveryRequest,
    body: bytes | None = None,
) -> str:
    """Assign credits to an order of the caller's (contract 4.2); returns the delivery's id."""
    order = _find(connection, tables.orders, request.order_id, "order")
    supplier = _find(connection, tables.suppliers, order.supplier_id, "supplier")
    if supplier.organisation_id != caller_id:
        raise forbidden("only the supplier of the order may deliver to it")
    chosen = _choose(
        connection, request.credit_batch_quantities, owner_id=caller_id, supplier_id=supplier.id
    )
    kg = sum(part for _, part in chosen)
    _deliverable(order, [batch for batch, _ in chosen], kg)
    now = to_us(world.now(connection))
    delivery_id = new_id(world, connection, "dlv")
    connection.execute(
        sa.insert(tables.deliveries).values(
            id=delivery_id,
            order_id=order.id,
            supplier_id=supplier.id,
            to_organisation_id=order.buyer_id,
            delivered_us=now,
            kg=kg,
            notes=request.notes,
        )
    )
    for batch, part in chosen:
        batch_id = take(world, connection, batch, part)
        _change(
            connection,
            batch_id,
            owner_id=order.buyer_id,
            delivery_id=delivery_id,
            delivered_us=now,
            order_id=order.id,
        )
        link = {"delivery_id": delivery_id, "batch_id": batch_id}
        connection.execute(sa.insert(tables.delivered_batches).values(link))
    _grow(connection, order, kg, now)
    _record(world, connection, "delivery", delivery_id, caller_id, kg, request.notes, body)
    return delivery_id


def retire(
    world: World,
    connection: Connection,
    *,
    caller_id: str,
    request: CreateRetirementByBatchRequest,
    body: bytes | None = None,
) -> str:
    """Make credits of the caller's final for a beneficiary (contract 5.1); returns the id."""
    _may_retire(connection, caller_id, request)
    chosen = _choose(
        connection,
        request.credit_batch_quantities,
        owner_id=caller_id,
        supplier_id=request.supplier_id,
    )
    kg = sum(part for _, part in chosen)
    now = to_us(world.now(connection))
    retirement_id = new_id(world, connection, "ret")
    connection.execute(
        sa.insert(tables.retirements).values(
            id=retirement_id,
            owner_id=caller_id,
            beneficiary_id=request.beneficiary_organisation_id,
            retired_us=now,
            kg=kg,
            purposes=json.dumps(request.retirement_purposes),
            notes=request.notes,
        )
    )
    for batch, part in chosen:
        _change(
            connection,
            take(world, connection, batch, part),
            status="retired",
            retired_us=now,
            retirement_id=retirement_id,
            beneficiary_id=request.beneficiary_organisation_id,
        )
    _record(world, connection, "retirement", retirement_id, caller_id, kg, request.notes, body)
    return retirement_id


def retire_oldest(
    world: World,
    connection: Connection,
    *,
    caller_id: str,
    request: CreateRetirementOldestCreditsRequest,
    body: bytes | None = None,
) -> str:
    """Retire the caller's oldest credits of a supplier (contract 5.2); returns the id."""
    _may_retire(connection, caller_id, request)
    fields = request.model_dump(exclude={"credit_quantity_kg", "vintage", "order_id"})
    by_batch = CreateRetirementByBatchRequest(
        **fields, credit_batch_quantities=_oldest(connection, caller_id, request)
    )
    return retire(world, connection, caller_id=caller_id, request=by_batch, body=body)


def transfer(
    world: World, connection: Connection, *, batch_id: str, to_organisation_id: str, kg: int | None
) -> str:
    """Let an active batch, or `kg` of it, leave to another organisation; returns what left."""
    batch = _find(connection, tables.batches, batch_id, "credit batch")
    _find(connection, tables.organisations, to_organisation_id, "organisation")
    part = size_kg(batch) if kg is None else kg
    _usable(batch, part)
    left = take(world, connection, batch, part)
    _change(connection, left, owner_id=to_organisation_id)
    _record(world, connection, "transfer", left, batch.owner_id, part, None, None)
    return left


def register_beneficiary(
    world: World, connection: Connection, *, caller_id: str, request: CreateBeneficiaryRequest
) -> str:
    """Let the caller retire for someone (contract 5.3); a repeat gives the same organisation."""
    contact = (
        request.beneficiary_domain
        if isinstance(request, CreateOrganizationBeneficiary)
        else request.beneficiary_email
    ).lower()
    table = tables.organisations
    known = connection.execute(
        sa.select(table.c.id).where((table.c.contact == contact) | (table.c.domain == contact))
    ).scalar()
    found_id = known or new_id(world, connection, "org")
    if known is None:
        connection.execute(
            sa.insert(table).values(id=found_id, name=request.beneficiary_name, contact=contact)
        )
    allow_beneficiary(connection, caller_id, found_id)
    return found_id


def allow_beneficiary(connection: Connection, owner_id: str, organisation_id: str) -> None:
    """Put an organisation among those that the owner may retire for; itself always is."""
    if organisation_id != owner_id and not _is_beneficiary(connection, owner_id, organisation_id):
        connection.execute(
            sa.insert(tables.beneficiaries).values(
                owner_id=owner_id, organisation_id=organisation_id
            )
        )


def _find(connection: Connection, table: sa.Table, id: str, what: str) -> sa.Row[Any]:
    found = connection.execute(sa.select(table).where(table.c.id == id)).first()
    if found is None:
        raise not_found(f"{what} {id}")
    return found


def _choose(
    connection: Connection,
    quantities: Sequence[CreditBatchQuantity],
    *,
    owner_id: str,
    supplier_id: str,
) -> list[tuple[sa.Row[Any], int]]:
    """The batches named, with the kilograms of each, if the rules let the owner use them."""
    chosen: dict[str, tuple[sa.Row[Any], int]] = {}
    for quantity in quantities:
        batch = _find(connection, tables.batches, quantity.credit_batch_id, "credit batch")
        if batch.id in chosen:
            raise broken_rule(f"credit batch {batch.id} is named twice")
        if batch.owner_id != owner_id:
            raise broken_rule(f"credit batch {batch.id} is not owned by this organisation")
        if batch.supplier_id != supplier_id:
            raise broken_rule(f"credit batch {batch.id} comes from another supplier")
        _usable(batch, quantity.credit_quantity_kg)
        chosen[batch.id] = (batch, quantity.credit_quantity_kg)
    return list(chosen.values())


def _usable(batch: sa.Row[Any], kg: int) -> None:
    if batch.buffer:
        raise broken_rule(f"credit batch {batch.id} belongs to the buffer pool")
    if batch.status != "active":
        raise broken_rule(f"credit batch {batch.id} is {batch.status}, not active")
    if kg > size_kg(batch):
        raise broken_rule(f"credit batch {batch.id} holds only {size_kg(batch)} kg")


def _deliverable(order: sa.Row[Any], batches: Sequence[sa.Row[Any]], kg: int) -> None:
    for batch in batches:
        if batch.order_id is not None:
            raise broken_rule(f"credit batch {batch.id} has been delivered already")
    left = order.ordered_kg - order.delivered_kg
    if kg > left:
        raise broken_rule(f"only {left} kg of the order are left to deliver")


def _grow(connection: Connection, order: sa.Row[Any], kg: int, now_us: int) -> None:
    delivered = order.delivered_kg + kg
    fulfilled_us = now_us if delivered == order.ordered_kg else None
    connection.execute(
        sa.update(tables.orders)
        .where(tables.orders.c.id == order.id)
        .values(delivered_kg=delivered, fulfilled_us=fulfilled_us)
    )


def _may_retire(
    connection: Connection,
    caller_id: str,
    request: CreateRetirementByBatchRequest | CreateRetirementOldestCreditsRequest,
) -> None:
    if request.owner_organisation_id != caller_id:
        raise forbidden("credits can be retired only by the organisation that owns them")
    beneficiary_id = request.beneficiary_organisation_id
    _find(connection, tables.organisations, beneficiary_id, "organisation")
    _find(connection, tables.suppliers, request.supplier_id, "supplier")
    if beneficiary_id != caller_id and not _is_beneficiary(connection, caller_id, beneficiary_id):
        raise broken_rule(f"organisation {beneficiary_id} is not among the beneficiaries")


def _is_beneficiary(connection: Connection, owner_id: str, organisation_id: str) -> bool:
    columns = tables.beneficiaries.c
    found = connection.execute(
        sa.select(columns.owner_id).where(
            columns.owner_id == owner_id, columns.organisation_id == organisation_id
        )
    )
    return found.first() is not None


def _oldest(
    connection: Connection, owner_id: str, request: CreateRetirementOldestCreditsRequest
) -> list[CreditBatchQuantity]:
    """Enough of the owner's active credits, by sequestration, then issuance, then id."""
    columns = tables.batches.c
    query = sa.select(tables.batches).where(
        columns.owner_id == owner_id,
        columns.supplier_id == request.supplier_id,
        columns.status == "active",
        ~columns.buffer,
    )
    if request.vintage is not None:
        first, last = date(request.vintage, 1, 1), date(request.vintage, 12, 31)
        query = query.where(columns.sequestered_on.between(first, last))
    if request.order_id is not None:
        _find(connection, tables.orders, request.order_id, "order")
        query = query.where(columns.order_id == request.order_id)
    query = query.order_by(columns.sequestered_on, columns.issued_us, columns.id)
    wanted, picked = request.credit_quantity_kg, []
    for batch in connection.execute(query):
        part = min(wanted, size_kg(batch))
        picked.append(CreditBatchQuantity(credit_batch_id=batch.id, credit_quantity_kg=part))
        wanted -= part
        if not wanted:
            return picked
    raise broken_rule(f"{wanted} kg more than the active credits that match were asked for")


def _change(connection: Connection, batch_id: str, **values: Any) -> None:
    connection.execute(
        sa.update(tables.batches).where(tables.batches.c.id == batch_id).values(**values)
    )


def _record(
    world: World,
    connection: Connection,
    kind: str,
    id: str,
    organisation_id: str,
    kg: int,
    notes: str | None,
    body: bytes | None,
) -> None:
    organisation = _find(connection, tables.organisations, organisation_id, "organisation")
    world.record_effect(
        connection,
        provider="isometric",
        account=organisation.account or organisation_id,
        kind=kind,
        id=id,
        grams=kg * GRAMS_PER_KG,
        reference=notes,
        body=body,
    )
