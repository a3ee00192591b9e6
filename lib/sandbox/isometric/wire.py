"""How this API answers and refuses: the contract's error bodies (Isometric contract 1.2).

Imported only inside this package.
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from ..wire import ExactJSON


class Refused(Exception):
    """A request the registry turns down: HTTP `status` and the sentence for `detail`."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class BadParameter(Exception):
    """A query parameter that reads well but means nothing: 422 with its `loc`."""

    def __init__(self, name: str, message: str, kind: str) -> None:
        super().__init__(message)
        self.error = {"loc": ["query", name], "msg": message, "type": kind}


def not_found(what: str) -> Refused:
    """404: no such object."""
    return Refused(404, f"{what} not found")


def forbidden(detail: str) -> Refused:
    """403: it exists, but not for this organisation."""
    return Refused(403, detail)


def broken_rule(detail: str) -> Refused:
    """400: well-formed, but against a rule of the registry."""
    return Refused(400, detail)


def reply(body: BaseModel | None) -> Response:
    """The answer 200 with this object, or `null`."""
    return ExactJSON(None if body is None else body.model_dump())


def install_error_handlers(api: FastAPI) -> None:
    """Let every refusal leave in the contract's form (1.2)."""

    @api.exception_handler(Refused)
    def _refused(_request: Request, refusal: Refused) -> Response:
        return ExactJSON({"detail": refusal.detail}, refusal.status)

    @api.exception_handler(BadParameter)
    def _bad_parameter(_request: Request, problem: BadParameter) -> Response:
        return ExactJSON({"detail": [problem.error]}, 422)

    @api.exception_handler(RequestValidationError)
    def _invalid(_request: Request, problem: RequestValidationError) -> Response:
        # The optional `input` is left out: it may hold a secret or a number JSON cannot write.
        errors = [
            {"loc": list(error["loc"]), "msg": error["msg"], "type": error["type"]}
            for error in problem.errors()
        ]
        return ExactJSON({"detail": errors}, 422)

    @api.exception_handler(HTTPException)
    def _http(_request: Request, problem: HTTPException) -> Response:
        return ExactJSON({"detail": problem.detail}, problem.status_code, problem.headers)
