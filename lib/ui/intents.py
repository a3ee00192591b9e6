"""What became of what a person confirmed: intents in plain words, followed while they are open."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from ..domain.intents import Intent, IntentState
from . import data, routes, runtime
from .download import inert_table
from .format import MassUnit, mass_text, moment, money, provider
from .frame import told
from .text import literal

Colour = Literal["green", "blue", "orange", "red", "gray"]

#: Each state in plain words, with what happens next.
_WORDS: dict[IntentState, tuple[str, Colour, str, str]] = {
    IntentState.DRAFT: ("Draft", "gray", ":material/edit_note:", "Not confirmed, nothing is sent."),
    IntentState.QUEUED: (
        "Queued", "blue", ":material/schedule:",
        "Written down safely; it is sent within seconds, or expires unsent after ten minutes.",
    ),
    IntentState.SENDING: (
        "Sending", "blue", ":material/send:", "On its way; closing this page changes nothing.",
    ),
    IntentState.CONFIRMED: (
        "Confirmed", "green", ":material/check_circle:", "The provider has it.",
    ),
    IntentState.REJECTED: ("Rejected", "red", ":material/block:", "Nothing was done."),
    IntentState.IN_DOUBT: (
        "In doubt", "orange", ":material/help:",
        "Sent, but no readable answer came. It is being looked up and never sent twice.",
    ),
    IntentState.NOT_PLACED: (
        "Not placed", "gray", ":material/cancel:", "It did not reach the provider.",
    ),
    IntentState.NEEDS_A_PERSON: (
        "Needs a person", "red", ":material/person_alert:",
        "Check it at the provider before anybody orders again.",
    ),
    IntentState.EXPIRED: (
        "Expired", "gray", ":material/timer_off:", "It was not sent in time. Nothing was done.",
    ),
}  # fmt: skip

_STILL_MOVING = {IntentState.QUEUED, IntentState.SENDING, IntentState.IN_DOUBT}


def follow(intent_id: str, unit: MassUnit) -> None:
    """One intent, asked again every second while it moves."""
    intent = runtime.desk().intent(intent_id)
    moving = intent.state in _STILL_MOVING
    st.fragment(_panel, run_every=1 if moving else None)(intent_id, unit, intent.state)


def _panel(intent_id: str, unit: MassUnit, drawn: IntentState) -> None:
    desk = runtime.desk()
    intent = desk.intent(intent_id)
    if intent.state != drawn:
        st.rerun()
    with st.container(border=True):
        _state(intent)
        st.text(intent.title)
        if intent.message:
            st.text(intent.message)
        _facts(intent, unit)
        if intent.kind == "order" and intent.receipt is not None:
            _carried_out(intent.account, intent.receipt.effect_id, unit)
        if intent.state == IntentState.NEEDS_A_PERSON:
            _settling(intent_id)
        if intent.state in _STILL_MOVING and not desk.worker_alive():
            st.warning(
                "No worker is running to send it: start one with “python -m lib worker”. "
                "Unsent orders expire by themselves.",
                icon=":material/warning:",
            )


def _settling(intent_id: str) -> None:
    """Let a person record what they found out; it ends the intent and stands in the audit."""
    happened = st.segmented_control(
        "What does the provider say?", [_HAPPENED, _DID_NOT], key=f"happened-{intent_id}"
    )
    effect_id = ""
    if happened == _HAPPENED:
        effect_id = st.text_input("The provider’s id of it", key=f"effect-{intent_id}").strip()
    evidence = st.text_input(
        "How do you know?",
        placeholder="Who confirmed it, where it can be seen",
        key=f"evidence-{intent_id}",
    )
    known = happened == _DID_NOT or (happened == _HAPPENED and bool(effect_id))
    if st.button("Record it", disabled=not (known and evidence.strip()), key=f"settle-{intent_id}"):
        with told():
            runtime.desk().settle(intent_id, effect_id=effect_id or None, evidence=evidence)
            st.rerun()


_HAPPENED, _DID_NOT = "It happened", "It did not happen"


def _state(intent: Intent) -> None:
    word, colour, icon, meaning = _WORDS[intent.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(word, icon=icon, color=colour)
        st.caption(meaning)


def _facts(intent: Intent, unit: MassUnit) -> None:
    facts = [
        f"{provider(intent.provider)}, account {intent.account}",
        f"mass {mass_text(intent.quantity_g, unit)}" if intent.quantity_g is not None else "",
        f"limit {money(intent.ceiling)}" if intent.ceiling else "",
        f"order {intent.receipt.effect_id}" if intent.receipt else "",
        f"reference {intent.request.reference}",
        f"idempotency key {intent.request.key}" if intent.request.key else "",
        f"drafted {moment(intent.created_at)}",
    ]
    st.caption(literal(" · ".join(fact for fact in facts if fact)))


def _carried_out(account: str, order_id: str, unit: MassUnit) -> None:
    """Where the order's tonnes are now, as the ledger last saw them."""
    orders = data.orders()
    found = orders[(orders["account"] == account) & (orders["order_id"] == order_id)]
    if found.empty:
        st.caption("The ledger has not read this order yet; it follows within seconds.")
        return
    order = found.iloc[0]
    where = ", ".join(
        f"{mass_text(order[column], unit)} {word}"
        for column, word in _WHERE.items()
        if order[column] > 0
    )
    st.markdown(f"The provider’s state is **{literal(order['state'])}**: {where}.")
    if order["outstanding_g"] > 0 and runtime.desk().embedded_sandbox_url:
        st.page_link(
            routes.page("connections"),
            label="Let time pass in the sandbox to see it carried out",
            icon=":material/fast_forward:",
        )


_WHERE = {
    "outstanding_g": "outstanding",
    "held_g": "held, not retired",
    "retired_g": "retired on the recipient’s behalf",
    "cancelled_g": "in a cancelled order",
}


def history(limit: int = 50) -> None:
    """The newest intents as a table."""
    st.subheader("Confirmed on this desk", anchor=False)
    found = runtime.desk().intents(limit)
    if not found:
        st.caption("Nothing was confirmed on this desk yet.")
        return
    lines = [
        {
            "State": _WORDS[intent.state][0],
            "What": intent.title,
            "Provider": provider(intent.provider),
            "Account": intent.account,
            "Limit": money(intent.ceiling),
            "Created (UTC)": intent.created_at,
            "Message": intent.message,
            "Who": intent.who,
        }
        for intent in found
    ]
    st.dataframe(
        inert_table(pd.DataFrame(lines)),
        hide_index=True,
        column_config={
            "Created (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "What": st.column_config.TextColumn(width="large"),
        },
        key="intents",
    )
