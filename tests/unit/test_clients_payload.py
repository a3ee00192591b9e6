"""Reading and writing JSON exactly, models on top of it, and walking pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.clients.errors import MalformedReplyError, NotFoundError, PagingError
from lib.clients.http import Reply
from lib.clients.models import (
    DecimalText,
    Label,
    Many,
    Number,
    Timestamp,
    Whole,
    WireModel,
    read_list,
    read_model,
)
from lib.clients.paging import BARREN_PAGES, Page, walk
from lib.clients.payload import MAX_DIGITS, MAX_NESTING, encode_body, read_json

numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=values)
def test_what_is_written_is_read_back_exactly(value: object) -> None:
    read = read_json(encode_body(value))
    assert read == value
    assert encode_body(value) == encode_body(value)


@given(value=values)
def test_what_others_write_is_read_alike(value: object) -> None:
    text = json.dumps(value, default=str, ensure_ascii=True)
    assert read_json(text.encode()) == json.loads(text)


@given(content=st.binary(max_size=60) | st.text('[]{}",:0123456789.eE+-\\untr ').map(str.encode))
def test_any_bytes_are_read_or_refused_but_never_become_a_float(content: bytes) -> None:
    try:
        value = read_json(content)
    except ValueError:
        return
    assert value == json.loads(content, parse_float=Decimal)
    assert "float" not in {type(leaf).__name__ for leaf in _leaves(value)}


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for one in value for leaf in _leaves(one)] if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"NaN",
        b"[-Infinity]",
        b'{"a":1,"a":1}',
        b'{"x":[{"a":1,"\\u0061":2}]}',
        b"1e400",
        b"1e-400",
        b"9" * (MAX_DIGITS + 1),
        b"0." + b"1" * MAX_DIGITS,
        b"[" * (MAX_NESTING + 1) + b"]" * (MAX_NESTING + 1),
        b"[" * 100_000,
        b'["]",' * (MAX_NESTING + 1),
        b'["\\\\",' * (MAX_NESTING + 1),
        b'["\\ud800"]',
        '{"a":1}'.encode("utf-16"),
        b'\xef\xbb\xbf{"a":1}',
        b'"' + b'\\"' * 100_000,
    ],
    ids=range(17),
)
def test_what_no_provider_should_send_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_json(content)


def test_brackets_in_texts_are_not_nesting_and_the_limit_itself_is_fine() -> None:
    text = "[" * 500 + '\\"' + "{" * 500
    assert read_json(b'{"a":"' + text.encode() + b'"}')
    assert read_json(b"[" * MAX_NESTING + b"]" * MAX_NESTING)
    assert read_json(b'"\\ud83c\\udf31"') == "🌱"


def test_numbers_keep_their_digits() -> None:
    assert str(read_json(b"0.1")) == "0.1"
    assert read_json(b"10.50").as_tuple().exponent == -2
    assert read_json(b"9007199254740993") == 9007199254740993


@pytest.mark.parametrize("value", [0.1, {1: "a"}, b"x", object()])
def test_what_has_no_exact_form_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        encode_body(value)
    with pytest.raises(ValueError, match="cannot be sent"):
        encode_body(Decimal("NaN"))


# --- models


class Sample(WireModel):
    id: str
    amount: Number
    cents: Whole
    at: Timestamp | None = None
    tonnes: DecimalText | None = None
    label: Label | None = None
    tags: Many[str] = ()


def reply(**fields: Any) -> Reply:
    known = {"id": "a", "amount": Decimal("10.5"), "cents": 20}
    return Reply(200, {}, encode_body(known | fields), "GET /samples")


def test_a_model_takes_what_may_change() -> None:
    found = read_model(reply(new_field={"x": 1}, tags=None, label=824, tonnes="1.50"), Sample)
    assert found.raw == {"new_field": {"x": 1}}
    assert (found.tags, found.label, str(found.tonnes)) == ((), "824", "1.50")
    assert (found.amount, found.cents, found.at) == (Decimal("10.5"), 20, None)
    with pytest.raises(ValueError, match="frozen"):
        setattr(found, "cents", 21)  # noqa: B010 (a plain assignment is a type error already)


@pytest.mark.parametrize(
    "text", ["2022-08-01T18:00:00Z", "2022-08-01T18:00:00.123Z", "2022-08-01T20:00:00.123456+02:00"]
)
def test_times_come_with_any_precision(text: str) -> None:
    found = read_model(reply(at=text), Sample)
    assert found.at is not None
    assert found.at.utctimetuple().tm_hour == 18


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None},
        {"id": 7},
        {"amount": "10.5"},
        {"amount": None},
        {"amount": True},
        {"cents": Decimal("20.5")},
        {"cents": "20"},
        {"at": 1659376800},
        {"at": "2022-08-01T18:00:00"},
        {"tonnes": "-1"},
        {"tonnes": "1e3"},
        {"tonnes": 1},
        {"tonnes": ""},
        {"tonnes": "1."},
        {"label": True},
    ],
    ids=str,
)
def test_a_model_refuses_what_would_cost_money(wrong: dict[str, Any]) -> None:
    with pytest.raises(MalformedReplyError) as caught:
        read_model(reply(**wrong), Sample)
    assert "GET /samples" in str(caught.value)
    assert next(iter(wrong)) in str(caught.value)


def test_the_error_tells_the_place_but_not_the_value() -> None:
    with pytest.raises(MalformedReplyError) as caught:
        read_model(reply(cents="private words"), Sample)
    assert "private words" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_whole_decimals_are_whole() -> None:
    assert read_model(reply(cents=Decimal("20.0")), Sample).cents == 20


def test_null_is_not_found_and_a_list_is_not_an_object() -> None:
    with pytest.raises(NotFoundError):
        read_model(Reply(200, {}, b"null", "GET /x"), Sample)
    with pytest.raises(MalformedReplyError):
        read_model(Reply(200, {}, b"[]", "GET /x"), Sample)
    with pytest.raises(MalformedReplyError):
        read_list(Reply(200, {}, b"{}", "GET /x"), Sample)
    assert read_list(Reply(200, {}, b"[]", "GET /x"), Sample) == ()


# --- paging


@dataclass(frozen=True)
class Row:
    id: str


Fetch = Callable[[str | None], Page[Row]]


def pages(*given_pages: tuple[str, str | None]) -> Fetch:
    """Pages of one-letter ids with the cursor of the next page; one page per call."""
    left = list(given_pages)

    def fetch(_cursor: str | None) -> Page[Row]:
        letters, cursor = left.pop(0)
        return Page([Row(letter) for letter in letters], cursor)

    return fetch


def ids(fetch: Fetch, start: str | None = None) -> str:
    return "".join(row.id for row in walk(fetch, what="rows", start=start))


def test_rows_that_show_up_twice_are_given_once() -> None:
    assert ids(pages(("abc", "c1"), ("cde", "c2"), ("", None))) == "abcde"


def test_a_walk_is_lazy() -> None:
    walking = walk(pages(("ab", "c1")), what="rows")
    assert [next(walking).id, next(walking).id] == ["a", "b"]


def test_a_cursor_that_comes_back_stops_the_walk() -> None:
    with pytest.raises(PagingError, match="incomplete"):
        ids(pages(("ab", "c1"), ("cd", "c2"), ("ef", "c1")))
    with pytest.raises(PagingError):
        ids(pages(("ab", "c0")), start="c0")


def test_some_pages_without_news_are_borne_but_not_forever() -> None:
    barren = [("ab", f"x{n}") for n in range(BARREN_PAGES)]
    assert ids(pages(("ab", "c"), *barren[:-1], ("c", None))) == "abc"
    with pytest.raises(PagingError, match="2 rows"):
        ids(pages(("ab", "c"), *barren))
    with pytest.raises(PagingError):
        ids(pages(*[("", f"x{n}") for n in range(BARREN_PAGES)]))


@given(
    count=st.integers(0, 60),
    size=st.integers(1, 10),
    inserts=st.lists(st.integers(0, 3), max_size=30),
)
def test_nothing_is_lost_while_new_rows_push_in_front(
    count: int, size: int, inserts: list[int]
) -> None:
    # Newest first with offset cursors: insertions shift rows onto the next page again.
    rows = [Row(f"old-{n}") for n in range(count)]
    pushes = iter(inserts)

    def fetch(cursor: str | None) -> Page[Row]:
        for _ in range(min(next(pushes, 0), size - 1)):
            rows.insert(0, Row(f"new-{len(rows)}"))
        offset = int(cursor or 0)
        end = offset + size
        return Page(rows[offset:end], str(end) if end < len(rows) else None)

    found = [row.id for row in walk(fetch, what="rows")]
    assert len(found) == len(set(found))
    assert {f"old-{n}" for n in range(count)} <= set(found)
