"""Parts of the orders page: the table with its filters, and what one order is made of."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from ..domain.errors import DeskError
from ..domain.ledger import Movement, Stage
from . import runtime, tables
from .download import inert_table
from .format import MassUnit, mass_text, moment, provider, vintage_source
from .frame import tell, told
from .text import literal, web_link

_MASSES = {
    "quantity_g": "Ordered",
    "outstanding_g": "Outstanding",
    "held_g": "Held, not retired",
    "retired_g": "Retired",
}
_NOTICE = "orders_notice"


def filtered(orders: pd.DataFrame) -> pd.DataFrame:
    """The orders that match the pickers and the search text, newest first."""
    left, middle, right = st.columns([1, 1, 2])
    providers = left.multiselect(
        "Providers",
        sorted(orders["provider"].unique()),
        format_func=provider,
        placeholder="All providers",
        key="provider",
        bind="query-params",
    )
    states = middle.multiselect(
        "States",
        sorted(orders["state"].unique()),
        placeholder="All states",
        key="state",
        bind="query-params",
    )
    text = right.text_input(
        "Search", key="search", bind="query-params", icon=":material/search:",
        placeholder="Order, reference, description, account",
    )  # fmt: skip
    if providers:
        orders = orders[orders["provider"].isin(providers)]
    if states:
        orders = orders[orders["state"].isin(states)]
    if text.strip():
        orders = orders[_mentions(orders, text.strip())]
    return orders.sort_values("ordered_at", ascending=False, ignore_index=True)


def _mentions(orders: pd.DataFrame, text: str) -> pd.Series[bool]:
    wanted = text.casefold()
    columns = ["order_id", "reference", "description", "account", "subaccount"]
    return (
        orders[columns]
        .fillna("")
        .astype(str)
        .apply(lambda row: any(wanted in cell.casefold() for cell in row), axis=1)
    )


def table(orders: pd.DataFrame, unit: MassUnit) -> pd.Series[Any] | None:
    """The orders; returns the row a person picked."""
    shown = tables.masses(orders, _MASSES, unit)
    shown["provider"] = shown["provider"].map(provider)
    event = st.dataframe(
        inert_table(shown),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="orders",
        column_order=[
            "ordered_at", "provider", "account", "side", "state",
            *tables.titled(_MASSES, unit).values(), "price", "currency", "description",
            "order_id", "reference", "subaccount",
        ],
        column_config={**_COLUMNS, **tables.mass_config(_MASSES, unit)},
    )  # fmt: skip
    st.caption(f"{len(orders):,} orders. Pick a row to see what it is made of.")
    sums = {title: shown[title].sum() for title in tables.titled(_MASSES, unit).values()}
    tables.download("Download as CSV", shown, "orders.csv", {"provider": "Total", **sums})
    rows = event["selection"]["rows"]
    return orders.iloc[rows[0]] if rows and rows[0] < len(orders) else None


_COLUMNS: dict[str, Any] = {
    "ordered_at": st.column_config.DatetimeColumn("Date (UTC)", format="YYYY-MM-DD HH:mm"),
    "provider": "Provider",
    "account": "Account",
    "side": "Side",
    "state": "State",
    "price": st.column_config.NumberColumn("Price", format="%,.2f"),
    "currency": "Currency",
    "description": st.column_config.TextColumn("Description", width="medium"),
    "order_id": "Order",
    "reference": "Reference",
    "subaccount": "Recipient",
}


def detail(order: pd.Series[Any], unit: MassUnit) -> None:
    """One order: where its tonnes are, when that was seen, and what can be done with it."""
    st.subheader(literal(f"{provider(order['provider'])} order {order['order_id']}"), anchor=False)
    _notice()
    if pd.notna(order["description"]):
        st.text(order["description"])
    _timeline(order, unit)
    rows = runtime.desk().ledger(account=order["account"], order_id=order["order_id"])
    rows["vintage_source"] = rows["vintage_source"].map(vintage_source)
    columns = {"quantity_g": "Quantity"}
    shown = tables.links(tables.masses(rows, columns, unit), ["registry_url"])
    st.dataframe(
        inert_table(shown),
        hide_index=True,
        column_order=[
            *tables.titled(columns, unit).values(), "stage", "project_name", "vintage_label",
            "vintage_source", "serials", "registry", "registry_url", "beneficiary",
        ],
        column_config={**_LINE_COLUMNS, **tables.mass_config(columns, unit)},
        key="order-lines",
    )  # fmt: skip
    _actions(order)


_LINE_COLUMNS: dict[str, Any] = {
    "stage": "Stage",
    "project_name": st.column_config.TextColumn("Project", width="medium"),
    "vintage_label": "Vintage",
    "vintage_source": "Vintage from",
    "serials": st.column_config.ListColumn("Serial numbers", width="large"),
    "registry": "Registry",
    "registry_url": st.column_config.LinkColumn("Registry page", display_text="Open"),
    "beneficiary": "Beneficiary",
}


def _timeline(order: pd.Series[Any], unit: MassUnit) -> None:
    """What moved to which stage, and between which moments, oldest first."""
    moves = runtime.desk().movements(order["account"], order["order_id"], order["side"])
    arrived: dict[tuple[str, str], int] = {}
    for move in moves:
        if move.quantity_g > 0 and move.stage != Stage.ORDERED:
            step = (str(move.stage).replace("_", " "), _when(move))
            arrived[step] = arrived.get(step, 0) + move.quantity_g
    with st.container(border=True, gap="xsmall"):
        st.caption(f"Ordered {moment(order['ordered_at'])}, now “{literal(order['state'])}”")
        for (stage, when), mass_g in arrived.items():
            st.text(f"{mass_text(mass_g, unit)} {stage} {when}")


def _when(move: Movement) -> str:
    """Between which moments, as far as they say more than when it was seen."""
    seen = moment(move.moved_at)
    if move.not_before is None or moment(move.not_before) >= seen:
        return f"by {seen}"
    return f"between {moment(move.not_before)} and {seen}"


def _actions(order: pd.Series[Any]) -> None:
    desk = runtime.desk()
    account, order_id = str(order["account"]), str(order["order_id"])
    with st.container(horizontal=True):
        if order["provider"] != "isometric" and order["retired_g"] > 0:
            _certificate(account, order_id)
        if link := web_link(order["certificate_url"]):
            st.link_button("Certificate page", link, icon=":material/open_in_new:")
    if order["provider"] == "cnaught" and order["cancelled_g"] == 0 and not desk.settings.read_only:
        _cancelling(account, order_id, retired=bool(order["retired_g"] > 0))


def _certificate(account: str, order_id: str) -> None:
    """Fetched first, so that a provider's refusal is told, then handed over."""
    icon = ":material/workspace_premium:"
    if not st.button("Get certificate", icon=icon, key=f"certificate-{order_id}"):
        return
    with told():
        st.download_button(
            "Certificate (PDF)",
            data=runtime.desk().certificate(account, order_id),
            file_name=f"certificate-{order_id}.pdf",
            mime="application/pdf",
            icon=":material/download:",
            on_click="ignore",
        )


def _cancelling(account: str, order_id: str, *, retired: bool) -> None:
    """Cancelling, with its consequences told before the button."""
    with st.expander("Cancel this order", icon=":material/cancel:"):
        if retired:
            st.write(
                "Its credits are retired already. Cancelling withdraws our claim and the price is "
                "credited; the registry's retirement stays, and so do the serial numbers here."
            )
        else:
            st.write("Nothing is retired yet. The provider will not carry the order out.")
        sure = st.checkbox("I understand, cancel it", key=f"sure-{order_id}")
        st.button(
            "Cancel order",
            disabled=not sure,
            key=f"cancel-{order_id}",
            on_click=_cancel,
            args=(account, order_id),
        )


def _cancel(account: str, order_id: str) -> None:
    """Queue the cancellation; a second click meets the same intent and is told so."""
    if not st.session_state.get(f"sure-{order_id}"):
        return
    try:
        intent = runtime.desk().cancel(account, order_id, confirm=True)
    except DeskError as error:
        st.session_state[_NOTICE] = error
    else:
        st.query_params["intent"] = intent.intent_id


def _notice() -> None:
    problem = st.session_state.pop(_NOTICE, None)
    if problem is not None:
        tell(problem)
