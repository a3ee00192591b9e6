"""The web pages that the CNaught API's links point to: certificates, checkout, impact, logos.

Imported by the sandbox's pages. They stand in for the vendor's own hosts, and know no API key.
"""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.engine import Connection

from ..documents import sample_page, sample_pdf
from ..state import World, from_us, rfc3339
from ..wire import plain
from . import checkout
from .orders import kilograms, order_number
from .problems import Problem
from .section import section_of
from .tables import blocks, orders, projects, retirements, subaccounts

_Rows = list[tuple[str, str]]

_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40" role="img">'
    "<title>Sample logo</title>"
    '<rect width="120" height="40" rx="6" fill="#dfe7e2"/>'
    '<text x="60" y="25" font-family="sans-serif" font-size="13" text-anchor="middle">'
    "sample logo</text></svg>"
)


def create_router(world: World) -> APIRouter:
    """The routes below /pages/cnaught."""
    router = APIRouter()
    _add_certificates(router, world)
    _add_checkout(router, world)
    _add_pictures(router, world)
    return router


def _add_certificates(router: APIRouter, world: World) -> None:
    @router.get("/orders/{id}")
    def certificate_page(id: str) -> HTMLResponse:
        with world.transaction() as connection:
            return HTMLResponse(sample_page("Certificate", _certificate(world, connection, id)))

    @router.get("/certificates/{id}/pdf")
    def certificate_pdf(id: str) -> Response:
        with world.transaction() as connection:
            rows = _certificate(world, connection, id)
        return Response(sample_pdf("Certificate", rows), media_type="application/pdf")

    @router.get("/retirements/{id}")
    def retirement_page(id: str) -> HTMLResponse:
        found = sa.select(blocks, projects.c.body).join(
            projects, projects.c.id == blocks.c.project_id
        )
        with world.transaction() as connection:
            block = connection.execute(
                found.where(blocks.c.url == f"/pages/cnaught/retirements/{id}")
            ).first()
        if block is None:
            raise HTTPException(404, "There is no such retirement.")
        rows = [
            ("Project", _project_name(world, block.project_id)),
            ("Serial numbers", block.serial),
            ("Retired", f"{block.tonnes} credits, shared by the orders they were retired for"),
        ]
        return HTMLResponse(sample_page("Retirement", rows))


def _certificate(world: World, connection: Connection, id: str) -> _Rows:
    """What a certificate says; raises 404 for orders that have none."""
    order = connection.execute(sa.select(orders).where(orders.c.id == id)).first()
    if order is None or order.state == "cancelled":
        raise HTTPException(404, "There is no certificate for this order.")
    rows = [
        ("Order", order_number(order.id)),
        ("For", _holder(world, connection, order)),
        ("Placed", rfc3339(from_us(order.created_us))),
        ("Amount", f"{plain(kilograms(order.amount_mg))} kg of carbon dioxide equivalent"),
    ]
    if order.description:
        rows.append(("Description", order.description))
    if order.state == "placed":
        return [*rows, ("Status", "The credits are pending.")]
    return rows + _retired(world, connection, order.id)


def _holder(world: World, connection: Connection, order: Any) -> str:
    if order.subaccount_id is not None:
        named = sa.select(subaccounts.c.name).where(subaccounts.c.id == order.subaccount_id)
        return str(connection.execute(named).scalar_one())
    companies = {account.name: account.company for account in section_of(world).accounts}
    return companies.get(order.account, str(order.account))


def _retired(world: World, connection: Connection, order_id: str) -> _Rows:
    parts = connection.execute(
        sa.select(retirements.c.project_id, retirements.c.amount_mg, blocks.c.serial)
        .join(blocks, blocks.c.seq == retirements.c.block)
        .where(retirements.c.order_id == order_id)
        .order_by(retirements.c.position, retirements.c.seq)
    )
    return [
        (
            _project_name(world, part.project_id),
            f"{plain(kilograms(part.amount_mg))} kg, {part.serial or 'no serial number'}",
        )
        for part in parts
    ]


def _project_name(world: World, project_id: str) -> str:
    stocked = section_of(world).projects_by_id.get(project_id)
    return stocked.project.name if stocked else project_id


def _add_checkout(router: APIRouter, world: World) -> None:
    @router.get("/pay/{id}")
    def payment_page(id: str) -> HTMLResponse:
        with world.transaction() as connection:
            session = checkout.find_by_id(connection, id)
            if session is None:
                raise HTTPException(404, "There is no such checkout session.")
            shown = checkout.view(world, connection, session)
        rows = [
            ("Amount", f"{plain(shown['amount_kg'])} kg of carbon dioxide equivalent"),
            ("Price", f"{Decimal(shown['price_usd_cents']) / 100:.2f} USD"),
            ("State", str(shown["state"])),
        ]
        form = (
            f'<form method="post" action="{escape(session.id)}/pay"><button>Pay</button></form>'
            f'<p><a href="{escape(session.cancel_url)}">Cancel</a></p>'
        )
        actions = form if shown["state"] == "open" else ""
        return HTMLResponse(sample_page("Checkout", rows, actions=actions))

    @router.post("/pay/{id}/pay")
    def pay(id: str) -> Response:
        with world.transaction() as connection:
            session = checkout.find_by_id(connection, id)
            if session is None:
                raise HTTPException(404, "There is no such checkout session.")
            try:
                return RedirectResponse(checkout.pay(world, connection, session), 303)
            except Problem as problem:
                raise HTTPException(problem.status, str(problem)) from problem


def _add_pictures(router: APIRouter, world: World) -> None:
    @router.get("/impact/{slug}")
    def impact_page(slug: str) -> HTMLResponse:
        names = {account.slug: account.company for account in section_of(world).accounts}
        with world.transaction() as connection:
            rows = connection.execute(sa.select(subaccounts.c.id, subaccounts.c.name))
            names |= {row.id: row.name for row in rows}
        if slug not in names:
            raise HTTPException(404, "There is no such impact page.")
        return HTMLResponse(sample_page("Impact", [("For", names[slug])]))

    @router.get("/logos/{id}")
    def logo(id: str) -> Response:
        given = sa.select(subaccounts.c.logo_source).where(subaccounts.c.id == id)
        with world.transaction() as connection:
            if connection.execute(given).scalar() is None:
                raise HTTPException(404, "There is no such logo.")
        return Response(_LOGO, media_type="image/svg+xml")
