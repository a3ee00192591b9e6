"""The desk's frames, made once for all visitors until the ledger changes.

Every cached function takes what identifies its data: which desk of the process, the version of
what it reads, and the filters. One desk's accounts are shown to all its visitors, so the cache is
shared by them; a failure raises and is never kept. Each caller gets a copy of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from . import runtime
from .filters import Scope

if TYPE_CHECKING:
    from ..services.reporting import Impact

_EVERYTHING = Scope(None, None)
_KEPT = 128


def ledger(scope: Scope = _EVERYTHING) -> pd.DataFrame:
    """`desk.ledger` within a scope."""
    return _of_rows("ledger", scope)


def orders() -> pd.DataFrame:
    """`desk.orders` of all accounts, both sides."""
    return _of_rows("orders", _EVERYTHING)


def delivered(scope: Scope = _EVERYTHING) -> pd.DataFrame:
    """`desk.delivered` within a scope, the bought side."""
    desk = runtime.desk()
    return _delivered(runtime.opening_number(), desk.rows_version(), scope)


def impact(scope: Scope, beneficiary: str | None = None) -> Impact:
    """`desk.impact` within a scope, for one beneficiary or for all together."""
    return _impact(runtime.opening_number(), runtime.desk().rows_version(), scope, beneficiary)


def reconciliation() -> pd.DataFrame:
    """`desk.reconciliation`, which also changes when a sync ends."""
    return _of_syncs("reconciliation")


def alarms() -> pd.DataFrame:
    """`desk.alarms`."""
    return _of_syncs("alarms")


def unmatched() -> pd.DataFrame:
    """`desk.unmatched`."""
    return _of_syncs("unmatched")


def _of_rows(name: str, scope: Scope) -> pd.DataFrame:
    return _frame(runtime.opening_number(), runtime.desk().rows_version(), name, scope)


def _of_syncs(name: str) -> pd.DataFrame:
    return _frame(runtime.opening_number(), runtime.desk().version(), name, _EVERYTHING)


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def _frame(opening: int, version: int, name: str, scope: Scope) -> pd.DataFrame:  # noqa: ARG001
    method: Any = getattr(runtime.desk(), name)
    frame: pd.DataFrame = method(**scope.equal())
    return frame


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def _delivered(opening: int, version: int, scope: Scope) -> pd.DataFrame:  # noqa: ARG001
    return runtime.desk().delivered(providers=scope.providers, accounts=scope.accounts)


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def _impact(
    opening: int,  # noqa: ARG001
    version: int,  # noqa: ARG001
    scope: Scope,
    beneficiary: str | None,
) -> Impact:
    return runtime.desk().impact(**scope.equal(), beneficiary=beneficiary)
