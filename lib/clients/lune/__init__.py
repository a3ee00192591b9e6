"""The Lune API v1 client."""

from .client import LuneClient
from .group import account_header
from .orders import read_order

__all__ = ["LuneClient", "account_header", "read_order"]
