"""Parts of the connections page: accounts without their credentials, syncing, the sandbox clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import pandas as pd
import streamlit as st

from ..domain.errors import DeskError
from ..providers.base import Account
from . import runtime
from .format import moment, provider
from .frame import tell
from .text import literal

_STATES: dict[str, tuple[str, Literal["green", "blue", "red", "gray"], str]] = {
    "complete": ("Up to date", "green", ":material/check_circle:"),
    "running": ("Reading", "blue", ":material/sync:"),
    "failed": ("Last reading failed", "red", ":material/error:"),
    "never": ("Not read yet", "gray", ":material/hourglass_empty:"),
}

#: How far the sandbox's clock can be moved at once.
_STEPS = {"1 minute": 60, "1 hour": 3_600, "1 day": 86_400, "30 days": 2_592_000}
_CLOCK = "sandbox_clock"


def card(account: Account, freshness: pd.DataFrame) -> None:
    """One account: what it is, how far it has been read, and a test of its credentials."""
    found = freshness[freshness["account"] == account.name]
    state = None if found.empty else found.iloc[0]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{provider(account.provider)}** {literal(account.name)}")
            st.badge(f"{account.mode} mode", color="orange" if account.mode == "live" else "gray")
            if state is not None:
                word, colour, icon = _STATES[str(state["state"])]
                st.badge(word, color=colour, icon=icon)
        st.text(account.base_url)
        if state is not None:
            _reading(state)
        if st.button(
            "Test connection", key=f"test-{account.name}", icon=":material/wifi_tethering:"
        ):
            _test(account.name)


def _reading(state: pd.Series[Any]) -> None:
    expected = f" of {state['orders_expected']:,}" if pd.notna(state["orders_expected"]) else ""
    complete = moment(state["complete_at"])
    st.caption(f"{state['orders_read']:,}{expected} orders read, last read in full {complete}")
    if state["message"]:
        st.text(state["message"])


def _test(account: str) -> None:
    try:
        with st.spinner("Asking the provider…"):
            who = runtime.desk().probe(account)
    except DeskError as error:
        tell(error)
    else:
        st.success(f"It works. The credentials act as {literal(who)}.", icon=":material/check:")


def sync_all() -> None:
    """Read every account again, in the background."""
    if st.button("Read all accounts now", icon=":material/sync:"):
        runtime.desk().sync_soon()
        st.toast("Reading all accounts in the background.", icon=":material/sync:")


def sandbox_clock(url: str) -> None:
    """Let time pass in the embedded sandbox, so that orders are carried out while you watch."""
    st.subheader("Sandbox clock", anchor=False)
    st.caption(
        "Orders in the sandbox are carried out as its clock advances. It runs with real time; "
        "here you can let more of it pass."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        step = st.segmented_control(
            "Let time pass", list(_STEPS), default="1 hour", required=True, key="clock_step"
        )
        st.button(
            "Advance", icon=":material/fast_forward:", on_click=_advance, args=(step or "1 hour",)
        )
    outcome = st.session_state.pop(_CLOCK, None)
    if isinstance(outcome, DeskError):
        tell(outcome)
    elif outcome:
        st.success(f"The sandbox's clock now says {literal(outcome)}.", icon=":material/schedule:")
    st.caption(f"Embedded sandbox at {literal(url)}")


def _advance(step: str) -> None:
    try:
        now = datetime.fromisoformat(runtime.desk().advance_sandbox(_STEPS[step]))
        st.session_state[_CLOCK] = moment(now)
    except DeskError as error:
        st.session_state[_CLOCK] = error
