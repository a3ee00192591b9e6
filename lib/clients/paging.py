"""Walking a paged list, lazily, whatever the provider's cursors look like.

For the three clients: each describes how to fetch one page, `walk` does the rest. Lists change
while they are walked: an item that shows up twice is given once, and none at a seam is lost
because the next page is always asked for by the provider's own cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .errors import PagingError

#: How many pages in a row may bring nothing new before the walk gives up.
BARREN_PAGES = 3


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """The provider's id, unique in its list."""
        ...


T = TypeVar("T", bound=Identified)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page in walking order; `next` fetches the page after it, None marks the last page."""

    items: Sequence[T]
    next: str | None


def walk(
    fetch: Callable[[str | None], Page[T]], *, what: str, start: str | None = None
) -> Iterator[T]:
    """Give every item once, fetching pages as they are needed, from the cursor `start` on.

    Raises PagingError when a cursor comes back or pages stop bringing anything new: the list is
    then incomplete, and saying nothing would lose rows. `what` names the list in that error.
    """
    seen_ids: set[str] = set()
    seen_cursors = {start}
    cursor, barren = start, 0
    while True:
        page = fetch(cursor)
        before = len(seen_ids)
        for item in page.items:
            if item.id not in seen_ids:
                seen_ids.add(item.id)
                yield item
        if page.next is None:
            return
        barren = 0 if len(seen_ids) > before else barren + 1
        if page.next in seen_cursors or barren >= BARREN_PAGES:
            raise PagingError(
                f"The list of {what} repeats itself after {len(seen_ids)} rows and is incomplete.",
                request=f"list of {what}",
            )
        seen_cursors.add(page.next)
        cursor = page.next
