"""CNaught behind the desk's protocol: reading and selling joined."""

from __future__ import annotations

from .reading import CNaughtReading
from .selling import CNaughtSelling


class CNaught(CNaughtReading, CNaughtSelling):
    """A `providers.base.Seller` for one CNaught account."""
