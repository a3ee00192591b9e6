"""The Isometric registry API v0 client."""

from .client import IsometricClient, read_delivery, read_retirement

__all__ = ["IsometricClient", "read_delivery", "read_retirement"]
