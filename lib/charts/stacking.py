"""How deliveries are arranged before they are drawn: rows, colours, and the marks of each stack.

Pure; only charts/deliveries.py imports it. Masses stay integer grams; drawing turns them into the
unit of the axis.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from .style import (
    PROVIDER_TITLES,
    VINTAGE_SOURCES,
    MassUnit,
    Palette,
    elided,
    mass_text,
    plain,
    shades,
)

By = Literal["project", "vintage"]

#: The row that the smaller projects share in a short picture.
REST = "rest"

_NOT_PROVIDED = "not provided"


@dataclass(frozen=True, slots=True)
class Part:
    """One colour of the stack: a vintage, or a project where the rows are vintages."""

    key: str
    label: str
    colour: str
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the picture, `at` from the top, with its masses in grams."""

    key: str
    label: str
    at: int
    delivered_g: int
    outstanding_g: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One mark: grams from `base_g` on in a row, with what a reader sees when pointing at it."""

    at: int
    base_g: int
    mass_g: int
    hover: str
    key: tuple[str, str]


Segments = dict[str, list[Segment]]


def marked(frame: pd.DataFrame, key: Sequence[str], by: By, top: int | None = 12) -> pd.DataFrame:
    """The rows of the frame that a clicked mark stands for, from its `customdata`."""
    data = keyed(frame, by, top)
    row, part = key
    return frame.loc[data.index[(data["row"] == row) & (data["part"] == part)]]


def keyed(frame: pd.DataFrame, by: By, top: int | None) -> pd.DataFrame:
    """The frame with the row (`row`, `row_label`, `at`) and part that each of its rows goes to."""
    data = frame.copy()
    project = data["provider"].astype(str) + "/" + data["project_id"].fillna("").astype(str)
    project_label = [
        f"{name} · {PROVIDER_TITLES.get(provider, provider)}"
        for name, provider in zip(data["project_name"], data["provider"], strict=True)
    ]
    vintage = data["vintage_label"].astype(str)
    vintage_label = [_vintage_title(label) for label in vintage]
    if by == "project":
        data["row"], data["part"] = project, vintage
        data["row_label"], data["part_label"] = project_label, vintage_label
        return _largest_first(data, top)
    data["row"], data["part"] = vintage, project
    data["row_label"], data["part_label"] = vintage_label, project_label
    return _at(data, sorted(vintage.unique(), key=_vintage_order, reverse=True))


def _largest_first(data: pd.DataFrame, top: int | None) -> pd.DataFrame:
    """Rows by size, those beyond `top` in one; what has no project yet stays apart, at the end."""
    delivered = data["retired_g"] + data["held_g"]
    sizes = data.assign(delivered_g=delivered).groupby("row")[["delivered_g", "outstanding_g"]]
    ranking = sizes.sum().sort_values(["delivered_g", "outstanding_g"], ascending=False)
    unassigned = sorted(data.loc[data["project_id"].isna(), "row"].unique())
    ranked = [str(row) for row in ranking.index if row not in unassigned]
    if top is not None and len(ranked) > top + 1:
        small = data["row"].isin(ranked[top:])
        data.loc[small, "row_label"] = f"{len(ranked) - top} more projects together"
        data.loc[small, "row"] = REST
        ranked = [*ranked[:top], REST]
    return _at(data, [*ranked, *unassigned])


def _at(data: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    data["at"] = data["row"].map({row: position for position, row in enumerate(order)})
    return data


def _vintage_title(label: str) -> str:
    return "vintage not provided" if label == _NOT_PROVIDED else label


def _vintage_order(label: str) -> tuple[int, str]:
    """Sorts what is not provided first, then mixed vintages, then years from old to young."""
    kind = 0 if not label[:4].isdigit() else 1 if "mixed" in label else 2
    return kind, label


def rows_of(data: pd.DataFrame) -> list[Row]:
    """The lines of the picture, from the top."""
    rows = []
    for key, group in data.groupby("row"):
        delivered = int(group["retired_g"].sum()) + int(group["held_g"].sum())
        label, at = str(group["row_label"].iloc[0]), int(group["at"].iloc[0])
        rows.append(Row(str(key), label, at, delivered, int(group["outstanding_g"].sum())))
    return sorted(rows, key=lambda row: row.at)


def vintage_parts(data: pd.DataFrame, colours: Palette) -> list[Part]:
    """Years from old to young in the colours' order; what has no single year in a pattern."""
    labels = sorted(_delivered(data)["part"].unique(), key=_vintage_order)
    years = [label for label in labels if _vintage_order(label)[0] == 2]
    others = [label for label in labels if label not in years]
    unknown = [
        Part(label, "mixed vintages", colours.unknown, "x")
        if "mixed" in label
        else Part(label, _vintage_title(label), colours.unknown, ".")
        for label in reversed(others)
    ]
    shade = shades(colours.vintages, len(years))
    return [Part(year, year, ink) for year, ink in zip(years, shade, strict=True)] + unknown


