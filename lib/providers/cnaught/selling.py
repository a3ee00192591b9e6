"""Quoting and ordering at CNaught: portfolios, its calculations, orders by mass or price.

The selling half of the CNaught adapter; sends only what the journal hands it. Orders carry an
`Idempotency-Key` and our reference in the private `metadata` (CNaught contract 1.2, 4.2, 4.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from itertools import takewhile
from urllib.parse import unquote, urlsplit

from ...clients.cnaught import CNaughtClient, order_body, read_order
from ...clients.cnaught.models import OrderReceipt, PortfolioDetails
from ...clients.cnaught.shared import scope
from ...clients.errors import ForbiddenError
from ...clients.http import Session, encode_body, identity_of, path_of
from ...domain.activities import Activity, Drive, Flight, Freight, OfficeSpace, TrainRide
from ...domain.errors import BadInput, ProviderRefused
from ...domain.intents import Receipt, Request
from ...domain.ledger import ImpactType
from ...domain.quantities import Money, grams
from ...domain.quotes import Estimate, Offer, Quote
from ..base import Account, Recipient
from ..outcomes import Contradiction
from ..translate import one_of, send_frozen, translated
from .reading import impact_type

CURRENCY = "USD"

#: A budget's mass is worked out from the price of this much: large enough for an exact rate.
_RATE_KG = 1_000
#: The newest orders are searched whatever the clocks say, older ones by their time.
_ALWAYS_SEARCHED = 1_000


class CNaughtSelling:
    """The selling half of the CNaught adapter."""

    def __init__(self, account: Account, client: CNaughtClient) -> None:
        self.account = account
        self.client = client

    def offers(self) -> list[Offer]:
        """The portfolios that the account may order from."""
        with translated(self.account):
            found = [self.client.portfolios.get(x.id) for x in self.client.portfolios.list()]
        return [self._offer(portfolio) for portfolio in found]

    def currency(self, subaccount: str | None) -> str:  # noqa: ARG002 (part of the protocol)
        """CNaught charges US dollars."""
        return CURRENCY

    def recipients(self) -> list[Recipient]:
        """The subaccounts; none on an account without them."""
        with translated(self.account):
            try:
                found = list(self.client.subaccounts.list())
            except ForbiddenError:
                return []
        return [Recipient(x.id, x.name, x.name) for x in found]

    def estimate(self, activity: Activity) -> Estimate | None:
        """CNaught's own kilograms for an activity, taken from its quotes; no electricity."""
        with translated(self.account):
            calculated = self._calculated(activity)
        if calculated is None:
            return None
        amount_kg, method = calculated
        by_air = isinstance(activity, Flight)
        return Estimate(
            account=self.account.name,
            provider="cnaught",
            mass_g=grams(amount_kg, "kg"),
            method=method,
            considers_class=False if by_air else None,
            considers_non_co2=False if by_air else None,
        )

    def quote(
        self, offer: Offer, *, mass_g: int | None, budget: Money | None, subaccount: str | None
    ) -> Quote:
        """The price of a mass from a portfolio, or about the mass that a budget buys.

        CNaught quotes no budgets: that mass follows from its price for a tonne, in whole
        kilograms as its orders by price are (contract 3).
        """
        if (mass_g is None) == (budget is None):
            raise BadInput("Give either a mass or a budget.")
        kg = Decimal(mass_g).scaleb(-3) if mass_g is not None else Decimal(_RATE_KG)
        with translated(self.account):
            quoted = self.client.quotes.generic(
                amount_kg=kg, portfolio_id=offer.offer_id, subaccount_id=subaccount
            )
        price = Money.from_minor(quoted.price_usd_cents, CURRENCY)
        bought_g = grams(quoted.amount_kg, "kg")
        if budget is not None:
            bought_g, price = _mass_for(budget, price), budget
        return Quote(
            account=self.account.name,
            provider="cnaught",
            offer=offer,
            by="mass" if budget is None else "budget",
            mass_g=bought_g,
            price=price,
            quoted_at=datetime.now(UTC),
            subaccount=subaccount,
        )

    def order_request(
        self, quote: Quote, *, key: str, reference: str, description: str | None
    ) -> Request:
        """The order for a quote, to the byte; `description` is printed on the certificate."""
        with translated(self.account):
            body = order_body(
                amount_kg=Decimal(quote.mass_g).scaleb(-3) if quote.by == "mass" else None,
                total_price_usd_cents=quote.price.minor if quote.by == "budget" else None,
                portfolio_id=quote.offer.offer_id,
                description=description,
                metadata=reference,
            )
            headers = scope(quote.subaccount, key)
        return Request(
            kind="order",
            method="POST",
            path="/orders",
            headers=tuple(sorted(headers.items())),
            body=encode_body(body),
            key=key,
            reference=reference,
        )

    def cancel_request(self, order_id: str, *, key: str, subaccount: str | None) -> Request:
        """The cancellation of an order; it carries a key but no reference of its own."""
        with translated(self.account):
            path, headers = path_of("orders", order_id, "cancel"), scope(subaccount, key)
        return Request(
            kind="cancel",
            method="POST",
            path=path,
            headers=tuple(sorted(headers.items())),
            body=b"",
            key=key,
            reference=f"cancel {order_id} {key}",
        )

    def send(self, request: Request) -> Receipt:
        """Send exactly these bytes once; raises an Outcome and nothing else."""
        order = send_frozen(self.client.session, request, self.account, read_order)
        _check(order, request)
        return _receipt(order)

    def find(self, request: Request, since: datetime) -> Receipt | None:
        """Search the orders of the request's scope for our reference; or read what to cancel."""
        subaccount = _scope_of(request)
        with translated(self.account):
            if request.kind == "cancel":
                order_id = unquote(request.path.split("/")[2])
                order = self.client.orders.get(order_id, subaccount_id=subaccount)
                return _receipt(order) if order.state == "cancelled" else None
            # Newest first: our clock need not be theirs, so the newest are always looked at.
            listed = enumerate(self.client.orders.list(subaccount_id=subaccount))
            recent = takewhile(
                lambda x: x[0] < _ALWAYS_SEARCHED or x[1].created_on >= since, listed
            )
            found = [_receipt(order) for _, order in recent if order.metadata == request.reference]
        return one_of(found, request)

    def certificate(self, order_id: str) -> bytes:
        """The PDF behind the order's public certificate link; no credential is sent there."""
        with translated(self.account):
            url = self.client.orders.get(order_id).certificate_download_public_url
            if url is None:
                raise ProviderRefused(
                    f"CNaught has no certificate for order {order_id}.", account=self.account.name
                )
            return self._public_pdf(url)

    def _public_pdf(self, url: str) -> bytes:
        parts, home = urlsplit(url), urlsplit(self.account.base_url)
        if parts.netloc != home.netloc and not (parts.hostname or "").endswith(".cnaught.com"):
            raise ProviderRefused(
                "The certificate's address is not one of CNaught's: it was not opened.",
                account=self.account.name,
            )
        base = f"{parts.scheme}://{parts.netloc}"
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        with Session(base_url=base, headers={}, identity=identity_of(base)) as public:
            reply = public.get(path, headers={"Accept": "application/pdf"})
        if not reply.content.startswith(b"%PDF-"):
            raise reply.malformed("is not a PDF")
        return reply.content

    def _calculated(self, activity: Activity) -> tuple[Decimal, str] | None:
        """Kilograms and how CNaught came to them (contract 4.6); exact multiples per person."""
        quotes, times = self.client.quotes, 1
        match activity:
            case Flight():
                quoted = quotes.flight(distance_km=activity.distance_km)
                times = activity.passengers * activity.legs
                method = f"per passenger and leg, times {times}; the cabin is not considered"
            case TrainRide():
                quoted = quotes.train(distance_km=activity.distance_km)
                times = activity.passengers
                method = f"per passenger, times {times}"
            case Freight():
                ask = quotes.air_freight if activity.mode == "air" else quotes.ground_freight
                quoted = ask(freight_mass_kg=activity.mass_kg, distance_km=activity.distance_km)
                method = f"for {activity.mode} freight by mass and distance"
            case Drive():
                quoted = quotes.ground_transport(
                    distance_km=activity.distance_km, vehicle_type=activity.vehicle
                )
                method = "for the whole vehicle"
            case OfficeSpace():
                quoted = quotes.office_space(square_footage=activity.square_feet)
                method = "for an office's energy in one year"
            case _:
                return None
        return quoted.amount_kg * times, f"CNaught's calculation {method}."

    def _offer(self, portfolio: PortfolioDetails) -> Offer:
        projects = {
            project.id: project
            for part in portfolio.category_allocations
            for project in part.category.projects
        }
        return Offer(
            account=self.account.name,
            provider="cnaught",
            offer_id=portfolio.id,
            name=portfolio.name,
            kind="portfolio",
            description=portfolio.summary or portfolio.description,
            impact_type=_shared({impact_type(x.impact_type) for x in projects.values()}),
            projects=tuple(project.name for project in projects.values()),
        )


