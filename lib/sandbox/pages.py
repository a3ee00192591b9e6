"""Web pages at /pages that the APIs' links point to: registry pages, certificates, checkout."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from .documents import sample_page
from .state import World


def create_pages(world: World) -> FastAPI:
    """The app to mount at /pages."""
    api = FastAPI(title="Sandbox pages", docs_url=None, redoc_url=None, openapi_url=None)

    @api.get("/{provider}/{kind}/{id}")
    def page(provider: str, kind: str, id: str) -> HTMLResponse:
        return HTMLResponse(sample_page(f"{provider}: {kind} {id}", []))

    return api
