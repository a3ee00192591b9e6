"""The providers' rate limits as an ASGI layer (CNaught contract 1.3, Lune contract 1.1)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .wire import ExactJSON


@dataclass(slots=True)
class _Bucket:
    """Holds up to one second's worth of tokens."""

    tokens: float
    at: float

    def wait(self, rate: float, now: float) -> float:
        """Take a token; returns how many seconds to wait when there is none."""
        self.tokens = min(rate, self.tokens + (now - self.at) * rate)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / rate
        self.tokens -= 1
        return 0.0


class RateLimits:
    """Answers 429 as the provider would once a key exceeds its requests per second."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            refusal = self._refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        path = scope["path"]
        key = Headers(scope=scope).get("authorization", "")
        if path.startswith("/cnaught/"):
            side = "read" if scope["method"] == "GET" else "write"
            wait = self._wait(("cnaught", key, side), rate=100)
            return _problem_429(wait) if wait else None
        if path.startswith("/lune/") and self._wait(("lune", key), rate=15):
            return PlainTextResponse("Too Many Requests", status_code=429)
        return None

    def _wait(self, key: tuple[str, ...], *, rate: float) -> float:
        now = time.monotonic()
        return self._buckets.setdefault(key, _Bucket(rate, now)).wait(rate, now)


def _problem_429(wait: float) -> Response:
    return ExactJSON(
        {"type": "about:blank", "title": "Too Many Requests", "status": 429},
        status_code=429,
        media_type="application/problem+json",
        headers={"Retry-After": str(math.ceil(wait))},
    )
