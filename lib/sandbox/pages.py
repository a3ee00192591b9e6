"""Web pages at /pages that the APIs' links point to: registry pages, certificates, checkout.

The CNaught pages do something and live with their API; Lune's and Isometric's only show facts.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from sqlalchemy.engine import Connection

from .cnaught.pages import create_router
from .documents import sample_page
from .state import World, metadata

_LUNE_FACTS = ("name", "project_type", "registry_name", "region", "country_name", "methodology")
_ISOMETRIC_FACTS = {
    "projects": ("Project", ("name", "pathway", "country_code", "location")),
    "deliveries": ("Delivery", ("id", "order_id", "kg", "notes")),
    "retirements": ("Retirement", ("id", "kg", "notes")),
}


def create_pages(world: World) -> FastAPI:
    """The app to mount at /pages."""
    api = FastAPI(title="Sandbox pages", docs_url=None, redoc_url=None, openapi_url=None)
    api.include_router(create_router(world), prefix="/cnaught")

    @api.get("/lune/projects/{slug}")
    def lune_project(slug: str) -> HTMLResponse:
        for project in world.catalogue["lune"]["projects"]:
            if project["slug"] == slug:
                return _page("Project", project, _LUNE_FACTS)
        raise HTTPException(404, "There is no such project.")

    @api.get("/isometric/{kind}/{id}")
    def isometric_page(kind: str, id: str) -> HTMLResponse:
        if kind not in _ISOMETRIC_FACTS:
            raise HTTPException(404, "There is no such page.")
        with world.transaction() as connection:
            row = _registry_row(connection, kind, id)
        title, names = _ISOMETRIC_FACTS[kind]
        return _page(title, row, names)

    return api


def _registry_row(connection: Connection, kind: str, id: str) -> Any:
    table = metadata.tables[f"isometric_{kind}"]
    row = connection.execute(sa.select(table).where(table.c.id == id)).mappings().first()
    if row is None:
        raise HTTPException(404, "There is no such page.")
    return row


def _page(title: str, facts: Any, names: tuple[str, ...]) -> HTMLResponse:
    rows = [(name.replace("_", " "), str(facts[name])) for name in names if facts.get(name)]
    return HTMLResponse(sample_page(title, rows))
