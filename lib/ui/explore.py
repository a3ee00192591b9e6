"""Parts of the explore page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ..charts.bars import ranked_bars
from . import tables
from .download import inert_table
from .format import MassUnit, mass_text, provider, total_g
from .frame import is_dark

#: What the rows can be grouped by: column of the ledger -> title.
_GROUPS = {
    "project_name": "Project",
    "vintage_label": "Vintage",
    "provider": "Provider",
    "account": "Account",
    "stage": "Stage",
    "registry": "Registry",
    "country": "Country",
    "methodology": "Methodology",
    "impact_type": "Impact type",
    "ccp": "CCP status",
    "beneficiary": "Beneficiary",
    "mode": "Mode",
}
_QUANTITY = {"quantity_g": "Quantity"}


def filtered(ledger: pd.DataFrame) -> pd.DataFrame:
    """The rows of the chosen side, stages and vintages."""
    left, middle, right = st.columns(3)
    side = left.selectbox("Side", ["bought", "sold"], key="side", bind="query-params")
    stages = middle.multiselect(
        "Stages",
        sorted(ledger["stage"].unique()),
        format_func=lambda stage: stage.replace("_", " "),
        placeholder="All stages",
        key="stage",
        bind="query-params",
    )
    vintages = right.multiselect(
        "Vintages",
        sorted(ledger["vintage_label"].unique()),
        placeholder="All vintages",
        key="vintage",
        bind="query-params",
    )
    chosen = ledger[ledger["side"] == side]
    if stages:
        chosen = chosen[chosen["stage"].isin(stages)]
    if vintages:
        chosen = chosen[chosen["vintage_label"].isin(vintages)]
    return chosen.reset_index(drop=True)


def chart(rows: pd.DataFrame, unit: MassUnit) -> None:
    """Grams of the chosen rows by one column, largest first."""
    group = st.selectbox(
        "Group by", list(_GROUPS), format_func=_GROUPS.__getitem__, key="group", bind="query-params"
    )
    names = rows[group].fillna("not provided").astype(str)
    if group == "provider":
        names = names.map(provider)
    sums = rows["quantity_g"].groupby(names).sum()
    masses = {str(name): int(mass) for name, mass in sums.items()}
    figure = ranked_bars(masses, unit=unit, dark=is_dark())
    st.plotly_chart(
        figure,
        key="explore-chart",
        config={"displayModeBar": False},
        alt=f"Bars of ledger quantities by {_GROUPS[group].lower()}, largest first.",
    )


def table(rows: pd.DataFrame, unit: MassUnit) -> None:
    """The rows themselves, and a download with every column in exact grams."""
    shown = tables.links(tables.masses(rows, _QUANTITY, unit), ["registry_url", "certificate_url"])
    links = {
        column: st.column_config.LinkColumn(display_text="Open")
        for column in ("registry_url", "certificate_url")
    }
    st.dataframe(
        inert_table(shown),
        hide_index=True,
        column_config={
            "serials": st.column_config.ListColumn(width="large"),
            "price": st.column_config.NumberColumn(format="%,.2f"),
            **links,
            **tables.mass_config(_QUANTITY, unit),
        },
        key="ledger",
    )
    total = mass_text(total_g(rows["quantity_g"]), unit)
    st.caption(f"{len(rows):,} rows, {total} CO2e. The download holds exact grams.")
    tables.download("Download as CSV", rows, "ledger.csv")
