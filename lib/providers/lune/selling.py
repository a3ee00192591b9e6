"""Quoting and ordering at Lune: bundles, its own estimates, orders by mass or value.

The selling half of the Lune adapter; sends only what the journal hands it. Orders carry an
`idempotency_key` in the body, by which they can be read again, and our reference in `metadata`
(Lune contract 1.3, 3, 4.3). A client account is selected with the `Lune-Account` header.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ...clients.errors import NotFoundError
from ...clients.http import encode_body
from ...clients.lune.bodies import (
    Airports,
    Distance,
    order_by_mass_body,
    order_by_value_body,
    rail_leg,
    road_leg,
)
from ...clients.lune.catalogue import Bundle
from ...clients.lune.client import LuneClient
from ...clients.lune.group import account_header
from ...clients.lune.models import Order, OrderBundle, OrderQuote
from ...clients.lune.orders import read_order
from ...domain.activities import Activity, Drive, Electricity, Flight, Freight, TrainRide
from ...domain.errors import BadInput, NotAllowed, ProviderNonsense, ProviderRefused
from ...domain.intents import Receipt, Request
from ...domain.quantities import Money, grams
from ...domain.quotes import Estimate, Offer, Quote, QuotedPart
from ..base import Account, Recipient
from ..outcomes import Contradiction
from ..translate import send_frozen, translated
from .reading import OFFSET_TYPES

#: A car of which only the distance is known. Lune has no average car, and no buses.
_CAR = "car_lower_medium"
_RAIL = "national_rail"
_FREIGHT_METHODS = {"air": "cargo_plane", "ground": "truck_generic_hgv"}


class LuneSelling:
    """The selling half of the Lune adapter."""

    def __init__(self, account: Account, client: LuneClient) -> None:
        self.account = account
        self.client = client

    def offers(self) -> list[Offer]:
        """The enabled bundles."""
        with translated(self.account):
            return [self._offer(x) for x in self.client.bundles.list() if not x.disabled]

    def currency(self, subaccount: str | None) -> str:
        """The currency of the account, or of the client account."""
        with translated(self.account):
            return self.client.accounts.me(account_id=subaccount).currency

    def recipients(self) -> list[Recipient]:
        """The client accounts."""
        with translated(self.account):
            return [
                Recipient(x.id, x.name, x.beneficiary or x.name)
                for x in self.client.accounts.clients()
            ]

    def estimate(self, activity: Activity) -> Estimate | None:
        """Lune's own estimate; None for offices and buses, for which it has none."""
        with translated(self.account):
            match activity:
                case Flight():
                    return self._flight(activity)
                case TrainRide():
                    leg = rail_leg(route=(activity.distance_km, "km"), rail_type=_RAIL)
                    method = "Lune's estimate for national rail, per passenger."
                    return self._journey(leg, activity.passengers, method)
                case Drive(vehicle="passenger_car_van_or_suv"):
                    leg = road_leg(route=(activity.distance_km, "km"), vehicle_type=_CAR)
                    method = "Lune's estimate for a lower medium car; it has no average car."
                    return self._journey(leg, 1, method)
                case Freight():
                    return self._freight(activity)
                case Electricity():
                    asked = self.client.estimates.electricity(
                        consumption=(activity.kwh, "kWh"), country_code=activity.country
                    )
                    where = activity.country or "the world average"
                    method = f"Lune's estimate for electricity, {where}."
                    return self._estimate(asked.mass.amount, asked.mass.unit, method)
                case _:
                    return None

    def quote(
        self, offer: Offer, *, mass_g: int | None, budget: Money | None, subaccount: str | None
    ) -> Quote:
        """The price of a mass from one bundle, or the mass that a budget buys, fee included."""
        if (mass_g is None) == (budget is None):
            raise BadInput("Give either a mass or a budget.")
        selection = {offer.offer_id: 100}
        with translated(self.account):
            if budget is not None:
                answer = self.client.orders.quote_by_value(
                    value=budget.amount, bundle_selection=selection, account_id=subaccount
                )
            else:
                answer = self.client.orders.quote_by_mass(
                    mass=(Decimal(mass_g or 0).scaleb(-6), "t"),
                    bundle_selection=selection,
                    account_id=subaccount,
                )
        if budget is not None and budget.currency != answer.currency:
            raise BadInput(f"Lune charges {answer.currency}, the budget is in {budget.currency}.")
        return self._quote(offer, answer, "mass" if budget is None else "budget", subaccount)

    def order_request(
        self, quote: Quote, *, key: str, reference: str, description: str | None
    ) -> Request:
        """The order for a quote, to the byte; `metadata` keeps reference and description."""
        metadata = {"reference": reference}
        if description is not None:
            metadata["description"] = description
        selection = {quote.offer.offer_id: 100}
        with translated(self.account):
            if quote.by == "budget":
                path = "/orders/by-value"
                body = order_by_value_body(
                    value=quote.price.amount,
                    bundle_selection=selection,
                    idempotency_key=key,
                    metadata=metadata,
                )
            else:
                path = "/orders/by-mass"
                body = order_by_mass_body(
                    mass=(Decimal(quote.mass_g).scaleb(-6), "t"),
                    bundle_selection=selection,
                    idempotency_key=key,
                    metadata=metadata,
                )
        return Request(
            kind="order",
            method="POST",
            path=path,
            headers=tuple(account_header(quote.subaccount).items()),
            body=encode_body(body),
            key=key,
            reference=reference,
        )

    def cancel_request(
        self,
        order_id: str,
        *,
        key: str,  # noqa: ARG002 (protocol)
        subaccount: str | None,  # noqa: ARG002 (protocol)
    ) -> Request:
        """Always NotAllowed: Lune's API has no cancellation (contract 2.2)."""
        raise NotAllowed(f"Lune cancels orders in its dashboard only: ask there about {order_id}.")

    def send(self, request: Request) -> Receipt:
        """Send exactly these bytes once; raises an Outcome and nothing else."""
        return _receipt(
            send_frozen(self.client.session, request, self.account, read_order), request
        )

    def find(self, request: Request, since: datetime) -> Receipt | None:  # noqa: ARG002 (protocol)
        """Read the order by its key, in the account that it was placed in."""
        if request.key is None:
            raise ValueError("a Lune order is looked up by its key")
        selected = dict(request.headers).get("Lune-Account")
        with translated(self.account):
            try:
                order = self.client.orders.by_idempotency_key(request.key, account_id=selected)
            except NotFoundError:
                return None
        return _receipt(order, request)

    def certificate(self, order_id: str) -> bytes:
        """The certificate as PDF, from whichever of our accounts holds the order."""
        scopes = [None, *(recipient.recipient_id for recipient in self.recipients())]
        with translated(self.account):
            for selected in scopes:
                try:
                    return self.client.orders.certificate(order_id, account_id=selected)
                except NotFoundError:
                    continue
        raise ProviderRefused(
            f"Lune has no certificate for order {order_id} yet: it comes with the first "
            "retirement.",
            account=self.account.name,
        )

    def _flight(self, flight: Flight) -> Estimate:
        route: Airports | Distance = (flight.distance_km, "km")
        if flight.origin and flight.destination:
            route = (flight.origin.upper(), flight.destination.upper())
        asked = self.client.estimates.flight(
            route=route, cabin_class=flight.cabin, passengers=flight.passengers
        )
        method = f"Lune's estimate for {flight.cabin} class"
        method += ", times 2 for the return." if flight.return_trip else ", one way."
        amount = asked.mass.amount * flight.legs
        return self._estimate(amount, asked.mass.unit, method, considers_class=True)

    def _journey(self, leg: dict[str, Any], passengers: int, method: str) -> Estimate:
        asked = self.client.estimates.passenger_transportation(legs=[leg], passengers=passengers)
        return self._estimate(asked.mass.amount, asked.mass.unit, method)

    def _freight(self, freight: Freight) -> Estimate:
        kind = _FREIGHT_METHODS[freight.mode]
        asked = self.client.estimates.shipping(
            mass=(freight.mass_kg, "kg"), route=(freight.distance_km, "km"), method=kind
        )
        method = f"Lune's estimate for {kind.replace('_', ' ')}."
        return self._estimate(asked.mass.amount, asked.mass.unit, method)

    def _estimate(
        self, amount: Decimal, unit: str, method: str, *, considers_class: bool | None = None
    ) -> Estimate:
        return Estimate(
            account=self.account.name,
            provider="lune",
            mass_g=_grams(amount, unit),
            method=method,
            considers_class=considers_class,
        )

    def _offer(self, bundle: Bundle) -> Offer:
        stock = bundle.available_quantity
        return Offer(
            account=self.account.name,
            provider="lune",
            offer_id=bundle.id,
            name=bundle.name,
            kind="bundle",
            description=bundle.description,
            impact_type=OFFSET_TYPES.get(bundle.offset_type, "not provided"),
            durability=bundle.carbon_permanence,
            available_g=None if stock is None else grams(stock, "t"),
            projects=tuple(project.name for project in bundle.projects),
        )

    def _quote(self, offer: Offer, answer: OrderQuote, by: str, subaccount: str | None) -> Quote:
        parts = tuple(_part(bundle, answer.currency) for bundle in answer.bundles)
        first = parts[0] if parts else None
        return Quote(
            account=self.account.name,
            provider="lune",
            offer=offer,
            by="budget" if by == "budget" else "mass",
            mass_g=grams(answer.estimated_quantity, "t"),
            price=Money(answer.estimated_total_cost, answer.currency),
            quoted_at=datetime.now(UTC),
            fee=Money(answer.estimated_commission, answer.currency),
            gross_price_per_tonne=first.gross_price_per_tonne if first else None,
            shortfall=first.shortfall if first else None,
            subaccount=subaccount,
            parts=parts,
        )


def _part(bundle: OrderBundle, currency: str) -> QuotedPart:
    return QuotedPart(
        offer_id=bundle.bundle_id,
        name=bundle.bundle_name,
        quantity_g=grams(bundle.quantity, "t"),
        gross_price_per_tonne=Money(bundle.gross_unit_price, currency),
        shortfall=bundle.insufficient_available_quantity,
    )


def _receipt(order: Order, request: Request) -> Receipt:
    """The order as a receipt; raises Contradiction when it is not the one that was asked for."""
    ours = order.metadata.get("reference", request.reference) == request.reference
    if not ours or order.idempotency_key not in {None, request.key}:
        raise Contradiction(f"Lune answered with order {order.id}, which is not this one.")
    price = order.total_cost
    return Receipt(
        effect_id=order.id,
        state=order.status,
        quantity_g=None if order.quantity is None else grams(order.quantity, "t"),
        price=None if price is None else Money(price, order.currency),
    )


def _grams(amount: Decimal, unit: str) -> int:
    match unit:
        case "mg":
            return grams(amount.scaleb(-3), "g")
        case "g" | "kg" | "t":
            return grams(amount, unit)
        case _:
            raise ProviderNonsense(f"Lune gave a mass in an unknown unit, {unit}.")
