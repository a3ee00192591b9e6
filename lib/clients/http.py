"""The one HTTP seam: describe, send, decipher. Only this module knows httpx and stamina.

Imported by the three clients (`Session`, `Reply`, `path_of`, `identity_of`, `encode_body`) and by
adapters that send frozen bytes with `Session.send_once`. What it guarantees to all of them:

- Reads are repeated after lost connections, 429 and 5xx; writes only when provably nothing was
  sent, unless the caller says that a repeat is harmless. `send_once` is never repeated.
- `Retry-After` is honoured; a longer wait than `PATIENCE_S` is left to the caller.
- No redirect is followed, no environment proxy used, no cookie kept; TLS is verified, and plain
  http goes to this machine only. Bodies are cut at a limit, also compressed ones.
- Errors and logs never hold a credential, even where the provider repeats it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import httpx
import stamina

from .cache import Answer, Cache
from .decipher import decipher, request_id
from .errors import (
    ApiError,
    MalformedReplyError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerError,
)
from .guards import checked_base, checked_headers, identity_of, path_of, secrets_of
from .pace import Pace
from .payload import MAX_BYTES, encode_body, read_json

__all__ = ["Pace", "Reply", "Session", "encode_body", "identity_of", "path_of"]

#: The longest `Retry-After`, in seconds, that is waited for here.
PATIENCE_S = 30.0
_MAX_ERROR_BYTES = 1024 * 1024
_CONNECT_S = 10.0
#: Shorter than the servers' usual 5 s, so that a request rarely meets a closing connection.
_IDLE_S = 4.0

T = TypeVar("T")
Param = str | int | bool | Sequence[str] | None


@dataclass(frozen=True)
class Reply:
    """A 2xx answer. Header names are lower case; `request` says what was asked."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    request: str
    from_cache: bool = False
    idempotency_key: str | None = None

    def json(self) -> Any:
        """The body's value: int, Decimal, text, never float. Raises MalformedReplyError."""
        try:
            return read_json(self.content)
        except (ValueError, RecursionError) as error:
            # The reader's own words may quote the body, the class and place do not.
            reason = "not UTF-8 JSON" if isinstance(error, UnicodeError) else str(error)
            raise self.malformed(f"is not readable JSON ({reason})") from None

    def malformed(self, what: str) -> MalformedReplyError:
        """The error for this reply; `what` continues "The answer to GET /orders ..."."""
        return MalformedReplyError(
            f"The answer to {self.request} {what}.",
            request=self.request,
            status=self.status,
            request_id=request_id(self.headers),
            idempotency_key=self.idempotency_key,
        )


@dataclass(frozen=True)
class _Call:
    """One request, described."""

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = field(default=None, repr=False)
    key: str | None = None

    @property
    def description(self) -> str:
        return f"{self.method} {self.path}"


