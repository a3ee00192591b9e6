"""Which emission factor of the catalogue applies to what (Lune contract 4.3).

For the Lune sandbox's estimates. `freight` matches Lune's shipping method names by rules, first
match first; the numbers themselves, with source and year, are in the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .catalogue import Catalogue
from .errors import invalid
from .rules import plain
from .schemas import ContainerShip
from .shipping_methods import SHIPPING_METHODS

_PLANES = {"plane", "passenger_plane", "cargo_plane"}
# (any of these texts in the method's name, name of the factor): the first match counts, and every
# method but the planes has one.
_LAND_RULES = (
    (("inland_waterway",), "inland_waterway"),
    (("freight_train_us",), "train_us"),
    (("freight_train", "rail"), "train"),
    (("truck_generic_van",), "van"),
    (("truck_na_",), "truck_na"),
    (("rigid_7_5t", "urban"), "rigid_small"),
    (("rigid_12t", "mgv"), "rigid_medium"),
    (("rigid_",), "rigid_large"),
    (("articulated",), "articulated"),
    (("diesel_truck", "truck_generic_hgv"), "truck"),
)


@dataclass(frozen=True)
class Applied:
    """A factor as applied: kg CO2e per unit, with the catalogue's entry it came from."""

    name: str
    kg: Decimal
    entry: dict[str, Any]

    def view(self) -> dict[str, Any]:
        """`EmissionFactorWithGasEmissions` as the wire shows it."""
        return self.entry | {"gas_emissions": {"co2e": plain(self.kg)}}


def factor(catalogue: Catalogue, name: str, *, times: Decimal = Decimal(1)) -> Applied:
    """The catalogue's factor of this name, perhaps with an adjustment."""
    found = catalogue.factors[name]
    entry = {
        "id": name,
        "name": found.name if times == 1 else f"{found.name}, adjusted by {plain(times)}",
        "source": found.source,
        "source_version": found.version,
        "publication_year": found.year,
        "numerator_unit": "kg",
        "denominator_unit": found.unit,
        "created_at": f"{found.year}-01-01T00:00:00Z",
        "region": found.region,
        "category": None,
    }
    return Applied(name, found.kg * times, entry)


def electricity(catalogue: Catalogue, country_code: str | None) -> Applied:
    """A country's electricity; the world's where the catalogue has none."""
    name = f"electricity.{country_code}"
    return factor(catalogue, name if name in catalogue.factors else "electricity.world")


def flight(catalogue: Catalogue, km: Decimal, cabin_class: str) -> Applied:
    """A passenger flight: the haul decides."""
    haul = "short" if km <= catalogue.flight_short_haul_max_km else "long"
    return factor(catalogue, f"flight.{haul}.{cabin_class}")


def freight(catalogue: Catalogue, method: str | ContainerShip, km: Decimal) -> Applied:
    """A shipping method's factor. Raises `Refused` `validation_error` for an unknown name."""
    if isinstance(method, ContainerShip):
        return factor(catalogue, "freight.container_ship")
    if method not in SHIPPING_METHODS:
        raise invalid(f"body.method: {method} is not a shipping method")
    if method in _PLANES:
        haul = "short" if km <= catalogue.flight_short_haul_max_km else "long"
        return factor(catalogue, f"freight.plane_{haul}")
    name = next(name for texts, name in _LAND_RULES if any(text in method for text in texts))
    return factor(catalogue, f"freight.{name}", times=_adjustment(catalogue, method))


def _adjustment(catalogue: Catalogue, method: str) -> Decimal:
    ratios = catalogue.freight_ratios
    times = Decimal(1)
    if method.endswith("_refrigerated"):
        times *= ratios.refrigerated
    if method.startswith("truck_") and "_electric" in method:
        times *= ratios.electric
    return times
