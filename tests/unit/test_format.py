"""Text, tables and downloads: exact, and safe wherever they are opened."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lib.ui import tables
from lib.ui.download import csv_bytes, inert_table
from lib.ui.format import ago, headline_mass, moment, money, rounding_note, total_g
from lib.ui.text import literal, web_link

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def read(data: bytes) -> list[list[str]]:
    """The file as a spreadsheet would split it."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_no_cell_becomes_a_formula(text: str) -> None:
    """Neither a value nor a header nor a serial in a list."""
    frame = pd.DataFrame({text: [text], "list": [[text, "b"]]})
    (header, row) = read(csv_bytes(frame))
    assert all(cell.startswith("'") for cell in (header[0], *row))


@given(st.lists(st.tuples(st.text(), st.integers(-(10**18), 10**18)), max_size=8))
def test_a_download_reads_back(rows: list[tuple[str, int]]) -> None:
    """Texts return (behind an apostrophe where they were dangerous), numbers exactly."""
    frame = pd.DataFrame(rows, columns=["text", "mass (g)"])
    data = csv_bytes(frame).decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(data, newline="")))[1:]
    assert [cell.removeprefix("'") for cell, _ in found] == [t.removeprefix("'") for t, _ in rows]
    assert [int(mass) for _, mass in found] == [mass for _, mass in rows]


def test_totals_are_the_last_row_and_empty_stays_empty() -> None:
    """Missing values are no text "None"."""
    frame = pd.DataFrame({"a": ["x", None], "n": [Decimal("1.5"), Decimal("2.25")]})
    assert read(csv_bytes(frame, {"a": "Total", "n": Decimal("3.75")})) == [
        ["a", "n"],
        ["x", "1.5"],
        ["", "2.25"],
        ["Total", "3.75"],
    ]


def test_masses_in_tables_are_exact_decimals_with_their_unit_in_the_header() -> None:
    """No binary float carries a mass, not even to a screen."""
    frame = pd.DataFrame({"held_g": [1, 2_000_000]})
    shown = tables.masses(frame, {"held_g": "Held"}, "t")
    assert list(shown.columns) == ["Held (t CO2e)"]
    assert list(shown["Held (t CO2e)"]) == [Decimal("0.000001"), Decimal(2)]
    assert list(frame["held_g"]) == [1, 2_000_000], "the caller's frame is left alone"


@given(st.text())
def test_literal_text_is_printed_letter_by_letter(text: str) -> None:
    """Rendered as markdown it has no markup, only the text itself."""
    rendered = MarkdownIt("commonmark", {"linkify": False}).renderInline(literal(text))
    assert "<" not in rendered.replace("&lt;", "")


@pytest.mark.parametrize(
    "text", ["http://evil.example", "www.evil.example", "a@evil.example", "$x$ :red[y] :smile:"]
)
def test_literal_text_holds_no_link_formula_or_directive(text: str) -> None:
    """What Streamlit's markdown would turn into something is broken up."""
    shown = literal(text)
    assert "://" not in shown.replace("\\", "")
    assert "www" not in shown
    assert "$x$" not in shown
    assert ":red[" not in shown


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://registry.example/p/1", True),
        ("http://127.0.0.1:8787/x", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://", False),
        ("http://[broken", False),
        (None, False),
        (float("nan"), False),
    ],
)
def test_only_web_addresses_become_links(url: object, is_link: bool) -> None:
    """Everything else is text."""
    assert web_link(url) == (url if is_link else None)


def test_rounded_rows_that_do_not_add_up_are_said_so() -> None:
    """Three times 0.4 kg is 1 kg of total and 0 kg of rows."""
    assert rounding_note([400, 400, 400], "t") is not None
    assert rounding_note([400, 400, 400], "kg") is None
    assert rounding_note([1_000, 2_000], "t") is None


def test_times_and_amounts_read_well() -> None:
    """One unit for an age, minutes for a moment, a dash for nothing."""
    assert ago(NOW - timedelta(seconds=59), NOW) == "just now"
    assert ago(NOW - timedelta(minutes=61), NOW) == "1 h ago"
    assert ago(NOW + timedelta(hours=1), NOW) == "just now"
    assert moment(NOW) == "2026-11-01 12:00 UTC"
    assert moment(pd.NaT) == moment(None) == money(None) == "–"
    assert headline_mass(1_234_567_891, "kg") == "1,234,568 kg"
    assert headline_mass(1_234, "kg") == "1.234 kg"
    assert total_g(pd.Series([1, 2], dtype="int64")) == 3


def test_a_table_on_a_page_is_inert_too() -> None:
    """Its toolbar hands it over as a file; numbers and times stay what they are."""
    frame = pd.DataFrame({"name": ["=1+1", None], "n": [-1, 2], "serials": [["+1", "b"], []]})
    safe = inert_table(frame)
    assert next(iter(safe["name"])) == "'=1+1"
    assert list(safe["n"]) == [-1, 2]
    assert list(safe["serials"]) == [["'+1", "b"], []]
    assert next(iter(frame["name"])) == "=1+1", "the caller's frame is left alone"
