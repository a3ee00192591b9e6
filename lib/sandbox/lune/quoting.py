"""What an order would consist of and cost: the same for quotes, orders and estimates.

For the Lune sandbox. `quote_by_mass`, `quote_by_value` and `quote_tonnes` give a `Quote`, or raise
`Refused` as both the quote and the order operations answer (Lune contract 2.3, 3.1, 3.2, 3.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from .accounts import Actor, stored_selection
from .catalogue import Bundle, Catalogue
from .errors import Refused
from .rules import (
    Costs,
    Price,
    costs,
    costs_of_value,
    mass_in_tonnes,
    money,
    percentages,
    plain,
    quantity_for_value,
    tonnes,
    truncate,
    up_to_cent,
)
from .schemas import BundleMass, BundlePercentage, QuoteByMassBody, QuoteByValueBody
from .tables import stock

# The smallest amount that can be paid: a cent, except where the currency has none.
_SMALLEST_UNIT = {"ISK": Decimal(1)}

_LARGEST_ORDER_G = 10**15  # a billion tonnes: far beyond any stock, well within the database


@dataclass(frozen=True)
class Share:
    """What one bundle contributes. `insufficient`: its stock was too small when asked."""

    bundle: Bundle
    grams: int
    price: Price
    insufficient: bool


@dataclass(frozen=True)
class Quote:
    """Shares and costs of a purchase, and what was asked for: tonnes or an amount."""

    currency: str
    shares: tuple[Share, ...]
    costs: Costs
    requested_t: Fraction | None = None
    requested_value: str | None = None

    @property
    def grams(self) -> int:
        """The quantity: the sum of the truncated shares."""
        return sum(share.grams for share in self.shares)


def quote_by_mass(actor: Actor, body: QuoteByMassBody) -> Quote:
    """A quote for a mass by percentages, or for exact masses per bundle."""
    if body.bundle_masses is not None:
        return _quote_bundle_masses(actor, body.bundle_masses, body.quantity_trunc)
    assert body.mass is not None  # the schema wants one of the two
    requested_t = mass_in_tonnes(body.mass.amount, body.mass.unit)
    return quote_tonnes(actor, requested_t, body.bundle_selection, body.quantity_trunc)


def quote_tonnes(
    actor: Actor,
    requested_t: Fraction,
    selection: Sequence[BundlePercentage] | None,
    trunc: str,
) -> Quote:
    """A quote for tonnes, split over the selection (the account's if none is given)."""
    portions = [
        (bundle, truncate(requested_t * percentage / 100, trunc))
        for bundle, percentage in _selected(actor, selection)
    ]
    return _quote_portions(actor, portions, requested_t)


def quote_by_value(actor: Actor, body: QuoteByValueBody) -> Quote:
    """A quote for an amount to be spent, fee included."""
    currency = actor.account.currency
    value = Decimal(body.value)
    if value < _SMALLEST_UNIT.get(currency, Decimal("0.01")):
        raise Refused(400, "order_value_invalid", f"{body.value} {currency} cannot be spent.")
    chosen = [
        (bundle, percentage, actor.catalogue.price(bundle, currency))
        for bundle, percentage in _selected(actor, body.bundle_selection)
    ]
    quantity_t = quantity_for_value(value, [(percentage, price) for _, percentage, price in chosen])
    shares = _shares(
        actor,
        [
            (bundle, truncate(quantity_t * percentage / 100, body.quantity_trunc))
            for bundle, percentage, _ in chosen
        ],
    )
    spent = costs_of_value([(share.grams, share.price) for share in shares], value)
    return Quote(currency, shares, spent, requested_value=body.value)


def _quote_bundle_masses(actor: Actor, masses: Sequence[BundleMass], trunc: str) -> Quote:
    portions = []
    requested_t = Fraction(0)
    for entry in masses:
        mass_t = mass_in_tonnes(entry.mass.amount, entry.mass.unit)
        requested_t += mass_t
        bundle = _sellable(actor.catalogue, entry.bundle_id, "bundle_id_invalid")
        portions.append((bundle, truncate(mass_t, trunc)))
    return _quote_portions(actor, portions, requested_t)


def _quote_portions(
    actor: Actor, portions: Sequence[tuple[Bundle, int]], requested_t: Fraction
) -> Quote:
    shares = _shares(actor, portions)
    price = costs([(share.grams, share.price) for share in shares])
    return Quote(actor.account.currency, shares, price, requested_t=requested_t)


def _shares(actor: Actor, portions: Sequence[tuple[Bundle, int]]) -> tuple[Share, ...]:
    if not 0 < sum(grams for _, grams in portions) <= _LARGEST_ORDER_G:
        raise Refused(
            409, "order_quantity_invalid", "The quantity must be positive and below 10^9 t."
        )
    return tuple(
        Share(
            bundle,
            grams,
            actor.catalogue.price(bundle, actor.account.currency),
            insufficient=not _in_stock(actor, bundle.id, grams),
        )
        for bundle, grams in portions
    )


def _in_stock(actor: Actor, bundle_id: str, grams: int) -> bool:
    available_g = actor.connection.scalar(
        sa.select(stock.c.available_g).where(stock.c.bundle_id == bundle_id)
    )
    return available_g is None or grams <= available_g


def _selected(
    actor: Actor, selection: Sequence[BundlePercentage] | None
) -> list[tuple[Bundle, Fraction]]:
    if not selection:  # an empty selection chooses nothing, so it counts as none given
        selection = [BundlePercentage(**stored) for stored in stored_selection(actor)]
    return chosen_bundles(actor.catalogue, selection)


def chosen_bundles(
    catalogue: Catalogue, selection: Sequence[BundlePercentage]
) -> list[tuple[Bundle, Fraction]]:
    """A selection's bundles and percentages. Raises `Refused` for wrong ratios or bundles."""
    ratios = percentages([entry.percentage for entry in selection])
    return [
        (_sellable(catalogue, entry.bundle_id, "bundle_selection_bundle_invalid"), ratio)
        for entry, ratio in zip(selection, ratios, strict=True)
    ]


def _sellable(catalogue: Catalogue, bundle_id: str, code: str) -> Bundle:
    bundle = catalogue.bundle_by_id.get(bundle_id)
    if bundle is None or bundle.disabled:
        raise Refused(400, code, f"The bundle {bundle_id} is unknown or no longer sold.")
    return bundle


def requested_view(quote: Quote) -> dict[str, str | None]:
    """What was asked for, as quotes and orders show it."""
    requested_t = quote.requested_t
    return {
        "requested_quantity": None if requested_t is None else plain(requested_t),
        "requested_value": quote.requested_value,
    }


def quote_view(quote: Quote) -> dict[str, Any]:
    """A quote as the wire shows it (contract 3.8, 3.9)."""
    return {
        "currency": quote.currency,
        "estimated_quantity": tonnes(quote.grams),
        "estimated_offset_cost": money(quote.costs.offset),
        "estimated_total_cost": money(quote.costs.total),
        "estimated_commission": money(quote.costs.commission),
        "bundles": [
            {
                "bundle_id": share.bundle.id,
                "bundle_name": share.bundle.name,
                "quantity": tonnes(share.grams),
                "unit_price": money(share.price.unit),
                "gross_unit_price": money(share.price.gross),
                "offset_cost": money(up_to_cent(share.grams, share.price.unit)),
                "insufficient_available_quantity": share.insufficient,
            }
            for share in quote.shares
        ],
        **requested_view(quote),
    }
