"""What the routes ask FastAPI for: the world, the caller, the call, the page.

Imported only inside this package.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from ..state import World
from .idempotency import Call, Once, call_of
from .paging import Page, page_of
from .scope import Caller, authenticate
from .section import Account


def _world(request: Request) -> World:
    world: World = request.app.state.world
    return world


def _once(request: Request) -> Once:
    once: Once = request.app.state.once
    return once


TheWorld = Annotated[World, Depends(_world)]
OnceOnly = Annotated[Once, Depends(_once)]
Authorization = Annotated[str | None, Header()]
SubaccountId = Annotated[str | None, Header(alias="X-Subaccount-Id")]


def _account(world: TheWorld, authorization: Authorization = None) -> Account:
    return authenticate(world, authorization)


TheAccount = Annotated[Account, Depends(_account)]


def _caller(account: TheAccount, subaccount_id: SubaccountId = None) -> Caller:
    return Caller(account, subaccount_id)


TheCaller = Annotated[Caller, Depends(_caller)]


async def _call(request: Request, caller: TheCaller) -> Call:
    return await call_of(request, caller)


async def _account_call(request: Request, account: TheAccount) -> Call:
    return await call_of(request, Caller(account))


TheCall = Annotated[Call, Depends(_call)]
"""A call that a subaccount header may scope."""

AccountCall = Annotated[Call, Depends(_account_call)]
"""A call that takes no subaccount header."""

ThePage = Annotated[Page, Depends(page_of)]
