"""History of the CNaught accounts: a believable demo, or any number of orders for load tests.

Imported only inside this package. Orders are placed through the same function as over HTTP, with
the clock pinned to their moment. The demo is one company's three years: monthly freight and
flights, weekly rides, offices by quarter, growing from year to year.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..options import History
from ..state import World, to_us
from . import orders, subaccounts
from .pricing import price_cents
from .schemas import SubaccountCreateRequest
from .scope import Scope, find_subaccount
from .section import Account, section_of
from .tables import accounts
from .tables import subaccounts as subaccounts_table

_SUBACCOUNTS = ("Halden Nordics", "Halden Iberia", "Halden Air")
_OFFICES = ("Oslo", "Porto", "Rotterdam")


@dataclass(frozen=True, slots=True)
class _Planned:
    """An order that history is going to hold."""

    moment: datetime
    amount_kg: Decimal
    portfolio: int
    description: str | None
    note: str | None
    subaccount: str | None = None
    fulfilled_after: timedelta = timedelta(days=3)
    cancelled_after: timedelta | None = None


def history(
    world: World,
    connection: Connection,
    *,
    size: History,
    start: datetime,
    end: datetime,
    rng: random.Random,
) -> None:
    """Make the demo's orders of both accounts, or `size` orders of the first account."""
    known = section_of(world).accounts
    if size == "none":
        return
    if size == "demo":
        _carry_out(world, connection, known[0], _demo(start, end, rng), start)
        for other in known[1:]:
            _carry_out(world, connection, other, _small_demo(start, end, rng), start)
        return
    _carry_out(world, connection, known[0], _many(size, start, end, rng), start)


def _carry_out(
    world: World,
    connection: Connection,
    account: Account,
    plan: list[_Planned],
    start: datetime,
) -> None:
    scopes = _scopes(world, connection, account, {p.subaccount for p in plan}, start)
    happenings: list[tuple[datetime, int, _Planned]] = [
        (p.moment, n, p) for n, p in enumerate(plan)
    ]
    placed: dict[int, str] = {}
    for n, planned in enumerate(plan):
        if planned.cancelled_after is not None:
            happenings.append((planned.moment + planned.cancelled_after, n, planned))
    for moment, n, planned in sorted(happenings, key=lambda happening: happening[:2]):
        world.carry_out_until(connection, moment)
        with world.at(moment):
            scope = scopes[planned.subaccount]
            if n in placed:
                orders.cancel(world, connection, scope, placed[n])
            else:
                placed[n] = _place(world, connection, scope, planned)


def _place(world: World, connection: Connection, scope: Scope, planned: _Planned) -> str:
    section = section_of(world)
    allowed = [p for p in section.portfolios if scope.account.may_order(p.id)]
    portfolio = allowed[planned.portfolio % len(allowed)]
    return orders.place(
        world,
        connection,
        scope,
        orders.NewOrder(
            amount_kg=planned.amount_kg,
            price_cents=price_cents(planned.amount_kg, portfolio.api_price_per_kg_usd_cents),
            portfolio_id=portfolio.id,
            metadata=planned.note,
            description=planned.description,
        ),
        fulfil_after=planned.fulfilled_after,
    )


def _scopes(
    world: World,
    connection: Connection,
    account: Account,
    names: set[str | None],
    start: datetime,
) -> dict[str | None, Scope]:
    """The account's own scope and those of the subaccounts, created where they are missing."""
    whole = Scope(account)
    if not account.subaccounts:
        return dict.fromkeys(names, whole)
    begun = sa.update(accounts).where(
        accounts.c.name == account.name, accounts.c.created_us > to_us(start)
    )
    connection.execute(begun.values(created_us=to_us(start)))
    with world.at(start):
        named = {n: _subaccount(world, connection, account, n) for n in _SUBACCOUNTS if n in names}
    return {None: whole} | {name: Scope(account, row) for name, row in named.items()}


def _subaccount(world: World, connection: Connection, account: Account, name: str) -> Any:
    table = subaccounts_table
    known = connection.execute(
        sa.select(table.c.id).where(table.c.account == account.name, table.c.name == name)
    ).scalar()
    if known is None:
        body = SubaccountCreateRequest(name=name)
        known = subaccounts.create(world, connection, account, body)["id"]
    return find_subaccount(connection, account, known)


_Kind = Callable[[random.Random, Decimal, datetime], tuple[Decimal, str | None, str | None]]


def _freight(
    rng: random.Random, growth: Decimal, moment: datetime
) -> tuple[Decimal, str | None, str | None]:
    kg = _kg(rng, 6_000, 28_000, growth)
    return kg, f"Road freight, {moment:%B %Y}", f"po=F{rng.randrange(1000, 9999)}"


def _flights(
    rng: random.Random, growth: Decimal, moment: datetime
) -> tuple[Decimal, str | None, str | None]:
    route = rng.choice(("Oslo to Porto", "Oslo to Rotterdam", "Porto to Munich", "Oslo to Boston"))
    kg = _kg(rng, 900, 5_200, growth)
    return kg, f"Staff flights {route}, {moment:%B %Y}", f"travel-{moment:%Y%m}"


def _rides(
    rng: random.Random, _growth: Decimal, _moment: datetime
) -> tuple[Decimal, str | None, str | None]:
    kg = Decimal(rng.randrange(6, 90)) / 2  # 3 kg and up, in half kilograms
    return kg, None, f"trip-{rng.randrange(10_000, 99_999)}"


