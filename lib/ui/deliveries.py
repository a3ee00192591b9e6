"""Parts of the deliveries page: the picture, the proof behind a mark, the table."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from ..charts.deliveries import By, delivered_by_project_and_vintage, marked
from . import data, tables
from .download import inert_table
from .filters import Scope
from .format import (
    MassUnit,
    headline_mass,
    mass_text,
    provider,
    rounding_note,
    total_g,
    vintage_source,
)
from .frame import is_dark
from .text import literal

_MASSES = {
    "delivered_g": "Delivered to date",
    "retired_g": "Retired",
    "held_g": "Held, not retired",
    "outstanding_g": "Outstanding",
}
#: Projects that the picture draws one by one unless all are asked for.
_PROJECTS_SHOWN = 12
_CHART_CONFIG = {"displayModeBar": False, "scrollZoom": False}


def totals(delivered: pd.DataFrame, unit: MassUnit) -> None:
    """The four measures of what is shown."""
    with st.grid(4, min_column_width=180):
        for column, title in _MASSES.items():
            mass = headline_mass(total_g(delivered[column]), unit)
            st.metric(f"{title}, CO2e", mass, border=True)


def picture(delivered: pd.DataFrame, unit: MassUnit) -> pd.DataFrame | None:
    """The picture with its two switches; returns the rows behind the mark that was clicked."""
    st.subheader("Delivered per project and vintage", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        by = _rows_switch()
        every = by == "vintage" or st.toggle("Every project", key="every", bind="query-params")
    top = None if every else _PROJECTS_SHOWN
    event = st.plotly_chart(
        delivered_by_project_and_vintage(delivered, unit=unit, by=by, dark=is_dark(), top=top),
        key="delivered",
        on_select="rerun",
        selection_mode="points",
        config=_CHART_CONFIG,
        alt=f"Bars of tonnes delivered, one row per {by}, retired filled, held hollow, "
        "outstanding hatched; the table below has the same figures.",
    )
    points: list[dict[str, Any]] = event["selection"]["points"]
    st.caption(
        "Click a bar to see its orders, serial numbers and registry links. Bars are what was "
        "delivered to date; outstanding tonnes lie hatched beside them."
    )
    key = points[0].get("customdata") if points else None
    chosen = marked(delivered, key, by, top) if key else delivered.iloc[:0]
    # A mark that was clicked may be gone since: the ledger has moved on.
    return None if chosen.empty else chosen


def _rows_switch() -> By:
    choice = st.segmented_control(
        "Rows",
        ["Projects", "Vintages"],
        default="Projects",
        required=True,
        key="rows",
        bind="query-params",
        label_visibility="collapsed",
    )
    return "vintage" if choice == "Vintages" else "project"


def proof(chosen: pd.DataFrame, scope: Scope, unit: MassUnit) -> None:
    """The ledger rows behind the chosen project and vintage: order, serials, registry link."""
    first = chosen.iloc[0]
    names = chosen["project_name"].nunique()
    name = first["project_name"] if names == 1 else f"{names} projects"
    providers = ", ".join(provider(p) for p in chosen["provider"].unique())
    st.subheader(literal(f"{name}, {providers}"), anchor=False)
    rows = _rows_behind(chosen, scope)
    rows["vintage_source"] = rows["vintage_source"].map(vintage_source)
    columns = {"quantity_g": "Quantity"}
    shown = tables.links(tables.masses(rows, columns, unit), ["registry_url", "certificate_url"])
    st.dataframe(
        inert_table(shown),
        hide_index=True,
        column_order=[
            "order_id", *tables.titled(columns, unit).values(), "stage", "vintage_label",
            "vintage_source", "serials", "registry", "registry_url", "retired_at",
            "retired_at_source", "not_before", "not_after", "beneficiary",
            "certificate_url", "account",
        ],
        column_config={**_PROOF_COLUMNS, **tables.mass_config(columns, unit)},
    )  # fmt: skip
    st.caption(
        "A CNaught serial range is a registry block that several orders may share; the quantity "
        "is what belongs to the order, never the size of the block."
    )


def _rows_behind(chosen: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    ledger = data.ledger(scope)
    ledger = ledger[(ledger["side"] == "bought") & (ledger["stage"] != "order_cancelled")]
    ledger = ledger[ledger["stage"] != "transferred_out"]
    keys = ["provider", "project_id", "vintage_label", "vintage_source"]
    behind = ledger.merge(chosen[keys].drop_duplicates(), on=keys)
    return behind.sort_values("ordered_at", ascending=False)


_PROOF_COLUMNS: dict[str, Any] = {
    "order_id": st.column_config.TextColumn("Order", width="small"),
    "stage": "Stage",
    "vintage_label": "Vintage",
    "vintage_source": "Vintage from",
    "serials": st.column_config.ListColumn("Serial numbers", width="large"),
    "registry": "Registry",
    "registry_url": st.column_config.LinkColumn("Registry page", display_text="Open"),
    "retired_at": st.column_config.DatetimeColumn("Retired at (UTC)", format="YYYY-MM-DD HH:mm"),
    "retired_at_source": "Date from",
    "not_before": st.column_config.DatetimeColumn("Not before (UTC)", format="YYYY-MM-DD HH:mm"),
    "not_after": st.column_config.DatetimeColumn("Not after (UTC)", format="YYYY-MM-DD HH:mm"),
    "beneficiary": "Beneficiary",
    "certificate_url": st.column_config.LinkColumn("Certificate", display_text="Open"),
    "account": "Account",
}


def table(delivered: pd.DataFrame, unit: MassUnit) -> None:
    """The figures of the picture, sortable, with a download that carries the totals."""
    st.subheader("The same as a table", anchor=False)
    ordered = delivered.sort_values(["delivered_g", "outstanding_g"], ascending=False)
    shown = tables.masses(ordered, _MASSES, unit)
    shown["provider"] = shown["provider"].map(provider)
    shown["vintage_source"] = shown["vintage_source"].map(vintage_source)
    headers = tables.titled(_MASSES, unit)
    columns = {
        "project_name": "Project",
        "provider": "Provider",
        "vintage_label": "Vintage",
        "vintage_source": "Vintage from",
        **{header: header for header in headers.values()},
        "orders": "Orders",
        "serials": "Serial numbers",
        "serial_count": "Serial numbers, count",
    }
    shown = shown[list(columns)].rename(columns=columns)
    config: dict[str, Any] = {
        "Project": st.column_config.TextColumn(width=260),
        "Serial numbers": st.column_config.ListColumn(width="medium"),
        **tables.mass_config(_MASSES, unit),
    }
    st.dataframe(inert_table(shown), hide_index=True, column_config=config, key="project-vintage")
    sums = {headers[column]: shown[headers[column]].sum() for column in _MASSES}
    line = ", ".join(
        f"{title.lower()} {mass_text(total_g(ordered[column]), unit)}"
        for column, title in _MASSES.items()
    )
    st.caption(f"Total of {len(shown):,} rows: {line}.")
    notes = [note for column in _MASSES if (note := rounding_note(ordered[column], unit))]
    if notes:
        st.caption(notes[0])
    tables.download("Download as CSV", shown, "deliveries.csv", {"Project": "Total", **sums})
