"""What the real API cannot create: orders, issuances, transfers. For the control plane only.

Every function takes the request's JSON object, uses the two token accounts and their first
project where the body names nothing, and raises ValueError with a sentence on a bad body.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import Connection

from ..state import World
from . import actions, tables
from .batches import serial_number, size_kg
from .schemas import Day, Id
from .section import BUYER, SELLER
from .seeding import bystander_id, organisation_of
from .wire import Refused, not_found

_A_MEGATONNE_KG = 10**9


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _OrderForm(_Form):
    credit_quantity_kg: int = Field(gt=0, le=_A_MEGATONNE_KG)
    buyer_organisation_id: Id | None = None
    supplier_id: Id | None = None
    effective_contract_date: Day | None = None


class _IssuanceForm(_Form):
    credit_quantity_kg: int = Field(gt=0, le=_A_MEGATONNE_KG)
    project_id: Id | None = None
    sequestered_on: Day | None = None
    reporting_period_start_at: Day | None = None
    reporting_period_end_at: Day | None = None


class _TransferForm(_Form):
    credit_batch_id: Id
    to_organisation_id: Id | None = None
    credit_quantity_kg: int | None = Field(default=None, gt=0)


def control_create_order(
    world: World, connection: Connection, body: dict[str, Any]
) -> dict[str, Any]:
    """Place an order of `credit_quantity_kg`.

    Optional: `buyer_organisation_id` and `supplier_id` (the token accounts' by default) and
    `effective_contract_date` (today).
    """
    with _sentences():
        form = _OrderForm.model_validate(body)
        on = form.effective_contract_date or world.now(connection).date()
        buyer_id = form.buyer_organisation_id or organisation_of(connection, BUYER)
        supplier_id = form.supplier_id or _own_supplier_id(connection)
        order_id = actions.place_order(
            world,
            connection,
            buyer_id=buyer_id,
            supplier_id=supplier_id,
            kg=form.credit_quantity_kg,
            on=on,
        )
    return {
        "id": order_id,
        "buyer_organisation_id": buyer_id,
        "supplier_id": supplier_id,
        "effective_contract_date": on.isoformat(),
        "credit_kgs": form.credit_quantity_kg,
    }


def control_create_issuance(
    world: World, connection: Connection, body: dict[str, Any]
) -> dict[str, Any]:
    """Issue `credit_quantity_kg`, the buffer pool's share included.

    Optional: `project_id` (of the supplier account by default), `sequestered_on` (90 days ago)
    and the reporting period (the half year up to it). Answers with the batches it made.
    """
    with _sentences():
        form = _IssuanceForm.model_validate(body)
        on = form.sequestered_on or world.now(connection).date() - timedelta(days=90)
        period = (
            form.reporting_period_start_at or on - timedelta(days=182),
            form.reporting_period_end_at or on,
        )
        if not period[0] <= on <= period[1]:
            raise ValueError("sequestered_on must lie within the reporting period")
        project_id = form.project_id or _own_project_id(connection)
        issuance_id = actions.issue(
            world,
            connection,
            project_id=project_id,
            removals=[(on, form.credit_quantity_kg)],
            period=period,
        )
    return {
        "id": issuance_id,
        "project_id": project_id,
        "credit_batches": list(_batches(connection, issuance_id, buffer=False)),
        "buffer_pool_credit_batches": list(_batches(connection, issuance_id, buffer=True)),
    }


def control_transfer(world: World, connection: Connection, body: dict[str, Any]) -> dict[str, Any]:
    """Let `credit_batch_id` leave to another organisation.

    Optional: `credit_quantity_kg` (a part of it; all by default), `to_organisation_id` (by
    default one that neither token acts for). `credit_batch_id` in the answer is what left.
    """
    with _sentences():
        form = _TransferForm.model_validate(body)
        to_id = form.to_organisation_id or bystander_id(world, connection)
        if to_id is None:
            raise not_found("organisation to transfer to")
        left = actions.transfer(
            world,
            connection,
            batch_id=form.credit_batch_id,
            to_organisation_id=to_id,
            kg=form.credit_quantity_kg,
        )
    return {"credit_batch_id": left, "to_organisation_id": to_id}


@contextmanager
def _sentences() -> Iterator[None]:
    """A refusal by the registry or by a form as ValueError with one sentence."""
    try:
        yield
    except Refused as refusal:
        raise ValueError(refusal.detail) from None
    except ValidationError as problem:
        error = problem.errors()[0]
        path = ".".join(str(part) for part in error["loc"])
        raise ValueError(f"{path}: {error['msg']}") from None


def _own_supplier_id(connection: Connection) -> str:
    columns = tables.suppliers.c
    seller_id = organisation_of(connection, SELLER)
    query = sa.select(columns.id).where(columns.organisation_id == seller_id).order_by(columns.id)
    return str(connection.execute(query).scalars().first())


def _own_project_id(connection: Connection) -> str:
    columns = tables.projects.c
    seller_id = organisation_of(connection, SELLER)
    query = (
        sa.select(columns.id)
        .join(tables.suppliers, tables.suppliers.c.id == columns.supplier_id)
        .where(tables.suppliers.c.organisation_id == seller_id)
        .order_by(columns.created_us, columns.id)
    )
    return str(connection.execute(query).scalars().first())


def _batches(connection: Connection, issuance_id: str, *, buffer: bool) -> Iterator[dict[str, Any]]:
    batches, projects = tables.batches, tables.projects
    query = sa.select(batches).where(
        batches.c.issuance_id == issuance_id, batches.c.buffer == buffer
    )
    for row in connection.execute(query):
        project = connection.execute(
            sa.select(projects).where(projects.c.id == row.project_id)
        ).one()
        yield {
            "id": row.id,
            "serial_number": serial_number(row, project),
            "credit_kgs": size_kg(row),
        }
