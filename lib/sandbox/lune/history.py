"""Generated history of the Lune sandbox: what two invented companies bought over the years.

For the sandbox's filling. Every order is placed through `orders.place` at its own moment, with all
that fell due before carried out first, so history obeys the same rules as live orders.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World
from . import estimates
from .accounts import Actor
from .catalogue import AccountEntry, catalogue_of
from .lifecycle import cancel, fail
from .orders import OrderBody, place
from .rules import GRAMS_PER_TONNE, tonnes
from .schemas import (
    ElectricityBody,
    FlightBody,
    OrderByEstimateBody,
    OrderByMassBody,
    OrderByValueBody,
    PassengerBody,
    ShippingBody,
)
from .tables import accounts

_DEMO_ORDERS = (78, 6)  # by position of the main account in the catalogue
_FATES: dict[int, Literal["cancelled", "failed"]] = {17: "cancelled", 41: "failed", 63: "cancelled"}
_HOSTILE_ORDER = 29
_HOSTILE = '<img src=x onerror=alert(1)> “Quarter”; =HYPERLINK("http://example.invalid") 1+1'
# Smallest and largest kilograms of small, usual and large orders, and how often each comes.
_SIZES = ((50, 900), (900, 6_000), (6_000, 18_000))
_SIZE_WEIGHTS = (5, 4, 1)
_GROWTH = 1.2  # the last orders of a history are this much larger than the first: 2.2 times
_LARGEST_KG = 40_000
_PURPOSES = ("Parcels", "Line haul", "Warehouse heat", "Staff travel", "Trade fair", "Last mile")
_AIRPORTS = (("OSL", "LHR"), ("ARN", "CDG"), ("HAM", "JFK"), ("AMS", "SIN"), ("MAD", "LIS"))
_LAST_PARTS_KG = ("60", "50", "70")  # parts of a tonne that keep some orders waiting at the end


@dataclass(frozen=True)
class _Planned:
    """One order to come. `progress`: how far into the history, from 0 to 1."""

    moment: datetime
    account_id: str
    progress: float
    fate: Literal["cancelled", "failed"] | None = None
    name: str | None = None


def history(
    world: World,
    connection: Connection,
    *,
    size: Any,
    start: datetime,
    end: datetime,
    rng: random.Random,
) -> None:
    """Make orders between `start` and `end`: the demo, or half as many as `size` asks."""
    catalogue = catalogue_of(world)
    if size == "demo":
        for main, count in zip(catalogue.accounts, _DEMO_ORDERS, strict=False):
            fates = _FATES if main is catalogue.accounts[0] else {}
            _fill(world, connection, _plan(main, count, start, end, rng, fates), rng)
        _end_of_demo(world, connection, catalogue.accounts[0], end, rng)
    else:
        plan = _plan(catalogue.accounts[0], int(size) // 2, start, end, rng, {})
        _fill(world, connection, plan, rng)
    world.carry_out_until(connection, end)


def _plan(
    main: AccountEntry,
    count: int,
    start: datetime,
    end: datetime,
    rng: random.Random,
    fates: dict[int, Literal["cancelled", "failed"]],
) -> Iterator[_Planned]:
    clients = [client.id for client in main.clients]
    for number in range(count):
        progress = (number + rng.random()) / count
        is_main = not clients or rng.random() < 0.7
        yield _Planned(
            moment=start + (end - start) * progress,
            account_id=main.id if is_main else rng.choice(clients),
            progress=progress,
            fate=fates.get(number),
            name=_HOSTILE if fates and number == _HOSTILE_ORDER else None,
        )


def _fill(
    world: World, connection: Connection, plan: Iterator[_Planned], rng: random.Random
) -> None:
    for planned in plan:
        world.carry_out_until(connection, planned.moment)
        with world.at(planned.moment):
            actor = _actor(world, connection, planned.account_id)
            body = _body(actor, planned, rng)
            order_id = _place(actor, body, failing=planned.fate == "failed")
        if planned.fate is not None:
            with world.at(planned.moment + timedelta(seconds=3)):
                leave = cancel if planned.fate == "cancelled" else fail
                leave(connection, order_id)


def _end_of_demo(
    world: World,
    connection: Connection,
    main: AccountEntry,
    end: datetime,
    rng: random.Random,
) -> None:
    """A shortfall that is still waiting, and parts of a tonne that still wait for their pool."""
    moment = end - timedelta(days=6)
    scarce = _first_scarce_bundle(world)
    if scarce is not None:
        bundle_id, stock_g = scarce
        mass = {
            "bundle_id": bundle_id,
            "mass": {"amount": tonnes(stock_g + 6_500_000), "unit": "t"},
        }
        _place_at(world, connection, moment, main.id, {"bundle_masses": [mass]}, rng)
    for account_id in (main.id, *(client.id for client in main.clients)):
        for kilograms in _LAST_PARTS_KG:
            moment += timedelta(hours=rng.randint(2, 9))
            mass = {"mass": {"amount": kilograms, "unit": "kg"}}
            _place_at(world, connection, moment, account_id, mass, rng)


def _place_at(
    world: World,
    connection: Connection,
    moment: datetime,
    account_id: str,
    asked: dict[str, Any],
    rng: random.Random,
) -> None:
    world.carry_out_until(connection, moment)
    with world.at(moment):
        actor = _actor(world, connection, account_id)
        _place(actor, OrderByMassBody(**asked, **_labels(rng, None)))


def _first_scarce_bundle(world: World) -> tuple[str, int] | None:
    for bundle in catalogue_of(world).bundles:
        if bundle.stock_g is not None and not bundle.disabled:
            return bundle.id, bundle.stock_g
    return None


def _actor(world: World, connection: Connection, account_id: str) -> Actor:
    account = connection.execute(sa.select(accounts).where(accounts.c.id == account_id)).one()
    return Actor(world, connection, catalogue_of(world), account)


def _place(actor: Actor, body: OrderBody, *, failing: bool = False) -> str:
    raw = body.model_dump_json(exclude_unset=True).encode()
    return place(actor, body, raw=raw, created_as="received" if failing else None)


def _body(actor: Actor, planned: _Planned, rng: random.Random) -> OrderBody:
    labels = _labels(rng, planned.name)
    form = rng.choices(("mass", "value", "estimate"), (6, 2, 2))[0]
    if form == "estimate":
        return OrderByEstimateBody(estimate_id=_estimate(actor, planned, rng), **labels)
    choice = _selection(actor, rng)
    if form == "value":
        return OrderByValueBody(value=str(_kilograms(planned, rng) // 10 + 5), **choice, **labels)
    kilograms = _kilograms(planned, rng)
    half = ".5" if rng.random() < 0.2 else ""
    mass = {"amount": f"{kilograms}{half}", "unit": "kg"}
    if rng.random() < 0.3:
        mass = {"amount": tonnes(kilograms * (GRAMS_PER_TONNE // 1000)), "unit": "t"}
    return OrderByMassBody.model_validate({"mass": mass, **choice, **labels})


def _kilograms(planned: _Planned, rng: random.Random) -> int:
    smallest, largest = rng.choices(_SIZES, _SIZE_WEIGHTS)[0]
    grown = rng.randint(smallest, largest) * (1 + _GROWTH * planned.progress)
    return min(int(grown), _LARGEST_KG)


def _labels(rng: random.Random, name: str | None) -> dict[str, Any]:
    metadata = {
        "reference": f"HL-{rng.getrandbits(32):08X}",
        "purpose": name or rng.choice(_PURPOSES),
    }
    return {"idempotency_key": f"{rng.getrandbits(64):016x}", "metadata": metadata}


def _selection(actor: Actor, rng: random.Random) -> dict[str, Any]:
    """The account's own selection, one bundle, or two, of those that never run out."""
    plenty = [b.id for b in actor.catalogue.bundles if not b.disabled and b.stock_g is None]
    ways = min(len(plenty), rng.randint(0, 2))
    if ways == 0:
        return {}
    chosen = rng.sample(plenty, ways)
    split = [100] if ways == 1 else [60, 40]
    return {
        "bundle_selection": [
            {"bundle_id": bundle_id, "percentage": percentage}
            for bundle_id, percentage in zip(chosen, split, strict=True)
        ]
    }


