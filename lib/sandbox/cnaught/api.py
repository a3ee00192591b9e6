"""The routes of the CNaught API v1 (CNaught contract 4): read the request, call, answer.

Imported only inside this package.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from sqlalchemy.engine import Connection

from ..state import World
from ..wire import ExactJSON, ExactRoute
from . import checkout, impact, orders, portfolios, problems, schemas, subaccounts
from .callbacks import is_callable
from .idempotency import Call, Once, call_of
from .paging import Page, page_of, read_page
from .pricing import (
    activity_kg,
    amount_for,
    flight_factor,
    no_access,
    portfolio_for,
    price_cents,
)
from .problems import Problem, invalid, not_found
from .scope import Caller, authenticate, resolve
from .section import Account, section_of
from .tables import orders as orders_table
from .tables import subaccounts as subaccounts_table

Asked = Annotated[Page, Depends(page_of)]


def create_api(world: World) -> FastAPI:
    """The API below /cnaught/v1."""
    api = FastAPI(title="CNaught API (sandbox)", version="v1", docs_url=None, redoc_url=None)
    api.router.route_class = ExactRoute
    problems.install(api)
    routes = _Routes(world)
    for group in (_orders, _quotes, _impact, _subaccounts, _checkout, _catalogue):
        group(api, routes)
    return api


class _Routes:
    """What all routes share: the world, the keys being worked on, and the dependencies."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.section = section_of(world)
        self.once = Once(world)

        def account(authorization: Annotated[str | None, Header()] = None) -> Account:
            return authenticate(world, authorization)

        def caller(
            account: Annotated[Account, Depends(account)],
            x_subaccount_id: Annotated[str | None, Header()] = None,
        ) -> Caller:
            return Caller(account, x_subaccount_id)

        async def call(request: Request, caller: Annotated[Caller, Depends(caller)]) -> Call:
            return await call_of(request, caller)

        async def account_call(
            request: Request, account: Annotated[Account, Depends(account)]
        ) -> Call:
            return await call_of(request, Caller(account))

        self.account = Depends(account)
        self.caller = Depends(caller)
        self.call = Depends(call)
        self.account_call = Depends(account_call)


def _documented(model: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": model}}
