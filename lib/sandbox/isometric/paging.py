"""Relay-style pages over one ordered list: Isometric contract 1.1.

Imported only inside this package. A cursor is the sort key and id of the row it points at, so
pages stay in step while rows are added, and a cursor whose row has gone still means a place.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Query
from sqlalchemy.engine import Connection

from .schemas import Node, PageInfo, PaginatedListResource
from .wire import BadParameter

DEFAULT_SIZE = 10

Size = Annotated[int | None, Query(gt=0, le=50, description="At most 50; default 10.")]
Cursor = Annotated[str | None, Query(min_length=1, description="Opaque; from `page_info`.")]


@dataclass(frozen=True)
class Listing:
    """A list and its order: by `key`, then by `id`; rows must hold both columns."""

    rows: sa.Select[Any]
    key: sa.Column[Any]
    id: sa.Column[str]
    newest_first: bool = True


@dataclass(frozen=True)
class Window:
    """Which page is asked for: `size` rows after or before a place, or from an end."""

    size: int
    backward: bool
    cursor_name: str
    cursor: tuple[Any, str] | None


def window(
    first: Size = None, after: Cursor = None, last: Size = None, before: Cursor = None
) -> Window:
    """Read the four parameters: backward if `before`, or `last` alone; both cursors are 422."""
    if after is not None and before is not None:
        raise BadParameter("before", "after and before cannot be combined", "value_error")
    backward = before is not None or (last is not None and first is None and after is None)
    size = last if backward else first
    name = "before" if backward else "after"
    text = before if backward else after
    return Window(size or DEFAULT_SIZE, backward, name, None if text is None else _read(name, text))


Paging = Annotated[Window, Depends(window)]


def page(
    connection: Connection,
    listing: Listing,
    asked: Window,
    render: Callable[[sa.Row[Any]], Node],
) -> PaginatedListResource[Node]:
    """The page asked for; nodes are in the list's order in both directions."""
    place = sa.tuple_(listing.key, listing.id)
    rising = listing.newest_first == asked.backward
    query, beyond = listing.rows, False
    if asked.cursor is not None:
        value = _typed(listing, asked)
        onward = place > value if rising else place < value
        # Whatever is not on this side of the cursor lies on the other, cursor row included.
        beyond = _count(connection, listing.rows.where(sa.not_(onward))) > 0
        query = query.where(onward)
    order = [column.asc() if rising else column.desc() for column in (listing.key, listing.id)]
    found = connection.execute(query.order_by(*order).limit(asked.size + 1)).all()
    more, rows = len(found) > asked.size, found[: asked.size]
    if asked.backward:
        rows = rows[::-1]
    return PaginatedListResource(
        nodes=[render(row) for row in rows],
        total_count=_count(connection, listing.rows),
        page_info=PageInfo(
            has_previous_page=more if asked.backward else beyond,
            start_cursor=_write(listing, rows[0]) if rows else None,
            has_next_page=beyond if asked.backward else more,
            end_cursor=_write(listing, rows[-1]) if rows else None,
        ),
    )


def _count(connection: Connection, rows: sa.Select[Any]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(rows.subquery())).scalar_one()


def _write(listing: Listing, row: sa.Row[Any]) -> str:
    place = [row._mapping[listing.key], row._mapping[listing.id]]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read(name: str, text: str) -> tuple[Any, str]:
    try:
        padded = text + "=" * (-len(text) % 4)
        place = json.loads(base64.b64decode(padded.encode(), altchars=b"-_", validate=True))
        json.dumps(place, ensure_ascii=False).encode()  # a lone surrogate fits in no database
    except (ValueError, RecursionError):
        raise _unreadable(name) from None
    match place:
        case [str() | int() as key, str() as row_id] if not isinstance(key, bool):
            return key, row_id
    raise _unreadable(name)


def _typed(listing: Listing, asked: Window) -> Any:
    # A cursor of another list may hold a text where this one sorts by time.
    assert asked.cursor is not None
    key, row_id = asked.cursor
    if not isinstance(key, listing.key.type.python_type):
        raise _unreadable(asked.cursor_name)
    if isinstance(key, int) and abs(key) >= 2**63:
        raise _unreadable(asked.cursor_name)
    return sa.tuple_(sa.literal(key, listing.key.type), sa.literal(row_id, listing.id.type))


def _unreadable(name: str) -> BadParameter:
    return BadParameter(name, "is not a cursor of this list", "value_error")