def _estimate(actor: Actor, planned: _Planned, rng: random.Random) -> str:
    kind, make = rng.choice(_ACTIVITIES)
    body = make(rng, planned.name or rng.choice(_PURPOSES))
    raw = body.model_dump_json(exclude_unset=True).encode()
    estimate_id: str = estimates.create(actor, kind, body, raw=raw).id
    return estimate_id


def _electricity(rng: random.Random, name: str) -> ElectricityBody:
    used = {"amount": str(rng.randint(4, 60)), "unit": "MWh"}
    country = rng.choice(("GBR", "FRA", "SWE"))
    return ElectricityBody.model_validate(
        {"name": name, "consumption": used, "country_code": country}
    )


def _flight(rng: random.Random, name: str) -> FlightBody:
    source, destination = rng.choice(_AIRPORTS)
    route = {"source": {"code": source}, "destination": {"code": destination}}
    return FlightBody.model_validate(
        {"name": name, "route": route, "cabin_class": "economy", "passengers": rng.randint(1, 12)}
    )


def _journey(rng: random.Random, name: str) -> PassengerBody:
    car = {"amount": str(rng.randint(300, 2_000)), "unit": "km"}
    train = {"amount": str(rng.randint(800, 6_000)), "unit": "km"}
    legs = [
        {"route": car, "vehicle_type": "car_lower_medium"},
        {"route": train, "rail_type": "international_rail"},
    ]
    return PassengerBody.model_validate({"name": name, "legs": legs, "passengers": 3})


def _shipment(rng: random.Random, name: str) -> ShippingBody:
    containers = {"containers": str(rng.randint(1, 6)), "cargo_type": "average"}
    route = {"amount": str(rng.randint(3_000, 19_000)), "unit": "km"}
    ship = {"vessel_type": "container_ship"}
    return ShippingBody.model_validate(
        {"name": name, "shipment": containers, "route": route, "method": ship, "is_shipment": True}
    )


_Make = Callable[[random.Random, str], estimates.EstimateBody]
_ACTIVITIES: tuple[tuple[str, _Make], ...] = (
    ("electricity", _electricity),
    ("flight", _flight),
    ("passenger-transportation", _journey),
    ("shipping", _shipment),
)
