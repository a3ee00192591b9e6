"""Activities whose emissions a person wants credits for: what is asked, in plain units.

Validation happens here, once, for pages, notebooks and the command line alike. How many
kilograms an activity stands for is never computed here: that figure is a provider's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from .errors import BadInput
from .quantities import decimal_from

Cabin = Literal["economy", "business", "first"]
Vehicle = Literal["passenger_car_van_or_suv", "small_bus", "school_bus", "coach_bus"]

#: Half the way round the earth, generously: a longer single leg is a typing error.
LONGEST_LEG_KM = 40_000


def _positive(value: str | int | Decimal, what: str, unit: str, most: int) -> Decimal:
    amount = decimal_from(value, what=what)
    if amount <= 0:
        raise BadInput(f"The {what} must be above 0 {unit}.")
    if amount > most:
        raise BadInput(f"The {what} must be at most {most:,} {unit}.")
    return amount


@dataclass(frozen=True, slots=True)
class Flight:
    """One flight: `distance_km` one way, great circle, per passenger.

    Airport codes (IATA) are kept when the person gave them, because Lune can use them.
    """

    kind: ClassVar[str] = "flight"
    distance_km: Decimal
    passengers: int = 1
    cabin: Cabin = "economy"
    return_trip: bool = False
    origin: str | None = None
    destination: str | None = None

    def __post_init__(self) -> None:
        km = _positive(self.distance_km, "flight distance", "km", LONGEST_LEG_KM)
        object.__setattr__(self, "distance_km", km)
        if self.cabin not in ("economy", "business", "first"):
            raise BadInput("The cabin must be economy, business or first.")
        if not 1 <= self.passengers <= 1_000:
            raise BadInput("The number of passengers must be between 1 and 1,000.")

    @property
    def legs(self) -> int:
        """How often the distance is flown."""
        return 2 if self.return_trip else 1

    def describe(self) -> str:
        """One line for people."""
        where = (
            f"{self.origin} to {self.destination}"
            if self.origin and self.destination
            else f"{self.distance_km:,f} km"
        )
        people = "1 passenger" if self.passengers == 1 else f"{self.passengers} passengers"
        way = "return" if self.return_trip else "one way"
        return f"Flight {where}, {way}, {people}, {self.cabin}"


@dataclass(frozen=True, slots=True)
class Freight:
    """Goods moved `distance_km` by air or by road."""

    kind: ClassVar[str] = "freight"
    mode: Literal["air", "ground"]
    mass_kg: Decimal
    distance_km: Decimal

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "mass_kg", _positive(self.mass_kg, "freight mass", "kg", 1_000_000_000)
        )
        km = _positive(self.distance_km, "freight distance", "km", LONGEST_LEG_KM)
        object.__setattr__(self, "distance_km", km)
        if self.mode not in ("air", "ground"):
            raise BadInput("Freight goes by air or by ground.")

    def describe(self) -> str:
        """One line for people."""
        way = "Air" if self.mode == "air" else "Road"
        return f"{way} freight, {self.mass_kg:,f} kg over {self.distance_km:,f} km"


@dataclass(frozen=True, slots=True)
class Drive:
    """A whole vehicle driven `distance_km`, whoever sits in it."""

    kind: ClassVar[str] = "drive"
    distance_km: Decimal
    vehicle: Vehicle = "passenger_car_van_or_suv"

    def __post_init__(self) -> None:
        km = _positive(self.distance_km, "driving distance", "km", 10_000_000)
        object.__setattr__(self, "distance_km", km)
        if self.vehicle not in VEHICLE_TITLES:
            raise BadInput("The vehicle must be a car, a small bus, a school bus or a coach.")

    def describe(self) -> str:
        """One line for people."""
        return f"{VEHICLE_TITLES[self.vehicle]}, {self.distance_km:,f} km"


VEHICLE_TITLES: Mapping[str, str] = {
    "passenger_car_van_or_suv": "Car, van or SUV",
    "small_bus": "Small bus",
    "school_bus": "School bus",
    "coach_bus": "Coach",
}


@dataclass(frozen=True, slots=True)
class TrainRide:
    """A train journey of `distance_km` by `passengers` people."""

    kind: ClassVar[str] = "train"
    distance_km: Decimal
    passengers: int = 1

    def __post_init__(self) -> None:
        km = _positive(self.distance_km, "train distance", "km", LONGEST_LEG_KM)
        object.__setattr__(self, "distance_km", km)
        if not 1 <= self.passengers <= 10_000:
            raise BadInput("The number of passengers must be between 1 and 10,000.")

    def describe(self) -> str:
        """One line for people."""
        people = "1 passenger" if self.passengers == 1 else f"{self.passengers} passengers"
        return f"Train, {self.distance_km:,f} km, {people}"


@dataclass(frozen=True, slots=True)
class OfficeSpace:
    """An office of `square_feet` used for one year."""

    kind: ClassVar[str] = "office"
    square_feet: Decimal

    def __post_init__(self) -> None:
        area = _positive(self.square_feet, "office area", "square feet", 1_000_000_000)
        object.__setattr__(self, "square_feet", area)

    def describe(self) -> str:
        """One line for people."""
        return f"Office of {self.square_feet:,f} square feet, one year"


@dataclass(frozen=True, slots=True)
class Electricity:
    """Electricity used, in kWh; `country` is ISO alpha-3, None for the world average."""

    kind: ClassVar[str] = "electricity"
    kwh: Decimal
    country: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "kwh", _positive(self.kwh, "electricity", "kWh", 1_000_000_000_000)
        )
        if self.country is not None and (len(self.country) != 3 or not self.country.isalpha()):
            raise BadInput("The country must be a three-letter code such as GBR.")

    def describe(self) -> str:
        """One line for people."""
        return f"Electricity, {self.kwh:,f} kWh, {self.country or 'world average'}"


Activity = Flight | Freight | Drive | TrainRide | OfficeSpace | Electricity
