"""What happens to a Lune order after it is placed, by the sandbox's clock (Lune contract 2.2).

For the Lune sandbox. `received -> placed -> paid -> retiring -> complete`, each step a due event;
`cancel` and `fail` are the side exits. Only whole tonnes are retired: what is left of an order
waits, allocated, in the pool of its account and beneficiary, first come first served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World, to_us
from .catalogue import Catalogue, catalogue_of
from .rules import Taken, split_by_weight, take_first, whole_tonnes
from .tables import order_bundles, orders, parts, stock

_PLACE, _PAY, _ALLOT = "lune.place", "lune.pay", "lune.allot"
_RESTOCK, _RETIRE = "lune.restock", "lune.retire"


def register(world: World) -> None:
    """Say which function carries out which kind of event."""
    world.on(_PLACE, _placed)
    world.on(_PAY, _paid)
    world.on(_ALLOT, _allotted)
    world.on(_RESTOCK, _restocked)
    world.on(_RETIRE, _retired)


def start(
    world: World,
    connection: Connection,
    order_id: str,
    *,
    created_as: Literal["received", "placed"] | None = None,
) -> None:
    """Give a new order its first status and let its life begin."""
    lifecycle = catalogue_of(world).lifecycle
    if (created_as or lifecycle.created_as) == "received":
        _later(world, connection, lifecycle.placed_s, _PLACE, order_id)
    else:
        _set(connection, order_id, status="placed", assigned=True)
    _later(world, connection, lifecycle.paid_s, _PAY, order_id)


def cancel(connection: Connection, order_id: str) -> None:
    """Cancel an order that is received, placed or paid. Raises ValueError in any other state."""
    _leave(connection, order_id, "cancelled", ("received", "placed", "paid"))


def fail(connection: Connection, order_id: str) -> None:
    """Let a received order fail. Raises ValueError in any other state."""
    _leave(connection, order_id, "failed", ("received",))


def _leave(connection: Connection, order_id: str, status: str, allowed: tuple[str, ...]) -> None:
    current = _status(connection, order_id)
    if current not in allowed:
        raise ValueError(f"an order that is {current} cannot become {status}")
    _set(connection, order_id, status=status)


def _later(world: World, connection: Connection, seconds: float, kind: str, ref: str) -> None:
    world.schedule(connection, world.now(connection) + timedelta(seconds=seconds), kind, ref)


def _status(connection: Connection, order_id: str) -> str:
    status: str = connection.scalars(
        sa.select(orders.c.status).where(orders.c.id == order_id)
    ).one()
    return status


def _set(connection: Connection, order_id: str, **values: Any) -> None:
    connection.execute(sa.update(orders).where(orders.c.id == order_id).values(**values))


def _placed(_world: World, connection: Connection, order_id: str) -> None:
    if _status(connection, order_id) == "received":
        _set(connection, order_id, status="placed", assigned=True)


def _paid(world: World, connection: Connection, order_id: str) -> None:
    if _status(connection, order_id) != "placed":
        return
    _set(connection, order_id, status="paid")
    lifecycle = catalogue_of(world).lifecycle
    _later(world, connection, lifecycle.retiring_s - lifecycle.paid_s, _ALLOT, order_id)


def _allotted(world: World, connection: Connection, order_id: str) -> None:
    """Allot projects, or leave the order paid until the missing credits are in stock."""
    order = connection.execute(sa.select(orders).where(orders.c.id == order_id)).one()
    if order.status != "paid":
        return
    catalogue = catalogue_of(world)
    lifecycle = catalogue.lifecycle
    bundles = _bundles(connection, order_id)
    if _missing(connection, bundles):
        _later(world, connection, lifecycle.restock_s, _RESTOCK, order_id)
        return
    _take_from_stock(connection, catalogue, bundles)
    connection.execute(sa.insert(parts), list(_new_parts(catalogue, order, bundles)))
    _set(connection, order_id, status="retiring")
    _later(world, connection, lifecycle.complete_s - lifecycle.retiring_s, _RETIRE, order_id)


def _restocked(world: World, connection: Connection, order_id: str) -> None:
    """What the order still lacks has been bought in: allot it now."""
    if _status(connection, order_id) != "paid":
        return
    for bundle_id, grams in _missing(connection, _bundles(connection, order_id)).items():
        _change_stock(connection, bundle_id, grams)
    _allotted(world, connection, order_id)


def _bundles(connection: Connection, order_id: str) -> list[sa.Row[Any]]:
    return list(
        connection.execute(
            sa.select(order_bundles)
            .where(order_bundles.c.order_id == order_id)
            .order_by(order_bundles.c.position)
        )
    )


def _missing(connection: Connection, bundles: Sequence[sa.Row[Any]]) -> dict[str, int]:
    """Grams that are not in stock, by bundle; empty when nothing is missing."""
    available: dict[str, int] = {
        row.bundle_id: row.available_g
        for row in connection.execute(sa.select(stock).where(stock.c.available_g.is_not(None)))
    }
    wanted = Counter[str]()
    for bundle in bundles:
        wanted[bundle.bundle_id] += bundle.quantity_g
    return {
        bundle_id: grams - available[bundle_id]
        for bundle_id, grams in wanted.items()
        if bundle_id in available and grams > available[bundle_id]
    }


def _take_from_stock(
    connection: Connection, catalogue: Catalogue, bundles: Sequence[sa.Row[Any]]
) -> None:
    for bundle in bundles:
        if catalogue.bundle_by_id[bundle.bundle_id].stock_g is not None:
            _change_stock(connection, bundle.bundle_id, -bundle.quantity_g)


def _change_stock(connection: Connection, bundle_id: str, grams: int) -> None:
    connection.execute(
        sa.update(stock)
        .where(stock.c.bundle_id == bundle_id)
        .values(available_g=stock.c.available_g + grams)
    )


def _new_parts(
    catalogue: Catalogue, order: sa.Row[Any], bundles: Sequence[sa.Row[Any]]
) -> Iterator[dict[str, Any]]:
    for bundle in bundles:
        for project_id, grams in _by_project(catalogue, bundle.bundle_id, bundle.quantity_g):
            if grams:
                yield {
                    "order_id": order.id,
                    "account_id": order.account_id,
                    "beneficiary": order.beneficiary,
                    "project_id": project_id,
                    "quantity_g": grams,
                    "unit_price": bundle.unit_price,
                    "status": "allocated",
                }


def _by_project(catalogue: Catalogue, bundle_id: str, grams: int) -> list[tuple[str, int]]:
    """A bundle's tonnes over its projects by weight; disabled projects get none."""
    every = catalogue.bundle_by_id[bundle_id].projects
    able = [entry for entry in every if not catalogue.project_by_id[entry.project_id].disabled]
    chosen = able or every
    split = split_by_weight(grams, [entry.weight for entry in chosen])
    return [(entry.project_id, part) for entry, part in zip(chosen, split, strict=True)]


