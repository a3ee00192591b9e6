"""Quotes and estimates: what a provider would charge, and whose figure each number is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from .ledger import ImpactType, ProviderName
from .quantities import Money


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be ordered: a CNaught portfolio or a Lune bundle.

    `impact_type` and `durability` are the provider's statements. `available_g` is the stock in
    grams where the provider states one; None means not stated or unlimited.
    """

    account: str
    provider: ProviderName
    offer_id: str
    name: str
    kind: Literal["portfolio", "bundle"]
    description: str | None = None
    impact_type: ImpactType = "not provided"
    durability: str | None = None
    available_g: int | None = None
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """One provider's own calculation of an activity's emissions, in grams of CO2e.

    `method` says in a sentence how it was made, as far as the provider tells;
    `considers_class` and `considers_non_co2` are None where that does not apply.
    """

    account: str
    provider: ProviderName
    mass_g: int
    method: str
    considers_class: bool | None = None
    considers_non_co2: bool | None = None


@dataclass(frozen=True, slots=True)
class QuotedPart:
    """A part of a Lune quote: one bundle, its mass and the provider's gross price per tonne."""

    offer_id: str
    name: str
    quantity_g: int
    gross_price_per_tonne: Money | None = None
    shortfall: bool | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A provider's price for a mass (or the mass for a budget) from one offer, at `quoted_at`.

    Indicative: no provider states how long it holds a price. `price` is the total with fees;
    `fee` is None when included without a stated amount. `by` tells what was fixed: the mass
    or the budget. `subaccount` is the recipient the price was asked for.
    """

    account: str
    provider: ProviderName
    offer: Offer
    by: Literal["mass", "budget"]
    mass_g: int
    price: Money
    quoted_at: datetime
    fee: Money | None = None
    gross_price_per_tonne: Money | None = None
    shortfall: bool | None = None
    subaccount: str | None = None
    parts: tuple[QuotedPart, ...] = ()

    @property
    def price_per_tonne(self) -> Money | None:
        """The provider's gross price per tonne, else total by mass; None below 100 kg,
        where the rounded total says too little."""
        if self.gross_price_per_tonne is not None:
            return self.gross_price_per_tonne
        if self.mass_g < 100_000:
            return None
        per_tonne = self.price.amount * 1_000_000 / Decimal(self.mass_g)
        return Money(per_tonne.quantize(Decimal("0.01")), self.price.currency)


@dataclass(frozen=True, slots=True)
class QuoteFailure:
    """An offer or account that gave no quote, and why, in a sentence for people."""

    account: str
    provider: ProviderName
    offer_name: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class QuoteBoard:
    """One mass (or budget), all sellers: the answer of `desk.quote(...)`.

    `basis` is the account whose estimate set the mass; None when a mass or budget was given.
    Iterating, indexing and len() go over the quotes.
    """

    mass_g: int | None
    budget: Money | None
    basis: str | None
    activity: str | None
    estimates: tuple[Estimate, ...]
    quotes: tuple[Quote, ...]
    failures: tuple[QuoteFailure, ...]

    def __iter__(self) -> Iterator[Quote]:
        return iter(self.quotes)

    def __len__(self) -> int:
        return len(self.quotes)

    def __getitem__(self, index: int) -> Quote:
        return self.quotes[index]
