"""How far a route is: given distances, airports, points, ports and cities (Lune contract 4.3).

For the Lune sandbox. Points are joined by the great circle; what cannot be found is refused with
Lune's own code. Distances are kilometres as Decimal, to the metre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal

import airportsdata

from .catalogue import Catalogue
from .errors import Refused
from .rules import plain
from .schemas import (
    Address,
    AirportCode,
    AirportRoute,
    Coordinates,
    Distance,
    Locode,
    PlaceRoute,
    Point,
    ShippingRoute,
)

KM = {"km": Decimal(1), "mi": Decimal("1.609344"), "nm": Decimal("1.852")}
_EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG
_METRE = Decimal("0.001")

Route = Distance | AirportRoute | PlaceRoute | ShippingRoute


@dataclass(frozen=True)
class Resolved:
    """A route's length and how it was found."""

    km: Decimal
    method: Literal["user_input", "great_circle_distance"]

    def view(self) -> dict[str, str]:
        """The distance as the wire shows it."""
        return {"amount": plain(self.km), "unit": "km"}


def resolve(catalogue: Catalogue, route: Route) -> Resolved:
    """A route's length. Raises `Refused` for unknown places and for no distance at all."""
    if isinstance(route, Distance):
        resolved = Resolved(Decimal(route.amount) * KM[route.unit], "user_input")
    else:
        source, destination = (
            _locate(catalogue, point) for point in (route.source, route.destination)
        )
        resolved = Resolved(_great_circle_km(source, destination), "great_circle_distance")
    if resolved.km <= 0:
        raise Refused(400, "distance_invalid", "The distance must be positive.")
    return resolved


def _locate(catalogue: Catalogue, point: Point) -> tuple[float, float]:
    if isinstance(point, Coordinates):
        return float(point.lat), float(point.lon)
    if isinstance(point, AirportCode):
        return _airport(point.code)
    if isinstance(point, Locode):
        port = catalogue.locodes.get(point.locode)
        if port is None:
            raise Refused(400, "locode_not_found", f"The locode {point.locode} is unknown.")
        return float(port.latitude), float(port.longitude)
    return _city(catalogue, point)


def _airport(code: str) -> tuple[float, float]:
    airport = _airports("IATA" if len(code) == 3 else "ICAO").get(code)
    if airport is None:
        raise Refused(400, "airport_invalid", f"The airport {code} is unknown.")
    return airport["lat"], airport["lon"]


@cache
def _airports(code_type: Literal["IATA", "ICAO"]) -> dict[str, Any]:
    # Read at the first flight, not at start: the table has many thousand rows.
    return dict(airportsdata.load(code_type))


def _city(catalogue: Catalogue, address: Address) -> tuple[float, float]:
    for place in catalogue.places:
        same_city = place.city.casefold() == (address.city or "").strip().casefold()
        if same_city and address.country_code in {None, place.country_code}:
            return float(place.latitude), float(place.longitude)
    raise Refused(400, "address_not_found", "The address was not found: name a larger city.")


def _great_circle_km(source: tuple[float, float], destination: tuple[float, float]) -> Decimal:
    # The one place for binary floats: geometry, rounded to the metre before any mass is made.
    (lat_1, lon_1), (lat_2, lon_2) = (
        (math.radians(lat), math.radians(lon)) for lat, lon in (source, destination)
    )
    haversine = (
        math.sin((lat_2 - lat_1) / 2) ** 2
        + math.cos(lat_1) * math.cos(lat_2) * math.sin((lon_2 - lon_1) / 2) ** 2
    )
    angle = 2 * math.asin(min(1.0, math.sqrt(haversine)))
    return Decimal(_EARTH_RADIUS_KM * angle).quantize(_METRE)
