"""Parts of the impact page. Claims are worded with care: retired, for whom, proven when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from ..charts.bars import ranked_bars, retired_by_year
from . import runtime, tables
from .download import inert_table
from .format import MassUnit, headline_mass, provider
from .frame import is_dark, told
from .text import literal, web_link

if TYPE_CHECKING:
    from ..services.reporting import Impact

_RETIRED = {"retired_g": "Retired"}
_STILL = {"displayModeBar": False}
#: How reports call a retirement whose beneficiary no provider names.
NOT_NAMED = "not provided"


_EVERYBODY = "All beneficiaries"


def beneficiary(found: Impact) -> str | None:
    """Whose claim to look at: a claim is for one named beneficiary. None means all together."""
    sums = found.by_beneficiary.groupby("beneficiary")["retired_g"].sum()
    names = [str(name) for name in sums.sort_values(ascending=False).index]
    named = [name for name in names if name != NOT_NAMED]
    choice = st.selectbox(
        "Beneficiary", [_EVERYBODY, *named], key="beneficiary", bind="query-params"
    )
    return None if choice == _EVERYBODY else choice


def headline(found: Impact, unit: MassUnit, named: str | None) -> None:
    """The total, and how much of it has a proven year."""
    proven = int(found.by_year.loc[found.by_year["proven"], "retired_g"].sum())
    with st.grid(3, min_column_width=180):
        st.metric("Retired, CO2e", headline_mass(found.retired_g, unit), border=True)
        st.metric("Retirement year proven, CO2e", headline_mass(proven, unit), border=True)
        unproven = headline_mass(found.retired_g - proven, unit)
        st.metric("Date not proven, CO2e", unproven, border=True)
    st.caption(
        literal(f"Retired on behalf of {named}." if named else "Several beneficiaries together: ")
        + ("" if named else "a claim is for one of them, so choose it before you state a figure.")
        + " CNaught and Lune retire as soon as they carry an order out."
    )


def years(found: Impact, unit: MassUnit) -> None:
    """Retired by retirement year, with what cannot be dated beside it."""
    st.subheader("By retirement year", anchor=False)
    figure = retired_by_year(
        found.by_year,
        unit=unit,
        dark=is_dark(),
        zone=found.per_year.removeprefix("retirement year, "),
    )
    st.plotly_chart(
        figure, key="years", config=_STILL, alt="Columns of tonnes retired per year and provider."
    )
    st.caption(
        f"Years are meant as: {literal(found.per_year)}. “Date not proven” holds what was already "
        "retired when this desk first saw it and may belong to one year or another."
    )
    shown = tables.masses(found.by_year, _RETIRED, unit)
    shown["provider"] = shown["provider"].map(provider)
    with st.expander("Retirement years as a table", icon=":material/table:"):
        st.dataframe(
            inert_table(shown),
            hide_index=True,
            column_order=["year_label", "provider", *tables.titled(_RETIRED, unit).values()],
            column_config={
                "year_label": f"Retired in ({found.per_year})",
                "provider": "Provider",
                **tables.mass_config(_RETIRED, unit),
            },
        )
        # A file has no caption: its header says how years are meant.
        told_year = {"year_label": f"Retired in ({found.per_year})", "provider": "Provider"}
        tables.download(
            "Download as CSV",
            shown.drop(columns="proven").rename(columns=told_year),
            "retired-by-year.csv",
        )


def types_and_beneficiaries(found: Impact, unit: MassUnit) -> None:
    """Two rankings side by side."""
    left, right = st.columns(2)
    with left:
        st.subheader("By impact type", anchor=False)
        _ranking(found.retired_by_type, ["impact_type"], unit, "types")
        st.caption("The provider's statement. Mixed is never split.")
    with right:
        st.subheader("By beneficiary", anchor=False)
        _ranking(found.by_beneficiary, ["beneficiary"], unit, "beneficiaries")
        st.caption("A claim is always for one named beneficiary.")


def _ranking(frame: pd.DataFrame, keys: list[str], unit: MassUnit, key: str) -> None:
    sums = frame.groupby(keys[0])["retired_g"].sum()
    masses = {str(name): int(mass) for name, mass in sums.items()}
    figure = ranked_bars(masses, unit=unit, dark=is_dark(), top=8)
    st.plotly_chart(figure, key=key, config=_STILL, alt="Bars of tonnes retired, largest first.")


def comparisons(found: Impact) -> None:
    """Everyday figures, each with its formula and source."""
    st.subheader("What that compares to", anchor=False)
    with st.grid(4, min_column_width=200):
        for line in found.equivalents.to_dict("records"):
            with st.container(border=True, height="stretch"):
                st.metric(literal(line["name"]), f"{line['amount']:,}")
                st.write(literal(line["sentence"]))
                st.caption(literal(f"{line['formula']}. {line['source']}"))


def unmatched(found: pd.DataFrame, unit: MassUnit) -> None:
    """Retired on our behalf without an order of ours: outside all totals."""
    if found.empty:
        return
    st.subheader("Retired on our behalf, unmatched", anchor=False)
    st.caption("No order of ours stands behind these. They are outside every total on this page.")
    columns = {"quantity_g": "Quantity"}
    shown = tables.links(tables.masses(found, columns, unit), ["url"])
    st.dataframe(
        inert_table(shown),
        hide_index=True,
        column_config={
            "account": "Account",
            "retirement_id": "Retirement",
            "retired_at": st.column_config.DatetimeColumn("Retired (UTC)", format="YYYY-MM-DD"),
            "owner": "Retired by",
            "beneficiary": "Beneficiary",
            "url": st.column_config.LinkColumn("Registry page", display_text="Open"),
            **tables.mass_config(columns, unit),
        },
    )


def hosted_pages() -> None:
    """The public impact pages that the providers host for our accounts."""
    desk = runtime.desk()
    found = []
    for account in desk.accounts:
        # One provider that cannot be asked hides no other's page.
        with told():
            if link := web_link(desk.hosted_page(account.name)):
                found.append((account.name, link))
    if found:
        st.subheader("Public impact pages", anchor=False)
    with st.container(horizontal=True):
        for name, link in found:
            st.link_button(f"Page of {literal(name)}", link, icon=":material/open_in_new:")
