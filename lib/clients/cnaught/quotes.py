"""CNaught's quotes: what a mass or an activity costs.

For this package; reached as `CNaughtClient.quotes`. Quotes are never cached.
"""

from __future__ import annotations

from typing import TypedDict, Unpack

from ..models import read_model
from . import bodies
from .bodies import Amount, PriceSource, VehicleType
from .models import Quote
from .shared import Group, scope


class QuoteOptions(TypedDict, total=False):
    """What may be said about any quote; the account's default portfolio and `api` are defaults."""

    portfolio_id: str | None
    source: PriceSource | None
    subaccount_id: str | None


class Quotes(Group):
    """Prices without any effect (contract 4.6); repeated like reads when a connection fails."""

    def generic(self, *, amount_kg: Amount, **options: Unpack[QuoteOptions]) -> Quote:
        """The price of this many kilograms."""
        return self._quote("", {"amount_kg": amount_kg}, options)

    def ride(self, *, distance_km: Amount, **options: Unpack[QuoteOptions]) -> Quote:
        """A car ride. Deprecated by CNaught: use `ground_transport`."""
        return self._quote("/ride", {"distance_km": distance_km}, options)

    def air_freight(
        self, *, freight_mass_kg: Amount, distance_km: Amount, **options: Unpack[QuoteOptions]
    ) -> Quote:
        """Freight of this mass over this distance by air."""
        measures = {"freight_mass_kg": freight_mass_kg, "distance_km": distance_km}
        return self._quote("/air-freight", measures, options)

    def flight(self, *, distance_km: Amount, **options: Unpack[QuoteOptions]) -> Quote:
        """One passenger over this distance, one way."""
        return self._quote("/flight", {"distance_km": distance_km}, options)

    def ground_freight(
        self, *, freight_mass_kg: Amount, distance_km: Amount, **options: Unpack[QuoteOptions]
    ) -> Quote:
        """Freight of this mass over this distance by road."""
        measures = {"freight_mass_kg": freight_mass_kg, "distance_km": distance_km}
        return self._quote("/ground-freight", measures, options)

    def ground_transport(
        self, *, distance_km: Amount, vehicle_type: VehicleType, **options: Unpack[QuoteOptions]
    ) -> Quote:
        """A whole vehicle over this distance, not one passenger."""
        return self._quote("/ground-transport", {"distance_km": distance_km}, options, vehicle_type)

    def office_space(self, *, square_footage: Amount, **options: Unpack[QuoteOptions]) -> Quote:
        """An office of this many square feet for one year."""
        return self._quote("/office-space", {"square_footage": square_footage}, options)

    def train(self, *, distance_km: Amount, **options: Unpack[QuoteOptions]) -> Quote:
        """One passenger over this distance by train."""
        return self._quote("/train", {"distance_km": distance_km}, options)

    def _quote(
        self,
        kind: str,
        measures: dict[str, Amount],
        options: QuoteOptions,
        vehicle_type: VehicleType | None = None,
    ) -> Quote:
        body = bodies.quote_body(
            measures,
            vehicle_type=vehicle_type,
            portfolio_id=options.get("portfolio_id"),
            source=options.get("source"),
        )
        headers = scope(options.get("subaccount_id"))
        return read_model(
            self._session.post(f"/quotes{kind}", body, headers=headers, safe=True), Quote
        )
