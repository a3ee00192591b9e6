"""Isometric: every operation of the sandbox answers as the restatement of the contract says."""

from __future__ import annotations

from tests.conftest import Sandbox, SandboxFactory
from tests.contract.contracts import Api

SUPPLIER = {
    "X-Client-Secret": "sandbox-isometric-secret",
    "Authorization": "Bearer sandbox-isometric-supplier",
}
BUYER = {**SUPPLIER, "Authorization": "Bearer sandbox-isometric-buyer"}


def test_every_isometric_operation_answers_as_the_contract_says(
    sandbox_factory: SandboxFactory,
) -> None:
    sandbox = sandbox_factory(history="demo", rate_limits="off")
    api = Api(sandbox, "isometric", BUYER)
    _read_isometric_organisations(api)
    _read_isometric_register(api)
    _deliver_over_isometric(api)
    _retire_over_isometric(api)
    api.assert_every_operation_was_called()


def _read_isometric_organisations(api: Api) -> None:
    buyer = api.call("get_current_organisation")["id"]
    api.call("get_organisation", id=buyer)
    api.call("get_organisation_credit_balance", id=buyer)
    owned = api.call("list_organisation_credit_batches", id=buyer, params={"first": 50})
    api.call("get_credit_batch", id=owned["nodes"][0]["id"])
    for order in api.call("list_organisation_orders", id=buyer, params={"first": 50})["nodes"]:
        api.call("get_order", id=order["id"])
        api.call("list_order_deliveries", id=order["id"])


def _read_isometric_register(api: Api) -> None:
    api.call("list_suppliers")
    supplier = api.call("get_current_supplier", headers=SUPPLIER)["id"]
    api.call("get_supplier", id=supplier)
    api.call("list_supplier_projects", id=supplier)
    api.call("list_supplier_orders", id=supplier, headers=SUPPLIER)
    api.call("list_supplier_deliveries", id=supplier, headers=SUPPLIER)
    issuances = api.call("list_supplier_issuances", id=supplier, headers=SUPPLIER)["nodes"]
    api.call("get_issuance", id=issuances[0]["id"])
    api.call("get_issuance_credit_batches", id=issuances[0]["id"], headers=SUPPLIER)
    api.call("list_issuances", params={"last": 50})
    for project in api.call("list_projects")["nodes"]:
        api.call("get_project", id=project["id"])
    for delivery in api.call("list_deliveries", params={"first": 50})["nodes"]:
        api.call("get_delivery", id=delivery["id"])
    for retirement in api.call("list_retirements", params={"first": 50})["nodes"]:
        api.call("get_retirement", id=retirement["id"])


def _deliver_over_isometric(api: Api) -> None:
    supplier = api.call("get_current_supplier", headers=SUPPLIER)
    orders = api.call(
        "list_supplier_orders", id=supplier["id"], params={"first": 50}, headers=SUPPLIER
    )["nodes"]
    order = next(each for each in orders if each["status"] != "completed")
    batches = api.call(
        "list_organisation_credit_batches",
        id=supplier["organisation"]["id"],
        params={"first": 50, "status": "active", "supplier_id": supplier["id"]},
        headers=SUPPLIER,
    )["nodes"]
    batch = next(each for each in batches if each["delivery_id"] is None)
    delivery = api.call(
        "create_delivery",
        headers=SUPPLIER,
        json={
            "order_id": order["id"],
            "notes": None,
            "credit_batch_quantities": [{"credit_batch_id": batch["id"], "credit_quantity_kg": 1}],
        },
    )
    assert delivery["credit_batch_size_total"]["credit_kgs"] == 1
    listed = api.call("list_delivery_credit_batches", id=delivery["id"], headers=SUPPLIER)
    assert [each["size"]["credit_kgs"] for each in listed["nodes"]] == [1]


def _retire_over_isometric(api: Api) -> None:
    buyer = api.call("get_current_organisation")["id"]
    beneficiary = api.call(
        "create_beneficiary",
        json={"beneficiary_name": "Client Nine SA", "beneficiary_domain": "client9.example"},
    )
    assert beneficiary["id"] in {
        each["id"] for each in api.call("list_beneficiaries", params={"first": 50})["nodes"]
    }
    active = {"first": 50, "status": "active"}
    batch = api.call("list_organisation_credit_batches", id=buyer, params=active)["nodes"][0]
    common = {
        "owner_organisation_id": buyer,
        "beneficiary_organisation_id": beneficiary["id"],
        "supplier_id": batch["supplier_id"],
        "retirement_purposes": ["corporate_targets"],
        "notes": None,
    }
    quantities = [{"credit_batch_id": batch["id"], "credit_quantity_kg": 1}]
    retired = api.call("create_retirement", json={**common, "credit_batch_quantities": quantities})
    api.call("list_retirement_credit_batches", id=retired["id"])
    api.call(
        "create_retirement_from_oldest_credits",
        json={**common, "credit_quantity_kg": 1, "vintage": None, "order_id": None},
    )


def test_isometric_refuses_in_the_form_of_the_contract(sandbox: Sandbox) -> None:
    api = Api(sandbox, "isometric", BUYER)
    api.refuse("GET", "/organisation", 401, headers={"Authorization": "Bearer wrong"})
    api.refuse("GET", "/deliveries", 422, params={"first": 51})
    api.refuse("GET", "/deliveries", 422, params={"after": "a", "before": "b"})
    api.refuse("GET", "/orders/ord_0000000000000000", 404)
    api.refuse("POST", "/deliveries", 422, json={"order_id": "ord_0000000000000000"})


def test_every_isometric_batch_of_the_demo_history_is_in_order(demo_sandbox: Sandbox) -> None:
    api = Api(demo_sandbox, "isometric", BUYER)
    buyer = api.call("get_current_organisation")["id"]
    states: set[str] = set()
    after: str | None = None
    while True:
        params = {"first": 50, "status": ["active", "split", "retired"]}
        if after:
            params["after"] = after
        page = api.call("list_organisation_credit_batches", id=buyer, params=params)
        states |= {batch["status"] for batch in page["nodes"]}
        if not page["page_info"]["has_next_page"]:
            break
        after = page["page_info"]["end_cursor"]
    assert states == {"active", "split", "retired"}
