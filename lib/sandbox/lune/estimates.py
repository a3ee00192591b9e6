"""Emission estimates: activities turned into tonnes, with a quote (Lune contract 4.3).

For the Lune sandbox's routes and its generated history. Masses are computed exactly and kept in
whole grams, and in whole milligrams for those who ask for that unit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from ..state import from_us, to_us
from . import factors
from .accounts import Actor
from .errors import Refused, invalid
from .geography import resolve
from .quoting import quote_tonnes, quote_view
from .rules import GRAMS_PER_TONNE, mass_in_tonnes, plain
from .schemas import (
    BundlePercentage,
    ElectricityBody,
    FlightBody,
    FlightLeg,
    PassengerBody,
    RailLeg,
    RoadLeg,
    Shipment,
    ShippingBody,
)
from .tables import estimates

_KWH = {"kWh": Decimal(1), "MWh": Decimal(1000), "GWh": Decimal(1_000_000)}
_TONNES_PER_CONTAINER = {
    "lightweight": Decimal(6),
    "average": Decimal(10),
    "heavyweight": Decimal("14.5"),
    "container_only": Decimal(2),
}
_MG = {"mg": 1, "g": 1_000, "kg": 1_000_000, "t": 1_000_000_000}
_LARGEST_MG = 10**18  # a billion tonnes: what the database holds with room to spare

EstimateBody = ElectricityBody | FlightBody | PassengerBody | ShippingBody


@dataclass(frozen=True)
class _Result:
    """An estimate's mass, and what its answer tells besides the common fields."""

    kg: Decimal
    answer: dict[str, Any]


def mass_view(mass_mg: int, unit: str) -> dict[str, str]:
    """A mass in the unit asked for: to the gram, or to the milligram in mg."""
    exactly = mass_mg if unit == "mg" else mass_mg - mass_mg % 1000
    return {"amount": plain(Fraction(exactly, _MG[unit])), "unit": unit}


