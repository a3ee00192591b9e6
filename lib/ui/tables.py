"""Frames of the desk as tables for people: readable columns, units in headers, exact values.

Masses become Decimal in the chosen unit: binary floats carry no mass, not even to a screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from .download import csv_bytes
from .format import UNIT_TITLES, MassUnit, in_unit
from .text import web_link


def masses(frame: pd.DataFrame, columns: Mapping[str, str], unit: MassUnit) -> pd.DataFrame:
    """The frame with gram columns replaced by exact amounts: `{"held_g": "held"}` names them."""
    shown = frame.copy()
    for column in columns:
        exact = [in_unit(mass, unit) for mass in shown[column]]
        shown[column] = pd.Series(exact, index=shown.index, dtype=object)
    return shown.rename(columns=titled(columns, unit))


def titled(columns: Mapping[str, str], unit: MassUnit) -> dict[str, str]:
    """Headers with their unit."""
    return {column: f"{title} ({UNIT_TITLES[unit]})" for column, title in columns.items()}


def mass_config(columns: Mapping[str, str], unit: MassUnit) -> dict[str, Any]:
    """How mass columns are printed: three decimals, thousands separated, right-aligned."""
    return {
        header: st.column_config.NumberColumn(header, format="%,.3f", alignment="right")
        for header in titled(columns, unit).values()
    }


def links(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The frame with everything that is not a web address removed from its link columns."""
    shown = frame.copy()
    for column in columns:
        shown[column] = shown[column].map(web_link)
    return shown


def download(
    label: str, frame: pd.DataFrame, file_name: str, totals: dict[str, Any] | None = None
) -> None:
    """A button that hands the frame over as CSV, made when pressed."""
    st.download_button(
        label,
        data=lambda: csv_bytes(frame, totals),
        file_name=file_name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download-{file_name}",
    )
