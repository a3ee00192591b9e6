"""Stock: blocks of whole tonnes cut from a project's lots, and what orders take from them.

Imported only inside this package. Registry units are whole tonnes while orders can be a few
kilograms: a block is retired as a whole and shared by the orders it serves (contract 2).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World
from .section import Category, Lot, Portfolio, Section, StockedProject, section_of
from .tables import MG_PER_TONNE, blocks, retirements

_OPEN = (
    sa.select(blocks.c.seq, blocks.c.project_id, blocks.c.free_mg)
    .where(blocks.c.free_mg > 0)
    .order_by(blocks.c.seq)
)
_TAKE = sa.update(blocks).where(blocks.c.seq == sa.bindparam("taken_from"))


@dataclass(slots=True)
class _Block:
    """A block with something left, as one allocation works on it."""

    seq: int
    free_mg: int


@dataclass(frozen=True, slots=True)
class _Part:
    """So much from one block."""

    category_id: str
    project_id: str
    block: _Block
    amount_mg: int


def allocate(
    world: World, connection: Connection, order_id: str, portfolio: Portfolio, amount_mg: int
) -> bool:
    """Give an order its blocks; False, and nothing taken, where the stock does not suffice."""
    section = section_of(world)
    shelf = _Shelf(connection, section)
    parts: list[_Part] = []
    for category, share_mg in shares(section, portfolio, amount_mg):
        taken = shelf.take(category, share_mg)
        if not taken:
            return False
        parts += taken
    positions = {key: n for n, key in enumerate(dict.fromkeys(map(_allocation, parts)))}
    connection.execute(
        _TAKE,
        [{"taken_from": part.block.seq, "free_mg": part.block.free_mg} for part in parts],
    )
    connection.execute(
        sa.insert(retirements),
        [
            {
                "order_id": order_id,
                "position": positions[_allocation(part)],
                "category_id": part.category_id,
                "project_id": part.project_id,
                "block": part.block.seq,
                "amount_mg": part.amount_mg,
            }
            for part in parts
        ],
    )
    return True


def _allocation(part: _Part) -> tuple[str, str]:
    return part.category_id, part.project_id


class _Shelf:
    """The open blocks of all projects; what is taken here is not yet written down."""

    def __init__(self, connection: Connection, section: Section) -> None:
        self._connection = connection
        self._section = section
        self._open: defaultdict[str, list[_Block]] = defaultdict(list)
        for row in connection.execute(_OPEN):
            self._open[row.project_id].append(_Block(row.seq, row.free_mg))

    def take(self, category: Category, amount_mg: int) -> list[_Part]:
        """Take from the category's projects in turn; empty where they have too little together."""
        parts: list[_Part] = []
        needed = amount_mg
        for project_id in category.projects:
            while needed and (block := self._next(project_id, needed)) is not None:
                taken = min(needed, block.free_mg)
                block.free_mg -= taken
                needed -= taken
                parts.append(_Part(category.id, project_id, block, taken))
        return [] if needed else parts

    def _next(self, project_id: str, needed_mg: int) -> _Block | None:
        """The project's first block with something left; a new one where all are used up."""
        for block in self._open[project_id]:
            if block.free_mg:
                return block
        new = _cut(self._connection, self._section.projects_by_id[project_id], needed_mg)
        if new is not None:
            self._open[project_id].append(new)
        return new


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


def _cut(connection: Connection, stocked: StockedProject, needed_mg: int) -> _Block | None:
    """Cut a new block from the first lot that has units left; None when all are used up.

    An order larger than the usual block gets one of its own size. Cutting takes nothing: a block
    cut for an order that then fails waits for the next.
    """
    project_id = stocked.project.id
    used = _tonnes_cut(connection, project_id)
    for number, lot in enumerate(stocked.lots):
        left = lot.tonnes - used.get(number, 0)
        if left > 0:
            tonnes = min(left, max(lot.block_tonnes, -(-needed_mg // MG_PER_TONNE)))
            first = sum(used.values()) + 1
            serial = _serial(stocked, lot, number, first, first + tonnes - 1)
            values = {
                "project_id": project_id,
                "lot": number,
                "tonnes": tonnes,
                "free_mg": tonnes * MG_PER_TONNE,
                "vintage": None if lot.vintage is None else str(lot.vintage),
                "serial": serial,
                "url": serial and f"/pages/cnaught/retirements/{project_id}-{first}",
            }
            seq = connection.execute(sa.insert(blocks).returning(blocks.c.seq), values).scalar_one()
            return _Block(seq, tonnes * MG_PER_TONNE)
    return None


def _tonnes_cut(connection: Connection, project_id: str) -> dict[int, int]:
    """How many units of each lot are in blocks already."""
    cut = (
        sa.select(blocks.c.lot, sa.func.sum(blocks.c.tonnes))
        .where(blocks.c.project_id == project_id)
        .group_by(blocks.c.lot)
    )
    return {lot: int(tonnes) for lot, tonnes in connection.execute(cut)}


def _serial(stocked: StockedProject, lot: Lot, number: int, first: int, last: int) -> str | None:
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
