"""The picture of deliveries: tonnes delivered per project and vintage. Pure; ui may import it.

One row of bars per project (or per vintage). The bar is what was delivered to date: filled where
retired, hollow where held and not retired. What is outstanding lies hatched beside it, never on
top of it: a tonne is in one stage and is drawn once. Names stand above their bars, so that long
ones are readable and the drawing works on a telephone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from .style import (
    PROVIDER_TITLES,
    UNIT_TITLES,
    VINTAGE_SOURCES,
    MassUnit,
    Palette,
    elided,
    hover_label,
    in_unit,
    mass_text,
    palette,
    plain,
    shades,
    short_mass_text,
)

By = Literal["project", "vintage"]

#: The row that the smaller projects share in a short picture.
REST = "rest"

_NOT_PROVIDED = "not provided"

_ROW_PX = 50
_FRAME_PX = 150
# Positions within a row of height 1, measured downwards from its centre.
_NAME_AT = -0.24
_BAR = (-0.04, 0.34)
_OUTSTANDING = (0.36, 0.46)

#: How much longer than the longest bar the axis is, so that its figure fits on a telephone.
_ROOM = {"t": 1.16, "kg": 1.28}


@dataclass(frozen=True, slots=True)
class _Part:
    """One colour of the stack: a vintage, or a project where the rows are vintages."""

    key: str
    label: str
    colour: str
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the picture, `at` from the top, with its masses in grams."""

    key: str
    label: str
    at: int
    delivered_g: int
    outstanding_g: int


@dataclass(frozen=True, slots=True)
class _Segment:
    """One mark: grams from `base_g` on in a row, with what a reader sees when pointing at it."""

    at: int
    base_g: int
    mass_g: int
    hover: str
    key: tuple[str, str]


def delivered_by_project_and_vintage(
    frame: pd.DataFrame,
    *,
    unit: MassUnit = "t",
    by: By = "project",
    dark: bool = False,
    top: int | None = 12,
) -> go.Figure:
    """Draw `desk.delivered()`: one row per provider x project x vintage, masses in grams.

    `by` chooses the rows; the other dimension is stacked in colours. Of projects, the largest
    `top` are drawn one by one and the others together; None draws all. Every mark carries
    `customdata = [row key, part key]`, which `marked` turns back into rows of the frame.
    """
    colours = palette(dark=dark)
    data = _keyed(frame, by, top)
    rows = _rows(data)
    parts = _project_parts(data, colours) if by == "vintage" else _vintage_parts(data, colours)
    retired, held = _stacked(data, [part.key for part in parts], unit)
    figure = go.Figure()
    for part in parts:
        figure.add_trace(_bars(retired.get(part.key, ()), unit, marker=_filled(part, colours)))
        figure.add_trace(_bars(held.get(part.key, ()), unit, marker=_hollow(part)))
    figure.add_trace(_outstanding_bars(_outstanding(data, unit), rows, unit, colours))
    figure.add_trace(_totals(rows, unit, colours))
    _add_legend(figure, parts, colours)
    _lay_out(figure, rows, unit, colours)
    return figure


def marked(frame: pd.DataFrame, key: Sequence[str], by: By, top: int | None = 12) -> pd.DataFrame:
    """The rows of the frame that a clicked mark stands for, from its `customdata`."""
    data = _keyed(frame, by, top)
    row, part = key
    return frame.loc[data.index[(data["row"] == row) & (data["part"] == part)]]


def _keyed(frame: pd.DataFrame, by: By, top: int | None) -> pd.DataFrame:
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


def _rows(data: pd.DataFrame) -> list[_Row]:
    rows = []
    for key, group in data.groupby("row"):
        delivered = int(group["retired_g"].sum()) + int(group["held_g"].sum())
        label, at = str(group["row_label"].iloc[0]), int(group["at"].iloc[0])
        rows.append(_Row(str(key), label, at, delivered, int(group["outstanding_g"].sum())))
    return sorted(rows, key=lambda row: row.at)


def _vintage_parts(data: pd.DataFrame, colours: Palette) -> list[_Part]:
    """Years from old to young in the colours' order; what has no single year in a pattern."""
    labels = sorted(_delivered(data)["part"].unique(), key=_vintage_order)
    years = [label for label in labels if _vintage_order(label)[0] == 2]
    others = [label for label in labels if label not in years]
    unknown = [
        _Part(label, "mixed vintages", colours.unknown, "x")
        if "mixed" in label
        else _Part(label, _vintage_title(label), colours.unknown, ".")
        for label in reversed(others)
    ]
    shade = shades(colours.vintages, len(years))
    return [_Part(year, year, ink) for year, ink in zip(years, shade, strict=True)] + unknown


