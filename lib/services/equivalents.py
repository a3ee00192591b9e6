"""What a mass compares to: everyday figures with their formula and source.

Factors: US EPA Greenhouse Gas Equivalencies Calculator, 2024 edition. They describe size, they
claim nothing: "as much as", never "the same as removing".
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

_SOURCE = "US EPA Greenhouse Gas Equivalencies Calculator, 2024"


@dataclass(frozen=True, slots=True)
class Equivalent:
    """`amount` of something that stands for the mass; `sentence` is what screens print."""

    name: str
    amount: Decimal
    sentence: str
    formula: str
    source: str


_KINDS: tuple[tuple[str, Decimal, str, str], ...] = (
    ("Petrol cars", Decimal(4290), "as much as {n} petrol cars emit in a year",
     "kg / 4,290 kg per car and year"),
    ("Homes", Decimal(7450), "as much as the energy used by {n} homes emits in a year",
     "kg / 7,450 kg per home and year"),
    ("Flights", Decimal("406.9"), "as much as {n} passengers flying Los Angeles to New York",
     "kg / 406.9 kg per passenger (2,475 miles, 0.16439 kg per mile)"),
    ("Tree seedlings", Decimal(60), "as much as {n} urban tree seedlings take up in 10 years",
     "kg / 60 kg per seedling grown for 10 years"),
)  # fmt: skip


def equivalents(mass_g: int) -> list[Equivalent]:
    """The everyday figures for a mass in grams."""
    found = []
    for name, kg_each, sentence, formula in _KINDS:
        amount = (Decimal(mass_g) / 1000 / kg_each).quantize(Decimal("0.1"))
        found.append(Equivalent(name, amount, sentence.format(n=f"{amount:,}"), formula, _SOURCE))
    return found
