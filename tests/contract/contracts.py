"""An API of the sandbox, whose every answer is held against the restatement of its contract.

`schemas/<api>.json` lists the operations of an API with the JSON Schema of each answer; a test
calls operations by name and can ask in the end whether it has called every one there is.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from tests.conftest import Sandbox


@cache
def contract(api: str) -> dict[str, Any]:
    """The restatement of one API."""
    path = Path(__file__).with_name("schemas") / f"{api}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def problems(api: str, schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value, each with the place it is wrong in."""
    validator = Draft202012Validator({**schema, "$defs": contract(api)["$defs"]})
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


class Api:
    """One API of a sandbox, whose answers are held against its contract as they come."""

    def __init__(self, sandbox: Sandbox, name: str, headers: dict[str, str]) -> None:
        self.name = name
        self.operations: dict[str, dict[str, Any]] = contract(name)["operations"]
        self.called: set[str] = set()
        self._http = httpx.Client(
            base_url=sandbox.url + contract(name)["root"], headers=headers, timeout=30
        )

    def call(
        self,
        name: str,
        *,
        json: Any = None,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **path: str,
    ) -> Any:
        """Call an operation by its name and return its answer's body, found to be in order."""
        operation = self.operations[name]
        reply = self._http.request(
            operation["method"],
            operation["path"].format(**path),
            json=json,
            params=params,
            headers=headers,
        )
        assert reply.status_code == operation["status"], f"{name}: {reply.text[:500]}"
        self.called.add(name)
        if "response" in operation:
            body = reply.json()
            found = problems(self.name, operation["response"], body)
            assert not found, f"{name}: {found}"
            return body
        if "media_type" in operation:
            assert reply.headers["content-type"] == operation["media_type"]
        return reply.content

    def refuse(self, method: str, path: str, status: int, **request: Any) -> httpx.Response:
        """Make a request that is refused, with an error of the contract's form."""
        reply = self._http.request(method, path, **request)
        assert reply.status_code == status, reply.text[:500]
        if "json" in reply.headers["content-type"]:
            found = problems(self.name, contract(self.name)["errors"], reply.json())
            assert not found, found
        else:
            assert self.name == "lune", "only Lune answers errors in plain text"
            assert reply.text == httpx.codes.get_reason_phrase(status)
        return reply

    def assert_every_operation_was_called(self) -> None:
        assert self.called == set(self.operations)
