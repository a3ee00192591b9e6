"""The reconciliation strip: our totals against what each provider says independently."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import streamlit as st

from . import tables
from .download import inert_table
from .filters import Scope
from .format import MassUnit, account_title, provider
from .text import literal

_BADGES: dict[str, tuple[Literal["green", "red", "gray", "orange"], str]] = {
    "agrees": ("green", ":material/check_circle:"),
    "differs": ("red", ":material/error:"),
    "not independently verifiable": ("gray", ":material/help:"),
    "incomplete": ("orange", ":material/hourglass_top:"),
}
#: The worst status of an account is the one it shows.
_WORST_FIRST = ("differs", "incomplete", "agrees", "not independently verifiable")
_MASSES = {
    "provider_says_g": "Provider says",
    "ledger_says_g": "Ledger says",
    "difference_g": "Difference",
}


def strip(checks: pd.DataFrame, scope: Scope) -> None:
    """One badge per account: green only for an independent check that agrees."""
    with st.container(horizontal=True):
        for (name, account), group in _within(checks, scope).groupby(["provider", "account"]):
            status = next(s for s in _WORST_FIRST if (group["status"] == s).any())
            colour, icon = _BADGES[status]
            text = literal(f"{account_title(str(name), str(account))}: {status}")
            st.badge(text, icon=icon, color=colour)


def table(checks: pd.DataFrame, scope: Scope, unit: MassUnit) -> None:
    """Every check with both figures and the difference, to the gram."""
    within = _within(checks, scope)
    with st.expander(f"Reconciliation, {len(within)} checks", icon=":material/balance:"):
        shown = tables.masses(within, _MASSES, unit)
        shown["provider"] = shown["provider"].map(provider)
        config: dict[str, Any] = {
            "provider": "Provider",
            "account": "Account",
            "measure": "Measure",
            "subject": "Subject",
            "status": "Status",
            "source": "Source",
            "as_of": st.column_config.DatetimeColumn("As of (UTC)", format="YYYY-MM-DD HH:mm"),
            **tables.mass_config(_MASSES, unit),
        }
        st.dataframe(inert_table(shown), hide_index=True, column_config=config, key="checks")
        st.caption(
            "Lune publishes no independent total of retired tonnes: its own order quantity is an "
            "internal check and stays grey. We see this desk's accounts only; the absence of a "
            "double-counting alarm proves no exclusivity."
        )


def _within(checks: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    if scope.providers is not None:
        checks = checks[checks["provider"].isin(scope.providers)]
    if scope.accounts is not None:
        checks = checks[checks["account"].isin(scope.accounts)]
    return checks
