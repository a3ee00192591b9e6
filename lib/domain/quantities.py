"""Mass in integer grams and money in exact decimals: the only arithmetic the desk does.

Binary floats never enter here. A mass finer than a gram is rounded once per order, by
largest remainder, so that the parts always add up to the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from typing import Literal

from .errors import BadInput

MassUnit = Literal["g", "kg", "t", "lb"]

GRAMS_PER: dict[str, Decimal] = {
    "g": Decimal(1),
    "kg": Decimal(1_000),
    "t": Decimal(1_000_000),
    # The international avoirdupois pound, exact by definition.
    "lb": Decimal("453.59237"),
}

#: Larger than the yearly emissions of the planet: anything above is a typing error.
LARGEST_MASS_G = 10**17

#: Currencies whose smallest unit is not a hundredth (ISO 4217), among those that providers use.
_MINOR_DIGITS = {"ISK": 0, "JPY": 0, "HUF": 2}


def decimal_from(text: str | int | Decimal, *, what: str = "number") -> Decimal:
    """Read an exact decimal typed by a person; raises BadInput for anything else.

    Accepts digits with one point; refuses NaN, infinity, exponents and thousands separators.
    """
    cleaned = str(text).strip()
    if not cleaned or len(cleaned) > 40 or any(c not in "0123456789.-+" for c in cleaned):
        raise BadInput(f"The {what} must be a plain number such as 12.5, not “{cleaned[:40]}”.")
    try:
        return Decimal(cleaned)
    except InvalidOperation:
        raise BadInput(
            f"The {what} must be a plain number such as 12.5, not “{cleaned[:40]}”."
        ) from None


def exact_grams(amount: Decimal, unit: MassUnit) -> Decimal:
    """The mass in grams, exact, possibly with a fraction of a gram."""
    with localcontext() as context:
        context.prec = 60
        return amount * GRAMS_PER[unit]


def grams(amount: Decimal, unit: MassUnit) -> int:
    """The mass in whole grams, rounded half even once."""
    return int(exact_grams(amount, unit).to_integral_value(ROUND_HALF_EVEN))


def wished_grams(text: str | int | Decimal, unit: MassUnit) -> int:
    """A mass that a person asks for, in grams: above zero and believable, else BadInput."""
    amount = decimal_from(text, what="mass")
    if unit not in GRAMS_PER:
        raise BadInput(f"“{unit}” is not a unit of mass here: use g, kg, t or lb.")
    mass = grams(amount, unit)
    if amount <= 0 or mass <= 0:
        raise BadInput("The mass must be above 0, at least one gram.")
    if mass > LARGEST_MASS_G:
        raise BadInput("The mass is larger than the world emits in a year: check the unit.")
    return mass


def apportion(total: int, weights: Sequence[Decimal | int]) -> list[int]:
    """Split `total` units in proportion to `weights` by largest remainder; the parts sum exactly.

    Ties go to the earlier part. All-zero weights give everything to the first part.
    """
    if not weights:
        return []
    if any(w < 0 for w in weights):
        raise ValueError("weights must not be negative")
    with localcontext() as context:
        context.prec = 80
        whole = sum((Decimal(w) for w in weights), Decimal(0))
        if whole == 0:
            return [total] + [0] * (len(weights) - 1)
        shares = [Decimal(total) * Decimal(w) / whole for w in weights]
        parts = [int(s.to_integral_value(rounding="ROUND_FLOOR")) for s in shares]
        by_remainder = sorted(range(len(shares)), key=lambda i: (parts[i] - shares[i], i))
        for i in by_remainder[: total - sum(parts)]:
            parts[i] += 1
    return parts


def kg_text(mass_g: int) -> str:
    """Kilograms as the shortest exact decimal, for the wire: 10500 g is `10.5`."""
    return _plain(Decimal(mass_g).scaleb(-3))


def tonnes_text(mass_g: int) -> str:
    """Tonnes as the shortest exact decimal, for the wire: 2500000 g is `2.5`."""
    return _plain(Decimal(mass_g).scaleb(-6))


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount in one currency (ISO 4217). Unlike currencies never add up."""

    amount: Decimal
    currency: str

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> Money:
        """Money from its smallest unit, such as cents."""
        return cls(Decimal(minor).scaleb(-minor_digits(currency)), currency)

    @property
    def minor(self) -> int:
        """The amount in the currency's smallest unit; raises ValueError when it has a fraction."""
        scaled = self.amount.scaleb(minor_digits(self.currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{self} is finer than the smallest unit of {self.currency}")
        return int(scaled)

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __le__(self, other: Money) -> bool:
        self._same_currency(other)
        return self.amount <= other.amount

    def __gt__(self, other: Money) -> bool:
        return not self <= other

    def __str__(self) -> str:
        return f"{self.amount:,.{minor_digits(self.currency)}f} {self.currency}"

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} are never summed or compared")


def minor_digits(currency: str) -> int:
    """How many decimals the currency's smallest unit has."""
    return _MINOR_DIGITS.get(currency, 2)


def total_by_currency(amounts: Iterable[Money]) -> dict[str, Money]:
    """One sum per currency, in order of first appearance."""
    sums: dict[str, Money] = {}
    for money in amounts:
        sums[money.currency] = sums[money.currency] + money if money.currency in sums else money
    return sums


def wished_money(text: str | int | Decimal, currency: str) -> Money:
    """An amount that a person is ready to spend: above zero, not finer than the currency."""
    amount = decimal_from(text, what="budget")
    if amount <= 0:
        raise BadInput("The budget must be above 0.")
    if amount > Decimal(10) ** 12:
        raise BadInput("The budget is too large to be meant: check the figure.")
    money = Money(amount, currency)
    try:
        money.minor  # noqa: B018 (evaluated for its check)
    except ValueError:
        raise BadInput(
            f"The budget has more decimals than {currency} knows: "
            f"use at most {minor_digits(currency)}."
        ) from None
    return money
