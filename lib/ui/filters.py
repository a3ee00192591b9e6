"""The filters that pages share. Their values stand in the address, so that a view can be sent."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from . import runtime
from .format import provider


@dataclass(frozen=True, slots=True)
class Scope:
    """Which providers and accounts a page looks at; None means all of them."""

    providers: tuple[str, ...] | None
    accounts: tuple[str, ...] | None

    def equal(self) -> dict[str, tuple[str, ...]]:
        """The scope as filters of `desk.ledger` and `desk.impact`."""
        chosen = {"provider": self.providers, "account": self.accounts}
        return {column: values for column, values in chosen.items() if values is not None}

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a frame that are within the scope."""
        kept = frame
        for column, values in self.equal().items():
            kept = kept[kept[column].isin(values)]
        return kept


def headlines() -> Scope:
    """What totals count when nobody chose: trial tonnes are never added to live ones."""
    accounts = runtime.desk().accounts
    live = tuple(account.name for account in accounts if account.mode == "live")
    return Scope(None, live if live and len(live) < len(accounts) else None)


def scope() -> Scope:
    """Provider and account pickers, side by side; nothing chosen means all that count."""
    accounts = runtime.desk().accounts
    counted = headlines().accounts
    providers = list(dict.fromkeys(account.provider for account in accounts))
    left, right = st.columns(2)
    chosen = left.multiselect(
        "Providers",
        providers,
        format_func=provider,
        placeholder="All providers",
        key="provider",
        bind="query-params",
    )
    within = [a.name for a in accounts if not chosen or a.provider in chosen]
    names = right.multiselect(
        "Accounts",
        within,
        placeholder="All live accounts" if counted else "All accounts",
        key="account",
        bind="query-params",
    )
    return Scope(tuple(chosen) or None, tuple(names) or counted)