def _shared(kinds: set[ImpactType]) -> ImpactType:
    """A portfolio states no impact type: it has its projects' where all of them state one."""
    if not kinds or "not provided" in kinds:
        return "not provided"
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _mass_for(budget: Money, price_of_rate: Money) -> int:
    """Grams that a budget buys, in whole kilograms; BadInput when it buys none."""
    if budget.currency != CURRENCY:
        raise BadInput(f"CNaught charges {CURRENCY}, the budget is in {budget.currency}.")
    exact = budget.amount * _RATE_KG / price_of_rate.amount
    kg = int(exact.to_integral_value(ROUND_FLOOR))
    if kg < 1:
        raise BadInput(f"{budget} buys less than one kilogram.")
    return kg * 1_000


def _receipt(order: OrderReceipt) -> Receipt:
    return Receipt(
        effect_id=order.id,
        state=order.state,
        quantity_g=grams(order.amount_kg, "kg"),
        price=Money.from_minor(order.price_usd_cents, CURRENCY),
    )


def _check(order: OrderReceipt, request: Request) -> None:
    """Raise Contradiction when the answer is about something else than what was asked."""
    if request.kind == "cancel":
        if path_of("orders", order.id, "cancel") != request.path:
            raise Contradiction(
                f"CNaught answered the cancellation with another order, {order.id}."
            )
        return
    if order.metadata not in {None, request.reference}:
        raise Contradiction(f"CNaught answered with order {order.id}, which is not this one.")
    wanted = _scope_of(request)
    if order.subaccount_id is not None and order.subaccount_id != wanted:
        raise Contradiction(f"CNaught placed order {order.id} for another recipient.")


def _scope_of(request: Request) -> str | None:
    headers: Mapping[str, str] = dict(request.headers)
    return headers.get("X-Subaccount-Id")
