"""Lune's arithmetic: shares, prices, percentages and the whole-tonne pool (Lune contract 2.2, 2.3).

Pure and exact, for the Lune sandbox: grams are integers, money is Decimal, shares are Fractions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from math import ceil, floor
from typing import Any

from .errors import Refused

GRAMS_PER_TONNE = 1_000_000
GRAMS = {"g": 1, "kg": 1_000, "t": GRAMS_PER_TONNE}
CENT = Decimal("0.01")
_GRAMS_PER_TONNE_CENT = GRAMS_PER_TONNE // 100  # grams x price per tonne, divided by it: cents
FEE_DIVISOR = Decimal("0.9")  # Lune's fee is 10 % of the gross price

_PERCENTAGE = re.compile(r"[0-9]+(\.[0-9]{1,2})?")


@dataclass(frozen=True)
class Price:
    """A bundle's price per tonne in one currency, without the fee."""

    unit: Decimal

    @property
    def gross(self) -> Decimal:
        """The price with Lune's fee, rounded half up to a cent (contract 2.3.1)."""
        return (self.unit / FEE_DIVISOR).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Costs:
    """What an order costs: `total` = `offset` + `commission`."""

    offset: Decimal
    total: Decimal

    @property
    def commission(self) -> Decimal:
        """Lune's fee."""
        return self.total - self.offset


def exact(text: str) -> Fraction:
    """A decimal string of the wire, exactly."""
    return Fraction(text)


def plain(number: Fraction | Decimal) -> str:
    """A decimal without exponent or trailing zeros: `2.5`, `1`, `0`.

    Raises ValueError for a fraction that no decimal expresses.
    """
    value = number if isinstance(number, Decimal) else _as_decimal(number)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _as_decimal(number: Fraction) -> Decimal:
    with localcontext() as context:
        context.prec = 400
        value = Decimal(number.numerator) / Decimal(number.denominator)
    if Fraction(value) != number:
        raise ValueError(f"{number} has no finite decimal form")
    return value


def tonnes(grams: int) -> str:
    """Grams as the wire's decimal string of tonnes."""
    return plain(Decimal(grams).scaleb(-6))


def money(amount: Decimal) -> str:
    """An amount with its two decimals."""
    return format(amount.quantize(CENT), "f")


def mass_in_tonnes(amount: str, unit: str) -> Fraction:
    """`{amount, unit}` of the wire in tonnes."""
    return exact(amount) * GRAMS[unit] / GRAMS_PER_TONNE


def truncate(quantity_t: Fraction, unit: str) -> int:
    """Tonnes cut to whole g, kg or t, in grams (contract 2.3.2, `quantity_trunc`)."""
    step = GRAMS[unit]
    return floor(quantity_t * GRAMS_PER_TONNE / step) * step


def up_to_cent(grams: int, price: Decimal) -> Decimal:
    """The cost of `grams` at `price` per tonne, rounded up to a cent."""
    return Decimal(ceil(grams * Fraction(price) / _GRAMS_PER_TONNE_CENT)).scaleb(-2)


def costs(shares: Sequence[tuple[int, Price]]) -> Costs:
    """Offset cost and total of shares (grams and price) bought by mass (contract 2.3.4)."""
    without_fee = sum((grams * Fraction(price.unit) for grams, price in shares), Fraction(0))
    with_fee = sum((grams * Fraction(price.gross) for grams, price in shares), Fraction(0))
    return Costs(
        offset=Decimal(floor(without_fee / _GRAMS_PER_TONNE_CENT)).scaleb(-2),
        total=Decimal(ceil(with_fee / _GRAMS_PER_TONNE_CENT)).scaleb(-2),
    )


def costs_of_value(shares: Sequence[tuple[int, Price]], value: Decimal) -> Costs:
    """The same when an amount is spent: the amount is the total, fee included (contract 2.3.5)."""
    total = value.quantize(CENT, ROUND_FLOOR)
    return Costs(min(costs(shares).offset, total), total)


def quantity_for_value(value: Decimal, parts: Sequence[tuple[Fraction, Price]]) -> Fraction:
    """How many tonnes an amount buys, given each bundle's percentage and price."""
    per_tonne = sum(
        (percentage * Fraction(price.gross) for percentage, price in parts), Fraction(0)
    )
    return Fraction(value) * 100 / per_tonne


def percentages(given: Sequence[Any]) -> list[Fraction]:
    """The percentages of a bundle selection as given: all or none, summing to 100.

    `given` holds an integer, a string with at most two decimals, or None for each bundle.
    Raises `Refused` with `bundle_selection_ratios_invalid` or `..._invalid_format`.
    """
    if all(percentage is None for percentage in given):
        return [Fraction(100, len(given)) for _ in given]
    if any(percentage is None for percentage in given):
        raise _ratios_invalid("Give a percentage for every bundle or for none.")
    read = [_percentage(percentage) for percentage in given]
    if sum(read) != 100:
        raise _ratios_invalid("The percentages of a bundle selection must sum to 100.")
    return read


def _percentage(given: Any) -> Fraction:
    is_integer = isinstance(given, int) and not isinstance(given, bool)
    if (is_integer or isinstance(given, str)) and _PERCENTAGE.fullmatch(str(given)):
        return Fraction(str(given))
    raise Refused(
        400,
        "bundle_selection_ratios_invalid_format",
        "A percentage is an integer or a string with at most 2 decimals.",
    )


def _ratios_invalid(message: str) -> Refused:
    return Refused(400, "bundle_selection_ratios_invalid", message)


def equal_percentages(count: int) -> list[int | str]:
    """Equal parts with at most two decimals that sum to 100: the first ones carry the rest."""
    hundredths, rest = divmod(10_000, count)
    parts = [hundredths + (1 if index < rest else 0) for index in range(count)]
    return [part // 100 if part % 100 == 0 else plain(Fraction(part, 100)) for part in parts]


def split_by_weight(grams: int, weights: Sequence[int]) -> list[int]:
    """Grams in proportion to weights, whole, summing to `grams` (largest remainder)."""
    total = sum(weights)
    parts = [grams * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(grams * weights[i] % total), i))
    for index in by_remainder[: grams - sum(parts)]:
        parts[index] += 1
    return parts


@dataclass(frozen=True)
class Taken:
    """How much of one allocated part is retired; the rest stays allocated."""

    part: int
    retired_g: int
    left_g: int


def take_first(parts: Sequence[tuple[int, int]], grams: int) -> list[Taken]:
    """Retire `grams` of the parts `(number, grams)`, first come first served.

    Only the last part taken can be left with something. Raises ValueError if they do not suffice.
    """
    taken = []
    for part, available in parts:
        if grams == 0:
            break
        retired = min(available, grams)
        taken.append(Taken(part, retired, available - retired))
        grams -= retired
    if grams:
        raise ValueError("the parts do not hold that many grams")
    return taken


def whole_tonnes(grams: int) -> int:
    """The grams that make whole tonnes: only those can be retired."""
    return grams - grams % GRAMS_PER_TONNE
