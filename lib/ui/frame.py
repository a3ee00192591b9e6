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
        st.markdown(f":orange-background[:material/science: {SAMPLE_DATA}]")
        return
    trial = [account.name for account in desk.accounts if account.mode != "live"]
    if trial:
        names = literal(", ".join(trial))
        st.markdown(f":orange-background[:material/science: NOT LIVE: {names}]")


def heading(title: str, lede: str, *, follow: bool = True) -> MassUnit:
    """The page's title, what it answers, how fresh its figures are; returns the unit chosen.

    With `follow` the page is drawn again when the ledger changes: not where a person is in the
    middle of something that a fresh drawing would close.
    """
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
    every = (2 if is_filling() else 10) if follow else None
    st.fragment(_freshness, run_every=every)(_signs())
    return "kg" if unit == "kg" else "t"


def _signs() -> tuple[int, bool]:
    """What makes a page worth drawing again: other rows, or a history now read in full."""
    return runtime.desk().rows_version(), is_filling()


def _freshness(drawn: tuple[int, bool]) -> None:
    """How old the figures of each account are."""
    if _signs() != drawn:
        st.rerun()
    now = datetime.now(UTC)
    accounts = runtime.desk().freshness().to_dict("records")
    st.caption(f"As of {now:%H:%M} UTC: " + " · ".join(_age(row, now) for row in accounts))
    for row in accounts:
        if row["state"] == "failed":
            name = account_title(row["provider"], row["account"])
            st.warning(
                literal(f"{name}: {row['message']} Totals are incomplete until it can be read."),
                icon=":material/cloud_off:",
            )


def _age(row: dict[Hashable, Any], now: datetime) -> str:
    """One account's part of the freshness line."""
    name = literal(account_title(row["provider"], row["account"]))
    if pd.isna(row["complete_at"]):
        return f"{name} {_filling(row)}"
    age = ago(row["complete_at"], now)
    return f"{name} {age}" + (", last reading failed" if row["state"] == "failed" else "")


def _filling(row: dict[Hashable, Any]) -> str:
    if row["state"] == "failed":
        return "could not be read"
    expected = f" of {row['orders_expected']:,}" if pd.notna(row["orders_expected"]) else ""
    return f"history is filling: {row['orders_read']:,}{expected} orders"


def is_filling() -> bool:
    """Whether some account's history has not been read in full yet."""
    state = runtime.desk().freshness()
    known = set(state["account"])
    unread = state["complete_at"].isna() & (state["state"] != "failed")
    return bool(unread.any()) or any(a.name not in known for a in runtime.desk().accounts)


def is_dark() -> bool:
    """Whether the visitor looks at the dark theme."""
    return bool(st.context.theme.type == "dark")


def empty(what: str) -> None:
    """Say that there is nothing to show, and why that may be."""
    if (runtime.desk().freshness()["state"] == "failed").any():
        st.info(f"{what} Not every account could be read.", icon=":material/inbox:")
    elif is_filling():
        st.info(f"{what} The history is still being read.", icon=":material/hourglass_top:")
    else:
        st.info(what, icon=":material/inbox:")
