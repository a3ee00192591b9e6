"""JSON in and out of the clients, exactly: no binary float, nothing unbounded, nothing twice.

For the clients package; `http` re-exports `encode_body`. The standard reader takes NaN, turns
numbers into floats and lets a repeated key win silently; money and mass can afford none of that.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import accumulate
from typing import Any

#: Limits on what is read, far above anything the providers send.
MAX_BYTES = 64 * 1024 * 1024
MAX_NESTING = 100
MAX_DIGITS = 1000
#: Powers of ten, as in a double; beyond them a number turned into an integer would fill memory.
MAX_MAGNITUDE = 308

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(content: bytes) -> Any:
    """Read JSON with integers as int and other numbers as Decimal.

    Raises ValueError for anything but one UTF-8 JSON value within the limits: also for NaN,
    Infinity, a repeated key, a lone surrogate.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES} bytes")
    if _nesting(content) > MAX_NESTING:
        raise ValueError(f"nested deeper than {MAX_NESTING} levels")
    text = content.decode("utf-8")
    value = json.loads(
        text,
        parse_int=_integer,
        parse_float=_decimal,
        parse_constant=_refuse_constant,
        object_pairs_hook=_without_repeats,
    )
    if _SURROGATE.search(text):
        # Raises UnicodeEncodeError, a ValueError, for half a character: no store could keep it.
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    return value


def encode_body(value: Any) -> bytes:
    """The one way a request body becomes bytes: sorted keys, UTF-8, decimals as exact numbers.

    Equal values give equal bytes, so a journal can freeze and repeat them. Raises TypeError for
    floats and other types JSON does not know, ValueError for numbers that are not finite.
    """
    return _encode(value).encode("utf-8")


def _encode(value: Any) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} cannot be sent as a number.")
        return format(value, "f")
    if isinstance(value, dict):
        return f"{{{','.join(f'{_name(key)}:{_encode(value[key])}' for key in sorted(value))}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(_encode(item) for item in value)}]"
    if value is None or isinstance(value, str | int):
        return json.dumps(value, ensure_ascii=False)
    raise TypeError(f"{type(value).__name__} has no exact JSON form; use Decimal, int or str.")


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"JSON names are text, not {type(key).__name__}.")
    return json.dumps(key, ensure_ascii=False)


def _nesting(content: bytes) -> int:
    # Without escaped characters, every second piece between quotes is outside of strings.
    outside = content.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2]
    brackets = b"".join(outside).translate(None, _NOT_BRACKETS)
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0)


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of more than {MAX_DIGITS} digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of more than {MAX_DIGITS} digits")
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > MAX_MAGNITUDE:
        raise ValueError(f"a number beyond 10^{MAX_MAGNITUDE}")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a field twice")
    return found
