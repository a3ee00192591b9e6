"""The sandbox as one ASGI app: three APIs, their web pages, faults, limits, control plane.

Each API is an app of its own below its provider's root path, with its own error format and its
own openapi.json, so that the providers' client libraries work when pointed at it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .control import create_control
from .faults import FaultLayer, Faults
from .filling import Filling
from .limits import RateLimits
from .options import Options
from .pages import create_pages
from .providers import PROVIDERS, ROOTS
from .state import World


def create_app(world: World, filling: Filling, *, options: Options) -> ASGIApp:
    """All of it; the control plane stands outside faults, latency and limits."""
    apis = {ROOTS[name]: provider.create_api(world) for name, provider in PROVIDERS.items()}
    providers: ASGIApp = _mounted(apis | {"/pages": create_pages(world)})
    if options.rate_limits == "provider":
        providers = RateLimits(providers)
    if options.latency_ms:
        providers = _Latency(providers, options.latency_ms / 1000)
    faults = Faults()
    control = create_control(world, filling, faults)
    return _RouteMark(_mounted({"/_sandbox": control, "": FaultLayer(providers, faults)}))


def _mounted(apps: Mapping[str, ASGIApp]) -> Starlette:
    """The apps at their root paths; a slash too many is an unknown path, not a redirect."""
    mounted = Starlette(routes=[Mount(path, app) for path, app in apps.items()])
    mounted.router.redirect_slashes = False
    for app in apps.values():
        if isinstance(app, Starlette):
            app.router.redirect_slashes = False
    return mounted


class _Latency:
    """Holds every request back for as long as a distant provider would."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(self._seconds)
        await self._app(scope, receive, send)


class _RouteMark:
    """Tells a 404 for an unknown path from a 404 for an unknown id.

    Routers write the endpoint they chose into the scope: where nothing but mounts was chosen, no
    route was found.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message.get("status") == 404 and not _is_routed(scope):
                MutableHeaders(raw=message["headers"])["X-Sandbox-Route"] = "none"
            await send(message)

        await self._app(scope, receive, marked)


def _is_routed(scope: Scope) -> bool:
    return not isinstance(scope.get("endpoint"), Starlette | FaultLayer | type(None))
