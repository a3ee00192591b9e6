"""Tables on their way to spreadsheets. Nothing in a cell can become a formula there.

A table on a page is such a table too: its own toolbar hands it over as a file.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import pandas as pd

#: A cell that begins with one of these is read as a formula by spreadsheet programs.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def inert(value: Any) -> Any:
    """The value; text that a spreadsheet would run gets an apostrophe in front."""
    if isinstance(value, str):
        return "'" + value if value.lstrip(" ").startswith(_FORMULA_STARTS) else value
    if isinstance(value, list | tuple):
        return [inert(part) for part in value]
    return value


def inert_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table with every text in it, headers included, made inert."""
    safe = table.copy()
    for column in safe.columns[safe.dtypes.map(_holds_text)]:
        safe[column] = safe[column].map(inert)
    return safe.rename(columns=inert)


def _holds_text(dtype: Any) -> bool:
    return bool(pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype))


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
    if isinstance(value, list | tuple):
        value = "; ".join(str(part) for part in value)
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return str(inert(value))
