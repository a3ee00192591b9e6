"""Parts of the overview page."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import streamlit as st

from ..charts.deliveries import delivered_by_project_and_vintage
from ..domain.intents import IntentState
from ..domain.quantities import Money, total_by_currency
from . import routes, runtime
from .download import inert_table
from .format import UNIT_TITLES, MassUnit, headline_mass, mass_text, money, provider, total_g
from .frame import is_dark
from .text import literal

_MEASURES = {
    "retired_g": ("Retired", "Retired for the beneficiary named on each order."),
    "held_g": ("Held, not retired", "Delivered to an account of ours and still active."),
    "outstanding_g": ("Outstanding", "Ordered or allocated, not delivered yet."),
}
_PROJECTS_SHOWN = 5


def measures(orders: pd.DataFrame, unit: MassUnit) -> None:
    """The measures of all orders, and their value in each currency."""
    with st.grid("auto", min_column_width=180):
        for column, (title, meaning) in _MEASURES.items():
            mass = headline_mass(total_g(orders[column]), unit)
            st.metric(title, mass, border=True, help=meaning)
        for currency, total in total_by_currency(_prices(orders)).items():
            amount = money(total).removesuffix(f" {currency}")
            st.metric(f"Order value, {literal(currency)}", amount, border=True)
    st.caption(
        f"{len(orders):,} orders; masses are {UNIT_TITLES[unit]}; values in unlike currencies are "
        "never added."
    )


def _prices(orders: pd.DataFrame) -> Iterator[Money]:
    kept = orders[orders["cancelled_g"] < orders["quantity_g"]]
    for price, currency in zip(kept["price"], kept["currency"], strict=True):
        if pd.notna(price):
            yield Money(price, currency)


def attention(alarms: pd.DataFrame, checks: pd.DataFrame, unmatched: pd.DataFrame) -> None:
    """What a person should look at, worst first; silence is said too."""
    st.subheader("Needs attention", anchor=False)
    sentences = list(_sentences(alarms, checks, unmatched))
    for icon, sentence in sentences:
        st.markdown(f"{icon} {literal(sentence)}")
    if not sentences:
        st.markdown(":material/check_circle: Nothing at the moment.")
    st.caption(
        "We see this desk's accounts only: the absence of a double-counting alarm proves no "
        "exclusivity."
    )


def _sentences(
    alarms: pd.DataFrame, checks: pd.DataFrame, unmatched: pd.DataFrame
) -> Iterator[tuple[str, str]]:
    for intent in runtime.desk().unsettled():
        if intent.state in {IntentState.IN_DOUBT, IntentState.NEEDS_A_PERSON}:
            yield (
                ":red[:material/person_alert:]",
                f"{intent.title}: {intent.state}. {intent.message}",
            )
    for line in alarms[alarms["severity"] == "alarm"].to_dict("records"):
        yield ":red[:material/error:]", f"{line['subject']}: {line['message']}"
    for line in checks[checks["status"] == "differs"].to_dict("records"):
        difference = mass_text(line["difference_g"], "kg")
        name = provider(line["provider"])
        yield (
            ":red[:material/balance:]",
            f"{name} ({line['account']}) states another {line['measure']}: {difference} apart.",
        )
    if not unmatched.empty:
        count = "1 retirement" if len(unmatched) == 1 else f"{len(unmatched)} retirements"
        yield ":orange[:material/link_off:]", f"{count} on our behalf without an order of ours."


def picture(delivered: pd.DataFrame, unit: MassUnit) -> None:
    """The largest projects; the whole picture is a page of its own."""
    st.subheader("Delivered per project and vintage", anchor=False)
    figure = delivered_by_project_and_vintage(
        delivered, unit=unit, dark=is_dark(), top=_PROJECTS_SHOWN
    )
    st.plotly_chart(
        figure,
        key="overview-delivered",
        config={"displayModeBar": False},
        alt="Bars of tonnes delivered for the largest projects, stacked by vintage.",
    )
    st.page_link(routes.page("deliveries"), label="All deliveries", icon=":material/arrow_forward:")


def accounts(state: pd.DataFrame) -> None:
    """How far each account has been read."""
    st.subheader("Accounts", anchor=False)
    shown = state.assign(provider=state["provider"].map(provider))
    st.dataframe(
        inert_table(shown),
        hide_index=True,
        column_order=[
            "provider", "account", "state", "orders_read", "orders_expected", "complete_at",
            "message",
        ],
        column_config={
            "provider": "Provider",
            "account": "Account",
            "state": "Reading",
            "orders_read": "Orders read",
            "orders_expected": "Orders expected",
            "complete_at": st.column_config.DatetimeColumn("Read in full (UTC)", format="HH:mm:ss"),
            "message": st.column_config.TextColumn("Message", width="large"),
        },
    )  # fmt: skip
