"""The Lune sandbox's ground truth: what every account really holds, for tests to reconcile."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World
from .catalogue import catalogue_of
from .rules import money
from .tables import orders, parts

_NOT_COUNTED = ("cancelled", "failed")


def truth(world: World, connection: Connection) -> list[dict[str, Any]]:
    """One entry per main account, its client accounts included; all but cancelled and failed."""
    return [_entry(connection, account.account) for account in catalogue_of(world).accounts]


def _entry(connection: Connection, main: str) -> dict[str, Any]:
    counted = sa.and_(orders.c.main == main, orders.c.status.not_in(_NOT_COUNTED))
    spent: defaultdict[str, Decimal] = defaultdict(Decimal)
    number = ordered_g = 0
    for order in connection.execute(
        sa.select(orders.c.quantity_g, orders.c.currency, orders.c.total_cost).where(counted)
    ):
        number += 1
        ordered_g += order.quantity_g
        spent[order.currency] += Decimal(order.total_cost)
    retired_g = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(parts.c.quantity_g), 0))
        .join(orders, orders.c.id == parts.c.order_id)
        .where(counted, parts.c.status == "retired")
    )
    return {
        "provider": "lune",
        "account": main,
        "orders": number,
        "ordered_g": ordered_g,
        "delivered_g": int(retired_g or 0),
        "retired_g": int(retired_g or 0),
        "money": {currency: money(amount) for currency, amount in sorted(spent.items())},
    }
