"""Lune: every operation of the sandbox answers as the restatement of the contract says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.conftest import Sandbox
from tests.contract.contracts import Api

LUNE = {"Authorization": "Bearer sandbox-lune-key"}


def test_every_lune_operation_answers_as_the_contract_says(sandbox: Sandbox) -> None:
    api = Api(sandbox, "lune", LUNE)
    bundle = _read_lune_catalogue(api)
    _keep_lune_accounts(api)
    estimate = _estimate_with_lune(api)
    _order_from_lune(api, sandbox, bundle, estimate)
    _read_lune_analytics(api)
    api.assert_every_operation_was_called()


def _read_lune_catalogue(api: Api) -> str:
    bundles = api.call("list_bundles", params={"limit": "100"})["data"]
    for bundle in bundles:
        api.call("get_bundle", id=bundle["id"])
    for project in api.call("list_projects", params={"limit": "100"})["data"]:
        assert api.call("get_project", id=project["id"]) == api.call(
            "get_project_by_slug", slug=project["slug"]
        )
    unlimited = next(
        bundle["id"]
        for bundle in bundles
        if not bundle["disabled"] and bundle["available_quantity"] is None
    )
    api.call("get_bundle_selection")
    api.call("update_bundle_selection", json=[{"bundle_id": unlimited, "percentage": "100"}])
    return unlimited


def _keep_lune_accounts(api: Api) -> None:
    main = api.call("get_account")
    created = api.call(
        "create_client_account",
        json={"name": "Client Nine", "currency": main["currency"], "beneficiary": "Client Nine"},
    )
    client = {"Lune-Account": created["id"]}
    assert api.call("get_client_account", headers=client)["id"] == created["id"]
    assert created["id"] in {
        each["id"] for each in api.call("list_client_accounts", params={"limit": "100"})["data"]
    }
    replacement = {"name": "Client 9", "beneficiary": "Client 9 SA"}
    api.call("update_client_account", id=created["id"], json=replacement)
    api.call("partial_update_client_account", id=created["id"], json={"beneficiary": None})


def _estimate_with_lune(api: Api) -> str:
    flown = {"source": {"code": "LHR"}, "destination": {"code": "JFK"}}
    driven = {"amount": "40", "unit": "km"}
    api.call("create_flight_estimate", json={"route": flown, "passengers": 2})
    electricity = api.call(
        "create_electricity_estimate",
        json={"consumption": {"amount": "12", "unit": "MWh"}, "country_code": "GBR"},
    )
    assert api.call("get_electricity_estimate", id=electricity["id"]) == electricity
    journey = api.call(
        "create_passenger_transportation_estimate",
        json={
            "legs": [
                {"route": driven, "vehicle_type": "car_lower_medium"},
                {"route": driven, "rail_type": "national_rail"},
                {"route": flown, "cabin_class": "economy"},
            ]
        },
    )
    api.call("get_passenger_transportation_estimate", id=journey["id"])
    shipping = api.call(
        "create_shipping_estimate",
        json={
            "shipment": {"containers": "2", "cargo_type": "average"},
            "route": {"amount": "9000", "unit": "km"},
            "method": {"vessel_type": "container_ship"},
        },
    )
    api.call("get_shipping_estimate", id=shipping["id"])
    return electricity["id"]


def _order_from_lune(api: Api, sandbox: Sandbox, bundle: str, estimate: str) -> None:
    selection = [{"bundle_id": bundle, "percentage": 100}]
    mass = {"mass": {"amount": "2500", "unit": "kg"}, "bundle_selection": selection}
    value = {"value": "100", "bundle_selection": selection}
    api.call("get_order_quote_by_mass", json=mass)
    api.call("get_order_quote_by_value", json=value)
    order = api.call("create_order_by_mass", json={**mass, "idempotency_key": "trip 9/a"})
    api.call("create_order_by_value", json=value)
    api.call("create_order_by_estimate", json={"estimate_id": estimate})
    sandbox.advance(86_400)
    assert api.call("get_order", id=order["id"])["projects"]
    found = api.call("get_order_by_idempotency_key", idempotency_key="trip%209%2Fa")
    assert found["id"] == order["id"]
    assert len(api.call("list_orders")["data"]) == 3
    assert api.call("get_order_certificate", id=order["id"]).startswith(b"%PDF")


def _read_lune_analytics(api: Api) -> None:
    period = {"from": "2026-01-01", "through": "2026-12-31"}
    api.call("get_cumulative_analytics_per_bundle", params=period)
    api.call("get_metrics", params=period)
    api.call("get_aggregated_analytics_by_property", params=period)
    by_month = {**period, "interval": "month"}
    api.call("get_emission_calculation_metrics", params=by_month)


def test_lune_refuses_in_the_form_of_the_contract(sandbox: Sandbox) -> None:
    api = Api(sandbox, "lune", LUNE)
    api.refuse("GET", "/orders", 401, headers={"Authorization": "Bearer wrong"})
    api.refuse("GET", "/orders", 400, params={"limit": "101"})
    api.refuse("GET", "/orders/unknown", 404)
    api.refuse("GET", "/estimates/electricity/unknown", 404)
    api.refuse("POST", "/orders/by-mass", 415, content=b"mass=1", headers={"Content-Type": "a/b"})
    order = {"mass": {"amount": "1", "unit": "t"}, "idempotency_key": "once"}
    api.call("create_order_by_mass", json=order)
    twice = api.refuse("POST", "/orders/by-mass", 409, json=order)
    assert twice.json()["error"]["error_code"] == "order_idempotency_already_exists"


def _lune_pages(api: Api) -> Iterator[list[dict[str, Any]]]:
    page = api.call("list_orders", params={"limit": "100"})
    yield page["data"]
    while page["has_more"]:
        after = {"limit": "100", "after": page["next_cursor"]}
        page = api.call("list_orders", params=after)
        yield page["data"]


def test_every_lune_order_of_the_demo_history_is_in_order(demo_sandbox: Sandbox) -> None:
    api = Api(demo_sandbox, "lune", LUNE)
    orders = [order for page in _lune_pages(api) for order in page]
    assert {"paid", "retiring", "complete", "cancelled", "failed"} <= {
        order["status"] for order in orders
    }
