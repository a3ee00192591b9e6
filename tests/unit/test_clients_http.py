"""The HTTP seam over real sockets: what is repeated, what is never, and what each failure is."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from lib.clients import errors
from lib.clients.decipher import decipher, retry_after
from lib.clients.http import Pace, Session, encode_body, identity_of, path_of
from lib.clients.payload import MAX_BYTES

from .wire import (
    Step,
    Wire,
    answer,
    drip,
    drop,
    gzipped,
    raw,
    reset,
    silence,
    truncate,
)

SECRET = "canary-8f3a1c"
ATTEMPTS = 3


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


def session(wire: Wire, *, timeout: float = 5.0) -> Session:
    return Session(
        base_url=f"{wire.url}/v1",
        headers={"Authorization": f"Bearer {SECRET}"},
        identity="someone",
        timeout=timeout,
    )


UNKNOWN_OUTCOMES: dict[str, Step] = {
    "drop": drop(),
    "reset": reset(),
    "truncated": truncate(b'{"id":'),
    "silent": silence(1.0),
    "not http": raw(b"hello\r\n\r\n"),
}


@pytest.mark.parametrize("step", UNKNOWN_OUTCOMES.values(), ids=UNKNOWN_OUTCOMES)
def test_once_bytes_have_left_the_outcome_is_unknown_and_the_post_not_repeated(step: Step) -> None:
    with Wire(step) as wire, session(wire, timeout=0.4) as api:
        with pytest.raises(errors.OutcomeUnknownError) as caught:
            api.post("/orders", {"amount_kg": 1}, headers={"Idempotency-Key": "k-1"})
        assert len(wire.requests) == 1
    assert caught.value.sent
    assert caught.value.idempotency_key == "k-1"
    assert caught.value.request == "POST /orders"


@pytest.mark.parametrize("step", UNKNOWN_OUTCOMES.values(), ids=UNKNOWN_OUTCOMES)
def test_reads_are_repeated_after_the_same_failures(step: Step) -> None:
    with Wire(step, answer(200, {"ok": True})) as wire, session(wire, timeout=0.4) as api:
        assert api.get("/orders").json() == {"ok": True}
        assert len(wire.requests) == 2


def test_a_refused_connection_is_provably_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    api = Session(base_url=f"http://127.0.0.1:{port}", headers={}, identity="x")
    with api, pytest.raises(errors.NotSentError) as caught:
        api.post("/orders", {"amount_kg": 1})
    assert not caught.value.sent


def test_a_failed_tls_handshake_is_provably_not_sent() -> None:
    with Wire(drop()) as wire:
        api = Session(base_url=f"https://127.0.0.1:{wire.port}", headers={}, identity="x")
        with api, pytest.raises(errors.NotSentError):
            api.send_once("POST", "/orders", body=b"{}")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_reads_survive_passing_trouble_and_give_up_after_the_last_attempt(status: int) -> None:
    with Wire(answer(status, b"<html>oops"), answer(200, {})) as wire, session(wire) as api:
        assert api.get("/orders").status == 200
    with Wire(answer(status)) as wire, session(wire) as api:
        with pytest.raises(errors.error_class(status)):
            api.get("/orders")
        assert len(wire.requests) == ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 418, 501])
def test_a_clear_no_is_not_asked_again(status: int) -> None:
    with Wire(answer(status)) as wire, session(wire) as api:
        with pytest.raises(errors.StatusError) as caught:
            api.get("/orders")
        assert len(wire.requests) == 1
    assert caught.value.status == status


@pytest.mark.parametrize("status", [429, 500, 503])
def test_posts_are_not_repeated_unless_harmless(status: int) -> None:
    with Wire(answer(status), answer(200, {})) as wire, session(wire) as api:
        with pytest.raises(errors.StatusError):
            api.post("/orders", {"amount_kg": 1})
        assert len(wire.requests) == 1
    with Wire(answer(status), answer(200, {})) as wire, session(wire) as api:
        assert api.post("/quotes", {"amount_kg": 1}, safe=True).status == 200
        assert len(wire.requests) == 2


def test_retry_after_is_honoured() -> None:
    with Wire(answer(429, retry_after="1"), answer(200, {})) as wire, session(wire) as api:
        started = time.monotonic()
        with stamina.set_testing(False):
            api.get("/orders")
    assert time.monotonic() - started >= 1.0


def test_a_long_retry_after_is_left_to_the_caller() -> None:
    with Wire(answer(429, retry_after="99999")) as wire, session(wire) as api:
        with pytest.raises(errors.RateLimitedError) as caught:
            api.get("/orders")
        assert len(wire.requests) == 1
    assert caught.value.retry_after == 3600


@pytest.mark.parametrize("step", [drop(), answer(429), answer(503), reset(), answer(307)])
def test_send_once_sends_exactly_these_bytes_exactly_once(step: Step) -> None:
    body = b'{ "amount_kg" : 10.50 }'
    headers = {"Idempotency-Key": "k", "X-Subaccount-Id": "s"}
    with Wire(step, answer(200, {})) as wire, session(wire) as api:
        with pytest.raises(errors.ApiError) as caught:
            api.send_once("POST", "/orders", headers=headers, body=body)
        assert caught.value.sent
        assert caught.value.idempotency_key == "k"
        assert [request.body for request in wire.requests] == [body]
        received = wire.requests[0]
    assert (received.method, received.target) == ("POST", "/v1/orders")
    assert received.headers["idempotency-key"] == "k"
    assert received.headers["x-subaccount-id"] == "s"
    assert received.headers["content-type"] == "application/json"


def test_a_request_says_who_we_are_and_keeps_no_cookie() -> None:
    with Wire(answer(200, {}, set_cookie="a=b")) as wire, session(wire) as api:
        api.get("/orders", params={"limit": 5, "status": ["a", "b"], "none": None, "yes": True})
        api.get("/orders")
        first, second = wire.requests
    assert first.target == "/v1/orders?limit=5&status=a&status=b&yes=true"
    assert first.headers["authorization"] == f"Bearer {SECRET}"
    assert first.headers["user-agent"].startswith("CarbonDesk/")
    assert "cookie" not in second.headers
    assert "content-type" not in second.headers


def test_no_redirect_is_followed() -> None:
    with Wire(answer(200, {})) as elsewhere, Wire(answer(307, location=elsewhere.url)) as wire:
        with session(wire) as api, pytest.raises(errors.RedirectedError):
            api.get("/orders")
        assert elsewhere.requests == []


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Wire(answer(200, {})) as proxy, Wire(answer(200, {})) as wire:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with session(wire) as api:
            api.get("/orders")
        assert len(wire.requests) == 1
        assert proxy.requests == []


def test_compressed_answers_are_read_and_bombs_are_cut() -> None:
    with Wire(gzipped(b'{"a":1}')) as wire, session(wire) as api:
        assert api.get("/x").json() == {"a": 1}
    bomb = gzipped(b" " * (MAX_BYTES + 10))
    with Wire(bomb) as wire, session(wire) as api, pytest.raises(errors.MalformedReplyError):
        api.get("/x")


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "deflate"])
def test_only_the_coding_that_was_asked_for_is_opened(coding: str) -> None:
    with Wire(gzipped(b"{}", coding)) as wire, session(wire) as api:
        with pytest.raises(errors.MalformedReplyError):
            api.get("/x")
        assert wire.requests[0].headers["accept-encoding"] == "gzip"


def test_a_body_that_never_ends_is_cut() -> None:
    with Wire(drip(0.1, 1000)) as wire, session(wire, timeout=0.3) as api:
        started = time.monotonic()
        with pytest.raises(errors.MalformedReplyError):
            api.get("/x")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff", b"[" * 5000, b'{"a":1e400}'],
)
def test_a_2xx_that_cannot_be_read_is_malformed(body: bytes) -> None:
    with Wire(answer(200, body)) as wire, session(wire) as api:
        reply = api.post("/orders", {"idempotency_key": "in-the-body"})
    with pytest.raises(errors.MalformedReplyError) as caught:
        reply.json()
    assert caught.value.idempotency_key == "in-the-body"
    assert "POST /orders" in str(caught.value)


def test_no_error_repr_or_log_holds_the_credential(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    problem = {"title": f"Bad key Bearer {SECRET}", "errors": {SECRET: [f"see {SECRET}"]}}
    with Wire(answer(400, problem), answer(500, problem), drop()) as wire, session(wire) as api:
        for _ in range(3):
            with pytest.raises(errors.ApiError) as caught:
                api.send_once("POST", "/orders", body=b"{}")
            told = [str(caught.value), repr(caught.value), repr(vars(caught.value)), repr(api)]
            assert SECRET not in " ".join(told)
        with pytest.raises(errors.OutcomeUnknownError):
            api.get("/orders")
    assert "POST" in caplog.text
    assert SECRET not in caplog.text
    with pytest.raises(ValueError, match="Authorization") as refused:
        Session(base_url=wire.url, headers={"Authorization": f"{SECRET}\n"}, identity="x")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["http://api.cnaught.com/v1", "ftp://127.0.0.1", "https://me:pw@host/v1", "https://h/?k=1", ""],
)
def test_credentials_go_nowhere_in_the_clear(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        Session(base_url=url, headers={}, identity="x")


@pytest.mark.parametrize("url", ["http://localhost:1/v1", "http://[::1]:1", "https://example.org/"])
def test_this_machine_and_https_are_fine(url: str) -> None:
    with Session(base_url=url, headers={}, identity="x") as api:
        assert not api.base_url.endswith("/")


def test_a_header_cannot_be_smuggled_in() -> None:
    with Wire(answer(200, {})) as wire, session(wire) as api:
        with pytest.raises(ValueError, match="X-Subaccount-Id"):
            api.get("/x", headers={"X-Subaccount-Id": "a\r\nX-Evil: 1"})
        assert wire.requests == []


def test_ids_are_escaped_in_paths() -> None:
    assert path_of("orders", "a/b?c#d e") == "/orders/a%2Fb%3Fc%23d%20e"
    for bad in ("", ".", ".."):
        with pytest.raises(ValueError, match="not an id"):
            path_of("orders", bad)


def test_an_identity_depends_on_every_part_and_tells_none() -> None:
    assert identity_of("ab", "c") != identity_of("a", "bc")
    assert SECRET not in identity_of("cnaught", SECRET)


def test_threads_share_a_session() -> None:
    with Wire(answer(200, {"ok": 1})) as wire, session(wire) as api:
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(api.get("/x").status)) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [200] * 20


# --- the pace


def test_a_pace_lets_so_many_start_in_any_second() -> None:
    now, starts = [0.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(3, clock=lambda: now[0], sleep=sleep)
    for _ in range(7):
        pace.wait()
        starts.append(now[0])
    assert starts == [0, 0, 0, 1, 1, 1, 2]
    with pytest.raises(ValueError, match="at least one"):
        Pace(0)


def test_a_session_keeps_its_pace_over_threads() -> None:
    with Wire(answer(200, {})) as wire:
        pace = Pace(4, seconds=0.3)
        with Session(base_url=wire.url, headers={}, identity="x", pace=pace) as api:
            started = time.monotonic()
            threads = [threading.Thread(target=api.get, args=("/x",)) for _ in range(9)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert time.monotonic() - started >= 0.6


# --- deciphering


def test_a_cnaught_problem_is_deciphered() -> None:
    error = decipher(
        400,
        {"content-type": "application/problem+json", "x-request-id": "r-1"},
        b'{"type":"https://api.cnaught.com/v1/errors/invalid-parameters","title":"Bad",'
        b'"status":400,"errors":{"amount_kg":["must be greater than 0"]}}',
        request="POST /orders",
    )
    assert type(error) is errors.BadRequestError
    assert error.code == "invalid-parameters"
    assert error.field_errors == {"amount_kg": ["must be greater than 0"]}
    assert error.request_id == "r-1"
    assert str(error) == "Bad: amount_kg must be greater than 0"


def test_a_replayed_answer_says_so() -> None:
    error = decipher(403, {"x-idempotent-replay": "true"}, b"{}", request="POST /orders")
    assert error.replayed
    assert not decipher(403, {}, b"{}", request="POST /orders").replayed


def test_lune_errors_are_deciphered() -> None:
    body = (
        b'{"errors":[{"error_code":"order_idempotency_already_exists","message":"key used"}],'
        b'"error":{"error_code":"order_idempotency_already_exists","message":"key used"}}'
    )
    error = decipher(409, {}, body, request="POST /orders")
    assert type(error) is errors.ConflictError
    assert (error.code, str(error)) == ("order_idempotency_already_exists", "key used")
    text = decipher(429, {"content-type": "text/plain"}, b"Too Many Requests", request="GET /x")
    assert (type(text), str(text)) == (errors.RateLimitedError, "Too Many Requests")


def test_isometric_details_are_deciphered() -> None:
    listed = decipher(
        422,
        {},
        b'{"detail":[{"loc":["body","batches",0,"kg"],"msg":"must be above 0","type":"x"}]}',
        request="POST /deliveries",
    )
    assert type(listed) is errors.UnprocessableError
    assert listed.field_errors == {"batches.0.kg": ["must be above 0"]}
    plain = decipher(404, {}, b'{"detail":"Order not found"}', request="GET /orders/x")
    assert (type(plain), str(plain)) == (errors.NotFoundError, "Order not found")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 599])
@pytest.mark.parametrize("body", [b"", b"<html><h1>Bad Gateway", b"null", b"[1]", b'{"errors":3}'])
def test_every_5xx_is_a_server_error_whatever_its_body(status: int, body: bytes) -> None:
    error = decipher(status, {"content-type": "text/html"}, body, request="GET /x")
    assert type(error) is errors.ServerError
    assert "<" not in str(error)
    assert str(status) in str(error)


@given(
    status=st.integers(300, 599),
    content=st.binary(max_size=80) | st.text(max_size=80).map(str.encode),
    kind=st.sampled_from(["", "text/plain", "application/json"]),
)
def test_any_error_body_becomes_one_printable_line(status: int, content: bytes, kind: str) -> None:
    message = str(decipher(status, {"content-type": kind}, content, request="GET /x"))
    assert message.isprintable()
    assert 0 < len(message) < 600


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["errors", "error", "detail", "title", "type", "loc", "msg", "message"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(value=JSON)
def test_any_json_error_body_is_survived(value: object) -> None:
    error = decipher(400, {}, encode_body(value), request="GET /x")
    assert type(error) is errors.BadRequestError
    assert all(isinstance(m, str) for ms in error.field_errors.values() for m in ms)


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("99999", 3600.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2020 12:00:30 GMT", 0.0),
        ("Sun, 01 Mar 2099 12:00:30 GMT", 3600.0),
        ("soon", None),
        ("-3", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_and_bounded(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(value=st.text(max_size=40))
def test_retry_after_survives_anything(value: str) -> None:
    found = retry_after(value, NOW)
    assert found is None or 0 <= found <= timedelta(hours=1).total_seconds()


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = (errors.__doc__ or "").split("ApiError", 1)[1]
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ApiError)
    } - {"ApiError"}
    assert all(f"── {name}" in drawn for name in classes)
    assert len(classes) == drawn.split('"""')[0].count("── ")


def test_only_the_seam_knows_httpx() -> None:
    root = Path(__file__).parents[2] / "lib" / "clients"
    knowing = {p.name for p in root.rglob("*.py") if "import httpx" in p.read_text("utf-8")}
    assert knowing == {"http.py"}


def test_bodies_are_exact_and_deterministic() -> None:
    assert encode_body({"b": Decimal("10.50"), "a": "é"}) == '{"a":"é","b":10.50}'.encode()
    assert encode_body(Decimal("1E+3")) == b"1000"
    with pytest.raises(TypeError, match="float"):
        encode_body({"a": 0.1})
