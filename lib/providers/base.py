"""The two protocols behind which the three APIs stand, in the desk's own words.

A Seller (CNaught, Lune) quotes and takes orders; a Registry (Isometric) records orders,
deliveries and retirements. Both state facts for the ledger. Adapters translate wire models to
domain types and client errors to `domain.errors.ProviderProblem`s; services know only this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from ..domain.activities import Activity
from ..domain.intents import Receipt, Request
from ..domain.ledger import Mode, OrderFacts, ProjectFacts, ProviderName
from ..domain.quantities import Money
from ..domain.quotes import Estimate, Offer, Quote
from ..domain.statements import Statement, UnmatchedRetirement


@dataclass(frozen=True, slots=True)
class Account:
    """One set of credentials, without them: what the ledger and screens may know.

    `credential` is a keyed fingerprint that tells a changed key from the same one.
    """

    name: str
    provider: ProviderName
    mode: Mode
    base_url: str
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subaccount (CNaught) or client account (Lune) that an order can be placed for."""

    recipient_id: str
    name: str
    beneficiary: str | None


@dataclass(frozen=True, slots=True)
class OrderReading:
    """One order as read: its facts, the projects its lines name, and what is said of it."""

    facts: OrderFacts
    projects: tuple[ProjectFacts, ...] = ()
    statements: tuple[Statement, ...] = ()


class Source(Protocol):
    """What every provider gives the ledger."""

    @property
    def account(self) -> Account:
        """Which set of credentials this is."""
        ...

    def orders(self) -> Iterator[OrderReading]:
        """Every order the account can see, each once."""
        ...

    def statements(self, since: datetime) -> Iterator[Statement]:
        """The provider's totals of the account; periods are calendar years from `since` on."""
        ...

    def unmatched_retirements(self) -> Iterator[UnmatchedRetirement]:
        """Retirements for us that belong to no order of ours."""
        ...

    def probe(self) -> str:
        """Make one cheap read and return who the credentials act as; raises ProviderProblem."""
        ...


class Effects(Protocol):
    """Sending a prepared request once, and finding out afterwards what became of it."""

    @property
    def account(self) -> Account:
        """Which set of credentials this is."""
        ...

    def send(self, request: Request) -> Receipt:
        """Send exactly these bytes once.

        Raises an `outcomes.Outcome` and nothing else.
        """
        ...

    def find(self, request: Request, since: datetime) -> Receipt | None:
        """Look for the effect of a request by key or reference; None when it is not there.

        Only a complete look may say None: raises ProviderProblem when it could not look, and
        `outcomes.Contradiction` when what it found cannot be the one effect of this request.
        """
        ...


class Seller(Source, Effects, Protocol):
    """A provider that quotes and takes orders."""

    def offers(self) -> list[Offer]:
        """What can be ordered now."""
        ...

    def currency(self, subaccount: str | None) -> str:
        """The currency (ISO 4217) that orders are charged in."""
        ...

    def recipients(self) -> list[Recipient]:
        """Subaccounts or client accounts that orders can be placed for."""
        ...

    def estimate(self, activity: Activity) -> Estimate | None:
        """The provider's own calculation, None where it has none for this activity."""
        ...

    def quote(
        self, offer: Offer, *, mass_g: int | None, budget: Money | None, subaccount: str | None
    ) -> Quote:
        """The price of a mass, or the mass for a budget: exactly one of the two is given."""
        ...

    def order_request(
        self, quote: Quote, *, key: str, reference: str, description: str | None
    ) -> Request:
        """The order for a quote, to the byte."""
        ...

    def cancel_request(self, order_id: str, *, key: str, subaccount: str | None) -> Request:
        """The cancellation of an order; raises NotAllowed where the API has none."""
        ...

    def hosted_page(self) -> str | None:
        """The public impact page that the provider hosts for the account, where it has one."""
        ...

    def certificate(self, order_id: str) -> bytes:
        """The order's certificate as PDF bytes."""
        ...


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that a supplier can still deliver against, in grams."""

    order_id: str
    buyer: str
    contract_date: date
    ordered_g: int
    delivered_g: int


@dataclass(frozen=True, slots=True)
class DeliverableBatch:
    """A batch that the supplier still owns."""

    batch_id: str
    project_name: str
    vintage: str
    serial: str
    quantity_g: int


class Registry(Source, Effects, Protocol):
    """A registry: it records deliveries, it quotes nothing."""

    def open_orders(self) -> list[OpenOrder]:
        """Orders of this supplier that are not delivered in full."""
        ...

    def deliverable_batches(self) -> list[DeliverableBatch]:
        """Active batches that the supplier owns and has not delivered."""
        ...

    def delivery_request(
        self, order_id: str, batches: Sequence[tuple[str, int]], *, reference: str
    ) -> Request:
        """A delivery of (batch id, grams) pairs; the reference stands in the public notes."""
        ...
