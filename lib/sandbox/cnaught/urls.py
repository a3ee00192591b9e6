"""URLs that callers hand in, read without ever failing. Imported only inside this package."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def parts_of(url: str) -> SplitResult:
    """A URL's parts; all empty where it is not a URL at all."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # read, because only then is it checked
    except ValueError:
        return urlsplit("")
    return parts


def is_https(url: str) -> bool:
    """Whether it is an absolute https URL."""
    parts = parts_of(url)
    return parts.scheme == "https" and bool(parts.hostname)
