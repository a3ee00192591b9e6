"""What all groups of Lune operations share: the account scope, reading, writing and walking.

For this package's groups only. Every operation may run as another account or client account of
the organisation; its id travels in a header and belongs to the cache key.

Lune contract 1 and 1.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from ..http import Param, Reply, Session, path_of
from ..models import WireModel, as_model, read_model
from ..paging import Page as WalkedPage
from ..paging import walk
from .models import Listed, Page

LARGEST_PAGE = 100

M = TypeVar("M", bound=WireModel)
L = TypeVar("L", bound=Listed)


def account_header(account_id: str | None) -> dict[str, str]:
    """The header that runs a call as another account; none for the key's own."""
    return {} if account_id is None else {"Lune-Account": account_id}


class Group:
    """Reading one object, walking a list and asking for a calculation."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _one(
        self,
        model: type[M],
        *path: str,
        account_id: str | None,
        params: Mapping[str, Param] | None = None,
        keep: str | None = None,
    ) -> M:
        return self._session.read(
            path_of(*path),
            lambda reply: read_model(reply, model),
            params=params,
            headers=account_header(account_id),
            keep=keep,
        )

    def _walk(
        self,
        model: type[L],
        *path: str,
        account_id: str | None,
        limit: int,
        after: str | None,
        params: Mapping[str, Param] | None = None,
        keep: str | None = None,
    ) -> Iterator[L]:
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"The limit must be between 1 and {LARGEST_PAGE}.")

        def read(reply: Reply) -> WalkedPage[L]:
            return _read_page(reply, model)

        def fetch(cursor: str | None) -> WalkedPage[L]:
            return self._session.read(
                path_of(*path),
                read,
                params={**(params or {}), "limit": limit, "after": cursor},
                headers=account_header(account_id),
                keep=keep,
            )

        return walk(fetch, what=" ".join(path), start=after)

    def _ask(self, model: type[M], path: str, body: dict[str, Any], account_id: str | None) -> M:
        """Post a quote or an estimate: it buys nothing, so it is repeated like a read.

        Not with an idempotency key: the repetition of what had worked would be refused.
        """
        headers, safe = account_header(account_id), "idempotency_key" not in body
        return read_model(self._session.post(path, body, headers=headers, safe=safe), model)


def _read_page(reply: Reply, model: type[L]) -> WalkedPage[L]:
    page = read_model(reply, Page)
    rows = [as_model(reply, row, model) for row in page.data]
    # A vendor sample shows a cursor on the last page: only has_more counts (contract 7).
    if not page.has_more:
        return WalkedPage(rows, None)
    if not page.next_cursor:
        raise reply.malformed("announces another page without a cursor for it")
    return WalkedPage(rows, page.next_cursor)
