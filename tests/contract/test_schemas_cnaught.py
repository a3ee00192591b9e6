"""CNaught: every operation of the sandbox answers as the restatement of the contract says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.conftest import Sandbox
from tests.contract.contracts import Api

CNAUGHT = {"Authorization": "Bearer sandbox-cnaught-key"}


def test_every_cnaught_operation_answers_as_the_contract_says(sandbox: Sandbox) -> None:
    api = Api(sandbox, "cnaught", CNAUGHT)
    _read_cnaught_catalogue(api)
    _ask_for_cnaught_quotes(api)
    _keep_cnaught_subaccounts(api)
    _order_from_cnaught(api, sandbox)
    session = api.call(
        "create_checkout_session",
        json={
            "amount_kg": 100,
            "success_url": "https://shop.example/ok?cs={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example/back",
        },
    )
    assert api.call("get_checkout_session", id=session["id"])["state"] == "open"
    api.assert_every_operation_was_called()


def _read_cnaught_catalogue(api: Api) -> None:
    for portfolio in api.call("list_portfolios")["data"]:
        allocations = api.call("get_portfolio", id=portfolio["id"])["category_allocations"]
        for allocation in allocations:
            category = api.call("get_project_category", id=allocation["category"]["id"])
            for project in category["projects"]:
                api.call("get_project", id=project["id"])


def _ask_for_cnaught_quotes(api: Api) -> None:
    distance = {"distance_km": 1200.5}
    freight = {**distance, "freight_mass_kg": 800}
    api.call("quote_generic", json={"amount_kg": 8.5})
    api.call("quote_ride", json=distance)
    api.call("quote_flight", json=distance)
    api.call("quote_train", json=distance)
    api.call("quote_air_freight", json=freight)
    api.call("quote_ground_freight", json=freight)
    api.call("quote_ground_transport", json={**distance, "vehicle_type": "coach_bus"})
    api.call("quote_office_space", json={"square_footage": 5000})


def _keep_cnaught_subaccounts(api: Api) -> None:
    created = api.call("create_subaccount", json={"name": "Porto office"})
    assert api.call("get_subaccount", id=created["id"]) == created
    api.call("update_subaccount", id=created["id"], json={"name": "Porto", "email": "p@x.example"})
    assert created["id"] in {each["id"] for each in api.call("list_subaccounts")["data"]}
    api.call("delete_subaccount", id=created["id"])


def _order_from_cnaught(api: Api, sandbox: Sandbox) -> None:
    placed = api.call("place_order", json={"amount_kg": 10.5, "metadata": "po=7"})
    ride = api.call("place_ride_order", json={"distance_km": 18.2})
    sandbox.advance(86_400)
    fulfilled = api.call("get_order", id=placed["id"])
    assert fulfilled["state"] == "fulfilled"
    assert fulfilled["project_allocations"]
    assert api.call("cancel_order", id=ride["id"])["state"] == "cancelled"
    assert [order["id"] for order in api.call("list_orders")["data"]] == [ride["id"], placed["id"]]
    assert api.call("get_impact_data")["total_offset_kgs"] == 10.5
    api.call("get_impact_hosted_page_config")


def test_cnaught_refuses_in_the_form_of_the_contract(sandbox: Sandbox) -> None:
    api = Api(sandbox, "cnaught", CNAUGHT)
    api.refuse("GET", "/orders", 401, headers={"Authorization": "Bearer wrong"})
    api.refuse("GET", "/orders", 400, params={"limit": 0})
    api.refuse("GET", "/orders", 400, headers={"X-Subaccount-Id": "nobody"})
    api.refuse("GET", "/orders/unknown", 404)
    refused = api.refuse("POST", "/quotes", 400, json={"amount_kg": -10})
    assert refused.json()["errors"]["amount_kg"]
    order = api.call("place_order", json={"amount_kg": 1})
    api.call("cancel_order", id=order["id"])
    api.refuse("POST", f"/orders/{order['id']}/cancel", 403)


def _cnaught_pages(api: Api) -> Iterator[list[dict[str, Any]]]:
    page = api.call("list_orders", params={"limit": 100})["data"]
    while page:
        yield page
        after = {"limit": 100, "starting_after": page[-1]["id"]}
        page = api.call("list_orders", params=after)["data"]


def test_every_cnaught_order_of_the_demo_history_is_in_order(demo_sandbox: Sandbox) -> None:
    api = Api(demo_sandbox, "cnaught", CNAUGHT)
    orders = [order for page in _cnaught_pages(api) for order in page]
    kept = [order for order in orders if order["state"] != "cancelled"]
    assert len(kept) == demo_sandbox.ledger()["cnaught-1"]["orders"]
    assert {order["state"] for order in orders} == {"placed", "fulfilled", "cancelled"}
