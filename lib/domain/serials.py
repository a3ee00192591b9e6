"""Serial numbers of credits: which registry, project, vintage and units a text names.

Formats are those seen in the registries' public records. A serial is parsed whole or not at
all: `parse_serial` answers None for anything else, and callers keep the text and say
"not recognised". Ranges are inclusive on both ends; for Isometric that is not proven, so
never derive a quantity from an Isometric range.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

VERRA = "Verra"
GOLD_STANDARD = "Gold Standard"
AMERICAN_CARBON_REGISTRY = "American Carbon Registry"
CLIMATE_ACTION_RESERVE = "Climate Action Reserve"
PURO_EARTH = "Puro.earth"
ISOMETRIC = "Isometric"

_TONNE_G = 1_000_000
_KILOGRAM_G = 1_000


@dataclass(frozen=True, slots=True)
class Serial:
    """A recognised serial number: a block of units of one project and vintage.

    `first_unit` and `last_unit` are inclusive; `unit_g` is the mass of one unit in grams.
    `period_start` and `period_end` are given only by registries that print them (Verra).
    `series` is the text without its unit numbers: two serials can overlap only within one series.
    """

    text: str
    registry: str
    project_id: str
    vintage_year: int
    period_start: date | None
    period_end: date | None
    first_unit: int
    last_unit: int
    unit_g: int
    series: str = ""

    @property
    def units(self) -> int:
        """How many units the block holds, both ends included."""
        return self.last_unit - self.first_unit + 1

    @property
    def block_g(self) -> int:
        """The mass of the whole block in grams: never the mass of an allocation from it."""
        return self.units * self.unit_g

    def overlap(self, other: Serial) -> int:
        """How many units both name."""
        if self.series != other.series:
            return 0
        shared = min(self.last_unit, other.last_unit) - max(self.first_unit, other.first_unit) + 1
        return max(shared, 0)

    @property
    def vintage_label(self) -> str:
        """The year, or `2021/2022` where the registry's period crosses years."""
        if self.period_start and self.period_end and self.period_start.year < self.period_end.year:
            return f"{self.period_start.year}/{self.period_end.year}"
        return str(self.vintage_year)


_PATTERNS: tuple[tuple[str, int, re.Pattern[str]], ...] = (
    (
        VERRA,
        _TONNE_G,
        re.compile(
            r"[0-9]+-(?P<first>[0-9]+)-(?P<last>[0-9]+)-VCS-VCU-[0-9]+-[A-Z]+-[A-Z]{2}-[0-9]+"
            r"-(?P<project>[0-9]+)-(?P<start>[0-9]{8})-(?P<end>[0-9]{8})-[01]"
        ),
    ),
    (
        GOLD_STANDARD,
        _TONNE_G,
        re.compile(
            r"GS1-[0-9]+-[A-Z]{2}-(?P<project>GS[0-9]+)-[0-9]+-(?P<year>[0-9]{4})"
            r"-[0-9]+-(?P<first>[0-9]+)-(?P<last>[0-9]+)"
        ),
    ),
    (
        AMERICAN_CARBON_REGISTRY,
        _TONNE_G,
        re.compile(
            r"ACR-[A-Z]{2}-(?P<project>[0-9]+)-(?P<year>[0-9]{4})"
            r"-[0-9]+-(?P<first>[0-9]+) to (?P<last>[0-9]+)"
        ),
    ),
    (
        CLIMATE_ACTION_RESERVE,
        _TONNE_G,
        re.compile(
            r"CAR-[A-Z0-9]+-[A-Z]{2}-(?P<project>[0-9]+)-[0-9]+-[0-9]+-[A-Z]{2,}"
            r"-(?P<year>[0-9]{4})-[0-9]+-(?P<first>[0-9]+) to (?P<last>[0-9]+)"
        ),
    ),
    (
        PURO_EARTH,
        _TONNE_G,
        re.compile(
            r"PURO_[A-Z]+_[A-Z0-9+]+_[A-Z]{2}_(?P<project>[0-9]+)_(?P<year>[0-9]{4})"
            r"_[0-9a-f]+_(?P<first>[0-9]+)-(?P<last>[0-9]+)"
        ),
    ),
    (
        ISOMETRIC,
        _KILOGRAM_G,
        re.compile(
            r"ISO-[0-9]+-[A-Z0-9]+-[A-Z]{3}-(?P<project>[A-Z0-9]+)-(?P<year>[0-9]{4})"
            r"-(?P<first>[0-9]+)-(?P<last>[0-9]+)"
        ),
    ),
)

