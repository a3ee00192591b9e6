"""Plain ranked bars and yearly columns, in the house's style. Pure; ui may import it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from .style import (
    PROVIDER_TITLES,
    UNIT_TITLES,
    MassUnit,
    Palette,
    elided,
    hover_label,
    in_unit,
    mass_text,
    palette,
    plain,
    short_mass_text,
)

_ROW_PX = 46
_COLUMNS_PX = 320


def ranked_bars(
    masses_g: Mapping[str, int], *, unit: MassUnit = "t", dark: bool = False, top: int = 15
) -> go.Figure:
    """One horizontal bar per name, largest first; what exceeds `top` is drawn together."""
    colours = palette(dark=dark)
    ranked = sorted(masses_g.items(), key=lambda item: -item[1])
    if len(ranked) > top + 1:
        rest = sum(mass for _, mass in ranked[top:])
        ranked = [*ranked[:top], (f"{len(ranked) - top} more together", rest)]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=list(range(len(ranked))),
            x=[float(in_unit(mass, unit)) for _, mass in ranked],
            offset=-0.04,
            width=0.36,
            marker={"color": colours.categories[0]},
            text=[f" {short_mass_text(mass, unit)}" for _, mass in ranked],
            textposition="outside",
            textfont={"color": colours.faint, "size": 12},
            cliponaxis=False,
            hovertext=[f"<b>{plain(name)}</b><br>{mass_text(g, unit)} CO2e" for name, g in ranked],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    figure.update_layout(
        height=40 + _ROW_PX * max(len(ranked), 1),
        margin={"l": 4, "r": 8, "t": 8, "b": 8},
        dragmode=False,
        hoverlabel=hover_label(colours),
        annotations=[_name(name, at, colours) for at, (name, _) in enumerate(ranked)],
        xaxis=_hidden_axis(max((mass for _, mass in ranked), default=0), unit),
        yaxis={
            "range": [len(ranked) - 0.5, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "showticklabels": False,
        },
    )
    return figure


def _name(name: str, at: int, colours: Palette) -> dict[str, Any]:
    return {
        "text": plain(elided(name)),
        "hovertext": plain(name),
        "x": 0,
        "y": at - 0.24,
        "xanchor": "left",
        "showarrow": False,
        "font": {"size": 13, "color": colours.ink},
    }


def _hidden_axis(longest_g: int, unit: MassUnit) -> dict[str, Any]:
    """Bars that carry their figures need no scale beside them."""
    return {
        "range": [0, float(in_unit(longest_g, unit)) * 1.16 or 1],
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "showticklabels": False,
    }


def retired_by_year(
    frame: pd.DataFrame, *, unit: MassUnit = "t", dark: bool = False, zone: str = ""
) -> go.Figure:
    """Columns of `impact.by_year`: retired grams by retirement year, stacked by provider.

    What has no proven year stands in a column of its own at the right, hatched.
    """
    colours = palette(dark=dark)
    years = _years_in_order(frame)
    figure = go.Figure()
    for rank, name in enumerate(sorted(frame["provider"].unique())):
        lines = frame[frame["provider"] == name].groupby("year_label")["retired_g"].sum()
        masses = [int(lines.get(year, 0)) for year in years]
        title = PROVIDER_TITLES.get(name, name)
        figure.add_trace(_columns(title, years, masses, unit, colours, rank))
    figure.update_layout(
        barmode="stack",
        height=_COLUMNS_PX,
        bargap=0.45,
        margin={"l": 4, "r": 8, "t": 8, "b": 8},
        dragmode=False,
        hoverlabel=hover_label(colours),
        legend={
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
        },
        xaxis={
            "type": "category",
            "title": {"text": f"retired in ({zone})" if zone else "retired in"},
            "fixedrange": True,
        },
        yaxis={
            "title": {"text": UNIT_TITLES[unit]},
            "tickformat": ",",
            "gridcolor": colours.grid,
            "fixedrange": True,
        },
    )
    return figure


def _years_in_order(frame: pd.DataFrame) -> list[str]:
    labels = sorted(str(label) for label in frame["year_label"].unique())
    return sorted(labels, key=lambda label: not label[:4].isdigit())


def _columns(
    title: str,
    years: Sequence[str],
    masses: Sequence[int],
    unit: MassUnit,
    colours: Palette,
    rank: int,
) -> go.Bar:
    proven = [year[:4].isdigit() for year in years]
    return go.Bar(
        name=title,
        x=list(years),
        y=[float(in_unit(mass, unit)) for mass in masses],
        marker={
            "color": colours.categories[rank % len(colours.categories)],
            "line": {"color": colours.paper, "width": 0.75},
            "pattern": {
                "shape": ["" if known else "/" for known in proven],
                "fillmode": "overlay",
                "fgcolor": colours.paper,
                "solidity": 0.35,
            },
        },
        hovertext=[
            f"<b>{title}, {plain(year)}</b><br>retired {mass_text(mass, unit)} CO2e"
            for year, mass in zip(years, masses, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
