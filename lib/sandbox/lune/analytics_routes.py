"""Lune's analytics operations (Lune contract 4.5): orders and estimates by creation date.

Orders that are placed, paid, retiring or complete count; values are their bundles' credit cost.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request

from ..state import from_us, to_us
from .call import Call, LuneRoute, opened
from .errors import Refused
from .rules import GRAMS_PER_TONNE, money, tonnes
from .tables import accounts, estimates, order_bundles, orders, parts

router = APIRouter(prefix="/analytics", route_class=LuneRoute, tags=["analytics"])

_COUNTED = ("placed", "paid", "retiring", "complete")


@dataclass(frozen=True)
class AskedDays:
    """The days asked for, both included; None where the default applies."""

    first: date | None
    last: date | None


def asked_days(
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="through")] = None,
) -> AskedDays:
    """Dependency: the days in the query."""
    return AskedDays(first, last)


Days = Annotated[AskedDays, Depends(asked_days)]


@dataclass
class _Sum:
    """Grams and what they cost without fee."""

    grams: int = 0
    value: Decimal = Decimal(0)

    def add(self, grams: int, value: Decimal) -> None:
        self.grams += grams
        self.value += value

    def view(self) -> dict[str, str]:
        return {"quantity": tonnes(self.grams), "value": money(self.value)}


def _span_us(call: Call, days: AskedDays) -> tuple[int, int]:
    """First moment and the first one after the days, in microseconds."""
    today = call.world.now(call.connection).date()
    first, last = days.first or today - timedelta(days=30), days.last or today
    if first > last:
        raise Refused(400, "time_range_invalid", "from must not come after through.")
    midnights = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
    start, end = (to_us(midnight) for midnight in midnights)
    return start, end


def _counted(call: Call, days: AskedDays) -> sa.ColumnElement[bool]:
    start, end = _span_us(call, days)
    return sa.and_(
        orders.c.account_id == call.account.id,
        orders.c.status.in_(_COUNTED),
        orders.c.created_us >= start,
        orders.c.created_us < end,
    )


def _bundle_rows(call: Call, days: AskedDays) -> list[sa.Row[Any]]:
    return list(
        call.connection.execute(
            sa.select(order_bundles, orders.c.created_us)
            .join(orders, orders.c.id == order_bundles.c.order_id)
            .where(_counted(call, days))
            .order_by(orders.c.created_us, orders.c.seq, order_bundles.c.position)
        )
    )


def _part_rows(call: Call, days: AskedDays) -> list[sa.Row[Any]]:
    return list(
        call.connection.execute(
            sa.select(parts)
            .join(orders, orders.c.id == parts.c.order_id)
            .where(_counted(call, days))
            .order_by(parts.c.seq)
        )
    )


@router.get("/cumulative-per-bundle", operation_id="get_cumulative_analytics_per_bundle")
def get_cumulative_analytics_per_bundle(request: Request, days: Days) -> list[dict[str, Any]]:
    """Running totals by bundle, a row for each day with orders."""
    with opened(request) as call:
        rows = _bundle_rows(call, days)
    names: dict[str, str] = {}
    totals: defaultdict[str, _Sum] = defaultdict(_Sum)
    series: defaultdict[str, dict[date, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        names[row.bundle_id] = row.bundle_name
        total = totals[row.bundle_id]
        total.add(row.quantity_g, Decimal(row.offset_cost))
        day = from_us(row.created_us).date()
        series[row.bundle_id][day] = {"date": day.isoformat(), **total.view()}
    return [
        {
            "bundle_id": bundle_id,
            "bundle_name": name,
            "timeseries": list(series[bundle_id].values()),
        }
        for bundle_id, name in names.items()
    ]


@router.get("/metrics", operation_id="get_metrics")
def get_metrics(request: Request, days: Days) -> dict[str, Any]:
    """How many projects the orders reached, and which UN goals those serve."""
    with opened(request) as call:
        projects = {row.project_id for row in _part_rows(call, days)}
        goals = Counter(
            goal
            for project_id in sorted(projects)
            for goal in call.catalogue.project_by_id[project_id].un_sdg or ()
        )
    return {
        "number_of_un_sdgs": len(goals),
        "number_of_projects": len(projects),
        "un_sdg": [
            {"un_sdg_number": goal, "occurrences": count} for goal, count in sorted(goals.items())
        ]
        or None,
    }


@router.get("/aggregated-by-property", operation_id="get_aggregated_analytics_by_property")
def get_aggregated_analytics_by_property(request: Request, days: Days) -> dict[str, Any]:
    """Quantity and value by bundle, continent, registry, Oxford type and offset type."""
    with opened(request) as call:
        bundle_rows, part_rows = _bundle_rows(call, days), _part_rows(call, days)
        catalogue = call.catalogue
    bought = [
        (catalogue.bundle_by_id[row.bundle_id], row.quantity_g, Decimal(row.offset_cost))
        for row in bundle_rows
    ]
    allotted = [
        (catalogue.project_by_id[row.project_id], row.quantity_g, _cost(row)) for row in part_rows
    ]
    ordered = _Sum()
    for _, grams, value in bought:
        ordered.add(grams, value)
    registries = _sums((p.registry_name or "Not certified", g, v) for p, g, v in allotted)
    waiting_g = ordered.grams - sum(grams for _, grams, _ in allotted)
    if waiting_g > 0:
        known = sum((value for _, _, value in allotted), Decimal(0))
        registries["Not yet allocated"] = _Sum(waiting_g, max(ordered.value - known, Decimal(0)))
    return {
        "bundle": [
            {"bundle_id": bundle_id, "bundle_name": catalogue.bundle_by_id[bundle_id].name}
            | total.view()
            for bundle_id, total in _sums((b.id, g, v) for b, g, v in bought).items()
        ],
        "location": _named("location", _sums((p.continent, g, v) for p, g, v in allotted)),
        "registry": _named("registry_name", registries),
        "oxford_offsetting_principles": _named(
            "type", _sums((b.oxford_type, g, v) for b, g, v in bought if b.oxford_type)
        ),
        "offset_type": _named("offset_type", _sums((b.offset_type, g, v) for b, g, v in bought)),
    }


def _cost(part: sa.Row[Any]) -> Decimal:
    return Decimal(part.quantity_g) * Decimal(part.unit_price) / GRAMS_PER_TONNE


def _sums(rows: Iterable[tuple[Any, int, Decimal]]) -> dict[Any, _Sum]:
    sums: defaultdict[Any, _Sum] = defaultdict(_Sum)
    for key, grams, value in rows:
        sums[key].add(grams, value)
    return dict(sums)


def _named(name: str, sums: dict[Any, _Sum]) -> list[dict[str, Any]]:
    return [{name: key, **total.view()} for key, total in sums.items()]


@router.get("/emission-calculations", operation_id="get_emission_calculation_metrics")
def get_emission_calculation_metrics(
    request: Request,
    days: Days,
    *,
    interval: Literal["day", "month"] = "day",
    all_accounts: Annotated[bool, Query()] = False,
) -> dict[str, Any]:
    """How many estimates were made by day, or by month (dated to its first day)."""
    with opened(request) as call:
        start, end = _span_us(call, days)
        mine = sa.select(accounts.c.id).where(accounts.c.id == call.account.id)
        if all_accounts:
            mine = sa.select(accounts.c.id).where(accounts.c.main == call.account.main)
        moments = call.connection.scalars(
            sa.select(estimates.c.created_us)
            .where(estimates.c.account_id.in_(mine))
            .where(estimates.c.created_us >= start, estimates.c.created_us < end)
        ).all()
    days_made = (from_us(moment).date() for moment in moments)
    counts = Counter(day.replace(day=1) if interval == "month" else day for day in days_made)
    return {
        "timeseries": [
            {"date": day.isoformat(), "count": count} for day, count in sorted(counts.items())
        ]
    }
