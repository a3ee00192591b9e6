"""One call to the Lune sandbox: its checks, its account, its transaction, its pages.

For the Lune sandbox's routes. The order of refusals is ours: key (401), version (400), size
(413), media type (415), then the schema (Lune contract 1 and 1.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from ..state import World
from ..wire import ExactRequest, raw_body
from .accounts import Actor, selected_account
from .catalogue import Catalogue, catalogue_of
from .errors import Plain, Refused

NEWEST_VERSION = "2024-08-08"
KNOWN_VERSIONS = frozenset({NEWEST_VERSION})
LARGEST_BODY = 100_000

RawBody = Annotated[bytes, Depends(raw_body)]


class LuneRoute(APIRoute):
    """A route that refuses a call without a valid key, version or body form, and reads exactly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook around a route."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            _check_key(request)
            _check_version(request)
            exact = ExactRequest(request.scope, request.receive)
            if request.method in {"POST", "PUT", "PATCH"}:
                await _check_body_form(exact)
            return await handle(exact)

        return checked


def _check_key(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or key not in _catalogue(request).account_by_key:
        raise Refused(401, "unauthorised", "The API key is missing, wrong or disabled.")


def _check_version(request: Request) -> None:
    version = request.headers.get("lune-version")
    if version is not None and version not in KNOWN_VERSIONS:
        raise Refused(400, "api_version_invalid", f"There is no API version {version}.")


async def _check_body_form(request: Request) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        raise Plain(413)
    if len(await request.body()) > LARGEST_BODY:
        raise Plain(413)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Plain(415)


@dataclass(frozen=True)
class Call(Actor):
    """The actor of one HTTP call, and the URLs that its answers point at."""

    origin: str  # scheme and host of the sandbox, for links to its pages
    root: str  # this API's own URL, ends with a slash


@contextmanager
def opened(request: Request) -> Iterator[Call]:
    """The call's transaction and account; the answer leaves after the commit.

    Raises `Refused` `invalid_selected_account_id` for a `Lune-Account` that is not the key's.
    """
    world: World = request.app.state.world
    key = request.headers["authorization"].partition(" ")[2]
    main = _catalogue(request).account_by_key[key]
    wanted = request.headers.get("lune-account")
    origin = f"{request.url.scheme}://{request.url.netloc}"
    with world.transaction() as connection:
        yield Call(
            world=world,
            connection=connection,
            catalogue=_catalogue(request),
            account=selected_account(connection, main, wanted),
            origin=origin,
            root=f"{origin}{request.scope['root_path']}/",
        )


def _catalogue(request: Request) -> Catalogue:
    return catalogue_of(request.app.state.world)


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for: `limit` entries after the entry numbered `after`."""

    limit: int
    after: int | None


def asked_page(
    limit: Annotated[str, Query()] = "10", after: Annotated[str | None, Query()] = None
) -> Page:
    """Dependency: the page asked for (contract 1.1). Raises `pagination_limit_invalid`."""
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= 100:
        raise Refused(400, "pagination_limit_invalid", "limit is a whole number from 1 to 100.")
    if after is None:
        return Page(int(limit), None)
    if not re.fullmatch(r"c[0-9a-f]{1,15}", after):
        raise Refused(400, "validation_error", "query.after: not a cursor of this list")
    return Page(int(limit), int(after[1:], 16))


AskedPage = Annotated[Page, Depends(asked_page)]


def page_of(rows: Sequence[tuple[int, Any]], page: Page) -> dict[str, Any]:
    """Lune's page of `(number, entry)` rows, of which one more than the limit may be given."""
    shown = rows[: page.limit]
    has_more = len(rows) > page.limit
    return {
        "has_more": has_more,
        "next_cursor": f"c{shown[-1][0]:x}" if has_more else None,
        "data": [entry for _, entry in shown],
    }
