"""What all groups of Isometric operations share: reading one object and walking a list.

For this package's client only. Both directions of the registry's Relay-style paging end here.

Isometric contract 1.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypedDict, TypeVar

from ..http import Param, Reply, Session, path_of
from ..models import WireModel, as_model, read_model
from ..paging import Page as WalkedPage
from ..paging import walk
from .models import Listed, Page

LARGEST_PAGE = 50

M = TypeVar("M", bound=WireModel)
L = TypeVar("L", bound=Listed)


class Paging(TypedDict, total=False):
    """How a list is walked: `page_size` 1 to 50 (default 50), `backwards` from its end."""

    page_size: int
    backwards: bool


class Group:
    """What all groups share: reading one object, and walking a list."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _one(self, model: type[M], *path: str, keep: str | None = None) -> M:
        return self._session.read(path_of(*path), lambda reply: read_model(reply, model), keep=keep)

    def _walk(
        self,
        model: type[L],
        *path: str,
        params: Mapping[str, Param] | None = None,
        keep: str | None = None,
        page_size: int = LARGEST_PAGE,
        backwards: bool = False,
    ) -> Iterator[L]:
        if not 1 <= page_size <= LARGEST_PAGE:
            raise ValueError(f"The page size must be between 1 and {LARGEST_PAGE}.")
        size, cursor_name = ("last", "before") if backwards else ("first", "after")
        address, read = path_of(*path), _page_reader(model, backwards=backwards)

        def fetch(cursor: str | None) -> WalkedPage[L]:
            query = {**(params or {}), size: page_size, cursor_name: cursor}
            return self._session.read(address, read, params=query, keep=keep)

        return walk(fetch, what=" ".join(path[::2]))


def _page_reader(model: type[L], *, backwards: bool) -> Callable[[Reply], WalkedPage[L]]:
    """Read one page into walking order (contract 1.1: nodes are always in the list's order)."""

    def read(reply: Reply) -> WalkedPage[L]:
        page = read_model(reply, Page)
        items = [as_model(reply, node, model) for node in page.nodes]
        info = page.page_info
        more = info.has_previous_page if backwards else info.has_next_page
        cursor = info.start_cursor if backwards else info.end_cursor
        if not more:
            return WalkedPage(items[::-1] if backwards else items, None)
        if not cursor:
            raise reply.malformed("announces another page without a cursor for it")
        return WalkedPage(items[::-1] if backwards else items, cursor)

    return read
