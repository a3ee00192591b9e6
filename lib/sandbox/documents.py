"""Small web pages and PDFs to which the APIs' links point; all marked as sample data.

Imported by `pages` and by the provider packages. Texts come from orders and are untrusted: they
are escaped in pages, and the PDF's fonts show what they can.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

SAMPLE = "SAMPLE DATA: invented prices, projects and serial numbers"

Rows = Iterable[tuple[str, str]]


def sample_page(title: str, rows: Rows, *, actions: str = "") -> str:
    """A page with a table of facts; `actions` is HTML of ours, never text of an order."""
    cells = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;"
        "padding:0 1rem}th{text-align:left;padding-right:2rem;vertical-align:top}"
        ".sample{background:#fff3c4;padding:.4rem .8rem}</style>"
        f'<p class="sample">{SAMPLE}</p><h1>{html.escape(title)}</h1>'
        f"<table>{cells}</table>{actions}</html>"
    )


def sample_pdf(title: str, rows: Rows) -> bytes:
    """A one-column PDF of the same facts; the same facts give the same bytes."""
    from fpdf import FPDF  # noqa: PLC0415 (a quarter of the start-up, for certificates alone)

    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime(2020, 1, 1, tzinfo=UTC))
    pdf.set_title(_latin(title))
    pdf.add_page()
    pdf.set_fill_color(255, 243, 196)
    _line(pdf, SAMPLE, size=11, fill=True)
    _line(pdf, title, size=20)
    for name, value in rows:
        _line(pdf, f"{name}: {value}", size=11)
    return bytes(pdf.output())


def _line(pdf: FPDF, text: str, *, size: int, fill: bool = False) -> None:
    pdf.set_font("Helvetica", size=size)
    pdf.multi_cell(0, size * 0.6, _latin(text), fill=fill, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(2)


def _latin(text: str) -> str:
    """What the PDF's built-in fonts can show; the rest becomes a question mark."""
    return text.encode("latin-1", errors="replace").decode("latin-1")
