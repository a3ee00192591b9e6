"""What callers may send to the Lune sandbox (Lune contract 3 and 4): its own reading of the bodies.

For the Lune sandbox's routes. Unknown properties are ignored, as Lune does; percentages are read
by `rules.percentages`, because their mistakes have error codes of their own.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, StrictBool, model_validator

from .catalogue import CountryCode, Currency, Handle, Visibility

DecimalText = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$", max_length=24)]
Key = Annotated[str, Field(max_length=100)]
MassUnit = Literal["g", "kg", "t"]
EstimateMassUnit = Literal["mg", "g", "kg", "t"]
CabinClass = Literal["economy", "business", "first"]
Passengers = Annotated[int | Decimal, Field(gt=0, le=100_000)]
RoadType = Literal[
    "car_mini", "car_supermini", "car_lower_medium", "car_upper_medium", "car_executive",
    "car_luxury", "car_sports", "car_dual_purpose_4x4", "car_mpv", "motorcycle_small",
    "motorcycle_medium", "motorcycle_large", "motorcycle_average",
]  # fmt: skip
RailType = Literal["national_rail", "international_rail", "light_rail_or_tram"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Mass(_Body):
    """A mass as the wire gives it."""

    amount: DecimalText
    unit: MassUnit


class BundlePercentage(_Body):
    """A bundle of a selection; the percentage is checked by `rules.percentages`."""

    bundle_id: str
    percentage: Any = None


class BundleMass(_Body):
    """An exact mass from one bundle."""

    bundle_id: str
    mass: Mass


Selection = Annotated[list[BundlePercentage], Field(max_length=100)]


class BundleSelectionBody(RootModel[Selection]):
    """PUT /bundle-selections: the array itself."""


class _Choice(_Body):
    """What quotes, orders and estimates share: which bundles, and how finely to cut."""

    bundle_selection: Selection | None = None
    quantity_trunc: MassUnit = "g"


class _Placing(_Body):
    """What only orders and estimates carry."""

    idempotency_key: Key | None = None
    metadata: dict[str, str] = {}


class QuoteByMassBody(_Choice):
    """Exactly one of `mass` (with a selection) or `bundle_masses`."""

    mass: Mass | None = None
    bundle_masses: Annotated[list[BundleMass], Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if (self.mass is None) == (self.bundle_masses is None):
            raise ValueError("give either mass or bundle_masses")
        if self.bundle_masses is not None and self.bundle_selection is not None:
            raise ValueError("bundle_selection goes with mass, not with bundle_masses")
        return self


class OrderByMassBody(QuoteByMassBody, _Placing):
    """POST /orders/by-mass."""


class QuoteByValueBody(_Choice):
    """How much to spend, in the account's currency, fee included."""

    value: DecimalText


class OrderByValueBody(QuoteByValueBody, _Placing):
    """POST /orders/by-value."""


class OrderByEstimateBody(_Choice, _Placing):
    """POST /orders/by-estimate. The choice falls back to the estimate's own."""

    estimate_id: str


class Distance(_Body):
    """How far; nm are nautical miles."""

    amount: DecimalText
    unit: Literal["km", "mi", "nm"]


class AirportCode(_Body):
    """An IATA (3 letters) or ICAO (4) code."""

    code: Annotated[str, Field(pattern=r"^[A-Z]{3,5}$")]


class Coordinates(_Body):
    """A point on the globe, in degrees."""

    lat: Annotated[Decimal, Field(ge=-90, le=90)]
    lon: Annotated[Decimal, Field(ge=-180, le=180)]


class Locode(_Body):
    """A UN/LOCODE."""

    locode: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}$")]


class Address(BaseModel):
    """At least one line of an address and nothing else."""

    model_config = ConfigDict(extra="forbid")

    street_line1: str | None = None
    street_line2: str | None = None
    postcode: str | None = None
    city: str | None = None
    country_code: str | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("an address needs at least one line")
        return self


Point = AirportCode | Coordinates | Locode | Address