def create(actor: Actor, kind: str, body: EstimateBody, *, raw: bytes) -> sa.Row[Any]:
    """Make and keep an estimate. `raw`: the body, whose echo the answer carries.

    Raises `Refused` `estimate_idempotency_already_exists`, or for places it cannot resolve.
    """
    _check_key(actor, body.idempotency_key)
    with localcontext(prec=120):  # enough for the product of three amounts to stay exact
        result = _ESTIMATORS[kind](actor, body)
        mass_mg = int(result.kg * 1_000_000)
    if mass_mg > _LARGEST_MG:
        raise invalid("body: more than a billion tonnes")
    new_id = actor.world.new_id(actor.connection, 32)
    actor.connection.execute(
        sa.insert(estimates).values(
            id=new_id,
            account_id=actor.account.id,
            kind=kind,
            idempotency_key=body.idempotency_key,
            mass_mg=mass_mg,
            mass_g=mass_mg // 1000,
            created_us=to_us(actor.world.now(actor.connection)),
            request=raw.decode(),
            answer=json.dumps(
                result.answer | {"quote": _quote(actor, mass_mg // 1000, body)},
                ensure_ascii=False,
            ),
        )
    )
    return find(actor, kind, new_id)


def find(actor: Actor, kind: str, estimate_id: str) -> sa.Row[Any]:
    """The account's estimate of this kind; 404 as JSON if there is none."""
    found = actor.connection.execute(
        sa.select(estimates).where(
            estimates.c.id == estimate_id,
            estimates.c.kind == kind,
            estimates.c.account_id == actor.account.id,
        )
    ).first()
    if found is None:
        raise Refused(404, "estimate_not_found", f"There is no estimate {estimate_id}.")
    return found


def view(estimate: sa.Row[Any], unit: str = "t") -> dict[str, Any]:
    """An estimate as the wire shows it."""
    request = json.loads(estimate.request)
    metadata = request.pop("metadata", {})
    request.pop("idempotency_key", None)
    shown = {
        "id": estimate.id,
        "mass": mass_view(estimate.mass_mg, unit),
        "metadata": metadata,
        "request": request,
        **json.loads(estimate.answer),
    }
    if estimate.idempotency_key is not None:
        shown["idempotency_key"] = estimate.idempotency_key
    if estimate.kind == "shipping":
        created_at = _timestamp(from_us(estimate.created_us))
        shown["created_at"] = created_at
        shown.setdefault("shipped_at", created_at)
    return shown


def _check_key(actor: Actor, key: str | None) -> None:
    if key is None:
        return
    used = sa.select(estimates.c.id).where(
        estimates.c.account_id == actor.account.id, estimates.c.idempotency_key == key
    )
    if actor.connection.execute(used).first():
        raise Refused(
            409, "estimate_idempotency_already_exists", "The key was used for an estimate."
        )


def _quote(actor: Actor, mass_g: int, body: EstimateBody) -> dict[str, Any]:
    """The estimate's quote, or the error that there is none."""
    selection: list[BundlePercentage] | None = body.bundle_selection
    try:
        tonnes = Fraction(mass_g, GRAMS_PER_TONNE)
        return quote_view(quote_tonnes(actor, tonnes, selection, body.quantity_trunc))
    except Refused as refusal:
        return refusal.body()


def _timestamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _electricity(actor: Actor, body: ElectricityBody) -> _Result:
    kwh = Decimal(body.consumption.amount) * _KWH[body.consumption.unit]
    return _Result(kwh * factors.electricity(actor.catalogue, body.country_code).kg, {})


def _flight(actor: Actor, body: FlightBody) -> _Result:
    km = resolve(actor.catalogue, body.route).km
    per_km = factors.flight(actor.catalogue, km, body.cabin_class).kg
    return _Result(per_km * km * body.passengers, {})


def _passenger(actor: Actor, body: PassengerBody) -> _Result:
    legs = [_leg(actor, leg, body.passengers) for leg in body.legs]
    answer: dict[str, Any] = {"legs": [leg.answer for leg in legs]}
    if body.is_passenger_transportation is not None:
        answer["is_passenger_transportation"] = body.is_passenger_transportation
    travelled_at = body.passenger_transportation_travelled_at
    if travelled_at is not None:
        answer["passenger_transportation_travelled_at"] = _timestamp(travelled_at)
    return _Result(sum((leg.kg for leg in legs), Decimal(0)), answer)


def _leg(actor: Actor, leg: RoadLeg | RailLeg | FlightLeg, passengers: int | Decimal) -> _Result:
    distance = resolve(actor.catalogue, leg.route)
    applied = _leg_factor(actor, leg, distance.km)
    # Road factors are per vehicle, however many sit in it.
    travellers = 1 if isinstance(leg, RoadLeg) else passengers
    kg = applied.kg * distance.km * travellers
    return _Result(
        kg,
        {
            "mass": mass_view(int(kg * 1_000_000), "t"),
            "distance": distance.view(),
            "emission_factor": applied.view(),
            "resolved_legs": None,
        },
    )


def _leg_factor(actor: Actor, leg: RoadLeg | RailLeg | FlightLeg, km: Decimal) -> factors.Applied:
    if isinstance(leg, RoadLeg):
        return factors.factor(actor.catalogue, f"road.{leg.vehicle_type}")
    if isinstance(leg, RailLeg):
        return factors.factor(actor.catalogue, f"rail.{leg.rail_type}")
    return factors.flight(actor.catalogue, km, leg.cabin_class)


def _shipping(actor: Actor, body: ShippingBody) -> _Result:
    distance = resolve(actor.catalogue, body.route)
    applied = factors.freight(actor.catalogue, body.method, distance.km)
    load_t = _load_t(body.shipment)
    converted = body.shipment.mass is None
    stated = body.shipment.cargo_type is not None
    tonne_km = load_t * distance.km
    answer: dict[str, Any] = {
        "is_shipment": body.is_shipment,
        "source": "api",
        "distance": distance.view(),
        "distance_calculation_method": distance.method,
        "activity": {"value": plain(tonne_km), "unit": "t*km"},
        "emission_factor": applied.view(),
        "methodology": [],
        "converted_shipment": {"amount": plain(load_t), "unit": "t"} if converted else None,
        "shipment_conversion_method": None,
        **dict.fromkeys(_EMPTY_SHIPPING_DETAILS),
    }
    if converted:
        answer["shipment_conversion_method"] = (
            "user_provided_cargo_type" if stated else "average_cargo_type"
        )
    if body.shipped_at is not None:
        answer["shipped_at"] = _timestamp(body.shipped_at)
    return _Result(tonne_km * applied.kg, answer)


def _load_t(shipment: Shipment) -> Decimal:
    """The load in tonnes: its mass if given, else so much per container."""
    if shipment.mass is not None:
        return Decimal(plain(mass_in_tonnes(shipment.mass.amount, shipment.mass.unit)))
    assert shipment.containers is not None  # the schema wants one of the two
    return Decimal(shipment.containers) * _TONNES_PER_CONTAINER[shipment.cargo_type or "average"]


_EMPTY_SHIPPING_DETAILS = (
    "filename",
    "user_fullname",
    "external_estimate_url",
    "data_quality_score",
    "intensity",
    "route",
    "distance_calculation_details",
    "methodology_details",
    "vessel_inference_details",
    "inference_details",
    "resolved_legs",
)
_ESTIMATORS: dict[str, Callable[[Actor, Any], _Result]] = {
    "electricity": _electricity,
    "flight": _flight,
    "passenger-transportation": _passenger,
    "shipping": _shipping,
}
