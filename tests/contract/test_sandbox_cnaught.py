"""The CNaught sandbox over HTTP: what its contract says of orders, quotes, pages, keys, scope."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.domain.serials import parse_serial
from lib.sandbox import catalogue
from tests.conftest import Sandbox, SandboxFactory

PROBLEMS = "https://api.cnaught.com/v1/errors/"


def client_of(sandbox: Sandbox, key: str = "sandbox-cnaught-key") -> httpx.Client:
    return sandbox.client("/cnaught/v1", Authorization=f"Bearer {key}")


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


@pytest.fixture
def demo(demo_sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client_of(demo_sandbox) as client:
        yield client


def place(api: httpx.Client, amount: Any = 10, **more: Any) -> dict[str, Any]:
    reply = api.post("/orders", json={"amount_kg": amount} | more)
    assert reply.status_code == 201, reply.text
    placed: dict[str, Any] = reply.json()
    return placed


def refusal(reply: httpx.Response) -> tuple[int, str]:
    body = reply.json()
    assert reply.headers["content-type"] == "application/problem+json"
    assert body["status"] == reply.status_code
    return reply.status_code, body["type"].removeprefix(PROBLEMS)


def own_catalogue(tmp_path: Path, **accounts: Any) -> Path:
    """The built-in catalogue with the first account changed."""
    own = catalogue.load()["cnaught"]
    own["accounts"][0] |= accounts
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps({"cnaught": own}, default=float), encoding="utf-8")
    return file


# --- Who calls


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", "Basic sandbox-cnaught-key"]
)
def test_a_key_that_is_none_is_unauthorized(sandbox: Sandbox, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    reply = sandbox.http.get("/cnaught/v1/orders", headers=headers)
    assert refusal(reply) == (401, "about:blank")
    assert reply.json()["title"] == "Unauthorized"


def test_accounts_do_not_see_each_other(sandbox: Sandbox, api: httpx.Client) -> None:
    order = place(api)
    with client_of(sandbox, "sandbox-cnaught-key-2") as other:
        assert refusal(other.get(f"/orders/{order['id']}")) == (404, "not-found")
        assert other.get("/orders").json() == {"data": []}


# --- Placing


def test_a_new_order_is_placed_with_every_key_there(sandbox: Sandbox, api: httpx.Client) -> None:
    order = place(api, 10.5, metadata="po=77", description="Team offsite")
    order_id = order["id"]
    assert order == {
        "id": order_id,
        "order_number": order["order_number"],
        "created_on": order["created_on"],
        "metadata": "po=77",
        "description": "Team offsite",
        "amount_kg": 10.5,
        "state": "placed",
        "price_usd_cents": 21,
        "callback_url": None,
        "certificate_public_url": f"{sandbox.url}/pages/cnaught/orders/{order_id}",
        "certificate_download_public_url": (
            f"{sandbox.url}/pages/cnaught/certificates/{order_id}/pdf"
        ),
        "subaccount_id": None,
        "project_allocations": [],
        "checkout_session_id": None,
    }
    assert len(order_id) == 12
    assert bytes.fromhex(order["order_number"].replace("-", "")).decode() == order_id
    assert api.get(f"/orders/{order_id}").json() == order


@pytest.mark.parametrize(
    ("body", "kg", "cents"),
    [
        ({"amount_kg": 10}, 10, 20),
        ({"amount_kg": 10.2}, 10.2, 21),
        ({"amount_kg": 0.001}, 0.001, 1),
        ({"total_price_usd_cents": 3190}, 1595, 3190),
        ({"total_price_usd_cents": 3191}, 1595, 3191),
        ({"amount_kg": 1, "portfolio_id": "pfDurable01"}, 1, 19),
    ],
)
def test_prices_round_up_and_masses_for_a_price_round_down(
    api: httpx.Client, body: dict[str, Any], kg: float, cents: int
) -> None:
    order = api.post("/orders", json=body).json()
    assert (order["amount_kg"], order["price_usd_cents"]) == (kg, cents)


def test_numbers_come_back_as_they_were_written(api: httpx.Client) -> None:
    for text in ("10.5", "0.1", "123456.789", "10"):
        headers = {"Content-Type": "application/json"}
        reply = api.post("/orders", content=f'{{"amount_kg":{text}}}', headers=headers)
        assert f'"amount_kg":{text},' in reply.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "amount_kg"),
        ({"amount_kg": 1, "total_price_usd_cents": 2}, "amount_kg"),
        ({"amount_kg": 0}, "amount_kg"),
        ({"amount_kg": -10}, "amount_kg"),
        ({"amount_kg": "10"}, "amount_kg"),
        ({"amount_kg": True}, "amount_kg"),
        ({"amount_kg": 1.0000001}, "amount_kg"),
        ({"total_price_usd_cents": 1}, "total_price_usd_cents"),
        ({"total_price_usd_cents": 10.5}, "total_price_usd_cents"),
        ({"amount_kg": 1, "description": "x" * 513}, "description"),
        ({"amount_kg": 1, "metadata": 7}, "metadata"),
        ({"amount_kg": 1, "notification_config": {}}, "notification_config.url"),
        ({"amount_kg": 1, "notification_config": {"url": "/back"}}, "notification_config.url"),
        ({"amount_kg": 1, "notification_config": {"url": "https://["}}, "notification_config.url"),
        (
            {"amount_kg": 1, "notification_config": {"url": "http://a.example"}},
            "notification_config.url",
        ),
    ],
)
def test_what_does_not_validate_is_named(
    sandbox: Sandbox, api: httpx.Client, body: dict[str, Any], field: str
) -> None:
    reply = api.post("/orders", json=body)
    assert refusal(reply) == (400, "invalid-parameters")
    assert reply.json()["title"] == "Your request parameters didn't validate"
    assert list(reply.json()["errors"]) == [field]
    assert sandbox.ledger()["cnaught-1"]["orders"] == 0


def test_the_contracts_own_example_of_a_refusal(api: httpx.Client) -> None:
    assert api.post("/orders", json={"amount_kg": 0}).json() == {
        "type": "https://api.cnaught.com/v1/errors/invalid-parameters",
        "title": "Your request parameters didn't validate",
        "status": 400,
        "errors": {"amount_kg": ["must be greater than 0"]},
    }


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "null", '{"amount_kg": NaN}', '{"amount_kg": 1e999999999999}', "\xff", "[" * 5000],
)
def test_a_body_that_is_no_object_is_a_plain_refusal(api: httpx.Client, text: str) -> None:
    reply = api.post(
        "/orders", content=text.encode("latin-1"), headers={"Content-Type": "application/json"}
    )
    assert refusal(reply) == (400, "invalid-parameters")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.dictionaries(
        st.sampled_from(
            [
                "amount_kg",
                "total_price_usd_cents",
                "metadata",
                "description",
                "portfolio_id",
                "notification_config",
            ]
        ),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text()
        | st.lists(st.integers()),
    )
)
def test_no_body_makes_it_fail(api: httpx.Client, body: dict[str, Any]) -> None:
    assert api.post("/orders", json=body).status_code in (201, 400, 403)


def test_ride_orders_take_the_car_factor(api: httpx.Client) -> None:
    order = api.post("/orders/ride", json={"distance_km": 100, "metadata": "trip-9"})
    assert order.status_code == 201
    assert (order.json()["amount_kg"], order.json()["metadata"]) == (19, "trip-9")


def test_a_portfolio_that_does_not_exist(api: httpx.Client) -> None:
    order = api.post("/orders", json={"amount_kg": 1, "portfolio_id": "none"})
    quote = api.post("/quotes", json={"amount_kg": 1, "portfolio_id": "none"})
    assert refusal(order) == (403, "forbidden")
    assert refusal(quote) == (400, "invalid-parameters")
    assert list(quote.json()["errors"]) == ["portfolio_id"]


def test_a_portfolio_that_is_not_for_this_account(
    sandbox_factory: SandboxFactory, tmp_path: Path
) -> None:
    sandbox = sandbox_factory(catalogue=own_catalogue(tmp_path, portfolios=["pfBalanced01"]))
    with client_of(sandbox) as api:
        body = {"amount_kg": 1, "portfolio_id": "pfForests01"}
        assert refusal(api.post("/orders", json=body)) == (403, "forbidden")
        assert refusal(api.post("/quotes", json=body)) == (403, "forbidden")
        assert [p["id"] for p in api.get("/portfolios").json()["data"]] == ["pfBalanced01"]
        assert refusal(api.get("/portfolios/pfForests01")) == (404, "not-found")


def test_without_billing_no_order_is_placed(
    sandbox_factory: SandboxFactory, tmp_path: Path
) -> None:
    sandbox = sandbox_factory(catalogue=own_catalogue(tmp_path, billing=False))
    with client_of(sandbox) as api:
        assert refusal(api.post("/orders", json={"amount_kg": 1})) == (403, "forbidden")
        assert api.post("/quotes", json={"amount_kg": 1}).status_code == 200


# --- Fulfilling and cancelling


def test_an_order_is_fulfilled_after_its_delay_and_its_parts_make_the_whole(
    sandbox: Sandbox, api: httpx.Client
) -> None:
    order = place(api, 1234.567)
    sandbox.advance(14)
    assert api.get(f"/orders/{order['id']}").json()["state"] == "placed"
    sandbox.advance(2)
    fulfilled = api.get(f"/orders/{order['id']}").json()
    parts = [Decimal(str(part["amount_kg"])) for part in fulfilled["project_allocations"]]
    assert fulfilled["state"] == "fulfilled"
    assert sum(parts) == Decimal("1234.567")
    assert len(parts) == 4
    assert all(part["retirements"] for part in fulfilled["project_allocations"])


def test_what_rounding_leaves_goes_to_the_first_part(sandbox: Sandbox, api: httpx.Client) -> None:
    order = place(api, 0.000011)
    sandbox.advance(60)
    parts = api.get(f"/orders/{order['id']}").json()["project_allocations"]
    assert [Decimal(str(part["amount_kg"])) for part in parts] == [
        Decimal(text) for text in ("0.000005", "0.000003", "0.000002", "0.000001")
    ]


def test_orders_share_blocks_and_never_take_more_than_a_block_holds(
    sandbox: Sandbox, api: httpx.Client
) -> None:
    for kg in (3, 2500.5, 61_000, 18_000, 7):
        place(api, kg)
    sandbox.advance(60)
    orders = api.get("/orders").json()["data"]
    holders: dict[str, set[str]] = {}
    for order in orders:
        for part in order["project_allocations"]:
            for retirement in part["retirements"]:
                holders.setdefault(retirement["serial_number_range"], set()).add(order["id"])
    assert any(len(ids) > 2 for ids in holders.values())
    units = sum(
        serial.last_unit - serial.first_unit + 1
        for serial in map(parse_serial, holders)
        if serial is not None and serial.last_unit is not None and serial.first_unit is not None
    )
    assert units * 1000 >= sum(Decimal(str(order["amount_kg"])) for order in orders)


def test_a_block_that_runs_out_mid_order_gives_two_ranges_of_different_years(
    sandbox: Sandbox, api: httpx.Client
) -> None:
    place(api, 200_000)
    sandbox.advance(60)
    order = api.get("/orders").json()["data"][0]
    vintages = {
        parsed.vintage_year
        for part in order["project_allocations"]
        for retirement in part["retirements"]
        if (parsed := parse_serial(retirement["serial_number_range"])) is not None
        if part["project"]["id"] == "prMavuno"
    }
    assert len(vintages) >= 2


def test_orders_wait_while_there_is_no_stock(sandbox: Sandbox, api: httpx.Client) -> None:
    order = place(api, 100, portfolio_id="pfAirCapture")
    sandbox.advance(40 * 86_400)
    assert api.get(f"/orders/{order['id']}").json()["state"] == "placed"


@pytest.mark.parametrize("fulfilled", [False, True])
def test_cancelling_is_final_and_takes_everything_back(
    sandbox: Sandbox, api: httpx.Client, fulfilled: bool
) -> None:
    order = place(api, 500)
    if fulfilled:
        sandbox.advance(60)
        assert api.get("/impact/data").json()["total_offset_kgs"] == 500
    cancelled = api.post(f"/orders/{order['id']}/cancel").json()
    assert cancelled["state"] == "cancelled"
    assert cancelled["certificate_public_url"] is None
    assert cancelled["certificate_download_public_url"] is None
    assert cancelled["project_allocations"] == []
    sandbox.advance(60)
    assert api.get(f"/orders/{order['id']}").json() == cancelled
    assert api.get("/impact/data").json()["total_offset_kgs"] == 0
    assert refusal(api.post(f"/orders/{order['id']}/cancel")) == (403, "forbidden")


def test_an_unknown_order_cannot_be_found_or_cancelled(api: httpx.Client) -> None:
    for reply in (api.get("/orders/none"), api.post("/orders/none/cancel")):
        assert refusal(reply) == (404, "not-found")
        assert reply.json()["title"] == "Could not find order"


# --- Idempotency


def keyed(api: httpx.Client, key: str, path: str = "/orders", **body: Any) -> httpx.Response:
    return api.post(path, json=body or {"amount_kg": 5}, headers={"Idempotency-Key": key})


def test_a_key_that_comes_again_gets_the_same_answer_once_more(
    sandbox: Sandbox, api: httpx.Client
) -> None:
    first = keyed(api, "k1", amount_kg=5, metadata="m")
    sandbox.advance(60)
    again = keyed(api, "k1", metadata="m", amount_kg=5.0)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["X-Idempotent-Replay"] == "true"
    assert "X-Idempotent-Replay" not in first.headers
    assert sandbox.ledger()["cnaught-1"]["orders"] == 1
    assert [effect["key"] for effect in sandbox.effects()] == ["k1"]


def test_the_same_key_with_another_body_or_scope_is_refused(api: httpx.Client) -> None:
    child = api.post("/subaccounts", json={"name": "Porto"}).json()["id"]
    keyed(api, "k1", amount_kg=5)
    other_body = keyed(api, "k1", amount_kg=6)
    other_scope = api.post(
        "/orders",
        json={"amount_kg": 5},
        headers={"Idempotency-Key": "k1", "X-Subaccount-Id": child},
    )
    for reply in (other_body, other_scope):
        assert refusal(reply) == (422, "idempotency-changed-payload")
        assert reply.json()["title"] == (
            "Previous request submitted with same idempotency key had different payload"
        )


def test_a_key_belongs_to_account_and_path(sandbox: Sandbox, api: httpx.Client) -> None:
    keyed(api, "k1")
    assert keyed(api, "k1", "/orders/ride", distance_km=5).status_code == 201
    with client_of(sandbox, "sandbox-cnaught-key-2") as other:
        assert keyed(other, "k1", amount_kg=6).status_code == 201


def test_the_same_key_at_the_same_time_is_refused(sandbox: Sandbox, api: httpx.Client) -> None:
    with ThreadPoolExecutor() as pool, sandbox.world.transaction():
        first = pool.submit(keyed, api, "k1")
        time.sleep(0.5)
        second = keyed(api, "k1")
    assert refusal(second) == (409, "idempotency-concurrent-requests")
    assert first.result().status_code == 201
    assert keyed(api, "k1").headers["X-Idempotent-Replay"] == "true"


def test_many_at_once_place_one_order(sandbox: Sandbox, api: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: keyed(api, "k1").status_code, range(16)))
    assert set(replies) <= {201, 409}
    assert sandbox.ledger()["cnaught-1"]["orders"] == 1


def test_refusals_are_kept_but_mistakes_are_not(sandbox: Sandbox, api: httpx.Client) -> None:
    refused = keyed(api, "k1", amount_kg=1, portfolio_id="none")
    assert refused.status_code == 403
    again = keyed(api, "k1", amount_kg=1, portfolio_id="none")
    assert (again.status_code, again.headers["X-Idempotent-Replay"]) == (403, "true")
    assert keyed(api, "k2", amount_kg=-1).status_code == 400
    assert keyed(api, "k2", amount_kg=1).status_code == 201


def test_a_cancel_with_a_key_replays(api: httpx.Client) -> None:
    order = place(api)
    path = f"/orders/{order['id']}/cancel"
    first = api.post(path, headers={"Idempotency-Key": "c"})
    again = api.post(path, headers={"Idempotency-Key": "c"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()


def test_a_key_lives_for_a_day_and_may_be_512_long(sandbox: Sandbox, api: httpx.Client) -> None:
    assert keyed(api, "k" * 512).status_code == 201
    assert refusal(keyed(api, "k" * 513)) == (400, "idempotency-key-too-long")
    sandbox.advance(86_401)
    assert "X-Idempotent-Replay" not in keyed(api, "k" * 512).headers


def test_a_key_survives_a_lost_reply(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults("drop_after", "/cnaught/v1/orders")
    with pytest.raises(httpx.TransportError):
        keyed(api, "k1")
    assert keyed(api, "k1").headers["X-Idempotent-Replay"] == "true"
    assert sandbox.ledger()["cnaught-1"]["orders"] == 1


# --- Pages


def ids(reply: httpx.Response) -> list[str]:
    return [item["id"] for item in reply.json()["data"]]


def test_pages_walk_both_ways_without_gap_or_repeat(sandbox: Sandbox, api: httpx.Client) -> None:
    made = [place(api, n + 1)["id"] for n in range(7)][::-1]
    assert ids(api.get("/orders")) == made
    first = ids(api.get("/orders", params={"limit": 3}))
    second = ids(api.get("/orders", params={"limit": 3, "starting_after": first[-1]}))
    third = ids(api.get("/orders", params={"limit": 3, "starting_after": second[-1]}))
    assert first + second + third == made
    back = ids(api.get("/orders", params={"limit": 2, "ending_before": third[0]}))
    assert back == made[4:6]
    assert ids(api.get("/orders", params={"ending_before": made[0]})) == []
    assert ids(api.get("/orders", params={"starting_after": made[-1]})) == []
    newer = place(api)["id"]
    assert ids(api.get("/orders", params={"ending_before": made[0]})) == [newer]


@pytest.mark.parametrize(
    "params",
    [
        {"starting_after": "none"},
        {"ending_before": ""},
        {"starting_after": "a", "ending_before": "b"},
    ],
)
def test_cursors_that_cannot_be_followed(api: httpx.Client, params: dict[str, str]) -> None:
    for path in ("/orders", "/subaccounts"):
        reply = api.get(path, params=params)
        assert refusal(reply) == (400, "invalid-pagination")
        assert reply.json()["detail"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1.5", ""])
def test_limits_out_of_range(api: httpx.Client, limit: str) -> None:
    reply = api.get("/orders", params={"limit": limit})
    assert refusal(reply) == (400, "invalid-parameters")
    assert list(reply.json()["errors"]) == ["limit"]


def test_a_cursor_outside_the_scope_is_unknown(api: httpx.Client) -> None:
    child = api.post("/subaccounts", json={"name": "Porto"}).json()["id"]
    outside = place(api)["id"]
    reply = api.get(
        "/orders", params={"starting_after": outside}, headers={"X-Subaccount-Id": child}
    )
    assert refusal(reply) == (400, "invalid-pagination")


def test_a_page_has_twenty_unless_asked(demo: httpx.Client) -> None:
    assert len(ids(demo.get("/orders"))) == 20
    orders = demo.get("/orders", params={"limit": 100}).json()["data"]
    stamps = [order["created_on"] for order in orders]
    assert stamps == sorted(stamps, reverse=True)


# --- Quotes


@pytest.mark.parametrize(
    ("path", "body", "kg"),
    [
        ("", {"amount_kg": 8.5}, 8.5),
        ("", {"amount_kg": 10}, 10),
        ("/flight", {"distance_km": 100}, 13),
        ("/flight", {"distance_km": 482}, 63),
        ("/flight", {"distance_km": 483}, 39),
        ("/flight", {"distance_km": 1000}, 81),
        ("/flight", {"distance_km": 5540}, 566),
        ("/air-freight", {"freight_mass_kg": 10, "distance_km": 100}, 1),
        ("/ground-freight", {"freight_mass_kg": 100, "distance_km": 1000}, 13),
        ("/ride", {"distance_km": 100}, 19),
        ("/ground-transport", {"distance_km": 100, "vehicle_type": "passenger_car_van_or_suv"}, 19),
        ("/ground-transport", {"distance_km": 120, "vehicle_type": "coach_bus"}, 102),
        ("/train", {"distance_km": 1000}, 60),
        ("/office-space", {"square_footage": 1000}, 6190),
        ("/train", {"distance_km": 0.1}, 1),
    ],
)
def test_quotes_of_known_value(
    api: httpx.Client, path: str, body: dict[str, Any], kg: float
) -> None:
    quote = api.post(f"/quotes{path}", json=body)
    assert quote.status_code == 200
    cents = -(-Decimal(str(kg)) * 2 // 1)
    assert quote.json() == {"amount_kg": kg, "price_usd_cents": int(cents)}


def test_quotes_at_the_checkout_price(api: httpx.Client) -> None:
    quote = api.post("/quotes", json={"amount_kg": 9, "source": "checkout"}).json()
    assert quote == {"amount_kg": 9, "price_usd_cents": 23}
    same = api.post("/quotes", json={"amount_kg": 9, "source": None, "portfolio_id": None}).json()
    assert same == {"amount_kg": 9, "price_usd_cents": 18}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", {"amount_kg": -10}, "amount_kg"),
        ("/flight", {"distance_km": 0}, "distance_km"),
        ("/flight", {}, "distance_km"),
        ("/air-freight", {"freight_mass_kg": -1, "distance_km": 1}, "freight_mass_kg"),
        ("/ground-transport", {"distance_km": 1, "vehicle_type": "tank"}, "vehicle_type"),
        ("/office-space", {"square_footage": 0}, "square_footage"),
        ("", {"amount_kg": 1, "source": "web"}, "source"),
    ],
)
def test_quotes_for_nothing_are_refused(
    api: httpx.Client, path: str, body: dict[str, Any], field: str
) -> None:
    reply = api.post(f"/quotes{path}", json=body)
    assert refusal(reply) == (400, "invalid-parameters")
    assert list(reply.json()["errors"]) == [field]


# --- Subaccounts


def test_a_subaccount_lives_its_life(sandbox: Sandbox, api: httpx.Client) -> None:
    body = {
        "name": "Porto office",
        "email": "porto@example.org",
        "logo_url": "https://l.example/a.png",
    }
    made = api.post("/subaccounts", json=body | {"default_portfolio_id": "pfForests01"})
    assert made.status_code == 201
    child = made.json()
    assert len(child["id"]) == 8
    assert child["logo_url"].startswith(sandbox.url)
    assert sandbox.http.get(child["logo_url"]).headers["content-type"] == "image/svg+xml"
    assert api.get("/subaccounts").json() == {"data": [child]}

    replaced = api.put(f"/subaccounts/{child['id']}", json={"name": "Porto"}).json()
    assert replaced == child | {"name": "Porto", "email": None, "default_portfolio_id": None}
    assert api.get(f"/subaccounts/{child['id']}").json() == replaced

    gone = api.delete(f"/subaccounts/{child['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert refusal(api.get(f"/subaccounts/{child['id']}")) == (404, "not-found")
    reply = api.get("/orders", headers={"X-Subaccount-Id": child["id"]})
    assert refusal(reply) == (400, "invalid-subaccount")


def test_a_subaccount_scopes_orders_prices_and_impact(sandbox: Sandbox, api: httpx.Client) -> None:
    child = api.post(
        "/subaccounts", json={"name": "Porto", "default_portfolio_id": "pfDurable01"}
    ).json()["id"]
    scope = {"X-Subaccount-Id": child}
    whole = place(api, 100)
    own = api.post("/orders", json={"amount_kg": 10}, headers=scope).json()
    assert (own["subaccount_id"], own["price_usd_cents"]) == (child, 185)
    assert (
        api.post("/quotes", json={"amount_kg": 10}, headers=scope).json()["price_usd_cents"] == 185
    )
    assert ids(api.get("/orders", headers=scope)) == [own["id"]]
    assert ids(api.get("/orders")) == [own["id"], whole["id"]]
    assert refusal(api.get(f"/orders/{whole['id']}", headers=scope)) == (404, "not-found")
    sandbox.advance(60)
    assert api.get("/impact/data", headers=scope).json()["total_offset_kgs"] == 10
    assert api.get("/impact/data").json()["total_offset_kgs"] == 110
    assert refusal(api.delete(f"/subaccounts/{child}")) == (403, "forbidden")
    unknown = api.post("/orders", json={"amount_kg": 1}, headers={"X-Subaccount-Id": "none"})
    assert refusal(unknown) == (400, "invalid-subaccount")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "default_portfolio_id": "no"}, "default_portfolio_id"),
    ],
)
def test_subaccounts_that_do_not_validate(
    api: httpx.Client, body: dict[str, Any], field: str
) -> None:
    reply = api.post("/subaccounts", json=body)
    assert refusal(reply) == (400, "invalid-parameters")
    assert list(reply.json()["errors"]) == [field]


def test_subaccounts_need_provisioning(sandbox_factory: SandboxFactory, tmp_path: Path) -> None:
    sandbox = sandbox_factory(catalogue=own_catalogue(tmp_path, subaccounts=False))
    with client_of(sandbox) as api:
        for reply in (
            api.get("/subaccounts"),
            api.post("/subaccounts", json={"name": "x"}),
            api.get("/subaccounts/none"),
        ):
            assert refusal(reply) == (403, "forbidden")
            assert reply.json()["title"] == (
                "User is not allowed to use subaccounts. Contact support to request access."
            )


# --- Impact


def test_impact_adds_up_and_has_the_equivalents(sandbox: Sandbox, api: httpx.Client) -> None:
    place(api, 8580)
    sandbox.advance(60)
    impact = api.get("/impact/data").json()
    assert impact["name"] == "Halden Logistics"
    assert impact["total_offset_kgs"] == 8580
    assert impact["equivalents"] == {
        "cars_off_the_road": 2,
        "trees_planted": 143,
        "homes_annual_energy_usage": 1.15,
        "flights_lax_to_nyc": 21.09,
    }
    weights = [category["offset_kgs"] for category in impact["categories"]]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == 8580
    assert impact["to_date"] is None


def test_impact_counts_by_the_time_of_fulfilment(sandbox: Sandbox, api: httpx.Client) -> None:
    place(api, 100)
    sandbox.advance(86_400)
    place(api, 20)
    sandbox.advance(3600)
    parts = []
    edges = ["2020-01-01", "2026-11-01T12:00:00.000Z", "2027-01-01T00:00:00Z"]
    for start, end in pairwise(edges):
        impact = api.get("/impact/data", params={"from": start, "to": end}).json()
        parts.append(impact["total_offset_kgs"])
    assert parts == [100, 20]
    assert impact["since_date"] == "2026-11-01T12:00:00.000000Z"
    assert impact["to_date"] == "2027-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    "params", [{"from": "soon"}, {"from": "2026-02-02", "to": "2026-02-01"}, {"to": "x"}]
)
def test_impact_of_a_time_that_is_none(api: httpx.Client, params: dict[str, str]) -> None:
    reply = api.get("/impact/data", params=params)
    assert refusal(reply) == (400, "invalid-parameters")


def test_the_demos_impact_is_the_ledgers_truth(demo_sandbox: Sandbox, demo: httpx.Client) -> None:
    total = Decimal(str(demo.get("/impact/data").json()["total_offset_kgs"]))
    assert total * 1000 == demo_sandbox.ledger()["cnaught-1"]["retired_g"]


def test_the_hosted_page(
    sandbox: Sandbox, api: httpx.Client, sandbox_factory: SandboxFactory, tmp_path: Path
) -> None:
    config = api.get("/impact/hosted-page-config").json()
    assert config["enabled"] is True
    assert config["enabled_equivalents"] == ["cars", "homes", "flights", "trees"]
    assert "Halden Logistics" in sandbox.http.get(config["url"]).text
    without = sandbox_factory(catalogue=own_catalogue(tmp_path, hosted_page=False))
    with client_of(without) as other:
        off = other.get("/impact/hosted-page-config").json()
    assert off == {"enabled": False, "url": None, "enabled_equivalents": []}


# --- Checkout


SESSION = {
    "amount_kg": 100,
    "success_url": "https://shop.example.org/ok?cs={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://shop.example.org/back",
    "description": "Order 512",
}


def test_paying_a_session_places_its_order(sandbox: Sandbox, api: httpx.Client) -> None:
    made = api.post("/checkout/sessions", json=SESSION)
    session = made.json()
    assert (made.status_code, session["state"], session["price_usd_cents"]) == (201, "open", 250)
    assert session["portfolio_id"] == "pfBalanced01"
    page = sandbox.http.get(session["checkout_url"])
    assert "2.50 USD" in page.text
    for _ in range(2):  # a double click pays once
        paid = sandbox.http.post(session["checkout_url"] + "/pay")
        assert paid.status_code == 303
        assert paid.headers["location"] == f"https://shop.example.org/ok?cs={session['id']}"
    after = api.get(f"/checkout/sessions/{session['id']}").json()
    assert (after["state"], after["completed_on"] is None) == ("complete", False)
    (order,) = api.get("/orders").json()["data"]
    assert order["checkout_session_id"] == session["id"]
    assert (order["price_usd_cents"], order["description"]) == (250, "Order 512")


def test_a_session_expires_after_a_day(sandbox: Sandbox, api: httpx.Client) -> None:
    session = api.post("/checkout/sessions", json=SESSION).json()
    sandbox.advance(86_400)
    assert api.get(f"/checkout/sessions/{session['id']}").json()["state"] == "expired"
    assert sandbox.http.post(session["checkout_url"] + "/pay").status_code == 409
    assert api.get("/orders").json() == {"data": []}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount_kg": 0}, "amount_kg"),
        ({"amount_kg": 19}, "amount_kg"),
        ({"success_url": "http://shop.example.org"}, "success_url"),
        ({"cancel_url": "shop.example.org/back"}, "cancel_url"),
        ({"cancel_url": "https://["}, "cancel_url"),
        ({"portfolio_id": "none"}, "portfolio_id"),
    ],
)
def test_sessions_that_cannot_be_paid(
    api: httpx.Client, change: dict[str, Any], field: str
) -> None:
    reply = api.post("/checkout/sessions", json=SESSION | change)
    assert refusal(reply) == (400, "invalid-parameters")
    assert list(reply.json()["errors"]) == [field]


def test_an_unknown_session(api: httpx.Client) -> None:
    assert refusal(api.get("/checkout/sessions/none")) == (404, "not-found")


# --- Catalogue


def test_the_catalogue_can_be_walked(demo: httpx.Client) -> None:
    seen = set()
    for brief in demo.get("/portfolios").json()["data"]:
        portfolio = demo.get(f"/portfolios/{brief['id']}").json()
        assert brief.items() <= portfolio.items()
        fractions = [a["allocated_fraction"] for a in portfolio["category_allocations"]]
        assert sum(Decimal(str(fraction)) for fraction in fractions) == 1
        for allocation in portfolio["category_allocations"]:
            category = demo.get(f"/project-categories/{allocation['category']['id']}").json()
            assert category == allocation["category"]
            seen |= {project["id"] for project in category["projects"]}
    for project_id in seen:
        project = demo.get(f"/projects/{project_id}").json()
        assert project["id"] == project_id
        assert isinstance(project["credit_issuances"], list)
    assert len(seen) >= 10
    for path in ("/portfolios/x", "/projects/x", "/project-categories/x"):
        assert refusal(demo.get(path)) == (404, "not-found")


def test_a_project_says_where_it_is_and_what_it_does(demo: httpx.Client) -> None:
    project = demo.get("/projects/prKoivula").json()
    assert (project["location_latitude"], project["impact_type"]) == (64.22, "Removal")
    assert {"vintage_year": 2021, "total_amount": 30} in project["credit_issuances"]


# --- Pages of the sandbox's own host


def test_certificates_are_a_page_and_a_pdf_marked_as_sample(
    sandbox: Sandbox, api: httpx.Client
) -> None:
    order = place(api, 10.5, description="<script>alert(1)</script> “quoted”")
    page = sandbox.http.get(order["certificate_public_url"]).text
    assert "pending" in page
    assert "SAMPLE DATA" in page
    assert "<script>" not in page
    sandbox.advance(60)
    assert "Mavuno" in sandbox.http.get(order["certificate_public_url"]).text
    pdf = sandbox.http.get(order["certificate_download_public_url"])
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    allocation = api.get(f"/orders/{order['id']}").json()["project_allocations"][0]
    retirement = allocation["retirements"][0]
    assert retirement["serial_number_range"] in sandbox.http.get(retirement["url"]).text
    api.post(f"/orders/{order['id']}/cancel")
    assert sandbox.http.get(order["certificate_public_url"]).status_code == 404


# --- Callbacks


class Receiver:
    """A customer's server: keeps what it is sent, and answers with the statuses it was given."""

    def __init__(self, *statuses: int) -> None:
        received: list[Any] = []
        answers = list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(answers.pop(0) if answers else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.received = received
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + 10
        while len(self.received) < count and time.monotonic() < until:
            time.sleep(0.05)
        assert len(self.received) == count


def test_callbacks_go_to_allowed_hosts_until_one_is_answered_200(
    sandbox_factory: SandboxFactory,
) -> None:
    receiver = Receiver(500, 200, 200)
    sandbox = sandbox_factory(allow_callbacks=frozenset({"127.0.0.1"}))
    with client_of(sandbox) as api:
        order = place(api, notification_config={"url": receiver.url})
        assert order["callback_url"] == receiver.url
        sandbox.advance(20)
        receiver.wait_for(1)
        sandbox.advance(61)
        receiver.wait_for(2)
        assert receiver.received[0] == receiver.received[1]
        assert receiver.received[1]["order"]["state"] == "fulfilled"
        api.post(f"/orders/{order['id']}/cancel")
        receiver.wait_for(3)
        assert receiver.received[2]["order"]["state"] == "cancelled"
    receiver.server.shutdown()


def test_callbacks_to_other_hosts_are_echoed_and_never_sent(
    sandbox_factory: SandboxFactory,
) -> None:
    sandbox = sandbox_factory(allow_callbacks=frozenset({"127.0.0.1"}))
    with client_of(sandbox) as api:
        hook = "https://hooks.example.org/cn"
        order = place(api, notification_config={"url": hook})
        sandbox.advance(60)
        assert api.get(f"/orders/{order['id']}").json()["callback_url"] == hook
        with sandbox.world.transaction() as connection:
            assert (
                connection.exec_driver_sql("SELECT count(*) FROM cnaught_callbacks").scalar() == 0
            )
