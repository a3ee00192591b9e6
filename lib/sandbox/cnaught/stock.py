"""Stock: blocks of whole tonnes cut from a project's lots, and what orders take from them.

Imported only inside this package. Registry units are whole tonnes while orders can be a few
kilograms: a block is retired as a whole and shared by the orders it serves (contract 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World
from .section import Category, Lot, Portfolio, Section, StockedProject, section_of
from .tables import MG_PER_TONNE, blocks, retirements


@dataclass(frozen=True, slots=True)
class _Part:
    """So much from one block."""

    category_id: str
    project_id: str
    block: int
    amount_mg: int


def allocate(
    world: World, connection: Connection, order_id: str, portfolio: Portfolio, amount_mg: int
) -> bool:
    """Give an order its blocks; False, and nothing taken, where the stock does not suffice."""
    section = section_of(world)
    with connection.begin_nested() as attempt:
        parts: list[_Part] = []
        for category, share_mg in shares(section, portfolio, amount_mg):
            taken = _take_from_category(connection, section, category, share_mg)
            if taken is None:
                attempt.rollback()
                return False
            parts += taken
        positions = {key: n for n, key in enumerate(dict.fromkeys(map(_allocation, parts)))}
        connection.execute(
            sa.insert(retirements),
            [
                {
                    "order_id": order_id,
                    "position": positions[_allocation(part)],
                    "category_id": part.category_id,
                    "project_id": part.project_id,
                    "block": part.block,
                    "amount_mg": part.amount_mg,
                }
                for part in parts
            ],
        )
    return True


def _allocation(part: _Part) -> tuple[str, str]:
    return part.category_id, part.project_id


def release(connection: Connection, order_id: str) -> None:
    """Give back what an order took."""
    taken = connection.execute(sa.select(retirements).where(retirements.c.order_id == order_id))
    for part in taken.all():
        connection.execute(
            sa.update(blocks)
            .where(blocks.c.seq == part.block)
            .values(free_mg=blocks.c.free_mg + part.amount_mg)
        )
    connection.execute(sa.delete(retirements).where(retirements.c.order_id == order_id))


def shares(section: Section, portfolio: Portfolio, amount_mg: int) -> list[tuple[Category, int]]:
    """An amount by the portfolio's fractions; what rounding leaves goes to the first."""
    categories = section.categories_by_id
    parts = [
        (
            categories[share.category],
            int((amount_mg * share.allocated_fraction).to_integral_value(ROUND_FLOOR)),
        )
        for share in portfolio.category_allocations
    ]
    first, first_mg = parts[0]
    parts[0] = (first, first_mg + amount_mg - sum(mg for _, mg in parts))
    return [(category, mg) for category, mg in parts if mg]


def _take_from_category(
    connection: Connection, section: Section, category: Category, amount_mg: int
) -> list[_Part] | None:
    """Take from the category's projects in turn; None where they have too little together."""
    parts: list[_Part] = []
    needed = amount_mg
    for project_id in category.projects:
        stocked = section.projects_by_id[project_id]
        while needed:
            block = _open_block(connection, project_id) or _cut(connection, stocked, needed)
            if block is None:
                break
            taken = min(needed, block.free_mg)
            connection.execute(
                sa.update(blocks)
                .where(blocks.c.seq == block.seq)
                .values(free_mg=block.free_mg - taken)
            )
            parts.append(_Part(category.id, project_id, block.seq, taken))
            needed -= taken
    return parts if not needed else None


def _open_block(connection: Connection, project_id: str) -> Any:
    return connection.execute(
        sa.select(blocks)
        .where(blocks.c.project_id == project_id, blocks.c.free_mg > 0)
        .order_by(blocks.c.seq)
        .limit(1)
    ).first()


def _cut(connection: Connection, stocked: StockedProject, needed_mg: int) -> Any:
    """Cut a new block from the first lot that has units left; None when all are used up.

    An order larger than the usual block gets one of its own size.
    """
    id = stocked.project.id
    used = dict(
        connection.execute(
            sa.select(blocks.c.lot, sa.func.sum(blocks.c.tonnes))
            .where(blocks.c.project_id == id)
            .group_by(blocks.c.lot)
        ).tuples()
    )
    for number, lot in enumerate(stocked.lots):
        left = lot.tonnes - int(used.get(number, 0))
        if left > 0:
            tonnes = min(left, max(lot.block_tonnes, -(-needed_mg // MG_PER_TONNE)))
            first = sum(map(int, used.values())) + 1
            connection.execute(
                sa.insert(blocks).values(
                    project_id=id,
                    lot=number,
                    tonnes=tonnes,
                    free_mg=tonnes * MG_PER_TONNE,
                    vintage=None if lot.vintage is None else str(lot.vintage),
                    serial=_serial(stocked, lot, number, first, first + tonnes - 1),
                    url=f"/pages/cnaught/retirements/{id}-{first}" if stocked.serial else None,
                )
            )
            return _open_block(connection, id)
    return None


def _serial(
    stocked: StockedProject, lot: Lot, number: int, first: int, last: int
) -> str | None:
    if stocked.serial is None:
        return None
    return stocked.serial.format(
        block=30_001 + number,
        first=first,
        last=last,
        vintage=lot.vintage,
        start=lot.start or f"0101{lot.vintage}",
        end=lot.end or f"3112{lot.vintage}",
    )


def issued_by_vintage(stocked: StockedProject) -> dict[int, Decimal]:
    """Tonnes issued per vintage, for the project's credit issuances."""
    issued: dict[int, Decimal] = {}
    for lot in stocked.lots:
        if lot.vintage is not None:
            issued[lot.vintage] = issued.get(lot.vintage, Decimal(0)) + lot.tonnes
    return issued
