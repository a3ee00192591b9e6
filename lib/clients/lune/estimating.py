"""Lune's estimates: what an activity emits, and what credits equal to it would cost.

For this package's client, as `client.estimates`.

Lune contract 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Unpack

from .bodies import (
    Airports,
    CabinClass,
    Distance,
    Energy,
    EstimateMassUnit,
    EstimateOptions,
    Mass,
    electricity_body,
    flight_body,
    passenger_transportation_body,
    shipping_body,
)
from .estimates import Estimate, PassengerTransportationEstimate, ShippingEstimate
from .group import Group


class Estimates(Group):
    """Emissions of activities, to be ordered by the estimate's id (contract 4.3).

    An estimate may carry `idempotency_key`; used twice it is a ConflictError with code
    `estimate_idempotency_already_exists`.
    """

    def electricity(
        self,
        *,
        consumption: Energy,
        country_code: str | None = None,
        account_id: str | None = None,
        **options: Unpack[EstimateOptions],
    ) -> Estimate:
        """Estimate electricity used in a country (alpha-3), or the world's average."""
        body = electricity_body(consumption=consumption, country_code=country_code, **options)
        return self._ask(Estimate, "/estimates/electricity", body, account_id)

    def get_electricity(self, estimate_id: str, *, account_id: str | None = None) -> Estimate:
        """An electricity estimate made before."""
        return self._one(Estimate, "estimates", "electricity", estimate_id, account_id=account_id)

    def flight(
        self,
        *,
        route: Distance | Airports,
        cabin_class: CabinClass | None = None,
        passengers: int | None = None,
        account_id: str | None = None,
        **options: Unpack[EstimateOptions],
    ) -> Estimate:
        """Estimate one way of a flight over a distance or between two airports."""
        body = flight_body(route=route, cabin_class=cabin_class, passengers=passengers, **options)
        return self._ask(Estimate, "/estimates/flight", body, account_id)

    def passenger_transportation(
        self,
        *,
        legs: Sequence[Mapping[str, Any]],
        passengers: int | None = None,
        account_id: str | None = None,
        **options: Unpack[EstimateOptions],
    ) -> PassengerTransportationEstimate:
        """Estimate a journey of one to ten legs, made with `bodies.road_leg` and its like."""
        body = passenger_transportation_body(legs=legs, passengers=passengers, **options)
        return self._ask(
            PassengerTransportationEstimate,
            "/estimates/passenger-transportation",
            body,
            account_id,
        )

    def get_passenger_transportation(
        self, estimate_id: str, *, account_id: str | None = None
    ) -> PassengerTransportationEstimate:
        """A journey's estimate made before."""
        return self._one(
            PassengerTransportationEstimate,
            *("estimates", "passenger-transportation", estimate_id),
            account_id=account_id,
        )

    def shipping(
        self,
        *,
        route: Distance | Mapping[str, Any],
        method: str | Mapping[str, Any],
        mass: Mass | None = None,
        containers: Decimal | int | None = None,
        cargo_type: str | None = None,
        country_code: str | None = None,
        is_shipment: bool | None = None,
        estimate_mass_unit: EstimateMassUnit | None = None,
        account_id: str | None = None,
        **options: Unpack[EstimateOptions],
    ) -> ShippingEstimate:
        """Estimate a shipment, its result in `estimate_mass_unit` (tonnes if not given)."""
        body = shipping_body(
            route=route,
            method=method,
            mass=mass,
            containers=containers,
            cargo_type=cargo_type,
            country_code=country_code,
            is_shipment=is_shipment,
            **options,
        )
        unit = f"?estimate_mass_unit={estimate_mass_unit}" if estimate_mass_unit else ""
        return self._ask(ShippingEstimate, f"/estimates/shipping{unit}", body, account_id)

    def get_shipping(
        self,
        estimate_id: str,
        *,
        estimate_mass_unit: EstimateMassUnit | None = None,
        account_id: str | None = None,
    ) -> ShippingEstimate:
        """A shipment's estimate made before, its result in `estimate_mass_unit` (tonnes)."""
        return self._one(
            ShippingEstimate,
            *("estimates", "shipping", estimate_id),
            account_id=account_id,
            params={"estimate_mass_unit": estimate_mass_unit},
        )
