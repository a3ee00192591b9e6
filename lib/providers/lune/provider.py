"""Lune behind the desk's protocol: reading and selling joined."""

from __future__ import annotations

from .reading import LuneReading
from .selling import LuneSelling


class Lune(LuneReading, LuneSelling):
    """A `providers.base.Seller` for one Lune account."""
