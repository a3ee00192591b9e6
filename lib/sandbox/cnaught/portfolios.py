"""Portfolios, categories and projects as the API shows them (CNaught contract 4.11).

Imported only inside this package.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .. import wire
from ..wire import Verbatim
from .problems import not_found
from .section import Account, Category, Portfolio, Section
from .stock import issued_by_vintage
from .tables import projects


def portfolio_list(section: Section, account: Account) -> dict[str, Any]:
    """The portfolios that the account may order from."""
    return {"data": [_brief(p) for p in section.portfolios if account.may_order(p.id)]}


def portfolio(connection: Connection, section: Section, account: Account, id: str) -> Any:
    """A portfolio with its prices and categories."""
    found = section.portfolios_by_id.get(id)
    if found is None or not account.may_order(id):
        raise not_found("portfolio")
    categories = section.categories_by_id
    return _brief(found) | {
        "checkout_price_per_kg_usd_cents": found.checkout_price_per_kg_usd_cents,
        "api_price_per_kg_usd_cents": found.api_price_per_kg_usd_cents,
        "category_allocations": [
            {
                "allocated_fraction": share.allocated_fraction,
                "category": _with_projects(connection, categories[share.category]),
            }
            for share in found.category_allocations
        ],
    }


def category(connection: Connection, section: Section, id: str) -> dict[str, Any]:
    """A category with its projects."""
    found = section.categories_by_id.get(id)
    if found is None:
        raise not_found("project category")
    return _with_projects(connection, found)


def project(connection: Connection, section: Section, id: str) -> dict[str, Any]:
    """A project with its issuances; one that the catalogue dropped has none left to show."""
    body = connection.execute(sa.select(projects.c.body).where(projects.c.id == id)).scalar()
    if body is None:
        raise not_found("project")
    stocked = section.projects_by_id.get(id)
    issued = issued_by_vintage(stocked) if stocked else {}
    shown: dict[str, Any] = wire.loads(body)
    return shown | {
        "credit_issuances": [
            {"vintage_year": year, "total_amount": tonnes}
            for year, tonnes in sorted(issued.items())
        ]
    }


def _brief(found: Portfolio) -> dict[str, Any]:
    names = ("id", "name", "summary", "description", "primary_image_url")
    return {name: getattr(found, name) for name in names}


def _with_projects(connection: Connection, found: Category) -> dict[str, Any]:
    bodies = dict(
        connection.execute(
            sa.select(projects.c.id, projects.c.body).where(projects.c.id.in_(found.projects))
        ).all()
    )
    return {
        "id": found.id,
        "name": found.name,
        "description": found.description,
        "primary_image_url": found.primary_image_url,
        "projects": [Verbatim(bodies[project_id]) for project_id in found.projects],
    }
