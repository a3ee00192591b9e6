"""Faults on demand: what networks and providers do on a bad day, as an ASGI layer.

Faults are armed over the control plane, matched first come first served, and used up. Dropping a
connection needs the socket: `serve` puts its transport into the ASGI state.
"""

from __future__ import annotations

import asyncio
import json
import threading
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import wire


class _Fault(BaseModel):
    """Which requests a fault strikes, and how often (`times` null: until cleared)."""

    model_config = ConfigDict(extra="forbid")

    method: str = "*"
    path: str = "*"
    times: Annotated[int, Field(gt=0)] | None = 1

    def strikes(self, method: str, path: str) -> bool:
        """Whether a request is meant."""
        return self.method.upper() in ("*", method) and fnmatchcase(path, self.path)


class Drop(_Fault):
    """The connection closes without a reply: before anything is done, or after all is done."""

    kind: Literal["drop_before", "drop_after"]


class Spoil(_Fault):
    """The request is carried out, but the reply is cut short, is no JSON, or is a web page."""

    kind: Literal["truncate", "malformed", "html"]


class Status(_Fault):
    """Nothing is done; the reply has this status, a plain text, and maybe Retry-After seconds."""

    kind: Literal["status"]
    status: Annotated[int, Field(ge=400, le=599)] = 500
    retry_after: Annotated[int, Field(ge=0)] | None = None


class Delay(_Fault):
    """The request is carried out after the delay, or its reply is held back for it."""

    kind: Literal["delay"]
    seconds: Annotated[Decimal, Field(ge=0, le=600)]
    when: Literal["before", "after"] = "before"


class Body(_Fault):
    """A lie: `patch` is merged, object by object, into a successful JSON reply."""

    kind: Literal["body"]
    patch: dict[str, Any]


Fault = Annotated[Drop | Spoil | Status | Delay | Body, Field(discriminator="kind")]


class Faults:
    """The faults that are armed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Fault] = []

    def arm(self, fault: _Fault) -> None:
        """Add a fault behind those already armed."""
        with self._lock:
            self._armed.append(fault)

    def clear(self) -> None:
        """Disarm all."""
        with self._lock:
            self._armed.clear()

    def listed(self) -> list[dict[str, Any]]:
        """What is still armed, with the times left."""
        with self._lock:
            return [fault.model_dump() for fault in self._armed]

    def take(self, method: str, path: str) -> _Fault | None:
        """The first fault that strikes this request, used up by one."""
        with self._lock:
            for fault in self._armed:
                if fault.strikes(method, path):
                    if fault.times is not None:
                        fault.times -= 1
                        if not fault.times:
                            self._armed.remove(fault)
                    return fault
        return None


class FaultLayer:
    """Lets armed faults strike the requests that pass through."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        fault = self._faults.take(scope["method"], scope["path"]) if _is_http(scope) else None
        match fault:
            case None:
                await self._app(scope, receive, send)
            case Status():
                await _status_reply(fault)(scope, receive, send)
            case Drop(kind="drop_before"):
                await _close(scope, receive)
            case Delay(when="before"):
                await asyncio.sleep(float(fault.seconds))
                await self._app(scope, receive, send)
            case _:
                start, body = await self._carried_out(scope, receive)
                await _spoilt(fault, start, body, scope, receive, send)

    async def _carried_out(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """Run the request to its end, commit included, and keep the reply to ourselves."""
        start: Message = {}
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, keep)
        return start, b"".join(parts)


async def _spoilt(
    fault: _Fault, start: Message, body: bytes, scope: Scope, receive: Receive, send: Send
) -> None:
    match fault:
        case Drop():
            await _close(scope, receive)
        case Delay():
            await asyncio.sleep(float(fault.seconds))
            await _reply(send, start, body)
        case Spoil(kind="truncate"):
            await send(start)  # announces the whole length
            half = body[: len(body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await _close(scope, receive, flush=True)
        case Spoil(kind="malformed"):
            await _reply(send, start, body[: len(body) // 2])
        case Spoil():
            page = "<!doctype html><title>Sign in</title><p>Please sign in to the network.</p>"
            await HTMLResponse(page)(scope, receive, send)
        case Body():
            await _reply(send, start, _patched(start, body, fault.patch))


def _is_http(scope: Scope) -> bool:
    return bool(scope["type"] == "http")


def _status_reply(fault: Status) -> PlainTextResponse:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return PlainTextResponse("The sandbox was told to fail.", fault.status, headers=headers)


async def _close(scope: Scope, receive: Receive, *, flush: bool = False) -> None:
    """Close the connection and wait until the server has noticed, so that it sends nothing."""
    transport: asyncio.Transport = scope["state"]["transport"]
    if flush:
        transport.close()
    else:
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reply(send: Send, start: Message, body: bytes) -> None:
    MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _patched(start: Message, body: bytes, patch: dict[str, Any]) -> bytes:
    if not 200 <= start["status"] < 300:
        return body
    try:
        return wire.dumps(_merge(wire.loads(body), patch)).encode()
    except json.JSONDecodeError:
        return body


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        merged[name] = _merge(merged.get(name), value)
    return merged