def _project_parts(data: pd.DataFrame, colours: Palette) -> list[_Part]:
    """The largest projects in a colour each, the others in grey, still one mark per project."""
    delivered = _delivered(data)
    sizes = delivered.groupby("part")[["retired_g", "held_g"]].sum().sum(axis=1)
    labels = delivered.groupby("part")["part_label"].first()
    ranked = [str(part) for part in sizes.sort_values(ascending=False, kind="stable").index]
    coloured = len(colours.categories)
    return [
        _Part(key, str(labels[key]), colours.categories[rank])
        if rank < coloured
        else _Part(key, "other projects", colours.unknown)
        for rank, key in enumerate(ranked)
    ]


def _delivered(data: pd.DataFrame) -> pd.DataFrame:
    return data[(data["retired_g"] + data["held_g"]) > 0]


_Segments = dict[str, list[_Segment]]


def _stacked(
    data: pd.DataFrame, order: Sequence[str], unit: MassUnit
) -> tuple[_Segments, _Segments]:
    """Retired and held marks by part, each beginning where the one before it in its row ends."""
    rank = {part: position for position, part in enumerate(order)}
    delivered = _delivered(data)
    lines = delivered.assign(rank=delivered["part"].map(rank)).sort_values("rank", kind="stable")
    ends: dict[int, int] = {}
    retired: _Segments = {}
    held: _Segments = {}
    for line in lines.to_dict("records"):
        for measure, marks in (("retired_g", retired), ("held_g", held)):
            if line[measure]:
                segment = _segment(line, measure, ends, unit)
                marks.setdefault(line["part"], []).append(segment)
    return retired, held


def _outstanding(data: pd.DataFrame, unit: MassUnit) -> list[_Segment]:
    """The hatched marks, end to end in each row."""
    ends: dict[int, int] = {}
    lines = data[data["outstanding_g"] > 0].to_dict("records")
    return [_segment(line, "outstanding_g", ends, unit) for line in lines]


def _segment(
    line: dict[Hashable, Any], measure: str, ends: dict[int, int], unit: MassUnit
) -> _Segment:
    """One mark; moves the end of its row, in `ends`, by its mass."""
    at, mass_g = int(line["at"]), int(line[measure])
    base_g = ends.get(at, 0)
    ends[at] = base_g + mass_g
    return _Segment(at, base_g, mass_g, _hover(line, unit), (line["row"], line["part"]))


def _hover(line: dict[Hashable, Any], unit: MassUnit) -> str:
    """What a reader sees when pointing at a mark; provider text is escaped."""
    vintage = plain(_vintage_title(line["vintage_label"]))
    if line["vintage_source"] != _NOT_PROVIDED:
        source = VINTAGE_SOURCES.get(line["vintage_source"], line["vintage_source"])
        vintage = f"vintage {vintage} (from {plain(source)})"
    orders = int(line["orders"])
    lines = [
        f"<b>{_folded(plain(line['project_name']))}</b>",
        f"{PROVIDER_TITLES.get(line['provider'], plain(line['provider']))}, {vintage}",
        f"retired {mass_text(line['retired_g'], unit)}",
        f"held, not retired {mass_text(line['held_g'], unit)}",
        f"outstanding {mass_text(line['outstanding_g'], unit)}",
        "1 order" if orders == 1 else f"{orders:,} orders",
        *_serial_lines(line["serials"], int(line["serial_count"])),
    ]
    return "<br>".join(lines)


def _folded(escaped: str, width: int = 60) -> str:
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


def _bars(segments: Sequence[_Segment], unit: MassUnit, *, marker: dict[str, Any]) -> go.Bar:
    """One trace of horizontal marks at explicit places: nothing is left to automatic stacking."""
    return go.Bar(
        orientation="h",
        y=[s.at for s in segments],
        x=[float(in_unit(s.mass_g, unit)) for s in segments],
        base=[float(in_unit(s.base_g, unit)) for s in segments],
        offset=_BAR[0],
        width=_BAR[1] - _BAR[0],
        customdata=[list(s.key) for s in segments],
        hovertext=[s.hover for s in segments],
        hovertemplate="%{hovertext}<extra></extra>",
        marker=marker,
        showlegend=False,
    )


