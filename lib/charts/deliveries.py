"""The picture of deliveries: tonnes delivered per project and vintage. Pure; ui may import it.

One row of bars per project (or per vintage). The bar is what was delivered to date: filled where
retired, hollow where held and not retired. What is outstanding lies hatched beside it, never on
top of it: a tonne is in one stage and is drawn once. Names stand above their bars, so that long
ones are readable and the drawing works on a telephone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from .stacking import (
    By,
    Part,
    Row,
    Segment,
    folded,
    keyed,
    marked,
    outstanding,
    project_parts,
    rows_of,
    stacked,
    vintage_parts,
)
from .style import (
    UNIT_TITLES,
    MassUnit,
    Palette,
    elided,
    hover_label,
    in_unit,
    palette,
    plain,
    short_mass_text,
)

__all__ = ["By", "delivered_by_project_and_vintage", "marked"]

_ROW_PX = 50
_FRAME_PX = 150
# Positions within a row of height 1, measured downwards from its centre.
_NAME_AT = -0.24
_BAR = (-0.04, 0.34)
_OUTSTANDING = (0.36, 0.46)

#: How much longer than the longest bar the axis is, so that its figure fits on a telephone.
_ROOM = {"t": 1.16, "kg": 1.28}


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
    data = keyed(frame, by, top)
    rows = rows_of(data)
    parts = project_parts(data, colours) if by == "vintage" else vintage_parts(data, colours)
    retired, held = stacked(data, [part.key for part in parts], unit)
    figure = go.Figure()
    for part in parts:
        figure.add_trace(_bars(retired.get(part.key, ()), unit, marker=_filled(part, colours)))
        figure.add_trace(_bars(held.get(part.key, ()), unit, marker=_hollow(part)))
    figure.add_trace(_outstanding_bars(outstanding(data, unit), rows, unit, colours))
    figure.add_trace(_totals(rows, unit, colours))
    _add_legend(figure, parts, colours)
    _lay_out(figure, rows, unit, colours)
    return figure


def _bars(segments: Sequence[Segment], unit: MassUnit, *, marker: dict[str, Any]) -> go.Bar:
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
    segments: Sequence[Segment], rows: Sequence[Row], unit: MassUnit, colours: Palette
) -> go.Bar:
    """Hatched, beside what was delivered; in its place where nothing was."""
    delivered = {row.at for row in rows if row.delivered_g}
    across = [_OUTSTANDING if s.at in delivered else _BAR for s in segments]
    bars = _bars(segments, unit, marker=_hatched(colours))
    bars.offset = [top for top, _ in across]
    bars.width = [bottom - top for top, bottom in across]
    return bars


def _filled(part: Part, colours: Palette) -> dict[str, Any]:
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


def _hollow(part: Part) -> dict[str, Any]:
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


def _totals(rows: Sequence[Row], unit: MassUnit, colours: Palette) -> go.Scatter:
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


def _add_legend(figure: go.Figure, parts: Sequence[Part], colours: Palette) -> None:
    """Keys for what the fills mean, then for what the colours mean."""
    stage = Part("", "", colours.faint)
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


def _lay_out(figure: go.Figure, rows: Sequence[Row], unit: MassUnit, colours: Palette) -> None:
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


def _name(row: Row, colours: Palette) -> dict[str, Any]:
    """The row's name above its bar, in full when pointed at."""
    return {
        "text": plain(elided(row.label)),
        "hovertext": folded(plain(row.label)),
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