def _office(
    rng: random.Random, growth: Decimal, moment: datetime
) -> tuple[Decimal, str | None, str | None]:
    kg = _kg(rng, 9_000, 19_000, growth)
    quarter = (moment.month - 1) // 3 + 1
    return kg, f"{rng.choice(_OFFICES)} office, quarter {quarter} of {moment:%Y}", None


def _kg(rng: random.Random, low: int, high: int, growth: Decimal) -> Decimal:
    """Kilograms with one decimal at most, as metered activity data has."""
    tenths = rng.randrange(low * 10, high * 10) * growth
    if rng.random() < 0.7:
        return (tenths / 10).to_integral_value(ROUND_HALF_UP)
    return tenths.to_integral_value(ROUND_HALF_UP) / 10


def _demo(start: datetime, end: datetime, rng: random.Random) -> list[_Planned]:
    """Some 160 orders; a few at the end are still waiting, two of them for stock."""
    plan = list(_months(start, end, rng))
    plan += _offices(start, end, rng)
    plan += _waiting(end)
    plan.sort(key=lambda planned: planned.moment)
    return _with_cancellations(plan)


def _months(start: datetime, end: datetime, rng: random.Random) -> Iterator[_Planned]:
    monthly: tuple[tuple[_Kind, int, str | None], ...] = (
        (_freight, 0, None),
        (_flights, 1, "Halden Air"),
        (_rides, 0, "Halden Nordics"),
    )
    months = 36
    length = (end - start - timedelta(days=12)) / months
    for month in range(months):
        growth = Decimal(60 + month * 2) / 100
        for kind, portfolio, subaccount in monthly:
            moment = start + month * length + rng.random() * length
            yield _planned(kind, rng, growth, moment, portfolio, subaccount)
        if month % 3 == 1:
            moment = start + month * length + rng.random() * length
            yield _planned(_flights, rng, growth / 2, moment, 2, "Halden Iberia")


def _offices(start: datetime, end: datetime, rng: random.Random) -> Iterator[_Planned]:
    quarters = 12
    length = (end - start - timedelta(days=12)) / quarters
    for quarter in range(quarters):
        for subaccount in (None, "Halden Iberia", "Halden Nordics"):
            moment = start + quarter * length + rng.random() * length
            growth = Decimal(70 + quarter * 4) / 100
            yield _planned(_office, rng, growth, moment, rng.choice((0, 1, 1, 2)), subaccount)


def _planned(
    kind: _Kind,
    rng: random.Random,
    growth: Decimal,
    moment: datetime,
    portfolio: int,
    subaccount: str | None,
) -> _Planned:
    amount, description, note = kind(rng, growth, moment)
    delay = timedelta(minutes=rng.randrange(30, 8 * 24 * 60))
    return _Planned(
        moment.replace(microsecond=0), amount, portfolio, description, note, subaccount, delay
    )


def _waiting(end: datetime) -> list[_Planned]:
    """What is still placed when history ends: two orders lack stock, three are recent."""

    def order(
        days: float,
        kg: str,
        portfolio: int,
        description: str,
        *,
        wait: timedelta = timedelta(days=7),
    ) -> _Planned:
        moment = (end - timedelta(days=days)).replace(microsecond=0)
        return _Planned(moment, Decimal(kg), portfolio, description, None, None, wait)

    return [
        order(400, "60000", 0, "Fleet of the year before, settled in one order"),
        order(150, "2500", 3, "Air capture, first instalment", wait=timedelta(days=1)),
        order(35, "1250.5", 3, "Air capture, second instalment", wait=timedelta(days=1)),
        order(3, "10.5", 0, '=HYPERLINK("https://example.org") <i>Team offsite</i>'),
        order(1.5, "4200", 1, "Sea containers Porto to Rotterdam"),
        order(0.25, "812.4", 0, "Trade fair stand"),
    ]


def _with_cancellations(plan: list[_Planned]) -> list[_Planned]:
    """Five orders along the way are cancelled: three while placed, two when already fulfilled."""
    step = len(plan) // 6
    for number in range(1, 6):
        at = number * step
        wait = 20 if number in (2, 4) else 2
        plan[at] = replace(
            plan[at],
            fulfilled_after=timedelta(days=8),
            cancelled_after=timedelta(days=wait),
        )
    return plan


def _small_demo(start: datetime, end: datetime, rng: random.Random) -> list[_Planned]:
    """A studio that buys some four times a year."""
    count = 11
    length = (end - start - timedelta(days=30)) / count
    names = ("Film shoot", "Studio energy", "Crew travel")
    return [
        _Planned(
            (start + (n + rng.random()) * length).replace(microsecond=0),
            _kg(rng, 300, 4_000, Decimal(1)),
            n % 3,
            f"{names[n % 3]} {n + 1}",
            None,
        )
        for n in range(count)
    ]


def _many(size: int, start: datetime, end: datetime, rng: random.Random) -> list[_Planned]:
    """So many orders at random moments, of all kinds, for load tests."""
    kinds: tuple[_Kind, ...] = (_freight, _flights, _rides, _rides, _office)
    moments = sorted(start + rng.random() * (end - start) for _ in range(size))
    whose = (None, None, *_SUBACCOUNTS)
    return [
        _planned(rng.choice(kinds), rng, Decimal(1), moment, rng.randrange(3), rng.choice(whose))
        for moment in moments
    ]
