"""From the wire's decimals to ledger lines in whole grams: one rounding per order.

Every provider states an order's quantity and, sooner or later, parts of it. What no part covers
yet becomes a line without a project; what rounding costs is kept as the order's residue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

from ..domain.ledger import Line, Stage
from ..domain.quantities import MassUnit, apportion, exact_grams

#: A line's quantity is filled in by `in_whole_grams`; until then it is zero.
Part = tuple[Line, Decimal]


def in_whole_grams(
    stated: Decimal, unit: MassUnit, parts: Sequence[Part], *, rest: Line
) -> tuple[int, tuple[Line, ...], Decimal]:
    """The order's grams, its lines that sum to them, and the residue (stated minus grams).

    `parts` pair a line with its quantity on the wire; `rest` takes what they leave of the stated
    quantity. Parts that exceed the statement are kept as they are: the residue then tells.
    """
    stated_g = exact_grams(stated, unit)
    left = stated_g - sum((exact_grams(quantity, unit) for _line, quantity in parts), Decimal(0))
    # In the order of their keys: how a provider happens to list them must change nothing.
    parts = sorted(parts, key=lambda part: part[0].key)
    exact = [exact_grams(quantity, unit) for _line, quantity in parts]
    everything = list(parts)
    if left > 0 or not parts:
        everything.append((rest, max(left, Decimal(0)) / exact_grams(Decimal(1), unit)))
        exact.append(max(left, Decimal(0)))
    total = int(sum(exact, Decimal(0)).quantize(Decimal(1), ROUND_HALF_EVEN))
    whole = apportion(total, exact)
    lines = tuple(
        replace(line, quantity_g=grams, wire_quantity=f"{quantity:f} {unit}")
        for (line, quantity), grams in zip(everything, whole, strict=True)
    )
    return total, lines, stated_g - total


def unassigned(stage: Stage, key: str = "unassigned") -> Line:
    """A quantity without a project yet."""
    return Line(key=key, stage=stage, quantity_g=0, wire_quantity="")
