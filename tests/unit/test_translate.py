"""Which failed sends did nothing, which were refused, and which may have worked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib.clients.decipher import decipher
from lib.clients.errors import ApiError, MalformedReplyError, NotSentError, OutcomeUnknownError
from lib.domain.errors import (
    BadInput,
    CredentialRefused,
    ProviderNonsense,
    ProviderRefused,
    ProviderUnreachable,
)
from lib.domain.ledger import ProviderName
from lib.providers import outcomes
from lib.providers.base import Account
from lib.providers.translate import outcome_of, problem_of, translated

ERRORS = "https://api.cnaught.com/v1/errors/"


def account(provider: ProviderName) -> Account:
    return Account("main", provider, "sandbox", "http://127.0.0.1:1")


def answer(status: int, body: Any = None, **headers: str) -> ApiError:
    content = b"" if body is None else json.dumps(body).encode()
    return decipher(status, headers, content, request="POST /orders")


def lune(code: str) -> dict[str, Any]:
    return {"errors": [{"error_code": code, "message": "said Lune"}]}


@pytest.mark.parametrize(
    ("provider", "error", "outcome"),
    [
        ("cnaught", NotSentError("refused"), outcomes.NotSent),
        ("cnaught", OutcomeUnknownError("reset"), outcomes.Doubtful),
        ("cnaught", MalformedReplyError("html"), outcomes.Doubtful),
        ("cnaught", answer(500), outcomes.Doubtful),
        ("cnaught", answer(503), outcomes.Doubtful),
        ("cnaught", answer(302), outcomes.Doubtful),
        ("cnaught", answer(408), outcomes.Doubtful),
        ("cnaught", answer(400), outcomes.Refused),
        ("cnaught", answer(401), outcomes.Refused),
        ("cnaught", answer(403, {"title": "No billing", "status": 403}), outcomes.Refused),
        ("cnaught", answer(404), outcomes.Refused),
        ("cnaught", answer(429), outcomes.Busy),
        (
            "cnaught",
            answer(409, {"type": f"{ERRORS}idempotency-concurrent-requests", "title": "Running"}),
            outcomes.StillRunning,
        ),
        ("cnaught", answer(409), outcomes.Doubtful),
        (
            "cnaught",
            answer(422, {"type": f"{ERRORS}idempotency-changed-payload", "title": "Changed"}),
            outcomes.Contradiction,
        ),
        ("lune", answer(409, lune("order_idempotency_already_exists")), outcomes.AlreadyExists),
        ("lune", answer(409, lune("account_suspended")), outcomes.Refused),
        ("lune", answer(409, lune("estimate_order_already_placed")), outcomes.Refused),
        ("isometric", answer(422, {"detail": [{"loc": ["body"], "msg": "x"}]}), outcomes.Refused),
        ("isometric", answer(400, {"detail": "batch not active"}), outcomes.Refused),
        ("isometric", answer(409), outcomes.Doubtful),
        ("isometric", answer(502), outcomes.Doubtful),
    ],
)
def test_a_failed_send(
    provider: ProviderName, error: ApiError, outcome: type[outcomes.Outcome]
) -> None:
    found = outcome_of(error, account(provider))
    assert type(found) is outcome
    assert str(found).endswith(".")
    assert "Error" not in str(found)


def test_the_time_to_wait_is_kept() -> None:
    error = answer(429, None, **{"retry-after": "17"})
    assert outcome_of(error, account("lune")).retry_after == 17


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (answer(401), CredentialRefused),
        (answer(403), CredentialRefused),
        (answer(404), ProviderRefused),
        (answer(429), ProviderUnreachable),
        (answer(500), ProviderUnreachable),
        (NotSentError("refused"), ProviderUnreachable),
        (OutcomeUnknownError("reset"), ProviderUnreachable),
        (MalformedReplyError("html"), ProviderNonsense),
    ],
)
def test_a_failed_read(error: ApiError, problem: type[Exception]) -> None:
    found = problem_of(error, account("cnaught"))
    assert type(found) is problem
    assert found.account == "main"
    assert str(found).startswith("CNaught ")


def test_the_providers_reason_is_quoted() -> None:
    error = answer(409, lune("account_suspended"))
    assert "said Lune" in str(outcome_of(error, account("lune")))


def test_an_argument_that_a_client_refuses_is_bad_input() -> None:
    with pytest.raises(BadInput, match="too long"), translated(account("lune")):
        raise ValueError("The description is too long.")
