"""The bodies of what Lune is asked, as pure functions.

Imported by this package's client and by whoever must know a request to the byte before it is
sent. Amounts go out as decimal strings, keys that were not given stay away, and what the
contract refuses is a `ValueError` of one clear sentence before anything is sent.

Masses, distances and consumptions are (amount, unit) pairs; a bundle selection maps bundle ids to
percentages, in the order given.

Lune contract 2.3, 3.1 to 3.3, 3.8, 3.9, 4.2, 4.3 and 4.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypedDict, Unpack

MassUnit = Literal["g", "kg", "t"]
EstimateMassUnit = Literal["mg", "g", "kg", "t"]
DistanceUnit = Literal["km", "mi", "nm"]
EnergyUnit = Literal["kWh", "MWh", "GWh"]
CabinClass = Literal["economy", "business", "first"]
Visibility = Literal["public", "hidden", "private"]

Mass = tuple[Decimal | int, MassUnit]
Distance = tuple[Decimal | int, DistanceUnit]
Energy = tuple[Decimal | int, EnergyUnit]
Airports = tuple[str, str]
Selection = Mapping[str, Decimal | int | None]

LONGEST_KEY = 100
MOST_LEGS = 10

_HANDLE = re.compile(r"[a-z0-9_-]+")
_COUNTRY = re.compile(r"[A-Z]{3}")
_AIRPORT = re.compile(r"[A-Z]{3,5}")
_UNITS = {"mass": ("g", "kg", "t"), "distance": ("km", "mi", "nm"), "energy": ("kWh", "MWh", "GWh")}


class QuoteOptions(TypedDict, total=False):
    """What may be said about any quote: the account's selection and grams are the defaults."""

    bundle_selection: Selection
    quantity_trunc: MassUnit


class OrderOptions(QuoteOptions, total=False):
    """What may be said about any order besides."""

    idempotency_key: str
    metadata: Mapping[str, str]


class EstimateOptions(OrderOptions, total=False):
    """What may be said about any estimate besides."""

    name: str


def order_by_mass_body(
    *,
    mass: Mass | None = None,
    bundle_masses: Mapping[str, Mass] | None = None,
    **options: Unpack[OrderOptions],
) -> dict[str, Any]:
    """The body of an order or quote by mass: one `mass`, or an exact mass for each bundle."""
    if (mass is None) == (bundle_masses is None):
        raise ValueError("Give either one mass or a mass for each bundle.")
    if mass is not None:
        return {"mass": _amount(mass, "mass"), **_options(options)}
    if not bundle_masses:
        raise ValueError("Give a mass for at least one bundle.")
    if options.get("bundle_selection") is not None:
        raise ValueError("A mass for each bundle leaves no room for a bundle selection.")
    rows = [
        {"bundle_id": key, "mass": _amount(part, "mass")} for key, part in bundle_masses.items()
    ]
    return {"bundle_masses": rows, **_options(options)}


def order_by_value_body(*, value: Decimal | int, **options: Unpack[OrderOptions]) -> dict[str, Any]:
    """The body of an order or quote by value: the most to be spent, in the account's currency."""
    return {"value": decimal_text(value, "value"), **_options(options)}


def order_by_estimate_body(*, estimate_id: str, **options: Unpack[OrderOptions]) -> dict[str, Any]:
    """The body of an order for an estimate's mass; an estimate can be ordered once."""
    if not estimate_id:
        raise ValueError("Name the estimate to order.")
    return {"estimate_id": estimate_id, **_options(options)}


def electricity_body(
    *, consumption: Energy, country_code: str | None = None, **options: Unpack[EstimateOptions]
) -> dict[str, Any]:
    """The body of an electricity estimate; without a country (alpha-3) the world's average."""
    body: dict[str, Any] = {"consumption": _amount(consumption, "energy")}
    return {**body, **_country(country_code), **_options(options)}


def flight_body(
    *,
    route: Distance | Airports,
    cabin_class: CabinClass | None = None,
    passengers: int | None = None,
    **options: Unpack[EstimateOptions],
) -> dict[str, Any]:
    """The body of a flight estimate; `route` is a distance or two IATA or ICAO airport codes."""
    body: dict[str, Any] = {"route": route_body(route)}
    if cabin_class is not None:
        body["cabin_class"] = cabin_class
    return {**body, **_passengers(passengers), **_options(options)}


def passenger_transportation_body(
    *,
    legs: Sequence[Mapping[str, Any]],
    passengers: int | None = None,
    **options: Unpack[EstimateOptions],
) -> dict[str, Any]:
    """The body of a journey's estimate; make its one to ten legs with the `*_leg` functions."""
    if not 1 <= len(legs) <= MOST_LEGS:
        raise ValueError(f"A journey has 1 to {MOST_LEGS} legs.")
    return {"legs": [dict(leg) for leg in legs], **_passengers(passengers), **_options(options)}


def road_leg(*, route: Distance | Airports, vehicle_type: str) -> dict[str, Any]:
    """A leg by car or motorcycle, such as `car_lower_medium`."""
    return {"route": route_body(route), "vehicle_type": vehicle_type}


def rail_leg(*, route: Distance | Airports, rail_type: str = "national_rail") -> dict[str, Any]:
    """A leg by `national_rail`, `international_rail` or `light_rail_or_tram`."""
    return {"route": route_body(route), "rail_type": rail_type}