class Session:
    """Requests to one API with one set of credentials; may be shared by threads.

    `headers` carry the credentials and go with every request; `identity` is the account's name
    in the cache (`identity_of`). `timeout` in seconds bounds connecting, each silence and, twice
    over, a whole body; `attempts` counts the first one. Raises ValueError for a base URL that is
    neither https nor this machine, and for credentials that no header can carry.
    """

    def __init__(
        self,
        *,
        base_url: str,
        headers: Mapping[str, str],
        identity: str,
        timeout: float = 30.0,
        cache: Cache | None = None,
        attempts: int = 4,
        pace: Pace | None = None,
    ) -> None:
        self.base_url = checked_base(base_url)
        self.identity = identity
        self._cache = cache
        self._attempts = attempts
        self._pace = pace
        self._timeout = timeout
        self._secrets = secrets_of(checked_headers(headers))
        self._client = httpx.Client(
            headers={
                "User-Agent": f"CarbonDesk/{_version()}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                **headers,
            },
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_S)),
            limits=httpx.Limits(max_keepalive_connections=20, keepalive_expiry=_IDLE_S),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, Param] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Read from the provider, never from the cache."""
        return self._repeat(self._call("GET", path, params, headers), _worth_reading_again)

    def read(
        self,
        path: str,
        reader: Callable[[Reply], T],
        *,
        params: Mapping[str, Param] | None = None,
        headers: Mapping[str, str] | None = None,
        keep: str | None = None,
    ) -> T:
        """Read and understand an answer; with `keep`, a resource of `cache.LIFETIMES`, cached.

        Only what `reader` accepts is kept, and what it no longer accepts is fetched anew.
        All `headers` belong to the cache key: a scope never sees another scope's answer.
        """
        if keep is None or self._cache is None:
            return reader(self.get(path, params=params, headers=headers))
        call = self._call("GET", path, params, headers)
        place, kept = self._cache.look(self.identity, keep, call.url, call.headers)
        if kept is not None:
            try:
                return reader(
                    Reply(
                        kept.status, kept.headers, kept.content, call.description, from_cache=True
                    )
                )
            except MalformedReplyError:
                self._cache.forget(place)
        reply = self._repeat(call, _worth_reading_again)
        value = reader(reply)
        self._cache.keep(place, Answer(reply.status, reply.headers, reply.content))
        return value

    def post(
        self,
        path: str,
        json: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        drops: Sequence[str] = (),
        safe: bool = False,
    ) -> Reply:
        """Post once, again only when nothing was sent; `safe` (a quote) repeats like a read."""
        return self._write("POST", path, json, headers, drops, safe=safe)

    def put(
        self,
        path: str,
        json: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        drops: Sequence[str] = (),
    ) -> Reply:
        """Replace; cached reads of the resources in `drops` are forgotten."""
        return self._write("PUT", path, json, headers, drops)

    def patch(
        self,
        path: str,
        json: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        drops: Sequence[str] = (),
    ) -> Reply:
        """Change in part; cached reads of the resources in `drops` are forgotten."""
        return self._write("PATCH", path, json, headers, drops)

    def delete(
        self, path: str, *, headers: Mapping[str, str] | None = None, drops: Sequence[str] = ()
    ) -> Reply:
        """Delete; cached reads of the resources in `drops` are forgotten."""
        return self._write("DELETE", path, None, headers, drops)

    def send_once(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        """Send exactly these bytes, once, and forget all cached reads of the account.

        Raises NotSentError only where provably nothing arrived; OutcomeUnknownError,
        MalformedReplyError and ServerError leave the effect in doubt.
        """
        call = self._call(method, path, None, headers, body)
        try:
            return self._send(call)
        finally:
            if self._cache is not None:
                self._cache.drop(self.identity)

    def close(self) -> None:
        """Close the connections; the cache stays open, it may serve others."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Session({self.base_url!r})"

    def _write(
        self,
        method: str,
        path: str,
        json: Any,
        headers: Mapping[str, str] | None,
        drops: Sequence[str],
        *,
        safe: bool = False,
    ) -> Reply:
        key = json.get("idempotency_key") if isinstance(json, dict) else None
        body = b"" if json is None else encode_body(json)
        call = self._call(method, path, None, headers, body, key)
        try:
            return self._repeat(call, _worth_reading_again if safe else _provably_unsent)
        finally:
            # Also after an error: it may have worked all the same.
            if drops and self._cache is not None:
                self._cache.drop(self.identity, drops)

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Param] | None,
        headers: Mapping[str, str] | None,
        body: bytes = b"",
        key: str | None = None,
    ) -> _Call:
        own = dict(checked_headers(headers or {}))
        key = key or next((v for k, v in own.items() if k.lower() == "idempotency-key"), None)
        if body:
            own["Content-Type"] = "application/json"
        query = urlencode(
            {name: _plain(value) for name, value in (params or {}).items() if value is not None},
            doseq=True,
        )
        url = f"{self.base_url}{path}{'?' if query else ''}{query}"
        return _Call(method, url, path, own, body, key)

    def _repeat(self, call: _Call, worth: Callable[[Exception], bool | float]) -> Reply:
        tries = stamina.retry_context(
            on=worth, attempts=self._attempts, timeout=120.0, wait_initial=0.3, wait_max=8.0
        )
        for attempt in tries:
            with attempt:
                return self._send(call)
        raise AssertionError("the last attempt either returns or raises")

    def _send(self, call: _Call) -> Reply:
        if self._pace is not None:
            self._pace.wait()
        deadline = time.monotonic() + 2 * self._timeout
        try:
            with self._client.stream(
                call.method, call.url, headers=dict(call.headers), content=call.body or None
            ) as response:
                content, complete = _read_body(response, deadline)
        except httpx.RequestError as error:
            raise _translate(error, call) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        if not response.is_success:
            for secret in self._secrets:
                content = content.replace(secret, b"[hidden]")
            raise decipher(
                response.status_code,
                headers,
                content,
                request=call.description,
                idempotency_key=call.key,
            )
        reply = Reply(
            response.status_code, headers, content, call.description, idempotency_key=call.key
        )
        if not complete:
            raise reply.malformed("is too long, too slow or in an encoding that was not asked for")
        return reply


def _worth_reading_again(error: Exception) -> bool | float:
    """For requests whose repetition is harmless."""
    if isinstance(error, RateLimitedError | ServerError):
        if error.status not in (429, 500, 502, 503, 504):
            return False
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= PATIENCE_S else False
        return True
    return isinstance(error, NotSentError | OutcomeUnknownError)


def _provably_unsent(error: Exception) -> bool:
    return isinstance(error, NotSentError)


def _read_body(response: httpx.Response, deadline: float) -> tuple[bytes, bool]:
    """The decoded body, cut at the limit or the deadline; and whether it is complete."""
    # Codings can be stacked, each inflating a thousandfold: only the one that was asked for.
    if response.headers.get("content-encoding", "identity").lower() not in ("identity", "gzip"):
        return b"", False
    limit = MAX_BYTES if response.is_success else _MAX_ERROR_BYTES
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > limit or time.monotonic() > deadline:
            return bytes(content[:limit]), False
    return bytes(content), True


def _translate(error: httpx.RequestError, call: _Call) -> ApiError:
    about: dict[str, Any] = {"request": call.description, "idempotency_key": call.key}
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        # Before any byte of the request: its text is the system's and holds no header.
        return NotSentError(f"No connection for {call.description}: {_why(error)}.", **about)
    if isinstance(error, httpx.DecodingError):
        return MalformedReplyError(f"The answer to {call.description} is garbled.", **about)
    # Also httpx's own protocol errors, whose text may quote a header: only the kind is told.
    kind = type(error).__name__
    return OutcomeUnknownError(f"No complete answer to {call.description} ({kind}).", **about)


def _why(error: httpx.RequestError) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _plain(value: Param) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _version() -> str:
    try:
        return version("carbon-desk")
    except PackageNotFoundError:
        return "source"
