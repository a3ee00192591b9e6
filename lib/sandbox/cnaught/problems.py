"""Errors as RFC 9457 problem details (CNaught contract 1.4).

Imported only inside this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ..wire import ExactJSON

_TYPES = "https://api.cnaught.com/v1/errors/"


class Problem(Exception):
    """A refusal; `kind` is the last part of its type, None for about:blank."""

    def __init__(
        self,
        status: int,
        kind: str | None,
        title: str,
        *,
        detail: str | None = None,
        errors: dict[str, list[str]] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.body: dict[str, Any] = {
            "type": f"{_TYPES}{kind}" if kind else "about:blank",
            "title": title,
            "status": status,
        }
        if detail is not None:
            self.body["detail"] = detail
        if errors is not None:
            self.body["errors"] = errors


def invalid(field: str, message: str) -> Problem:
    """400: a parameter did not validate."""
    title = "Your request parameters didn't validate"
    return Problem(400, "invalid-parameters", title, errors={field: [message]})


def bad_page(detail: str) -> Problem:
    """400: cursors that cannot be followed."""
    return Problem(400, "invalid-pagination", "Invalid pagination parameters", detail=detail)


def forbidden(title: str) -> Problem:
    """403: understood, and refused."""
    return Problem(403, "forbidden", title)


def not_found(what: str) -> Problem:
    """404: unknown, or out of scope."""
    return Problem(404, "not-found", f"Could not find {what}")


def problem_response(
    status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> ExactJSON:
    """The reply for a problem's body."""
    return ExactJSON(body, status, headers=headers, media_type="application/problem+json")


def install(api: FastAPI) -> None:
    """Let the API answer all its errors in this form."""

    @api.exception_handler(Problem)
    async def refused(_request: Request, problem: Problem) -> ExactJSON:
        return problem_response(problem.status, problem.body)

    @api.exception_handler(RequestValidationError)
    async def not_valid(_request: Request, problem: RequestValidationError) -> ExactJSON:
        refusal = invalid("", "")
        refusal.body["errors"] = _by_field(problem.errors())
        return problem_response(refusal.status, refusal.body)

    @api.exception_handler(HTTPException)
    async def not_routed(_request: Request, problem: HTTPException) -> ExactJSON:
        if problem.status_code == 404:
            return problem_response(404, not_found("resource").body)
        title = HTTPStatus(problem.status_code).phrase
        body = Problem(problem.status_code, None, title).body
        return problem_response(problem.status_code, body, dict(problem.headers or {}))


def _by_field(problems: Sequence[Any]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for problem in problems:
        # The first place says body or query; a place of a broken text is a number.
        names = [part for part in problem["loc"][1:] if isinstance(part, str)]
        errors.setdefault(".".join(names) or "body", []).append(_sentence(problem))
    return errors


def _sentence(problem: dict[str, Any]) -> str:
    match problem["type"]:
        case "missing":
            return "is required"
        case "greater_than":
            return f"must be greater than {problem['ctx']['gt']}"
        case "string_too_long":
            return f"must have at most {problem['ctx']['max_length']} characters"
        case _:
            return str(problem["msg"]).removeprefix("Value error, ")