def _outstanding_bars(
    segments: Sequence[_Segment], rows: Sequence[_Row], unit: MassUnit, colours: Palette
) -> go.Bar:
    """Hatched, beside what was delivered; in its place where nothing was."""
    delivered = {row.at for row in rows if row.delivered_g}
    across = [_OUTSTANDING if s.at in delivered else _BAR for s in segments]
    bars = _bars(segments, unit, marker=_hatched(colours))
    bars.offset = [top for top, _ in across]
    bars.width = [bottom - top for top, bottom in across]
    return bars


def _filled(part: _Part, colours: Palette) -> dict[str, Any]:
    # A hair of paper between neighbours keeps similar vintages apart.
    marker: dict[str, Any] = {
        "color": part.colour,
        "line": {"color": colours.paper, "width": 0.75},
    }
    if part.pattern:
        marker["pattern"] = {
            "shape": part.pattern,
            "fillmode": "overlay",
            "fgcolor": colours.paper,
            "size": 6,
            "solidity": 0.25,
        }
    return marker


def _hollow(part: _Part) -> dict[str, Any]:
    return {"color": _faded(part.colour), "line": {"color": part.colour, "width": 1.75}}


def _hatched(colours: Palette) -> dict[str, Any]:
    return {
        "color": "rgba(0,0,0,0)",
        "line": {"color": colours.faint, "width": 0.75},
        "pattern": {"shape": "/", "fgcolor": colours.faint, "size": 5, "solidity": 0.35},
    }


def _faded(colour: str) -> str:
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({','.join(str(c) for c in channels)},0.14)"


def _totals(rows: Sequence[_Row], unit: MassUnit, colours: Palette) -> go.Scatter:
    """What was delivered, or what is outstanding where nothing was, at the end of each bar."""
    return go.Scatter(
        mode="text",
        y=[row.at + sum(_BAR) / 2 for row in rows],
        x=[float(in_unit(row.delivered_g or row.outstanding_g, unit)) for row in rows],
        text=[f" {short_mass_text(row.delivered_g or row.outstanding_g, unit)}" for row in rows],
        textposition="middle right",
        textfont={"color": colours.faint, "size": 12},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )


def _add_legend(figure: go.Figure, parts: Sequence[_Part], colours: Palette) -> None:
    """Keys for what the fills mean, then for what the colours mean."""
    stage = _Part("", "", colours.faint)
    figure.add_trace(_key("retired", _filled(stage, colours)))
    figure.add_trace(_key("held, not retired", _hollow(stage)))
    figure.add_trace(_key("outstanding", _hatched(colours)))
    named: set[str] = set()
    for part in parts:
        if part.label not in named:
            figure.add_trace(_key(plain(elided(part.label, 34)), _filled(part, colours)))
            named.add(part.label)


def _key(name: str, marker: dict[str, Any]) -> go.Bar:
    return go.Bar(orientation="h", x=[None], y=[None], name=name, marker=marker, showlegend=True)


def _lay_out(figure: go.Figure, rows: Sequence[_Row], unit: MassUnit, colours: Palette) -> None:
    longest = max((max(row.delivered_g, row.outstanding_g) for row in rows), default=0)
    figure.update_layout(
        barmode="overlay",
        height=_FRAME_PX + _ROW_PX * max(len(rows), 1),
        margin={"l": 4, "r": 8, "t": 60, "b": 48},
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"size": 12, "color": colours.ink},
            # Hiding a vintage would leave holes in bars whose totals stay.
            "itemclick": False,
            "itemdoubleclick": False,
        },
        hoverlabel=hover_label(colours),
        dragmode=False,
        annotations=[_name(row, colours) for row in rows],
        xaxis={
            "title": {"text": f"delivered to date, {UNIT_TITLES[unit]}", "standoff": 8},
            "range": [0, float(in_unit(longest, unit)) * _ROOM[unit] or 1],
            "fixedrange": True,
            "showgrid": True,
            "gridcolor": colours.grid,
            "zeroline": False,
            "tickformat": ",",
            "nticks": 6,
        },
        yaxis={
            "range": [len(rows) - 0.5, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "showticklabels": False,
        },
    )


def _name(row: _Row, colours: Palette) -> dict[str, Any]:
    """The row's name above its bar, in full when pointed at."""
    return {
        "text": plain(elided(row.label)),
        "hovertext": _folded(plain(row.label)),
        "x": 0,
        "y": row.at + _NAME_AT,
        "xref": "x",
        "yref": "y",
        "xanchor": "left",
        "yanchor": "middle",
        "showarrow": False,
        "borderpad": 0,
        "font": {"size": 13, "color": colours.ink},
    }
