"""Carbon Desk: quotes, orders and delivered tonnes over CNaught, Lune and Isometric.

`open_desk()` is the way in; see lib/desk.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .desk import Desk, open_desk

__all__ = ["Desk", "open_desk"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: the sandbox and the clients can be used without the desk.
    if name in __all__:
        from . import desk  # noqa: PLC0415

        return getattr(desk, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
