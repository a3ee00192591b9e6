"""Colours, patterns and safe text that every chart shares. Pure; charts and ui may import it.

Colours are given for a light and a dark page because marks carry meaning here (vintages run from
old to young, stages differ in fill) and so cannot follow a template's cycle. Provider text is
escaped before plotly sees it: plotly reads `<b>`, `<a>` and entities in every text.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

MassUnit = Literal["t", "kg"]

#: How the unit is called on axes and in table headers.
UNIT_TITLES: dict[str, str] = {"t": "t CO2e", "kg": "kg CO2e"}

#: How a provider is called on charts.
PROVIDER_TITLES: dict[str, str] = {"cnaught": "CNaught", "lune": "Lune", "isometric": "Isometric"}

#: Where a vintage comes from, in words; other sources are words already.
VINTAGE_SOURCES: dict[str, str] = {
    "serial": "serial number",
    "sequestered_on": "sequestration date",
    "manual": "a person",
}

#: Decimal places between a unit and a gram.
_PLACES = {"t": 6, "kg": 3}


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme; `vintages` runs from old to young, light to dark on paper."""

    ink: str
    faint: str
    grid: str
    paper: str
    unknown: str
    vintages: tuple[str, ...]
    categories: tuple[str, ...]


LIGHT = Palette(
    ink="#22302b",
    faint="#6d756f",
    grid="#e6e3da",
    paper="#fdfcf9",
    unknown="#a8a59b",
    vintages=("#cfd59a", "#94be97", "#559f9c", "#347697", "#294a80", "#26346b"),
    categories=(
        "#1b7f6b", "#d0761b", "#2f6db5", "#b4487d", "#8a7a1f", "#5fa8d8", "#a33d2a", "#6b6f76",
    ),
)  # fmt: skip
DARK = Palette(
    ink="#e8ebe6",
    faint="#9aa49e",
    grid="#2b3531",
    paper="#141a18",
    unknown="#7d827f",
    vintages=("#34497a", "#376f95", "#52979d", "#85bc9c", "#c4dca5", "#e6ebb4"),
    categories=(
        "#4fc3a5", "#f0a04b", "#7db3f0", "#e08ab5", "#d6c75a", "#a5d8f3", "#e78a76", "#b3b8be",
    ),
)  # fmt: skip


def palette(*, dark: bool) -> Palette:
    """The colours for a dark or a light page."""
    return DARK if dark else LIGHT


def hover_label(colours: Palette) -> dict[str, Any]:
    """The box that appears where a reader points."""
    font = {"size": 12, "color": colours.ink}
    return {"align": "left", "bgcolor": colours.paper, "bordercolor": colours.grid, "font": font}


def shades(stops: Sequence[str], count: int) -> list[str]:
    """`count` colours evenly spaced along the stops, first to last."""
    if count <= 1:
        return [stops[len(stops) // 2]] * count
    return [_between(stops, index * (len(stops) - 1), count - 1) for index in range(count)]


def _between(stops: Sequence[str], numerator: int, denominator: int) -> str:
    whole, rest = divmod(numerator, denominator)
    if rest == 0:
        return stops[whole]
    low, high = _rgb(stops[whole]), _rgb(stops[whole + 1])
    mixed = [a + (b - a) * rest // denominator for a, b in zip(low, high, strict=True)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def plain(text: object) -> str:
    """Text from elsewhere, so that plotly prints it letter by letter."""
    visible = "".join(c if c.isprintable() else " " for c in str(text))
    return html.escape(visible, quote=False)


def elided(text: str, length: int = 52) -> str:
    """The text, cut at `length` characters with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def in_unit(mass_g: int, unit: MassUnit) -> Decimal:
    """Grams as exact tonnes or kilograms."""
    return Decimal(int(mass_g)).scaleb(-_PLACES[unit])


def mass_text(mass_g: int, unit: MassUnit = "t") -> str:
    """A mass for people: tonnes or kilograms with three decimals, rounded half even here only."""
    return f"{in_unit(mass_g, unit):,.3f} {unit}"


def short_mass_text(mass_g: int, unit: MassUnit = "t") -> str:
    """A mass for a label on a chart: whole above a hundred, three decimals below one."""
    amount = in_unit(mass_g, unit)
    digits = 0 if amount >= 100 else 1 if amount >= 1 else 3
    return f"{amount:,.{digits}f} {unit}"
