"""What a provider's error answer says: one pure function over status, headers and bytes.

For `http` only. It understands CNaught's problem details (RFC 9457; CNaught contract 1.4), Lune's
`errors` arrays and plain text (Lune contract 1.2), Isometric's `detail` texts and lists
(Isometric contract 1.2), and survives HTML, emptiness and anything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from .errors import StatusError, error_class
from .payload import read_json

LONGEST_WAIT_S = 3600.0
_LONGEST_TEXT = 500
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-amzn-requestid", "cf-ray")


class Said(NamedTuple):
    """What the body of an error answer says; empty where it says nothing."""

    message: str = ""
    code: str | None = None
    field_errors: dict[str, list[str]] = {}  # noqa: RUF012 (never changed; a tuple's default)


def decipher(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    request: str,
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> StatusError:
    """Turn an answer outside 200..299 into its error. Header names are lower case."""
    said = _read(headers.get("content-type", ""), content)
    return error_class(status)(
        said.message or _phrase(status),
        request=request,
        status=status,
        code=said.code,
        field_errors=said.field_errors,
        request_id=request_id(headers),
        retry_after=retry_after(headers.get("retry-after"), now or datetime.now(UTC)),
        idempotency_key=idempotency_key,
        replayed=headers.get("x-idempotent-replay", "").lower() == "true",
    )


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's own name for the request, to quote to its support."""
    return next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), None)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait from `Retry-After`, a number or an HTTP date; None where it is unreadable.

    Never below 0 and never above an hour, whatever the provider asks for.
    """
    if value is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value.strip(), re.ASCII):
        return min(float(value), LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT_S)


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"


def _read(content_type: str, content: bytes) -> Said:
    try:
        body = read_json(content)
    except ValueError:
        is_text = content_type.lower().startswith("text/plain")
        return Said(_clean(content.decode("utf-8", "replace"))) if is_text else Said()
    if not isinstance(body, dict):
        return Said()
    for read in (_lune, _isometric_list, _problem):
        said = read(body)
        if said is not None:
            return said
    return Said()


def _lune(body: dict[str, Any]) -> Said | None:
    errors = body.get("errors")
    found = errors if isinstance(errors, list) and errors else [body.get("error")]
    known = [one for one in found if isinstance(one, dict)]
    if not known:
        return None
    message = "; ".join(_clean(one["message"]) for one in known if one.get("message"))
    return Said(message, _text(known[0].get("error_code")))


def _isometric_list(body: dict[str, Any]) -> Said | None:
    details = body.get("detail")
    if not isinstance(details, list):
        return None
    fields: dict[str, list[str]] = {}
    for one in details:
        if isinstance(one, dict):
            found = one.get("loc")
            place = found if isinstance(found, list) else []
            # The first part says where the field was (body, query), which helps nobody.
            name = ".".join(str(part) for part in place[1:] or place) or "request"
            fields.setdefault(_clean(name), []).append(_clean(one.get("msg", "")))
    return Said(_fields_in_words(fields), None, fields)


def _problem(body: dict[str, Any]) -> Said | None:
    title, detail = _clean(body.get("title", "")), _clean(body.get("detail", ""))
    errors = body.get("errors")
    fields = {
        _clean(name): [_clean(message) for message in messages]
        for name, messages in (errors.items() if isinstance(errors, dict) else ())
        if isinstance(messages, list)
    }
    kind = _text(body.get("type")) or ""
    code = kind.rpartition("/")[2] if "/" in kind else None
    parts = [part for part in (title, detail, _fields_in_words(fields)) if part]
    return Said(": ".join(parts), code, fields) if parts or code else None


def _fields_in_words(fields: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{name} {', '.join(messages)}".strip() for name, messages in fields.items())


def _text(value: Any) -> str | None:
    return _clean(value) if isinstance(value, str) else None


def _clean(value: Any) -> str:
    """Provider text fit for one line: no control characters, not endless."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value or "")).split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
