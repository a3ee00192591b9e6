"""Prices, activity factors and rounding (CNaught contract 3), in decimals throughout.

Pure; imported only inside this package.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from .problems import Problem, forbidden, invalid
from .scope import Scope
from .section import Factors, Portfolio, Section


def portfolio_for(
    section: Section, scope: Scope, asked: str | None, *, unknown: Problem | None = None
) -> Portfolio:
    """The portfolio asked for, else the subaccount's default, else the account's.

    Raises 403 where the account may not use it, and `unknown` (default: 400) where it is not known.
    """
    default = None if scope.subaccount is None else scope.subaccount.default_portfolio_id
    wanted = asked or default or scope.account.default_portfolio_id
    portfolio = section.portfolios_by_id.get(wanted)
    if portfolio is None:
        raise unknown or invalid("portfolio_id", "is not a portfolio")
    if not scope.account.may_order(wanted):
        raise no_access()
    return portfolio


def no_access() -> Problem:
    """403: the portfolio is not this account's to order from."""
    return forbidden("The portfolio is not available to this account")


def price_cents(amount_kg: Decimal, cents_per_kg: Decimal) -> int:
    """The price of an amount, rounded up to whole cents."""
    return int((amount_kg * cents_per_kg).to_integral_value(ROUND_CEILING))


def amount_for(total_cents: int, cents_per_kg: Decimal) -> Decimal:
    """Whole kilograms for a total price; raises a 400 problem below one kilogram."""
    amount = (total_cents / cents_per_kg).to_integral_value(ROUND_FLOOR)
    if amount < 1:
        raise invalid("total_price_usd_cents", "must pay for at least 1 kg")
    return amount


def activity_kg(factor: Decimal, quantity: Decimal) -> Decimal:
    """Emissions of an activity: whole kilograms, rounded half up, at least one."""
    return max((factor * quantity).to_integral_value(ROUND_HALF_UP), Decimal(1))


def flight_factor(factors: Factors, distance_km: Decimal) -> Decimal:
    """kg CO2e per passenger-km of the band that the distance falls in."""
    return next(
        band.kg for band in factors.flight if band.below_km is None or distance_km < band.below_km
    )