class AirportRoute(_Body):
    """From airport to airport."""

    source: AirportCode
    destination: AirportCode


class PlaceRoute(_Body):
    """From an address or point to another."""

    source: Coordinates | Address
    destination: Coordinates | Address


class ShippingRoute(_Body):
    """From anywhere to anywhere."""

    source: Point
    destination: Point


class _Estimate(_Choice, _Placing):
    name: str | None = None


class Consumption(_Body):
    """Electricity used."""

    amount: DecimalText
    unit: Literal["kWh", "MWh", "GWh"]


class ElectricityBody(_Estimate):
    """POST /estimates/electricity."""

    consumption: Consumption
    country_code: CountryCode | None = None


class FlightBody(_Estimate):
    """POST /estimates/flight."""

    route: Distance | AirportRoute
    cabin_class: CabinClass = "economy"
    passengers: Passengers = 1


class RoadLeg(_Body):
    """By car or motorcycle: one vehicle, however many sit in it."""

    route: Distance | AirportRoute | PlaceRoute
    vehicle_type: RoadType


class RailLeg(_Body):
    """By train or tram."""

    route: Distance | AirportRoute | PlaceRoute
    rail_type: RailType


class FlightIdentification(_Body):
    """Which flight it was; accepted, and without influence on the estimate."""

    flight_number: str
    departure_on: date
    aircraft_configuration: Literal["belly_freight", "cargo"] | None = None


class FlightLeg(_Body):
    """By plane."""

    route: Distance | AirportRoute | PlaceRoute
    cabin_class: CabinClass
    flight_identification: FlightIdentification | None = None


class PassengerBody(_Estimate):
    """POST /estimates/passenger-transportation."""

    legs: Annotated[list[RoadLeg | RailLeg | FlightLeg], Field(min_length=1, max_length=10)]
    passengers: Passengers = 1
    is_passenger_transportation: StrictBool | None = None
    passenger_transportation_travelled_at: datetime | None = None


class Shipment(_Body):
    """A mass, or containers with or without their mass."""

    mass: Mass | None = None
    containers: DecimalText | None = None
    cargo_type: Literal["lightweight", "average", "heavyweight", "container_only"] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.mass is None and self.containers is None:
            raise ValueError("give mass or containers")
        if self.containers is None and self.cargo_type is not None:
            raise ValueError("cargo_type goes with containers")
        return self


class ContainerShip(_Body):
    """A container ship; details are accepted, the factor is the average ship's."""

    vessel_type: Literal["container_ship"]
    refrigerated: StrictBool | None = None
    load_factor: Decimal | None = None
    trade_lane: str | None = None


class ShippingBody(_Estimate):
    """POST /estimates/shipping. A method's name is resolved by `factors.freight`."""

    shipment: Shipment
    route: Distance | ShippingRoute
    method: str | ContainerShip
    country_code: CountryCode | None = None
    is_shipment: StrictBool = False
    shipped_at: datetime | None = None


class CreateClientBody(_Body):
    """POST /accounts/client."""

    name: Annotated[str, Field(min_length=1)]
    currency: Currency
    beneficiary: str | None = None
    handle: Handle | None = None
    external_pages_visibility: Visibility = "hidden"
    idempotency_key: Key | None = None


class UpdateClientBody(_Body):
    """PUT /accounts/client/{id}: what is left out is cleared."""

    name: Annotated[str, Field(min_length=1)]
    beneficiary: Annotated[str, Field(min_length=1)] | None = None
    bundle_portfolio_id: str | None = None
    handle: Handle | None = None
    external_pages_visibility: Visibility = "hidden"
    idempotency_key: Key | None = None


class PatchClientBody(_Body):
    """PATCH /accounts/client/{id}: null clears, absence keeps."""

    name: Annotated[str, Field(min_length=1)] = ""
    beneficiary: Annotated[str, Field(min_length=1)] | None = None
    bundle_portfolio_id: str | None = None
    handle: Handle | None = None
    external_pages_visibility: Visibility = "hidden"
    idempotency_key: Key | None = None
