"""Airports by IATA code: name, place, great-circle distance. For flight inputs on screens.

Used by pages through the desk. The table comes with the airportsdata package and is read from
disk at first use, once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import airportsdata

from ..domain.errors import BadInput

#: Mean radius of the earth (IUGG), in kilometres.
_EARTH_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class Airport:
    """One airport; latitude and longitude in degrees, country as ISO alpha-2."""

    code: str
    name: str
    city: str
    country: str
    latitude: float
    longitude: float

    def describe(self) -> str:
        """One line for people."""
        return f"{self.code} · {self.name}, {self.city or self.country}"


@cache
def _airports() -> dict[str, Airport]:
    return {
        code: Airport(code, row["name"], row["city"], row["country"], row["lat"], row["lon"])
        for code, row in airportsdata.load("IATA").items()
    }


def airport(code: str) -> Airport:
    """The airport of an IATA code in any case; raises BadInput for an unknown one."""
    found = _airports().get(code.strip().upper())
    if found is None:
        raise BadInput(f"“{code.strip()[:20]}” is not an IATA airport code such as LHR.")
    return found


def search(text: str, *, limit: int = 20) -> list[Airport]:
    """Airports whose code, city or name match, the exact code first, then by city and name."""
    wanted = text.strip().casefold()
    if not wanted:
        return []
    matches = [
        found
        for found in _airports().values()
        if found.code.casefold() == wanted
        or wanted in found.city.casefold()
        or wanted in found.name.casefold()
    ]
    matches.sort(key=lambda x: (x.code.casefold() != wanted, x.city.casefold() != wanted, x.name))
    return matches[:limit]


def distance_km(origin: str, destination: str) -> Decimal:
    """The great-circle distance between two IATA codes in whole kilometres, at least 1.

    Raises BadInput for an unknown code, or twice the same.
    """
    start, end = airport(origin), airport(destination)
    if start.code == end.code:
        raise BadInput("The two airports must be different.")
    return max(Decimal(round(_great_circle_km(start, end))), Decimal(1))


def _great_circle_km(start: Airport, end: Airport) -> float:
    """Haversine formula."""
    phi_1, phi_2 = math.radians(start.latitude), math.radians(end.latitude)
    d_phi = phi_2 - phi_1
    d_lambda = math.radians(end.longitude - start.longitude)
    h = math.sin(d_phi / 2) ** 2
    h += math.cos(phi_1) * math.cos(phi_2) * math.sin(d_lambda / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(h, 1.0)))