def _retired(world: World, connection: Connection, order_id: str) -> None:
    """Retire an order's whole tonnes, put the rest into the pool and retire what that fills."""
    own = connection.execute(
        sa.select(parts).where(parts.c.order_id == order_id).order_by(parts.c.seq)
    ).all()
    ordered = sum(part.quantity_g for part in own)
    _retire_first(connection, own, whole_tonnes(ordered))
    if ordered == whole_tonnes(ordered):
        _set(connection, order_id, status="complete")
        return
    connection.execute(
        sa.update(parts)
        .where(parts.c.order_id == order_id, parts.c.status == "allocated")
        .values(pooled_us=to_us(world.now(connection)))
    )
    _retire_pool(connection, own[0].account_id, own[0].beneficiary)


def _retire_pool(connection: Connection, account_id: str, beneficiary: str) -> None:
    pool = connection.execute(
        sa.select(parts)
        .where(
            parts.c.account_id == account_id,
            parts.c.beneficiary == beneficiary,
            parts.c.status == "allocated",
            parts.c.pooled_us.is_not(None),
        )
        .order_by(parts.c.pooled_us, parts.c.seq)
    ).all()
    filled = whole_tonnes(sum(part.quantity_g for part in pool))
    if filled:
        _retire_first(connection, pool, filled)
        _complete(connection, {part.order_id for part in pool})


def _retire_first(connection: Connection, queue: Sequence[sa.Row[Any]], grams: int) -> None:
    taken = take_first([(part.seq, part.quantity_g) for part in queue], grams)
    whole = [entry.part for entry in taken if entry.left_g == 0]
    connection.execute(sa.update(parts).where(parts.c.seq.in_(whole)).values(status="retired"))
    by_seq = {part.seq: part for part in queue}
    for entry in taken:
        if entry.left_g:
            _split(connection, by_seq[entry.part], entry)


def _split(connection: Connection, part: sa.Row[Any], taken: Taken) -> None:
    """Retire some of a part. The rest keeps its row, and with it its place in the queue."""
    connection.execute(
        sa.update(parts).where(parts.c.seq == part.seq).values(quantity_g=taken.left_g)
    )
    retired = dict(part._mapping) | {"quantity_g": taken.retired_g, "status": "retired"}
    del retired["seq"]
    connection.execute(sa.insert(parts).values(retired))


def _complete(connection: Connection, order_ids: set[str]) -> None:
    """Those of these orders that have nothing allocated any more are complete."""
    waiting = set(
        connection.scalars(
            sa.select(parts.c.order_id).where(
                parts.c.order_id.in_(order_ids), parts.c.status == "allocated"
            )
        )
    )
    for order_id in order_ids - waiting:
        _set(connection, order_id, status="complete")
