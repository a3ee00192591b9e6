"""JSON without binary floats: Decimal in, Decimal out, digit for digit.

For the sandbox's APIs. A FastAPI app made with `router.route_class = ExactRoute` reads JSON numbers
as Decimal; `ExactJSON` writes them back as plain JSON numbers (10.5, 10, never 1E+1).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterable
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response


def _reject_constant(text: str) -> Any:
    raise json.JSONDecodeError(f"{text} is not JSON", text, 0)


def loads(text: str | bytes) -> Any:
    """JSON with every number that has a fraction or exponent as Decimal; NaN is refused."""
    return json.loads(text, parse_float=Decimal, parse_constant=_reject_constant)


def plain(number: Decimal) -> str:
    """A Decimal as people write it: no exponent, no trailing fraction of noughts."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


class Verbatim(str):
    """A text that is JSON already and is written as it stands."""

    __slots__ = ()


def dumps(value: Any) -> str:
    """Compact JSON of dicts, lists, texts, ints, bools, None, Decimals and Verbatim."""
    write = _WRITERS.get(type(value))
    if write is None:
        raise TypeError(f"{type(value).__name__} has no place in a reply")
    return write(value)


def _object(value: dict[str, Any]) -> str:
    inner = (f"{encode_basestring(name)}:{dumps(item)}" for name, item in value.items())
    return "{" + ",".join(inner) + "}"


def _array(value: Iterable[Any]) -> str:
    return "[" + ",".join(map(dumps, value)) + "]"


_WRITERS: dict[type, Callable[[Any], str]] = {
    Verbatim: str,
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    str: encode_basestring,
    int: str,
    Decimal: plain,
    dict: _object,
    list: _array,
    tuple: _array,
}


class ExactJSON(Response):
    """A reply whose Decimals are written exactly."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The content as UTF-8 JSON."""
        return dumps(content).encode()


class ExactRequest(Request):
    """A request whose JSON numbers are read exactly."""

    async def json(self) -> Any:
        """The body; whatever cannot be read (encoding, depth, size of a number) is broken JSON."""
        body = await self.body()
        try:
            return loads(body)
        except json.JSONDecodeError:
            raise
        except (ValueError, ArithmeticError, RecursionError) as problem:
            raise json.JSONDecodeError("not readable JSON", "", 0) from problem


class ExactRoute(APIRoute):
    """A route that reads its body through `ExactRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook for another request class."""
        handle = super().get_route_handler()

        async def exact(request: Request) -> Response:
            return await handle(ExactRequest(request.scope, request.receive))

        return exact


async def raw_body(request: Request) -> bytes:
    """Dependency: the body to the byte, for fingerprints and effects."""
    return await request.body()
