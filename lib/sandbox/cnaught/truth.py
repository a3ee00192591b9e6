"""Ground truth of the CNaught accounts, for tests to reconcile against.

Imported only inside this package.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World
from .section import section_of
from .tables import orders


def truth(world: World, connection: Connection) -> list[dict[str, Any]]:
    """Per account all orders that are not cancelled; every order is rounded to grams by itself."""
    return [_account(connection, account.name) for account in section_of(world).accounts]


def _account(connection: Connection, name: str) -> dict[str, Any]:
    grams = sa.func.sum((orders.c.amount_mg + 500) // 1000)
    standing = (
        sa.select(orders.c.state, sa.func.count(), grams, sa.func.sum(orders.c.price_cents))
        .where(orders.c.account == name, orders.c.state != "cancelled")
        .group_by(orders.c.state)
    )
    by_state = {state: rest for state, *rest in connection.execute(standing)}
    count, ordered, cents = (sum(int(rest[n]) for rest in by_state.values()) for n in range(3))
    fulfilled = int(by_state["fulfilled"][1]) if "fulfilled" in by_state else 0
    return {
        "provider": "cnaught",
        "account": name,
        "orders": count,
        "ordered_g": ordered,
        "delivered_g": fulfilled,
        "retired_g": fulfilled,
        "money": {"USD": f"{Decimal(cents) / 100:.2f}"},
    }
