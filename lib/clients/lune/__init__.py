"""The Lune API v1 client."""

from .client import LuneClient
from .orders import read_order

__all__ = ["LuneClient", "read_order"]
