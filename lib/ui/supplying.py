"""Delivering against an order as an Isometric supplier. Part of the orders page."""

from __future__ import annotations

import streamlit as st

from ..domain.errors import BadInput, DeskError
from ..domain.quantities import decimal_from, grams
from ..providers.base import DeliverableBatch, OpenOrder
from . import runtime
from .format import MassUnit, mass_text
from .frame import told
from .text import literal

_PROBLEM = "delivery_problem"


def section(unit: MassUnit) -> None:
    """The delivery form, opened by a switch, where the desk has a registry account."""
    desk = runtime.desk()
    accounts = [a.name for a in desk.accounts if a.provider == "isometric"]
    if not accounts or desk.settings.read_only:
        return
    st.subheader("Deliver as a supplier", anchor=False)
    if st.toggle("Show the delivery form", key="deliver_form"):
        _form(accounts, unit)


def _form(accounts: list[str], unit: MassUnit) -> None:
    """Choose an open order and batches, then queue the delivery."""
    account = st.selectbox("Account", accounts, key="supplier")
    with told():
        orders = runtime.desk().open_orders(account)
        batches = runtime.desk().deliverable_batches(account)
        if not orders or not batches:
            st.info(
                "This account has no order to deliver against, or no batch to deliver.",
                icon=":material/inbox:",
            )
            return
        order = st.selectbox(
            "Order", orders, format_func=lambda order: _order_title(order, unit), key="open_order"
        )
        chosen = st.multiselect(
            "Batches", batches, format_func=lambda batch: _batch_title(batch, unit), key="batches"
        )
        _confirm(account, order, _amounts(chosen), unit)


def _order_title(order: OpenOrder, unit: MassUnit) -> str:
    left = mass_text(order.ordered_g - order.delivered_g, unit)
    return f"{order.buyer}, {order.contract_date:%Y-%m-%d}: {left} still to deliver"


def _batch_title(batch: DeliverableBatch, unit: MassUnit) -> str:
    return f"{batch.project_name}, vintage {batch.vintage}: {mass_text(batch.quantity_g, unit)}"


def _amounts(chosen: list[DeliverableBatch]) -> list[tuple[str, int]]:
    """How much of each batch, in whole kilograms; raises BadInput for more than it holds."""
    amounts = []
    for batch in chosen:
        text = st.text_input(
            literal(f"Kilograms of {batch.project_name}, vintage {batch.vintage}"),
            f"{batch.quantity_g // 1000}",
            key=f"kg-{batch.batch_id}",
        )
        mass_g = grams(decimal_from(text, what="mass"), "kg")
        if not 0 < mass_g <= batch.quantity_g:
            raise BadInput(f"This batch holds {mass_text(batch.quantity_g, 'kg')}: take less.")
        amounts.append((batch.batch_id, mass_g))
    return amounts


def _confirm(
    account: str, order: OpenOrder, amounts: list[tuple[str, int]], unit: MassUnit
) -> None:
    total = sum(mass_g for _, mass_g in amounts)
    st.caption(f"Delivers {mass_text(total, unit)} CO2e. A delivery cannot be taken back.")
    problem = st.session_state.pop(_PROBLEM, None)
    if problem is not None:
        raise problem
    st.button(
        "Deliver",
        type="primary",
        disabled=not amounts,
        key="deliver",
        on_click=_deliver,
        args=(account, order.order_id, tuple(amounts)),
    )


def _deliver(account: str, order_id: str, amounts: tuple[tuple[str, int], ...]) -> None:
    """Queue the delivery; a second click is refused while the first one is under way."""
    try:
        intent = runtime.desk().deliver(account, order_id, amounts, confirm=True)
    except DeskError as error:
        st.session_state[_PROBLEM] = error
    else:
        st.query_params["intent"] = intent.intent_id
