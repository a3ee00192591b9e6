"""What the groups of CNaught operations have in common: scope headers, readers, walking lists.

For this package only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from ..http import Reply, Session, path_of
from ..models import WireModel, as_model, read_model
from ..paging import Page, walk
from .models import Order, Subaccount

LARGEST_PAGE = 100
LONGEST_KEY = 512

M = TypeVar("M", bound=WireModel)
Listed = TypeVar("Listed", Order, Subaccount)


class Group:
    """A group of operations on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session


def scope(subaccount_id: str | None = None, idempotency_key: str | None = None) -> dict[str, str]:
    """The headers that say for whom, and which attempt this repeats (contract 1 and 1.2)."""
    headers: dict[str, str] = {}
    if subaccount_id is not None:
        headers["X-Subaccount-Id"] = subaccount_id
    if idempotency_key is not None:
        if not 1 <= len(idempotency_key) <= LONGEST_KEY:
            raise ValueError(f"An idempotency key has 1 to {LONGEST_KEY} characters.")
        headers["Idempotency-Key"] = idempotency_key
    return headers


def reader(model: type[M]) -> Callable[[Reply], M]:
    """How to read an answer that is this object."""
    return lambda reply: read_model(reply, model)


def data_reader(model: type[M]) -> Callable[[Reply], tuple[M, ...]]:
    """How to read `{"data": [...]}` of these objects."""

    def read(reply: Reply) -> tuple[M, ...]:
        value = reply.json()
        rows = value.get("data") if isinstance(value, dict) else None
        if not isinstance(rows, list):
            raise reply.malformed("has no list of data")
        return tuple(as_model(reply, row, model) for row in rows)

    return read


def walk_list(
    session: Session,
    what: str,
    model: type[Listed],
    *,
    limit: int,
    starting_after: str | None,
    ending_before: str | None,
    headers: Mapping[str, str] | None = None,
    keep: str | None = None,
) -> Iterator[Listed]:
    """Walk a list of pages; see `Orders.list` for the arguments (contract 1.1).

    Pages are newest first and end with a short one: there is no has-more.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit must be 1 to {LARGEST_PAGE}.")
    if starting_after is not None and ending_before is not None:
        raise ValueError("Give starting_after or ending_before, not both.")
    towards_newer = ending_before is not None
    direction = "ending_before" if towards_newer else "starting_after"

    def fetch(cursor: str | None) -> Page[Listed]:
        rows = session.read(
            path_of(what),
            data_reader(model),
            params={"limit": limit, direction: cursor},
            headers=headers,
            keep=keep,
        )
        in_walking_order = rows[::-1] if towards_newer else rows
        return Page(in_walking_order, in_walking_order[-1].id if len(rows) >= limit else None)

    return walk(fetch, what=what, start=ending_before or starting_after)
