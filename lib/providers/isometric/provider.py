"""The Isometric registry behind the desk's protocol: reading and delivering joined."""

from __future__ import annotations

from .delivering import IsometricDelivering
from .reading import IsometricReading


class Isometric(IsometricReading, IsometricDelivering):
    """A `providers.base.Registry` for one Isometric account."""
