"""Cursor pages, newest first (CNaught contract 1.1).

Imported only inside this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Query
from sqlalchemy.engine import Connection

from .problems import bad_page


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is asked for."""

    limit: int
    starting_after: str | None
    ending_before: str | None


def page_of(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    starting_after: str | None = None,
    ending_before: str | None = None,
) -> Page:
    """Dependency: the page from the query."""
    return Page(limit, starting_after, ending_before)


def read_page(
    connection: Connection, table: sa.Table, within: list[sa.ColumnElement[bool]], page: Page
) -> list[Any]:
    """The rows of a page among those `within` the scope, newest first.

    Raises a 400 problem for two cursors, or one that is not in scope.
    """
    if page.starting_after is not None and page.ending_before is not None:
        raise bad_page("Give starting_after or ending_before, not both.")
    age = sa.tuple_(table.c.created_us, table.c.seq)
    rows = sa.select(table).where(*within).limit(page.limit)
    cursor = page.starting_after if page.ending_before is None else page.ending_before
    if cursor is None:
        return list(connection.execute(_newest_first(rows, table)))
    at = connection.execute(
        sa.select(table.c.created_us, table.c.seq).where(*within, table.c.id == cursor)
    ).first()
    if at is None:
        raise bad_page("The cursor is not the id of an item in this list.")
    if page.ending_before is None:
        older = rows.where(age < sa.tuple_(at.created_us, at.seq))
        return list(connection.execute(_newest_first(older, table)))
    # The nearest newer items, which are found oldest first, in the order of every page.
    newer = rows.where(age > sa.tuple_(at.created_us, at.seq))
    return list(connection.execute(newer.order_by(table.c.created_us, table.c.seq)))[::-1]


def _newest_first(query: sa.Select[Any], table: sa.Table) -> sa.Select[Any]:
    return query.order_by(table.c.created_us.desc(), table.c.seq.desc())
