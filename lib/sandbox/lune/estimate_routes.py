"""Lune's estimate operations (Lune contract 4.3)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from . import estimates
from .call import LuneRoute, RawBody, opened
from .schemas import ElectricityBody, EstimateMassUnit, FlightBody, PassengerBody, ShippingBody

router = APIRouter(prefix="/estimates", route_class=LuneRoute, tags=["estimates"])

AskedUnit = Annotated[EstimateMassUnit, Query(alias="estimate_mass_unit")]


def _create(
    request: Request, kind: str, body: estimates.EstimateBody, raw: bytes, unit: str = "t"
) -> dict[str, Any]:
    with opened(request) as call:
        return estimates.view(estimates.create(call, kind, body, raw=raw), unit)


def _get(request: Request, kind: str, id: str, unit: str = "t") -> dict[str, Any]:
    with opened(request) as call:
        return estimates.view(estimates.find(call, kind, id), unit)


@router.post("/electricity", operation_id="create_electricity_estimate")
def create_electricity_estimate(
    request: Request, body: ElectricityBody, raw: RawBody
) -> dict[str, Any]:
    """Electricity used in a country, or in the world's average country."""
    return _create(request, "electricity", body, raw)


@router.get("/electricity/{id}", operation_id="get_electricity_estimate")
def get_electricity_estimate(request: Request, id: str) -> dict[str, Any]:
    """An electricity estimate made before."""
    return _get(request, "electricity", id)


@router.post("/flight", operation_id="create_flight_estimate")
def create_flight_estimate(request: Request, body: FlightBody, raw: RawBody) -> dict[str, Any]:
    """A passenger flight. Lune has no operation to read it again."""
    return _create(request, "flight", body, raw)


@router.post("/passenger-transportation", operation_id="create_passenger_transportation_estimate")
def create_passenger_transportation_estimate(
    request: Request, body: PassengerBody, raw: RawBody
) -> dict[str, Any]:
    """A journey of up to ten legs by road, rail and air."""
    return _create(request, "passenger-transportation", body, raw)


@router.get("/passenger-transportation/{id}", operation_id="get_passenger_transportation_estimate")
def get_passenger_transportation_estimate(request: Request, id: str) -> dict[str, Any]:
    """A journey's estimate made before."""
    return _get(request, "passenger-transportation", id)


@router.post("/shipping", operation_id="create_shipping_estimate")
def create_shipping_estimate(
    request: Request, body: ShippingBody, raw: RawBody, unit: AskedUnit = "t"
) -> dict[str, Any]:
    """A shipment by one method."""
    return _create(request, "shipping", body, raw, unit)


@router.get("/shipping/{id}", operation_id="get_shipping_estimate")
def get_shipping_estimate(request: Request, id: str, unit: AskedUnit = "t") -> dict[str, Any]:
    """A shipment's estimate made before, in the unit asked for now."""
    return _get(request, "shipping", id, unit)
