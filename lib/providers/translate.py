"""From the clients' errors to what people are told, and to what the journal must know.

Shared by the three adapters. A read that fails becomes a `ProviderProblem` in one sentence; a
send that fails becomes one of `outcomes`: the difference between "nothing happened" and "it may
have happened" is decided here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..clients.errors import (
    ApiError,
    ClientError,
    ConflictError,
    ForbiddenError,
    MalformedReplyError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerError,
    StatusError,
    UnauthorizedError,
    UnprocessableError,
)
from ..clients.http import Reply, Session
from ..domain.errors import (
    BadInput,
    CredentialRefused,
    ProviderNonsense,
    ProviderProblem,
    ProviderRefused,
    ProviderUnreachable,
)
from ..domain.intents import Receipt, Request
from ..domain.ledger import PROVIDER_TITLES
from .base import Account
from .outcomes import (
    AlreadyExists,
    Busy,
    Contradiction,
    Doubtful,
    NotSent,
    Outcome,
    Refused,
    StillRunning,
)

#: Lune contract 1.2: the order key was used before.
_LUNE_KEY_USED = "order_idempotency_already_exists"
#: CNaught contract 1.2: the first request with this key is still running.
_CNAUGHT_RUNNING = "idempotency-concurrent-requests"
#: CNaught contract 1.2: the key was used with another body.
_CNAUGHT_CHANGED = "idempotency-changed-payload"

_REQUEST_TIMEOUT = 408

T = TypeVar("T")


@contextmanager
def translated(account: Account) -> Iterator[None]:
    """Turn client errors into ProviderProblems, and arguments they refuse into BadInput."""
    try:
        yield
    except ApiError as error:
        raise problem_of(error, account) from error
    except ValueError as error:
        raise BadInput(str(error)) from error


def problem_of(error: ApiError, account: Account) -> ProviderProblem:
    """A failed read as a sentence that says what to do."""
    title, name = PROVIDER_TITLES[account.provider], account.name
    if isinstance(error, UnauthorizedError):
        return CredentialRefused(
            f"{title} did not accept the key of account “{name}”: check it under Connections.",
            account=name,
        )
    if isinstance(error, ForbiddenError):
        return CredentialRefused(
            f"{title} does not allow this for account “{name}”: {_reason(error)}", account=name
        )
    if isinstance(error, RateLimitedError):
        return ProviderUnreachable(
            f"{title} asks us to slow down. Try again in a minute.", account=name
        )
    if isinstance(error, NotSentError | OutcomeUnknownError | ServerError):
        return ProviderUnreachable(
            f"{title} cannot be reached at the moment. Try again in a minute.", account=name
        )
    if isinstance(error, ClientError):
        return ProviderRefused(f"{title} refused: {_reason(error)}", account=name)
    return ProviderNonsense(
        f"{title} gave an answer that cannot be read. Try again; if it stays, report it.",
        account=name,
    )


def send_frozen(
    session: Session, request: Request, account: Account, read: Callable[[Reply], T]
) -> T:
    """Send exactly the frozen bytes, once, and read the answer; raises Outcomes."""
    try:
        reply = session.send_once(
            request.method, request.path, headers=dict(request.headers), body=request.body
        )
        return read(reply)
    except ApiError as error:
        raise outcome_of(error, account) from error


def outcome_of(error: ApiError, account: Account) -> Outcome:
    """What a failed send means: was nothing done, was it refused, or may it have happened."""
    title = PROVIDER_TITLES[account.provider]
    detail = f"{type(error).__name__} {error.status or ''} {error}"
    if isinstance(error, NotSentError):
        return NotSent(f"{title} could not be reached.", detail=detail)
    if isinstance(error, RateLimitedError):
        return Busy(f"{title} asks us to wait.", detail=detail, retry_after=error.retry_after)
    if isinstance(error, ConflictError):
        return _conflict(error, account, detail)
    if isinstance(error, UnprocessableError) and error.code == _CNAUGHT_CHANGED:
        return Contradiction(
            f"{title} knows this key with another content. Check the order list at {title}.",
            detail=detail,
        )
    if isinstance(error, ClientError) and error.status != _REQUEST_TIMEOUT:
        return Refused(f"{title} refused: {_reason(error)}", detail=f"{title}: {_reason(error)}")
    return Doubtful(f"{title} {_trouble(error)}.", detail=detail, retry_after=error.retry_after)


def _conflict(error: ConflictError, account: Account, detail: str) -> Outcome:
    title = PROVIDER_TITLES[account.provider]
    if error.code == _LUNE_KEY_USED:
        return AlreadyExists(f"{title} has received this order before.", detail=detail)
    if error.code == _CNAUGHT_RUNNING:
        return StillRunning(
            f"{title} is still working on it.", detail=detail, retry_after=error.retry_after
        )
    if account.provider == "lune":
        return Refused(f"{title} refused: {_reason(error)}", detail=f"{title}: {_reason(error)}")
    return Doubtful(f"{title} reports a conflict: {_reason(error)}", detail=detail)


def _trouble(error: ApiError) -> str:
    if isinstance(error, ServerError):
        return f"failed while working on it (status {error.status})"
    if isinstance(error, MalformedReplyError | StatusError):
        return "gave an answer that cannot be read"
    return "did not answer"


def _reason(error: ApiError) -> str:
    text = str(error).strip() or "no reason given"
    return text if text.endswith((".", "!", "?")) else f"{text}."


def one_of(found: list[Receipt], request: Request) -> Receipt | None:
    """The one effect that carries our reference; raises Contradiction when there are several."""
    if len(found) > 1:
        ids = ", ".join(receipt.effect_id for receipt in found)
        raise Contradiction(
            f"Several effects carry the reference {request.reference}: {ids}. Cancel what is too "
            "much at the provider, then record the right one."
        )
    return found[0] if found else None
