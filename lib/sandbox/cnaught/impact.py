"""What was retired for an account or subaccount (CNaught contract 4.7 and 4.8).

Imported only inside this package. Sums are made by the database in whole milligrams.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World, from_us, rfc3339, to_us
from ..wire import Verbatim
from .orders import kilograms
from .problems import invalid
from .scope import Scope
from .section import Equivalents, section_of
from .tables import accounts, blocks, orders, projects, retirements


def moment(field: str, text: str | None) -> datetime | None:
    """A query's time stamp of any precision; UTC where it names no zone."""
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as problem:
        raise invalid(field, "must be an ISO 8601 timestamp") from problem
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def impact_data(
    world: World,
    connection: Connection,
    scope: Scope,
    start: datetime | None,
    end: datetime | None,
) -> dict[str, Any]:
    """What was fulfilled from `start` on and before `end`, and not cancelled."""
    if start is not None and end is not None and start > end:
        raise invalid("from", "must not be after to")
    counted = [*scope.within(orders), orders.c.state == "fulfilled"]
    if start is not None:
        counted.append(orders.c.fulfilled_us >= to_us(start))
    if end is not None:
        counted.append(orders.c.fulfilled_us < to_us(end))
    used = _used(connection, counted)
    total = kilograms(sum(row.mg for row in used))
    return {
        "name": scope.account.company if scope.subaccount is None else scope.subaccount.name,
        "logo_url": logo_url(world, scope.subaccount),
        "total_offset_kgs": total,
        "equivalents": _equivalents(section_of(world).equivalents, total),
        "categories": _categories(world, used),
        "since_date": rfc3339(start or _begun(connection, scope)),
        "to_date": None if end is None else rfc3339(end),
    }


def hosted_page_config(world: World, scope: Scope) -> dict[str, Any]:
    """The hosted impact page of an account or subaccount."""
    slug = scope.account.slug if scope.subaccount_id is None else scope.subaccount_id
    enabled = scope.account.hosted_page
    return {
        "enabled": enabled,
        "url": f"{world.public_url}/pages/cnaught/impact/{slug}" if enabled else None,
        "enabled_equivalents": ["cars", "homes", "flights", "trees"] if enabled else [],
    }


def logo_url(world: World, subaccount: Any) -> str | None:
    """Where the sandbox serves its own placeholder for a logo that was given."""
    if subaccount is None or subaccount.logo_source is None:
        return None
    return f"{world.public_url}/pages/cnaught/logos/{subaccount.id}"


def _used(connection: Connection, counted: list[sa.ColumnElement[bool]]) -> list[Any]:
    """Milligrams by category, project and vintage."""
    grouped = (retirements.c.category_id, retirements.c.project_id, blocks.c.vintage)
    return list(
        connection.execute(
            sa.select(*grouped, projects.c.body, sa.func.sum(retirements.c.amount_mg).label("mg"))
            .join(orders, orders.c.id == retirements.c.order_id)
            .join(blocks, blocks.c.seq == retirements.c.block)
            .join(projects, projects.c.id == retirements.c.project_id)
            .where(*counted)
            .group_by(*grouped, projects.c.body)
            .order_by(*grouped)
        )
    )


def _categories(world: World, used: list[Any]) -> list[dict[str, Any]]:
    known = section_of(world).categories_by_id
    shown = []
    for category_id in dict.fromkeys(row.category_id for row in used):
        rows = [row for row in used if row.category_id == category_id]
        category = known.get(category_id)
        shown.append(
            {
                "category": {
                    "name": category.name if category else category_id,
                    "description": category.description if category else None,
                },
                "offset_kgs": kilograms(sum(row.mg for row in rows)),
                "projects": _projects(rows),
            }
        )
    return _largest_first(shown)


def _projects(rows: list[Any]) -> list[dict[str, Any]]:
    shown = []
    for project_id in dict.fromkeys(row.project_id for row in rows):
        own = [row for row in rows if row.project_id == project_id]
        vintages = sorted({row.vintage for row in own if row.vintage is not None})
        shown.append(
            {
                "project": Verbatim(own[0].body),
                "offset_kgs": kilograms(sum(row.mg for row in own)),
                "vintages": ", ".join(vintages) or "unknown",
            }
        )
    return _largest_first(shown)


def _largest_first(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda entry: entry["offset_kgs"], reverse=True)


def _equivalents(kg_per: Equivalents, total: Decimal) -> dict[str, Decimal]:
    return {name: round(total / kg, 2) for name, kg in kg_per}


def _begun(connection: Connection, scope: Scope) -> datetime:
    """When the account or subaccount began."""
    if scope.subaccount is not None:
        return from_us(scope.subaccount.created_us)
    begun = sa.select(accounts.c.created_us).where(accounts.c.name == scope.account.name)
    return from_us(connection.execute(begun).scalar_one())
