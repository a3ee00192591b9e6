"""Orders: placing, fulfilling, cancelling, and how they are shown (contract 2 and 4.1 to 4.5).

Imported only inside this package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World, from_us, rfc3339, to_us
from ..wire import Verbatim
from . import stock
from .callbacks import announce
from .idempotency import Call
from .problems import forbidden, not_found
from .scope import Scope
from .section import section_of
from .tables import MG_PER_KG, blocks, orders, projects, retirements

FULFIL = "cnaught.fulfil"
"""The event that an order's time to be fulfilled has come."""

_LOOK_AGAIN = timedelta(days=7)
"""How long an order waits for stock before the stock is looked at again."""


_BY_ID = sa.select(orders).where(orders.c.id == sa.bindparam("wanted"))
_CHANGE = sa.update(orders).where(orders.c.seq == sa.bindparam("changed"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order as it is to be placed, already priced."""

    amount_kg: Decimal
    price_cents: int
    portfolio_id: str
    metadata: str | None = None
    description: str | None = None
    callback_url: str | None = None
    checkout_session_id: str | None = None


def place(
    world: World,
    connection: Connection,
    scope: Scope,
    new: NewOrder,
    *,
    call: Call | None = None,
    fulfil_after: timedelta | None = None,
) -> str:
    """Place an order and return its id; it is fulfilled after a while, if the stock allows."""
    if not scope.account.billing:
        raise forbidden("Billing is not set up for this account")
    now = world.now(connection)
    order = {
        "id": world.new_id(connection),
        "account": scope.account.name,
        "subaccount_id": scope.subaccount_id,
        "portfolio_id": new.portfolio_id,
        "amount_mg": int(new.amount_kg * MG_PER_KG),
        "price_cents": new.price_cents,
        "state": "placed",
        "note": new.metadata,
        "description": new.description,
        "callback_url": new.callback_url,
        "checkout_session_id": new.checkout_session_id,
        "created_us": to_us(now),
    }
    connection.execute(sa.insert(orders), order)
    delay = fulfil_after or timedelta(seconds=section_of(world).fulfilment_delay_s)
    world.schedule(connection, now + delay, FULFIL, str(order["id"]))
    _record(world, connection, order, "order", call)
    return str(order["id"])


def fulfil(world: World, connection: Connection, id: str) -> None:
    """Match an order to stock and retire it; while the stock is too small the order waits."""
    order = connection.execute(_BY_ID, {"wanted": id}).one()
    if order.state != "placed":
        return
    now = world.now(connection)
    portfolio = section_of(world).portfolios_by_id.get(order.portfolio_id)
    if portfolio is None or not stock.allocate(world, connection, id, portfolio, order.amount_mg):
        world.schedule(connection, now + _LOOK_AGAIN, FULFIL, id)
        return
    _change(connection, order, state="fulfilled", fulfilled_us=to_us(now))
    _announce(world, connection, order)


def cancel(
    world: World, connection: Connection, scope: Scope, id: str, *, call: Call | None = None
) -> None:
    """Cancel an order and give its stock back; raises 403 when it is cancelled already."""
    order = find(connection, scope, id)
    if order.state == "cancelled":
        raise forbidden("The order is already cancelled")
    stock.release(connection, id)
    _change(connection, order, state="cancelled")
    _record(world, connection, order._mapping, "cancellation", call)
    _announce(world, connection, order)


def find(connection: Connection, scope: Scope, id: str) -> Any:
    """An order's row; raises 404 when unknown or out of scope."""
    found = connection.execute(
        sa.select(orders).where(*scope.within(orders), orders.c.id == id)
    ).first()
    if found is None:
        raise not_found("order")
    return found


def view(world: World, connection: Connection, row: Any) -> dict[str, Any]:
    """An order as the API shows it."""
    return views(world, connection, [row])[0]


def views(world: World, connection: Connection, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Orders as the API shows them."""
    allocations = _allocations(world, connection, [row.id for row in rows])
    return [_view(world, row, allocations.get(row.id, [])) for row in rows]


def _view(world: World, row: Any, allocations: list[dict[str, Any]]) -> dict[str, Any]:
    pages = None if row.state == "cancelled" else f"{world.public_url}/pages/cnaught"
    return {
        "id": row.id,
        "order_number": order_number(row.id),
        "created_on": rfc3339(from_us(row.created_us)),
        "metadata": row.note,
        "description": row.description,
        "amount_kg": kilograms(row.amount_mg),
        "state": row.state,
        "price_usd_cents": row.price_cents,
        "callback_url": row.callback_url,
        "certificate_public_url": pages and f"{pages}/orders/{row.id}",
        "certificate_download_public_url": pages and f"{pages}/certificates/{row.id}/pdf",
        "subaccount_id": row.subaccount_id,
        "project_allocations": allocations,
        "checkout_session_id": row.checkout_session_id,
    }


def _allocations(
    world: World, connection: Connection, ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """The allocations of fulfilled orders, by order."""
    found = connection.execute(
        sa.select(
            retirements.c.order_id,
            retirements.c.position,
            retirements.c.amount_mg,
            projects.c.body,
            blocks.c.serial,
            blocks.c.url,
        )
        .join(blocks, blocks.c.seq == retirements.c.block)
        .join(projects, projects.c.id == retirements.c.project_id)
        .where(retirements.c.order_id.in_(ids))
        .order_by(retirements.c.order_id, retirements.c.position, retirements.c.seq)
    )
    allocations: dict[str, list[dict[str, Any]]] = {}
    for (order_id, _), group in groupby(found, key=lambda row: (row.order_id, row.position)):
        parts = list(group)
        allocations.setdefault(order_id, []).append(
            {
                "project": Verbatim(parts[0].body),
                "amount_kg": kilograms(sum(part.amount_mg for part in parts)),
                "retirements": [
                    {
                        "serial_number_range": part.serial,
                        "url": part.url and f"{world.public_url}{part.url}",
                    }
                    for part in parts
                ],
            }
        )
    return allocations


def kilograms(mg: int) -> Decimal:
    """Milligrams as the kilograms of the API."""
    return Decimal(mg) / MG_PER_KG


def order_number(id: str) -> str:
    """The number on the certificate: the id's bytes in hex, in groups of five."""
    digits = id.encode("ascii").hex()
    return "-".join(digits[at : at + 5] for at in range(0, len(digits), 5))


def _change(connection: Connection, order: Any, **values: Any) -> None:
    connection.execute(_CHANGE, {"changed": order.seq} | values)


def _announce(world: World, connection: Connection, order: Any) -> None:
    """Call the customer back about an order that changed its state, where a URL was given."""
    if order.callback_url is not None:
        row = connection.execute(_BY_ID, {"wanted": order.id}).one()
        announce(world, connection, row.callback_url, {"order": view(world, connection, row)})


def _record(
    world: World, connection: Connection, order: Mapping[str, Any], kind: str, call: Call | None
) -> None:
    world.record_effect(
        connection,
        provider="cnaught",
        account=order["account"],
        subaccount=order["subaccount_id"],
        kind=kind,
        id=order["id"],
        key=None if call is None else call.key,
        reference=order["note"],
        body=None if call is None else call.body,
        grams=grams(order["amount_mg"]),
        money=f"{Decimal(order['price_cents']) / 100:.2f}",
        currency="USD",
    )


def grams(mg: int) -> int:
    """Whole grams, half a gram rounded up."""
    return (mg + 500) // 1000
