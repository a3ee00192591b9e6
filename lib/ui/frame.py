"""What frames every page: heading, sample-data badge, freshness, errors told in a sentence."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from ..domain.errors import DeskError
from . import runtime
from .format import MassUnit, account_title, ago
from .text import literal

SAMPLE_DATA = "SAMPLE DATA: embedded sandbox, invented prices, projects and serial numbers"

_log = logging.getLogger(__name__)


def desk_is_open() -> bool:
    """Whether pages can be drawn; otherwise draws what a visitor sees meanwhile."""
    runtime.start_if_closed()
    if runtime.status() == "opening":
        _opening()
        return False
    with told():
        runtime.desk()
        return True
    st.button("Try again", icon=":material/refresh:", on_click=runtime.start)
    return False


@st.fragment(run_every=0.5)
def _opening() -> None:
    """A skeleton that gives way to the page as soon as the desk is open."""
    if runtime.status() != "opening":
        st.rerun()
    st.caption("Opening the desk…")
    st.skeleton(height=320)


@contextmanager
def told() -> Iterator[None]:
    """Tell a person what went wrong in a sentence; what they typed stays in its widgets."""
    try:
        yield
    except DeskError as error:
        tell(error)
    except Exception:  # noqa: BLE001 (the last resort of every page)
        _log.exception("a page failed")
        st.error(
            "This page could not be drawn: reload it, and see the server's log if it stays so.",
            icon=":material/error:",
        )


def tell(error: DeskError) -> None:
    """One error as a sentence; its text may quote a provider and is printed literally."""
    st.error(literal(error), icon=":material/error:")


def sample_data_badge() -> None:
    """Say on every page that nothing here is real, or which accounts are not live."""
    desk = runtime.desk()
    if desk.embedded_sandbox_url:
        st.badge(SAMPLE_DATA, icon=":material/science:", color="orange")
        return
    trial = [account.name for account in desk.accounts if account.mode != "live"]
    if trial:
        names = literal(", ".join(trial))
        st.badge(f"NOT LIVE: {names}", icon=":material/science:", color="orange")


def heading(title: str, lede: str) -> MassUnit:
    """The page's title, what it answers, how fresh its figures are; returns the unit chosen."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    ):
        st.title(title, anchor=False, width="content")
        unit = st.segmented_control(
            "Unit",
            ["t", "kg"],
            default="t",
            required=True,
            key="unit",
            bind="query-params",
            label_visibility="collapsed",
        )
    st.markdown(lede)
    _freshness()
    return "kg" if unit == "kg" else "t"


def is_dark() -> bool:
    """Whether the visitor looks at the dark theme."""
    return bool(st.context.theme.type == "dark")


def _freshness() -> None:
    """How old the figures are, per provider; the page follows when the ledger changes."""
    desk = runtime.desk()
    filling = _is_filling(desk.freshness())
    st.fragment(_freshness_line, run_every=2 if filling else 10)(desk.version())


def _freshness_line(drawn_version: int) -> None:
    desk = runtime.desk()
    if desk.version() != drawn_version:
        st.rerun()
    now = datetime.now(UTC)
    parts = [_age(row, now) for row in desk.freshness().to_dict("records")]
    st.caption(f"As of {now:%H:%M} UTC: " + " · ".join(parts))


def _age(row: dict[Hashable, Any], now: datetime) -> str:
    """One account's part of the freshness line."""
    name = literal(account_title(row["provider"], row["account"]))
    state = row["state"]
    if state == "running":
        read, expected = _count(row["orders_read"]), _count(row["orders_expected"])
        of = f" of {expected:,}" if expected else ""
        return f"{name} history is filling, {read:,}{of} orders"
    if state == "never":
        return f"{name} not read yet"
    finished = row["finished_at"]
    age = ago(finished, now) if pd.notna(finished) else "at an unknown time"
    return f"{name} {age}" if state == "complete" else f"{name} last reading failed, {age}"


def _count(value: Any) -> int:
    return int(value) if pd.notna(value) else 0


def _is_filling(state: pd.DataFrame) -> bool:
    return bool(state["state"].isin(["running", "never"]).any())


def is_filling() -> bool:
    """Whether some account's history has not been read in full yet."""
    return _is_filling(runtime.desk().freshness())


def empty(what: str) -> None:
    """Say that there is nothing to show, and why that may be."""
    if is_filling():
        st.info(f"{what} The history is still being read.", icon=":material/hourglass_top:")
    else:
        st.info(what, icon=":material/inbox:")
