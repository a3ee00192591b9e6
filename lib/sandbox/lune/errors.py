"""How Lune refuses (Lune contract 1.2): JSON with a code, or a bare status phrase.

For the Lune sandbox. `Refused` and `Plain` are raised anywhere below a route; `add_handlers`
turns them, and FastAPI's own validation errors, into Lune's answers.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException


class Refused(Exception):
    """A refusal with one of Lune's error codes, answered as JSON."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def body(self) -> dict[str, Any]:
        """`{"errors": [one], "error": one}`: Lune keeps both forms for old clients."""
        error = {"error_code": self.code, "message": self.message}
        return {"errors": [error], "error": error}


class Plain(Exception):
    """A refusal that Lune answers with nothing but the status phrase as text."""

    def __init__(self, status: int) -> None:
        super().__init__(HTTPStatus(status).phrase)
        self.status = status


def not_found() -> Plain:
    """An unknown order, bundle, project or account: plain text 404."""
    return Plain(404)


def invalid(message: str) -> Refused:
    """The body or query breaks the schema."""
    return Refused(400, "validation_error", message)


def add_handlers(app: FastAPI) -> None:
    """Let `app` answer every refusal as Lune would."""

    @app.exception_handler(Refused)
    def _refused(_request: Request, error: Refused) -> Response:
        return JSONResponse(error.body(), status_code=error.status)

    @app.exception_handler(Plain)
    def _plain(_request: Request, error: Plain) -> Response:
        return PlainTextResponse(str(error), status_code=error.status)

    @app.exception_handler(RequestValidationError)
    def _broken_schema(_request: Request, error: RequestValidationError) -> Response:
        violations = "; ".join(
            f"{'.'.join(str(step) for step in found['loc'])}: {found['msg']}"
            for found in error.errors()
        )
        return JSONResponse(invalid(violations).body(), status_code=400)

    @app.exception_handler(HTTPException)
    def _unrouted(_request: Request, error: HTTPException) -> Response:
        # Our own refusals never are HTTPExceptions: this is the router's, in Lune's plain text.
        phrase = HTTPStatus(error.status_code).phrase
        return PlainTextResponse(phrase, status_code=error.status_code, headers=error.headers)
