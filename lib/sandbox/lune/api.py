"""The Lune sandbox's FastAPI app, and what every call to it has in common (Lune contract 1).

`create_api` is mounted by `lib.sandbox` at `/lune/v1`. Every route is a `LuneRoute`, which checks
key, version and the body's form before anything else.
"""

from __future__ import annotations

import secrets

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..state import World
from . import account_routes, analytics_routes, catalogue_routes, estimate_routes, order_routes
from .call import KNOWN_VERSIONS, NEWEST_VERSION
from .errors import add_handlers


def create_api(world: World) -> FastAPI:
    """Lune's API over this world."""
    app = FastAPI(title="Lune API (sandbox)", version=NEWEST_VERSION)
    app.state.world = world
    for routes in (
        order_routes,
        catalogue_routes,
        estimate_routes,
        account_routes,
        analytics_routes,
    ):
        app.include_router(routes.router)
    app.add_middleware(_Envelope)
    add_handlers(app)
    return app


class _Envelope:
    """Puts the request id and the version used on every answer, refusals too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("lune-version")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["CF-Ray"] = f"{secrets.token_hex(8)}-SBX"
                headers["Lune-Version"] = asked if asked in KNOWN_VERSIONS else NEWEST_VERSION
            await send(message)

        await self._app(scope, receive, send_with_headers)
