"""The CNaught API v1 client: `CNaughtClient`, its models and the bodies of its requests."""

from .bodies import order_body
from .client import CNaughtClient
from .orders import read_order
from .shared import scope

__all__ = ["CNaughtClient", "order_body", "read_order", "scope"]
