"""The catalogue's organisations, suppliers and projects put into the registry, and its truth.

Imported only inside this package.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.engine import Connection

from ..state import World, to_us
from ..wire import dumps
from . import tables
from .actions import GRAMS_PER_KG
from .section import BUYER, SELLER, LocationEntry, section_of


def seed(world: World, connection: Connection) -> None:
    """Create what the catalogue names and the registry does not hold yet."""
    section = section_of(world)
    for organisation in section.organisations:
        _add(connection, tables.organisations, organisation)
    for supplier in section.suppliers:
        _add(connection, tables.suppliers, supplier, location=_text(supplier.location))
    for project in section.projects:
        created = datetime.combine(project.created_on, time(9), UTC)
        _add(
            connection,
            tables.projects,
            project,
            location=_text(project.location),
            created_us=to_us(created),
        )


def truth(
    world: World,  # noqa: ARG001 (the core hands every provider the same)
    connection: Connection,
) -> list[dict[str, Any]]:
    """What each account bought or sold, in grams.

    `delivered_g` counts all that was ever delivered for its orders, `retired_g` how much of it
    the buyer has retired since. The registry knows no prices: `money` is empty.
    """
    buyer_id = organisation_of(connection, BUYER)
    seller_id = organisation_of(connection, SELLER)
    columns = tables.suppliers.c
    supplied = sa.select(columns.id).where(columns.organisation_id == seller_id)
    return [
        _account(connection, BUYER, tables.orders.c.buyer_id == buyer_id),
        _account(connection, SELLER, tables.orders.c.supplier_id.in_(supplied)),
    ]


def organisation_of(connection: Connection, account: str) -> str:
    """The id of the organisation that an account's token acts for."""
    columns = tables.organisations.c
    found = connection.execute(sa.select(columns.id).where(columns.account == account))
    return str(found.scalar_one())


def bystander_id(world: World, connection: Connection) -> str | None:
    """An organisation that no token acts for, neither a supplier nor the buffer pool."""
    columns = tables.organisations.c
    supplying = sa.select(tables.suppliers.c.organisation_id)
    query = sa.select(columns.id).where(
        columns.account.is_(None),
        columns.contact.is_(None),
        columns.id.not_in(supplying),
        columns.id != section_of(world).buffer_pool_organisation_id,
    )
    return connection.execute(query.order_by(columns.id)).scalars().first()


def _add(connection: Connection, table: sa.Table, entry: Any, **special: Any) -> None:
    known = connection.execute(sa.select(table.c.id).where(table.c.id == entry.id)).first()
    if known is None:
        values = {name: value for name, value in _fields(entry) if name in table.c}
        connection.execute(sa.insert(table).values(values | special))


def _fields(entry: BaseModel) -> list[tuple[str, Any]]:
    return [(name, getattr(entry, name)) for name in type(entry).model_fields]


def _text(location: LocationEntry | None) -> str | None:
    return None if location is None else dumps(location.model_dump())


def _account(connection: Connection, account: str, condition: Any) -> dict[str, Any]:
    orders, batches = tables.orders, tables.batches
    count, ordered, delivered = connection.execute(
        sa.select(
            sa.func.count(), sa.func.sum(orders.c.ordered_kg), sa.func.sum(orders.c.delivered_kg)
        ).where(condition)
    ).one()
    retired = connection.execute(
        sa.select(sa.func.sum(batches.c.last_unit - batches.c.first_unit + 1))
        .join(orders, orders.c.id == batches.c.order_id)
        .where(condition, batches.c.status == "retired", batches.c.owner_id == orders.c.buyer_id)
    ).scalar_one()
    return {
        "provider": "isometric",
        "account": account,
        "orders": count,
        "ordered_g": int(ordered or 0) * GRAMS_PER_KG,
        "delivered_g": int(delivered or 0) * GRAMS_PER_KG,
        "retired_g": int(retired or 0) * GRAMS_PER_KG,
        "money": {},
    }