#: No registry prints longer ones; a longer text is not worth a regular expression's time.
_LONGEST_SERIAL = 200


def parse_serial(text: str | None) -> Serial | None:
    """Recognise a serial number of the six registries; None for anything else, never a guess."""
    if not isinstance(text, str) or len(text) > _LONGEST_SERIAL:
        return None
    cleaned = text.strip()
    for registry, unit_g, pattern in _PATTERNS:
        match = pattern.fullmatch(cleaned)
        if match:
            return _serial(text, registry, unit_g, match)
    return None


def _serial(text: str, registry: str, unit_g: int, match: re.Match[str]) -> Serial | None:
    found = match.groupdict()
    start = end = None
    if "start" in found:
        start, end = _ddmmyyyy(found["start"]), _ddmmyyyy(found["end"])
        if start is None or end is None or end < start:
            return None
        year = end.year
    else:
        year = int(found["year"])
    first, last = int(found["first"]), int(found["last"])
    if last < first or not 1900 <= year <= 2100:
        return None
    series = match.string[: match.start("first")] + "…" + match.string[match.end("last") :]
    return Serial(text, registry, found["project"], year, start, end, first, last, unit_g, series)


def _ddmmyyyy(digits: str) -> date | None:
    try:
        return date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))
    except ValueError:
        return None


VintageSource = Literal["serial", "sequestered_on", "manual", "not provided"]


@dataclass(frozen=True, slots=True)
class Vintage:
    """The year the reduction or removal happened, and how we know.

    `year` is None where the provider gives none or where ranges of several years carry no
    amount each; `label` is what screens print.
    """

    label: str
    year: int | None = None
    start: date | None = None
    end: date | None = None
    source: VintageSource = "not provided"


NOT_PROVIDED = Vintage("not provided")


def vintage_of_serials(texts: Sequence[str]) -> Vintage:
    """The vintage that a quantity's serial numbers prove.

    Several ranges of different years with no amount each are `2018/2019 (mixed)`, without a
    year; one unrecognised text among them proves nothing, so the answer is "not provided".
    """
    serials = [parse_serial(text) for text in texts]
    known = [s for s in serials if s is not None]
    if not known or len(known) < len(serials):
        return NOT_PROVIDED
    labels = sorted({s.vintage_label for s in known})
    starts = [s.period_start for s in known if s.period_start]
    ends = [s.period_end for s in known if s.period_end]
    complete = len(starts) == len(known) and len(ends) == len(known)
    start, end = (min(starts), max(ends)) if complete else (None, None)
    years = {s.vintage_year for s in known}
    if len(years) == 1 and len(labels) == 1:
        return Vintage(labels[0], years.pop(), start, end, "serial")
    parts = sorted({part for label in labels for part in label.split("/")})
    return Vintage("/".join(parts) + " (mixed)", None, start, end, "serial")


def vintage_of_removal(sequestered_on: date | None, serial: str | None) -> Vintage:
    """The vintage of an Isometric batch: the year of `sequestered_on`, else its serial's."""
    if sequestered_on is not None:
        return Vintage(
            str(sequestered_on.year), sequestered_on.year, None, sequestered_on, "sequestered_on"
        )
    return vintage_of_serials([serial]) if serial else NOT_PROVIDED
