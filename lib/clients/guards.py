"""What a request may be addressed to and carry: checked before anything leaves.

For `http`, which re-exports `path_of` and `identity_of` for the clients.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from urllib.parse import quote, urlsplit


def path_of(*segments: str) -> str:
    """A path of these segments, each escaped. Raises ValueError for an empty or dotted one."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise ValueError(f"{segment!r} is not an id.")
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def identity_of(*parts: str) -> str:
    """A name for an account in the cache, made of its URL and credentials but telling neither."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part.encode())
    return digest.hexdigest()


def checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers as they are. Raises ValueError, without the value, for one that cannot go."""
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise ValueError(f"The value for {name} holds characters that cannot be sent.")
    return headers


def secrets_of(headers: Mapping[str, str]) -> tuple[bytes, ...]:
    """What must not come back out: each credential, with and without its scheme."""
    words = {word for value in headers.values() for word in (value, value.rpartition(" ")[2])}
    return tuple(word.encode() for word in sorted(words, key=len, reverse=True) if word)


def checked_base(base_url: str) -> str:
    """The base URL without a final slash. Raises ValueError unless it is https or this machine."""
    parts = urlsplit(base_url)
    if parts.username or parts.password or parts.query or parts.fragment or not parts.hostname:
        raise ValueError("The base URL must be a plain one, such as https://host/v1.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
        raise ValueError(f"The base URL must begin with https:// ({parts.hostname} is not local).")
    return base_url.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