def flight_leg(
    *, route: Distance | Airports, cabin_class: CabinClass = "economy"
) -> dict[str, Any]:
    """A leg by air."""
    return {"route": route_body(route), "cabin_class": cabin_class}


def shipping_body(
    *,
    route: Distance | Mapping[str, Any],
    method: str | Mapping[str, Any],
    mass: Mass | None = None,
    containers: Decimal | int | None = None,
    cargo_type: str | None = None,
    country_code: str | None = None,
    is_shipment: bool | None = None,
    **options: Unpack[EstimateOptions],
) -> dict[str, Any]:
    """The body of a shipping estimate: a mass, or containers with or without their mass.

    `route` is a distance, or a mapping with `source` and `destination` as the contract writes
    places. `method` is one of Lune's names, or a mapping that describes a container ship.
    """
    shipment: dict[str, Any] = {}
    if containers is not None:
        shipment["containers"] = decimal_text(containers, "number of containers")
        if cargo_type is not None:
            shipment["cargo_type"] = cargo_type
    if mass is not None:
        shipment["mass"] = _amount(mass, "mass")
    if not shipment:
        raise ValueError("Give the shipment's mass or its number of containers.")
    body: dict[str, Any] = {
        "shipment": shipment,
        "route": dict(route) if isinstance(route, Mapping) else route_body(route),
        "method": method if isinstance(method, str) else dict(method),
    }
    if is_shipment is not None:
        body["is_shipment"] = is_shipment
    return {**body, **_country(country_code), **_options(options)}


def selection_body(selection: Selection) -> list[dict[str, Any]]:
    """The rows of a bundle selection: percentages for all bundles, summing to 100, or for none."""
    given = [percentage for percentage in selection.values() if percentage is not None]
    if given and len(given) != len(selection):
        raise ValueError("Give a percentage for every bundle or for none.")
    for percentage in given:
        text = decimal_text(percentage, "percentage")
        if len(text.partition(".")[2]) > 2:
            raise ValueError("A percentage has at most two decimals.")
    if given and sum(given) != 100:
        raise ValueError("The percentages of a bundle selection must add up to 100.")
    return [_selected(bundle_id, percentage) for bundle_id, percentage in selection.items()]


class ClientAccountFields(TypedDict, total=False):
    """What may be said about any client account; None clears where the contract lets it."""

    beneficiary: str | None
    bundle_portfolio_id: str | None
    handle: str
    external_pages_visibility: Visibility
    idempotency_key: str


def client_account_body(
    *, name: str | None = None, currency: str | None = None, **fields: Unpack[ClientAccountFields]
) -> dict[str, Any]:
    """The body that creates or changes a client account, with the keys that were given."""
    if name is not None and not name.strip():
        raise ValueError("A client account needs a name.")
    handle = fields.get("handle")
    if handle is not None and not _HANDLE.fullmatch(handle):
        raise ValueError("A handle is made of a-z, 0-9, hyphen and underscore.")
    _check_key(fields.get("idempotency_key"))
    named = {"name": name, "currency": currency}
    return {key: value for key, value in named.items() if value is not None} | dict(fields)


def decimal_text(amount: Decimal | int, what: str) -> str:
    """The wire's decimal string for an amount above 0; ValueError for any other number."""
    number = Decimal(amount)
    if not number.is_finite() or number <= 0:
        raise ValueError(f"The {what} must be a number above 0.")
    return f"{number:f}"


def route_body(route: Distance | Airports) -> dict[str, Any]:
    """A distance, or two airport codes, as the contract writes routes."""
    first, second = route
    if not isinstance(first, str):
        return _amount((first, second), "distance")
    if not (_AIRPORT.fullmatch(first) and _AIRPORT.fullmatch(second)):
        raise ValueError("Airports are given by their IATA or ICAO codes, such as LHR or EGLL.")
    return {"source": {"code": first}, "destination": {"code": second}}


def _selected(bundle_id: str, percentage: Decimal | int | None) -> dict[str, Any]:
    if percentage is None:
        return {"bundle_id": bundle_id}
    as_sent = percentage if isinstance(percentage, int) else f"{percentage:f}"
    return {"bundle_id": bundle_id, "percentage": as_sent}


def _amount(pair: tuple[Decimal | int, str], what: str) -> dict[str, str]:
    amount, unit = pair
    if unit not in _UNITS[what]:
        raise ValueError(f"The unit of the {what} must be one of {', '.join(_UNITS[what])}.")
    return {"amount": decimal_text(amount, what), "unit": unit}


def _options(options: EstimateOptions | OrderOptions) -> dict[str, Any]:
    """The optional keys as the wire has them; a key given as None counts as not given."""
    body: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    _check_key(body.get("idempotency_key"))
    if "bundle_selection" in body:
        body["bundle_selection"] = selection_body(body["bundle_selection"])
    if "metadata" in body:
        body["metadata"] = dict(body["metadata"])
    return body


def _check_key(key: str | None) -> None:
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise ValueError(f"An idempotency key must be 1 to {LONGEST_KEY} characters long.")


def _country(code: str | None) -> dict[str, str]:
    if code is None:
        return {}
    if not _COUNTRY.fullmatch(code):
        raise ValueError("A country is given by its three-letter code, such as GBR.")
    return {"country_code": code}


def _passengers(passengers: int | None) -> dict[str, int]:
    if passengers is None:
        return {}
    if passengers < 1:
        raise ValueError("There must be at least one passenger.")
    return {"passengers": passengers}
