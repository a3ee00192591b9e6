"""The clients' error tree: what can go wrong between us and a provider's API.

Adapters may import this; it imports nothing of ours. The tree is cut where callers must decide
differently: may the request be repeated, did anything arrive, what did the provider say.

    ApiError
    ├── NotSentError            refused, DNS, TLS, connect or pool time-out: nothing arrived
    ├── OutcomeUnknownError     read time-out, reset, truncation: bytes had left
    ├── MalformedReplyError     a 2xx answer that cannot be read
    │   └── PagingError             pages that repeat or go in circles
    └── StatusError             a readable status that is not 2xx
        ├── RedirectedError         3xx, never followed
        ├── ClientError             every 4xx without a class of its own
        │   ├── BadRequestError         400
        │   ├── UnauthorizedError       401
        │   ├── ForbiddenError          403
        │   ├── NotFoundError           404, also null for an unknown object
        │   ├── ConflictError           409
        │   ├── UnprocessableError      422
        │   └── RateLimitedError        429
        └── ServerError             every 5xx, with or without a readable body
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class ApiError(Exception):
    """Base of the tree. `str(error)` is a sentence; no attribute ever holds a credential.

    `request` describes what was asked (`POST /orders`); `code` is the provider's own name of the
    error; `field_errors` maps a field to its messages; `retry_after` is in seconds, at most an
    hour; `idempotency_key` is the key the request carried; `replayed` says that the provider
    answered from an earlier request with the same key. `sent` is False only where provably
    nothing reached the provider.
    """

    sent: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        request: str = "",
        status: int | None = None,
        code: str | None = None,
        field_errors: Mapping[str, list[str]] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        idempotency_key: str | None = None,
        replayed: bool = False,
    ) -> None:
        super().__init__(message)
        self.request = request
        self.status = status
        self.code = code
        self.field_errors: dict[str, list[str]] = dict(field_errors or {})
        self.request_id = request_id
        self.retry_after = retry_after
        self.idempotency_key = idempotency_key
        self.replayed = replayed

    def __repr__(self) -> str:
        known = [str(part) for part in (self.request, self.status, self.code) if part]
        return f"{type(self).__name__}({str(self)!r}, {' '.join(known)!r})"


class NotSentError(ApiError):
    """Nothing reached the provider: the same request may be sent again."""

    sent: ClassVar[bool] = False


class OutcomeUnknownError(ApiError):
    """Bytes had left and no complete answer came: the request may or may not have worked."""


class MalformedReplyError(ApiError):
    """A 2xx answer that cannot be read: not JSON, too big, or an indispensable field missing."""


class PagingError(MalformedReplyError):
    """Pages that repeat or go in circles: the list is incomplete."""


class StatusError(ApiError):
    """The provider answered with a status that is not 2xx."""


class RedirectedError(StatusError):
    """3xx: never followed, so that no credential goes to another host."""


class ClientError(StatusError):
    """A 4xx without a class of its own."""


class BadRequestError(ClientError):
    """400: the request breaks a rule; see `field_errors`."""


class UnauthorizedError(ClientError):
    """401: the credentials are missing, wrong or expired."""


class ForbiddenError(ClientError):
    """403: the account may not do this."""


class NotFoundError(ClientError):
    """404, or null in place of an object: unknown, or out of this scope."""


class ConflictError(ClientError):
    """409: the idempotency key is in use or was used before, or the state forbids it."""


class UnprocessableError(ClientError):
    """422: understood and refused; for CNaught a key repeated with another body."""


class RateLimitedError(ClientError):
    """429: too many requests; `retry_after` when the provider says how long."""


class ServerError(StatusError):
    """5xx: a failure on the provider's side; the request may still have worked."""


_BY_STATUS: dict[int, type[StatusError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableError,
    429: RateLimitedError,
}


def error_class(status: int) -> type[StatusError]:
    """The class of a status outside 200..299."""
    if status >= 500:
        return ServerError
    if status >= 400:
        return _BY_STATUS.get(status, ClientError)
    return RedirectedError
