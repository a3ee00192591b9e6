"""What Lune estimates: the emissions of electricity, flights, journeys and shipments.

Imported by this package and by whoever holds what its client returns. An estimate carries a
quote for credits equal to it, or the reason why none could be made. The echoed `request` and the
details that Lune leaves open stay plain JSON.

Lune contract 4.3.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from ..models import DecimalText, Many, Timestamp, Whole, WireModel
from .models import Listed, Metadata, OrderQuote


class Amount(WireModel):
    """An amount with its unit: a mass (mg, g, kg, t) or a distance (km, mi, nm)."""

    amount: DecimalText
    unit: str


class QuoteProblem(WireModel):
    """One reason why no quote could be made."""

    error_code: str
    message: str


class QuoteRefusal(WireModel):
    """Stands where the quote would: the estimate holds, but it cannot be ordered as asked."""

    errors: tuple[QuoteProblem, ...]


def _kind_of_quote(value: object) -> str:
    keys = value if isinstance(value, dict) else {}
    return "refusal" if "errors" in keys else "quote"


EstimateQuote = Annotated[
    Annotated[OrderQuote, Tag("quote")] | Annotated[QuoteRefusal, Tag("refusal")],
    Discriminator(_kind_of_quote),
]


class Estimate(Listed):
    """An emission estimate; an order by its `id` buys `mass` of credits, once."""

    mass: Amount
    quote: EstimateQuote
    request: dict[str, Any]
    metadata: Metadata = Field(default_factory=dict)
    idempotency_key: str | None = None


class GasEmissions(WireModel):
    """Emissions per unit by gas, in the factor's numerator unit."""

    co2e: DecimalText
    co2: DecimalText | None = None
    methane: DecimalText | None = None
    nitrous_oxide: DecimalText | None = None
    other: DecimalText | None = None
    wtw_breakdown: dict[str, Any] | None = None


class EmissionFactor(Listed):
    """The factor an estimate used: `numerator_unit` of CO2e per `denominator_unit`."""

    name: str
    source: str
    numerator_unit: str
    denominator_unit: str
    source_version: str | None = None
    publication_year: Whole | None = None
    created_at: Timestamp | None = None
    region: str | None = None
    category: str | None = None
    gas_emissions: GasEmissions | None = None


class Leg(WireModel):
    """One leg of a journey; the factor is None on estimates made before 2024-12-01."""

    mass: Amount
    distance: Amount | None = None
    emission_factor: EmissionFactor | None = None
    resolved_legs: Many[dict[str, Any]] = ()


class PassengerTransportationEstimate(Estimate):
    """A journey of one to ten legs."""

    legs: tuple[Leg, ...]
    is_passenger_transportation: bool | None = None
    passenger_transportation_travelled_at: str | None = None


class TransportActivity(WireModel):
    """Transport work in t*km, or a mass in t."""

    value: str
    unit: str


class ShippingEstimate(Estimate):
    """A shipment, with the distances, the transport work and the factor used."""

    is_shipment: bool
    shipped_at: Timestamp | None = None
    created_at: Timestamp | None = None
    source: str | None = None
    filename: str | None = None
    user_fullname: str | None = None
    external_estimate_url: str | None = None
    data_quality_score: dict[str, Any] | None = None
    distance: Amount | None = None
    raw_distance: Amount | None = None
    adjusted_distance: Amount | None = None
    distance_calculation_method: str | None = None
    activity: TransportActivity | None = None
    intensity: dict[str, Any] | None = None
    route: dict[str, Any] | None = None
    emission_factor: EmissionFactor | None = None
    methodology: Many[str] = ()
    distance_calculation_details: dict[str, Any] | None = None
    methodology_details: dict[str, Any] | None = None
    vessel_inference_details: dict[str, Any] | None = None
    inference_details: dict[str, Any] | None = None
    converted_shipment: Amount | None = None
    shipment_conversion_method: str | None = None
    resolved_legs: Many[dict[str, Any]] = ()
