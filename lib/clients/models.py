"""What every wire model is made of, and how a reply becomes one.

For the three clients' models. Tolerant where the providers promise change (new fields, new values
of an enumeration, absent or null optional fields), strict where a wrong value would cost money:
numbers are exact or refused, times carry their zone, indispensable fields must be there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, ValidationError

from .errors import NotFoundError
from .http import Reply

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(T|$)", re.ASCII)


class WireModel(BaseModel):
    """Base of all wire models: immutable, exact, and keeping fields it does not know."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    @property
    def raw(self) -> Mapping[str, Any]:
        """The fields that came and that the model does not know, with their wire values."""
        return self.__pydantic_extra__ or {}


def _exact(value: Any) -> Any:
    if isinstance(value, bool | float | str):
        raise ValueError("must be a number")  # noqa: TRY004 (pydantic collects ValueErrors)
    return value


def _whole(value: Any) -> Any:
    value = _exact(value)
    if isinstance(value, Decimal) and value != value.to_integral_value():
        raise ValueError("must be a whole number")
    return int(value) if isinstance(value, Decimal) else value


def _decimal_text(value: Any) -> Any:
    if not isinstance(value, str) or not _is_decimal_text(value):
        raise ValueError("must be a decimal number as text")
    return Decimal(value)


def _is_decimal_text(text: str) -> bool:
    whole, point, part = text.partition(".")
    parts = [whole, part] if point else [whole]
    return len(text) <= 1000 and all(p.isascii() and p.isdecimal() for p in parts)


def _text_or_number(value: Any) -> Any:
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if is_number else value


def _time_text(value: Any) -> Any:
    # pydantic would take numbers, digits in quotes included, for seconds since 1970.
    written = isinstance(value, datetime) or (isinstance(value, str) and _DAY.match(value))
    if not written:
        raise ValueError("must be a time as text")  # pydantic collects ValueErrors
    return value


def _day_text(value: Any) -> Any:
    if isinstance(value, date):
        return value
    # pydantic would take digits for seconds since 1970. Of a moment in UTC only its day counts.
    found = _DAY.match(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a day as text")
    return found[1]


def _none_is_empty(value: Any) -> Any:
    return () if value is None else value


#: A JSON number, exactly.
Number = Annotated[Decimal, BeforeValidator(_exact)]
#: A JSON number without a fraction.
Whole = Annotated[int, BeforeValidator(_whole)]
#: A decimal in quotes, `"12.50"`, as Lune sends masses and money.
DecimalText = Annotated[Decimal, BeforeValidator(_decimal_text)]
#: Text that some answers carry as a bare number.
Label = Annotated[str, BeforeValidator(_text_or_number)]
#: RFC 3339 with any number of fractional digits; a time without zone is refused.
Timestamp = Annotated[AwareDatetime, BeforeValidator(_time_text)]
#: A plain date `YYYY-MM-DD`, or the day of a UTC moment where older answers carry one.
Day = Annotated[date, BeforeValidator(_day_text)]

Item = TypeVar("Item")
#: An array; null and absence (give it the default `()`) are empty.
Many = Annotated[tuple[Item, ...], BeforeValidator(_none_is_empty)]

M = TypeVar("M", bound=WireModel)


def read_model(reply: Reply, model: type[M]) -> M:
    """Read a reply's object.

    Raises NotFoundError for a read's null, MalformedReplyError for all else but the object.
    """
    value = reply.json()
    # Only a question can be answered "there is none": null after a write proves nothing.
    if value is None and reply.request.startswith("GET "):
        raise NotFoundError(
            f"{reply.request}: there is no such object.", request=reply.request, status=404
        )
    return as_model(reply, value, model)


def read_list(reply: Reply, model: type[M]) -> tuple[M, ...]:
    """Read a reply that is a bare array of objects. Raises MalformedReplyError."""
    value = reply.json()
    if not isinstance(value, list):
        raise reply.malformed("is not a list")
    return tuple(as_model(reply, item, model) for item in value)


def as_model(reply: Reply, value: Any, model: type[M]) -> M:
    """Read a value that was found in a reply. Raises MalformedReplyError."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        # Places and rules only: the values may be private, and pydantic's error holds them.
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        text = "; ".join(f"{_place(p['loc'])}: {p['msg']}" for p in problems[:5])
    raise reply.malformed(f"does not fit the contract ({text})")


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the whole"
