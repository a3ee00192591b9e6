"""The registry's API as an app of its own, to be mounted at /isometric/registry/v0."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from ..state import World
from . import reads, writes
from .schemas import HTTPError
from .wire import install_error_handlers


def create_api(world: World) -> FastAPI:
    """All operations of contract 4 and 5, with the contract's errors and an openapi.json."""
    refusals: dict[int | str, dict[str, Any]] = {
        status: {"model": HTTPError} for status in (400, 401, 403, 404)
    }
    api = FastAPI(
        title="Isometric Registry API (sandbox)",
        version="v0",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=refusals,
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.world = world
    install_error_handlers(api)
    api.include_router(reads.router)
    api.include_router(writes.router)
    return api