def project_parts(data: pd.DataFrame, colours: Palette) -> list[Part]:
    """The largest projects in a colour each, the others in grey, still one mark per project."""
    delivered = _delivered(data)
    sizes = delivered.groupby("part")[["retired_g", "held_g"]].sum().sum(axis=1)
    labels = delivered.groupby("part")["part_label"].first()
    ranked = [str(part) for part in sizes.sort_values(ascending=False, kind="stable").index]
    coloured = len(colours.categories)
    return [
        Part(key, str(labels[key]), colours.categories[rank])
        if rank < coloured
        else Part(key, "other projects", colours.unknown)
        for rank, key in enumerate(ranked)
    ]


def _delivered(data: pd.DataFrame) -> pd.DataFrame:
    return data[(data["retired_g"] + data["held_g"]) > 0]


def stacked(data: pd.DataFrame, order: Sequence[str], unit: MassUnit) -> tuple[Segments, Segments]:
    """Retired and held marks by part, each beginning where the one before it in its row ends."""
    rank = {part: position for position, part in enumerate(order)}
    delivered = _delivered(data)
    lines = delivered.assign(rank=delivered["part"].map(rank)).sort_values("rank", kind="stable")
    ends: dict[int, int] = {}
    retired: Segments = {}
    held: Segments = {}
    for line in lines.to_dict("records"):
        for measure, marks in (("retired_g", retired), ("held_g", held)):
            if line[measure]:
                segment = _segment(line, measure, ends, unit)
                marks.setdefault(line["part"], []).append(segment)
    return retired, held


def outstanding(data: pd.DataFrame, unit: MassUnit) -> list[Segment]:
    """The hatched marks, end to end in each row."""
    ends: dict[int, int] = {}
    lines = data[data["outstanding_g"] > 0].to_dict("records")
    return [_segment(line, "outstanding_g", ends, unit) for line in lines]


def _segment(
    line: dict[Hashable, Any], measure: str, ends: dict[int, int], unit: MassUnit
) -> Segment:
    """One mark; moves the end of its row, in `ends`, by its mass."""
    at, mass_g = int(line["at"]), int(line[measure])
    base_g = ends.get(at, 0)
    ends[at] = base_g + mass_g
    return Segment(at, base_g, mass_g, _hover(line, unit), (line["row"], line["part"]))


def _hover(line: dict[Hashable, Any], unit: MassUnit) -> str:
    """What a reader sees when pointing at a mark; provider text is escaped."""
    vintage = plain(_vintage_title(line["vintage_label"]))
    if line["vintage_source"] != _NOT_PROVIDED:
        source = VINTAGE_SOURCES.get(line["vintage_source"], line["vintage_source"])
        vintage = f"vintage {vintage} (from {plain(source)})"
    orders = int(line["orders"])
    lines = [
        f"<b>{folded(plain(line['project_name']))}</b>",
        f"{PROVIDER_TITLES.get(line['provider'], plain(line['provider']))}, {vintage}",
        f"retired {mass_text(line['retired_g'], unit)}",
        f"held, not retired {mass_text(line['held_g'], unit)}",
        f"outstanding {mass_text(line['outstanding_g'], unit)}",
        "1 order" if orders == 1 else f"{orders:,} orders",
        *_serial_lines(line["serials"], int(line["serial_count"])),
    ]
    return "<br>".join(lines)


def folded(escaped: str, width: int = 60) -> str:
    """A long name over several lines, broken at spaces only, so that no entity is torn."""
    folded, length = "", 0
    for word in escaped.split(" "):
        if length and length + len(word) > width:
            folded, length = folded + "<br>", 0
        folded, length = folded + word + " ", length + len(word) + 1
    return folded.rstrip()


def _serial_lines(serials: Iterable[str], count: int) -> list[str]:
    shown = [plain(elided(text, 72)) for text in serials]
    if not shown:
        return ["serial numbers not provided"]
    more = count - len(shown)
    return [*shown, f"and {more} more serial numbers"] if more > 0 else shown
