"""Tables as files for spreadsheets. Nothing in a cell can become a formula there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import pandas as pd

#: A cell that begins with one of these is read as a formula by spreadsheet programs.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_bytes(table: pd.DataFrame, totals: dict[str, Any] | None = None) -> bytes:
    """The table as UTF-8 CSV with a byte-order mark, so that spreadsheets read accents.

    `totals` adds a last row. Text that would be a formula gets an apostrophe in front, numbers
    (negative ones too) stay numbers, and missing values stay empty.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    columns = [str(column) for column in table.columns]
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in table.itertuples(index=False))
    if totals is not None:
        writer.writerow([_cell(totals.get(column)) for column in columns])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        value = "; ".join(str(part) for part in _parts(value))
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    text = str(value)
    if isinstance(value, str) and text.lstrip(" ").startswith(_FORMULA_STARTS):
        return "'" + text
    return text


def _parts(value: Iterable[Any]) -> Iterable[Any]:
    return (part for part in value if part is not None)
