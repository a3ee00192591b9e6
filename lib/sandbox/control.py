"""The control plane at /_sandbox: health, clock, faults, ground truth; for loopback clients only.

It is not part of any provider's API. Tests and demos use it to move time, to break things, and to
learn what really happened.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Body, Depends, FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from . import isometric
from .faults import Fault, Faults
from .filling import Filling
from .providers import PROVIDERS
from .state import World, effects, from_us, rfc3339
from .wire import ExactJSON, ExactRoute

_PAGE = 500


class _Advance(BaseModel):
    """How far to move the clock, in seconds; it never goes back."""

    model_config = ConfigDict(extra="forbid")
    advance_s: Annotated[Decimal, Field(ge=0, le=10 * 366 * 86_400)]


def create_control(world: World, filling: Filling, faults: Faults) -> FastAPI:
    """The app to mount at /_sandbox."""
    api = FastAPI(
        title="Sandbox control plane",
        dependencies=[Depends(_loopback_only)],
        docs_url=None,
        redoc_url=None,
    )
    api.router.route_class = ExactRoute
    _add_clock(api, world, filling)
    _add_faults(api, faults)
    _add_ledger(api, world)
    _add_isometric(api, world)
    return api


def _loopback_only(request: Request) -> None:
    client = request.client
    if client is None or not ipaddress.ip_address(client.host).is_loopback:
        raise HTTPException(403, "The control plane answers clients on this machine only.")


def _add_clock(api: FastAPI, world: World, filling: Filling) -> None:
    @api.get("/health")
    def health() -> ExactJSON:
        """Answers as soon as the server serves, without waiting for history."""
        return ExactJSON({"status": "ok"} | filling.report())

    @api.get("/clock")
    def clock() -> ExactJSON:
        """The sandbox's time."""
        with world.transaction() as connection:
            return ExactJSON({"now": rfc3339(world.now(connection))})

    @api.post("/clock")
    def advance(body: _Advance) -> ExactJSON:
        """Move the clock; whatever falls due on the way has happened when this answers."""
        return ExactJSON({"now": rfc3339(world.advance(float(body.advance_s)))})


def _add_faults(api: FastAPI, faults: Faults) -> None:
    @api.get("/faults")
    def listed() -> ExactJSON:
        """What is armed, with the times left."""
        return ExactJSON({"faults": faults.listed()})

    @api.post("/faults", status_code=201)
    def arm(fault: Annotated[Fault, Body()]) -> ExactJSON:
        """Arm a fault."""
        faults.arm(fault)
        return ExactJSON({"faults": faults.listed()}, 201)

    @api.delete("/faults")
    def clear() -> ExactJSON:
        """Disarm all faults."""
        faults.clear()
        return ExactJSON({"faults": []})


def _add_ledger(api: FastAPI, world: World) -> None:
    @api.get("/ledger")
    def ledger() -> ExactJSON:
        """Ground truth: per account the orders, grams and money."""
        with world.transaction() as connection:
            accounts = [
                entry
                for provider in PROVIDERS.values()
                for entry in provider.truth(world, connection)
            ]
        return ExactJSON({"accounts": accounts})

    @api.get("/ledger/effects")
    def ledger_effects(
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=5000)] = _PAGE,
    ) -> ExactJSON:
        """Effects in the order they happened, from behind `after`; `next` is the next `after`."""
        query = sa.select(effects).where(effects.c.seq > after).order_by(effects.c.seq)
        with world.transaction() as connection:
            rows = connection.execute(query.limit(limit)).all()
        return ExactJSON(
            {
                "effects": [_effect(row) for row in rows],
                "next": rows[-1].seq if len(rows) == limit else None,
            }
        )


def _effect(row: Any) -> dict[str, Any]:
    names = ("seq", "provider", "account", "subaccount", "kind", "id", "key", "reference")
    effect: dict[str, Any] = {name: getattr(row, name) for name in names}
    effect["body_sha256"] = row.body_sha256
    effect["grams"] = row.grams
    effect["money"] = None if row.money is None else {row.currency: f"{Decimal(row.money):.2f}"}
    effect["at"] = rfc3339(from_us(row.at_us))
    return effect


def _add_isometric(api: FastAPI, world: World) -> None:
    creators: dict[str, Callable[..., dict[str, Any]]] = {
        "orders": isometric.control_create_order,
        "issuances": isometric.control_create_issuance,
        "transfers": isometric.control_transfer,
    }

    @api.post("/isometric/{what}", status_code=201)
    def create(what: str, body: dict[str, Any]) -> ExactJSON:
        """What the registry's own API cannot create: orders, issuances, transfers."""
        if what not in creators:
            raise HTTPException(404, f"There is no {what} to create.")
        try:
            with world.transaction() as connection:
                return ExactJSON(creators[what](world, connection, body), 201)
        except ValueError as problem:
            raise HTTPException(422, str(problem)) from problem
