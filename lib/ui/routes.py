"""The pages and their addresses, in the order of the navigation. The router and links use it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_PAGES = Path(__file__).resolve().parents[2] / "pages"

#: Page name (its address, and its file in pages/) -> title and icon; the first one is `/`.
_ROUTES: dict[str, tuple[str, str]] = {
    "overview": ("Overview", ":material/home:"),
    "quotes": ("Quotes", ":material/request_quote:"),
    "orders": ("Orders", ":material/receipt_long:"),
    "deliveries": ("Deliveries", ":material/inventory_2:"),
    "impact": ("Impact", ":material/public:"),
    "explore": ("Explore", ":material/query_stats:"),
    "connections": ("Connections", ":material/cable:"),
}


def page(name: str) -> st.Page:
    """The page of that name."""
    title, icon = _ROUTES[name]
    is_first = name == next(iter(_ROUTES))
    return st.Page(_PAGES / f"{name}.py", title=title, icon=icon, default=is_first)


def pages() -> list[st.Page]:
    """All pages, as the navigation shows them."""
    return [page(name) for name in _ROUTES]
