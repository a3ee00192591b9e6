"""The sandbox's Isometric registry, over real HTTP, against the contract."""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.sandbox import isometric
from lib.sandbox.options import History
from lib.sandbox.state import World

ROOT = "/isometric/registry/v0"
SECRET = {"X-Client-Secret": "sandbox-isometric-secret"}
BUYER = {**SECRET, "Authorization": "Bearer sandbox-isometric-buyer"}
SUPPLIER = {**SECRET, "Authorization": "Bearer sandbox-isometric-supplier"}
UNKNOWN = "0000000000000000"


def read(response: httpx.Response) -> Any:
    """The JSON of a reply, its fractions exact."""
    return json.loads(response.content, parse_float=Decimal)


class Registry:
    """The registry as one organisation sees it; `get` and `post` insist on 200."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.http = httpx.Client(base_url=url + ROOT, headers=headers, timeout=30)
        self.organisation_id = self.get("/organisation")["id"]

    def get(self, path: str, **params: Any) -> Any:
        response = self.http.get(path, params=params)
        assert response.status_code == 200, response.text
        return read(response)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        response = self.http.post(path, json=body)
        assert response.status_code == 200, response.text
        return read(response)

    def every(self, path: str, **params: Any) -> list[Any]:
        """All nodes of a paged list, 50 at a time."""
        nodes: list[Any] = []
        after = {}
        while True:
            page = self.get(path, first=50, **after, **params)
            nodes += page["nodes"]
            after = {"after": page["page_info"]["end_cursor"]}
            if not page["page_info"]["has_next_page"]:
                assert len(nodes) == page["total_count"]
                return nodes

    def leaves(self, batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The batches a batch has been split into, down to the active and retired ones."""
        if batch["status"] != "split":
            yield batch
            return
        for child in ("left_child_id", "right_child_id"):
            yield from self.leaves(self.get(f"/credit_batches/{batch[child]}"))

    def balance_kg(self) -> tuple[int, int]:
        """Active and retired kilograms."""
        total = self.get(f"/organisations/{self.organisation_id}/credit_balance")["total"]
        return (
            total["active_credits_total"]["credit_kgs"],
            total["retired_credits_total"]["credit_kgs"],
        )


class Trade:
    """A sandbox with an order of 10 t and an issuance of 8 t, ready to be delivered."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.buyer = Registry(sandbox.url, BUYER)
        self.supplier = Registry(sandbox.url, SUPPLIER)
        self.order_id = self.control("orders", credit_quantity_kg=10_000)["id"]
        self.issued = self.control("issuances", credit_quantity_kg=8_000)
        self.batch_id = self.issued["credit_batches"][0]["id"]
        self.batch_kg = self.issued["credit_batches"][0]["credit_kgs"]
        self.supplier_id = self.supplier.get("/supplier")["id"]

    def control(self, what: str, **body: Any) -> Any:
        return self.sandbox.control.post(f"/isometric/{what}", json=body).raise_for_status().json()

    def delivery(self, kg: int, **changes: Any) -> dict[str, Any]:
        quantities = [{"credit_batch_id": self.batch_id, "credit_quantity_kg": kg}]
        body = {"credit_batch_quantities": quantities, "order_id": self.order_id, "notes": None}
        return body | changes

    def deliver(self, kg: int, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Deliver; returns the delivery and its one batch."""
        delivery = self.supplier.post("/deliveries", self.delivery(kg, **changes))
        (batch,) = self.buyer.get(f"/deliveries/{delivery['id']}/credit_batches")["nodes"]
        return delivery, batch

    def retirement(self, batch_id: str, kg: int, **changes: Any) -> dict[str, Any]:
        body = self.oldest(kg, **changes)
        del body["credit_quantity_kg"]
        quantities = [{"credit_batch_id": batch_id, "credit_quantity_kg": kg}]
        return {"credit_batch_quantities": quantities} | body

    def oldest(self, kg: int, **changes: Any) -> dict[str, Any]:
        return {
            "owner_organisation_id": self.buyer.organisation_id,
            "beneficiary_organisation_id": self.buyer.organisation_id,
            "supplier_id": self.supplier_id,
            "retirement_purposes": ["corporate_targets"],
            "notes": "Year 2026",
            "credit_quantity_kg": kg,
        } | changes


@pytest.fixture
def trade(sandbox: Any) -> Trade:
    return Trade(sandbox)


@pytest.fixture(scope="module")
def demo(demo_sandbox: Any) -> Registry:
    return Registry(demo_sandbox.url, BUYER)


# Headers and errors (contract 1, 1.2)


def test_a_missing_secret_is_422_and_everything_else_wrong_is_401(demo_sandbox: Any) -> None:
    url = demo_sandbox.url + ROOT + "/organisation"
    missing = httpx.get(url, headers={"Authorization": BUYER["Authorization"]})
    assert missing.status_code == 422
    (error,) = missing.json()["detail"]
    assert error["loc"] == ["header", "x-client-secret"]
    assert error["type"] == "missing"
    for headers in (
        BUYER | {"X-Client-Secret": "another"},
        SECRET,
        SECRET | {"Authorization": "Bearer another"},
        SECRET | {"Authorization": "Basic sandbox-isometric-buyer"},
    ):
        refused = httpx.get(url, headers=headers)
        assert refused.status_code == 401
        assert isinstance(refused.json()["detail"], str)


def test_a_wrong_secret_is_told_before_a_wrong_body(demo_sandbox: Any) -> None:
    headers = BUYER | {"X-Client-Secret": "another"}
    assert httpx.post(demo_sandbox.url + ROOT + "/deliveries", headers=headers).status_code == 401


def test_unknown_paths_are_marked_and_unknown_ids_are_not(demo_sandbox: Any) -> None:
    buyer = Registry(demo_sandbox.url, BUYER)
    unrouted = buyer.http.get("/transfers")
    assert unrouted.status_code == 404
    assert unrouted.headers["X-Sandbox-Route"] == "none"
    for path in (
        "/organisations/org_",
        "/suppliers/spl_",
        "/projects/prj_",
        "/issuances/iss_",
        "/deliveries/dlv_",
        "/retirements/ret_",
        "/orders/ord_",
        "/credit_batches/ctb_",
    ):
        routed = buyer.http.get(path + UNKNOWN)
        assert routed.status_code == 404, path
        assert isinstance(routed.json()["detail"], str)
        assert "X-Sandbox-Route" not in routed.headers
        assert buyer.http.get(path + "1").status_code == 422


def test_it_publishes_all_31_operations(demo_sandbox: Any) -> None:
    spec = httpx.get(demo_sandbox.url + ROOT + "/openapi.json").json()
    names = [o["operationId"] for methods in spec["paths"].values() for o in methods.values()]
    assert len(names) == len(set(names)) == 31
    assert {"list_order_deliveries", "create_delivery", "create_retirement"} <= set(names)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda body: body.pop("notes"), ["body", "notes"]),
        (lambda body: body.update(notes="x" * 257), ["body", "notes"]),
        (lambda body: body.update(notes="\ud800"), ["body", "notes"]),
        (lambda body: body.update(order_id="ord_1"), ["body", "order_id"]),
        (
            lambda body: body.update(credit_batch_quantities=[]),
            ["body", "credit_batch_quantities"],
        ),
        *(
            (
                lambda body, kg=kg: body["credit_batch_quantities"][0].update(
                    credit_quantity_kg=kg
                ),
                ["body", "credit_batch_quantities", 0, "credit_quantity_kg"],
            )
            for kg in (0, -5, 1.5, 1000.0, "1000", True, None)
        ),
    ],
)
def test_bodies_that_break_the_schema_are_422(
    demo_sandbox: Any, change: Callable[[dict[str, Any]], Any], where: list[Any]
) -> None:
    body = {
        "credit_batch_quantities": [
            {"credit_batch_id": "ctb_" + UNKNOWN, "credit_quantity_kg": 1000}
        ],
        "order_id": "ord_" + UNKNOWN,
        "notes": None,
    }
    change(body)
    headers = SUPPLIER | {"Content-Type": "application/json"}
    # Written by json, not by httpx: only an escape can bring a lone surrogate.
    refused = httpx.post(
        demo_sandbox.url + ROOT + "/deliveries", headers=headers, content=json.dumps(body)
    )
    assert refused.status_code == 422
    (error,) = refused.json()["detail"]
    assert error["loc"] == where
    assert error["msg"]
    assert error["type"]


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"", b'{"notes": NaN}', b"[" * 100_000])
def test_bodies_that_are_no_json_are_422(demo_sandbox: Any, content: bytes) -> None:
    headers = SUPPLIER | {"Content-Type": "application/json"}
    for path in ("/deliveries", "/retirements", "/retirements/from_oldest_credits", "/beneficiary"):
        refused = httpx.post(demo_sandbox.url + ROOT + path, headers=headers, content=content)
        assert refused.status_code == 422, path


def test_the_catalogue_can_answer_null_for_unknown_single_objects(
    sandbox_factory: Any, tmp_path: Path
) -> None:
    section = built_in_section() | {"unknown_single_object": "null"}
    buyer = Registry(with_section(sandbox_factory, tmp_path, section).url, BUYER)
    for path in ("/organisations/org_", "/suppliers/spl_", "/projects/prj_"):
        assert buyer.get(path + UNKNOWN) is None
    assert buyer.http.get("/issuances/iss_" + UNKNOWN).status_code == 404


# Deliveries (contract 4.2)


def test_a_batch_delivered_in_full_changes_hands(trade: Trade) -> None:
    delivery, batch = trade.deliver(trade.batch_kg, notes="With care")
    assert batch["id"] == trade.batch_id
    assert batch["status"] == "active"
    assert batch["owner"]["id"] == trade.buyer.organisation_id
    assert batch["delivery_id"] == delivery["id"]
    assert batch["delivered_at"] == delivery["delivered_at"]
    assert delivery["notes"] == "With care"
    assert delivery["from_supplier"]["id"] == trade.supplier_id
    assert delivery["url"].startswith(trade.sandbox.url + "/pages/isometric/")
    assert delivery["credit_batch_size_total"] == {"credits": Decimal("7.84"), "credit_kgs": 7840}


def test_a_batch_delivered_in_part_splits_and_the_left_child_is_delivered(trade: Trade) -> None:
    delivery, left = trade.deliver(1_500)
    parent = trade.supplier.get(f"/credit_batches/{trade.batch_id}")
    right = trade.supplier.get(f"/credit_batches/{parent['right_child_id']}")
    assert parent["status"] == "split"
    assert parent["left_child_id"] == left["id"]
    assert left["parent_id"] == right["parent_id"] == parent["id"]
    assert left["owner"]["id"] == trade.buyer.organisation_id
    assert right["owner"]["id"] == trade.supplier.organisation_id
    assert right["delivery_id"] is None
    assert left["size"] == {"credits": Decimal("1.5"), "credit_kgs": 1500}
    assert right["size"]["credit_kgs"] == trade.batch_kg - 1500
    year = left["sequestered_on"][:4]
    assert parent["serial_number"] == f"ISO-1-EWROCK-GBR-F5X7-{year}-1-7840"
    assert left["serial_number"] == f"ISO-1-EWROCK-GBR-F5X7-{year}-1-1500"
    assert right["serial_number"] == f"ISO-1-EWROCK-GBR-F5X7-{year}-1501-7840"
    for name, whole in parent["carbon_removal_data"].items():
        parts = [child["carbon_removal_data"][name] for child in (left, right)]
        assert sum(parts) == whole, name
    # The parent was the supplier's: the buyer is no party to it.
    assert trade.buyer.http.get(f"/credit_batches/{parent['id']}").status_code == 403
    assert delivery["credit_batch_size_total"]["credit_kgs"] == 1500


def test_an_order_goes_from_placed_over_in_progress_to_completed(trade: Trade) -> None:
    def order() -> Any:
        return trade.buyer.get(f"/orders/{trade.order_id}")

    assert (order()["status"], order()["fulfilled_at"]) == ("placed", None)
    trade.deliver(trade.batch_kg)
    assert (order()["status"], order()["fulfilled_at"]) == ("in_progress", None)
    assert order()["credits_delivered"]["credit_kgs"] == trade.batch_kg
    more = trade.control("issuances", credit_quantity_kg=8_000)
    trade.batch_id = more["credit_batches"][0]["id"]
    delivery, _ = trade.deliver(10_000 - 7_840)
    assert order()["status"] == "completed"
    assert order()["fulfilled_at"] == delivery["delivered_at"]
    listed = trade.buyer.every(f"/orders/{trade.order_id}/deliveries")
    assert [node["credit_batch_size_total"]["credit_kgs"] for node in listed] == [2_160, 7_840]


def test_deliveries_against_a_rule_are_refused_and_change_nothing(trade: Trade) -> None:
    buffer_id = trade.issued["buffer_pool_credit_batches"][0]["id"]
    other = trade.control("issuances", credit_quantity_kg=900, project_id="prj_1M00RED0CKF10ATA")[
        "credit_batches"
    ][0]["id"]
    before = (trade.supplier.balance_kg(), trade.sandbox.ledger(), trade.sandbox.effects())

    def quantities(*pairs: tuple[str, int]) -> dict[str, Any]:
        named = [{"credit_batch_id": name, "credit_quantity_kg": kg} for name, kg in pairs]
        return trade.delivery(1, credit_batch_quantities=named)

    refused = [
        (404, trade.delivery(1, order_id="ord_" + UNKNOWN)),
        (404, quantities(("ctb_" + UNKNOWN, 1))),
        (404, quantities((trade.batch_id, 1), ("ctb_" + UNKNOWN, 1))),
        (400, quantities((trade.batch_id, trade.batch_kg + 1))),
        (400, quantities((trade.batch_id, 10**30))),
        (400, quantities((trade.batch_id, 1), (trade.batch_id, 1))),
        (400, quantities((buffer_id, 1))),
        (400, quantities((other, 1))),
    ]
    for status, body in refused:
        answer = trade.supplier.http.post("/deliveries", json=body)
        assert (answer.status_code, type(answer.json()["detail"])) == (status, str), body
    assert trade.buyer.http.post("/deliveries", json=trade.delivery(1)).status_code == 403
    assert before == (trade.supplier.balance_kg(), trade.sandbox.ledger(), trade.sandbox.effects())


def test_a_batch_cannot_be_delivered_twice_nor_an_order_overfilled(trade: Trade) -> None:
    trade.deliver(1_000)
    again = trade.supplier.http.post("/deliveries", json=trade.delivery(1_000))
    assert (again.status_code, "split" in again.json()["detail"]) == (400, True)
    big = trade.control("issuances", credit_quantity_kg=20_000)["credit_batches"][0]["id"]
    trade.batch_id = big
    over = trade.supplier.http.post("/deliveries", json=trade.delivery(9_001))
    assert (over.status_code, "9000 kg" in over.json()["detail"]) == (400, True)
    trade.deliver(9_000)


def test_a_delivery_is_recorded_with_its_exact_body(trade: Trade) -> None:
    content = json.dumps(trade.delivery(250, notes="ref 7f3a"), indent=1).encode()
    headers = {"Content-Type": "application/json"}
    answer = read(trade.supplier.http.post("/deliveries", content=content, headers=headers))
    effect = trade.sandbox.effects()[-1]
    assert effect["kind"] == "delivery"
    assert effect["account"] == "isometric-supplier"
    assert (effect["id"], effect["reference"]) == (answer["id"], "ref 7f3a")
    assert effect["grams"] == 250_000
    assert effect["body_sha256"] == hashlib.sha256(content).hexdigest()


# Retirements and beneficiaries (contract 5.1 to 5.3)


def test_retiring_a_part_splits_the_delivered_batch(trade: Trade) -> None:
    delivery, batch = trade.deliver(4_000)
    retirement = trade.buyer.post("/retirements", trade.retirement(batch["id"], 1_750))
    (retired,) = trade.buyer.get(f"/retirements/{retirement['id']}/credit_batches")["nodes"]
    assert retired["status"] == "retired"
    assert retired["retired_at"] == retirement["retired_at"]
    assert retired["retirement_id"] == retirement["id"]
    assert retired["beneficiary"]["id"] == trade.buyer.organisation_id
    parent = trade.buyer.get(f"/credit_batches/{batch['id']}")
    assert (parent["status"], parent["delivery_id"]) == ("split", delivery["id"])
    leaves = list(trade.buyer.leaves(parent))
    assert [leaf["size"]["credit_kgs"] for leaf in leaves] == [1_750, 2_250]
    assert [leaf["delivery_id"] for leaf in leaves] == [None, None]
    assert [leaf["delivered_at"] for leaf in leaves] == [None, None]
    assert {leaf["sequestered_on"] for leaf in leaves} == {batch["sequestered_on"]}
    # What was delivered stays what was delivered.
    (as_delivered,) = trade.buyer.get(f"/deliveries/{delivery['id']}/credit_batches")["nodes"]
    assert as_delivered["id"] == batch["id"]
    assert trade.buyer.balance_kg() == (2_250, 1_750)
    project = trade.buyer.get(f"/projects/{batch['project_id']}")
    assert project["issued_credits_total"]["credit_kgs"] == 8_000
    assert project["issued_buffer_pool_credits_total"]["credit_kgs"] == 160
    assert project["retired_credits_total"]["credit_kgs"] == 1_750
    ledger = trade.sandbox.ledger()
    for account in ("isometric-buyer", "isometric-supplier"):
        entry = ledger[account]
        assert entry["ordered_g"] == 10_000_000
        assert entry["delivered_g"] == 4_000_000
        assert entry["retired_g"] == 1_750_000


def test_children_can_carry_the_delivery_if_the_catalogue_says_so(
    sandbox_factory: Any, tmp_path: Path
) -> None:
    section = built_in_section() | {"children_inherit_delivery": True}
    trade = Trade(with_section(sandbox_factory, tmp_path, section))
    delivery, batch = trade.deliver(4_000)
    trade.buyer.post("/retirements", trade.retirement(batch["id"], 1_000))
    parent = trade.buyer.get(f"/credit_batches/{batch['id']}")
    for leaf in trade.buyer.leaves(parent):
        assert leaf["delivery_id"] == delivery["id"]
        assert leaf["delivered_at"] == delivery["delivered_at"]
    listed = trade.buyer.get(f"/deliveries/{delivery['id']}/credit_batches")
    assert [node["id"] for node in listed["nodes"]] == [batch["id"]]


def test_retirements_against_a_rule_are_refused_and_change_nothing(trade: Trade) -> None:
    _, batch = trade.deliver(4_000)
    stranger = "org_1TARNANDFE11C0AX"
    before = trade.buyer.balance_kg()
    refused = [
        (403, trade.retirement(batch["id"], 1, owner_organisation_id=stranger)),
        (404, trade.retirement(batch["id"], 1, beneficiary_organisation_id="org_" + UNKNOWN)),
        (400, trade.retirement(batch["id"], 1, beneficiary_organisation_id=stranger)),
        (404, trade.retirement(batch["id"], 1, supplier_id="spl_" + UNKNOWN)),
        (400, trade.retirement(batch["id"], 1, supplier_id="spl_1KE1PSH0REMAR1NE")),
        (404, trade.retirement("ctb_" + UNKNOWN, 1)),
        (400, trade.retirement(batch["id"], 4_001)),
        (400, trade.retirement(trade.batch_id, 1)),
        (422, trade.retirement(batch["id"], 1, retirement_purposes=[])),
        (422, trade.retirement(batch["id"], 1, retirement_purposes=["other", "other"])),
        (422, trade.retirement(batch["id"], 1, retirement_purposes=["marketing"])),
    ]
    for status, body in refused:
        answer = trade.buyer.http.post("/retirements", json=body)
        assert answer.status_code == status, (body, answer.text)
    assert trade.buyer.balance_kg() == before
    trade.buyer.post("/retirements", trade.retirement(batch["id"], 4_000))
    final = trade.buyer.http.post("/retirements", json=trade.retirement(batch["id"], 1))
    assert (final.status_code, "retired" in final.json()["detail"]) == (400, True)


def test_the_oldest_credits_go_first(trade: Trade) -> None:
    days = ["2025-03-01", "2023-05-01", "2024-12-31"]
    for day in days:
        issued = trade.control("issuances", credit_quantity_kg=1_000, sequestered_on=day)
        trade.batch_id = issued["credit_batches"][0]["id"]
        trade.deliver(980)
    path = "/retirements/from_oldest_credits"

    def retired(**changes: Any) -> list[tuple[str, int]]:
        done = trade.buyer.post(path, trade.oldest(**changes))
        nodes = trade.buyer.get(f"/retirements/{done['id']}/credit_batches")["nodes"]
        return sorted((node["sequestered_on"], node["size"]["credit_kgs"]) for node in nodes)

    assert retired(kg=1_000) == [("2023-05-01", 980), ("2024-12-31", 20)]
    assert retired(kg=10, vintage=2025) == [("2025-03-01", 10)]
    assert retired(kg=10, order_id=trade.order_id) == [("2024-12-31", 10)]
    other_order = trade.control("orders", credit_quantity_kg=5)["id"]
    before = trade.buyer.balance_kg()
    for status, body in (
        (400, trade.oldest(1_921)),
        (400, trade.oldest(1, vintage=2022)),
        (400, trade.oldest(1, order_id=other_order)),
        (404, trade.oldest(1, order_id="ord_" + UNKNOWN)),
        (422, trade.oldest(1, vintage=1899)),
        (422, trade.oldest(0)),
    ):
        assert trade.buyer.http.post(path, json=body).status_code == status, body
    assert trade.buyer.balance_kg() == before == (1_920, 1_020)


def test_beneficiaries_are_registered_once_and_keep_their_contact_private(trade: Trade) -> None:
    organisation = {"beneficiary_name": "Client Nine SA", "beneficiary_domain": "Client9.example"}
    person = {
        "__typename": "CreateIndividualBeneficiary",
        "beneficiary_name": "Ida Example",
        "beneficiary_email": "ida@people.example",
    }
    first = trade.buyer.post("/beneficiary", organisation)
    second = trade.buyer.post("/beneficiary", person)
    assert first["name"] == "Client Nine SA"
    assert first["domain"] is second["domain"] is None
    renamed = organisation | {"beneficiary_name": "X", "beneficiary_domain": "client9.example"}
    assert trade.buyer.post("/beneficiary", renamed) == first
    listed = trade.buyer.every("/beneficiaries")
    assert [node["id"] for node in listed] == [first["id"], second["id"]]
    assert trade.supplier.every("/beneficiaries") == []
    bad = trade.buyer.http.post("/beneficiary", json=person | {"beneficiary_email": "ida"})
    assert bad.status_code == 422
    _, batch = trade.deliver(100)
    body = trade.retirement(batch["id"], 100, beneficiary_organisation_id=first["id"])
    done = trade.buyer.post("/retirements", body)
    assert (done["beneficiary"]["id"], done["owner"]["id"]) == (
        first["id"],
        trade.buyer.organisation_id,
    )
    listed = trade.buyer.every("/retirements", beneficiary_org_id=first["id"])
    assert [node["id"] for node in listed] == [done["id"]]


# Visibility, balances and filters (contract 5)


def test_orders_balances_and_batches_are_for_the_parties(trade: Trade) -> None:
    _, batch = trade.deliver(100)
    foreign = trade.control("orders", credit_quantity_kg=7, supplier_id="spl_1KE1PSH0REMAR1NE")[
        "id"
    ]
    buyer_id, supplier = trade.buyer.organisation_id, trade.supplier.http
    assert trade.supplier.get(f"/orders/{trade.order_id}")["id"] == trade.order_id
    assert trade.supplier.get(f"/credit_batches/{batch['id']}")["id"] == batch["id"]
    for path in ("orders", "credit_balance", "credit_batches"):
        assert supplier.get(f"/organisations/{buyer_id}/{path}").status_code == 403
        assert supplier.get(f"/organisations/org_{UNKNOWN}/{path}").status_code == 404
    assert supplier.get(f"/orders/{foreign}").status_code == 403
    assert supplier.get(f"/orders/{foreign}/deliveries").status_code == 403
    assert trade.buyer.http.get(f"/suppliers/{trade.supplier_id}/orders").status_code == 403
    assert trade.buyer.http.get("/supplier").status_code == 404
    sold = trade.supplier.every(f"/suppliers/{trade.supplier_id}/orders")
    assert [node["id"] for node in sold] == [trade.order_id]
    bought = trade.buyer.every(f"/organisations/{buyer_id}/orders")
    assert [node["id"] for node in bought] == [foreign, trade.order_id]


def test_a_transferred_batch_is_seen_to_have_left(trade: Trade) -> None:
    delivery, batch = trade.deliver(1_000)
    gone = trade.control("transfers", credit_batch_id=batch["id"], credit_quantity_kg=300)
    parent = trade.buyer.get(f"/credit_batches/{batch['id']}")
    assert parent["left_child_id"] == gone["credit_batch_id"]
    assert trade.buyer.http.get(f"/credit_batches/{gone['credit_batch_id']}").status_code == 403
    assert trade.buyer.balance_kg() == (700, 0)
    trade.control("transfers", credit_batch_id=parent["right_child_id"])
    assert trade.buyer.balance_kg() == (0, 0)
    listed = trade.buyer.get(f"/deliveries/{delivery['id']}/credit_batches")
    assert [node["id"] for node in listed["nodes"]] == [batch["id"]]
    order = trade.buyer.get(f"/orders/{trade.order_id}")
    assert order["credits_delivered"]["credit_kgs"] == 1_000


def test_batches_of_an_organisation_can_be_filtered(trade: Trade) -> None:
    delivery, batch = trade.deliver(1_000)
    retirement = trade.buyer.post("/retirements", trade.retirement(batch["id"], 400))
    path = f"/organisations/{trade.buyer.organisation_id}/credit_batches"

    def sizes(**params: Any) -> list[int]:
        return sorted(node["size"]["credit_kgs"] for node in trade.buyer.every(path, **params))

    assert sizes() == [400, 600]
    assert sizes(status="split") == [1_000]
    assert sizes(status=["split", "active", "retired"]) == [400, 600, 1_000]
    assert sizes(status="active", supplier_id=trade.supplier_id) == [600]
    assert sizes(retirement_id=retirement["id"]) == [400]
    assert sizes(order_id=trade.order_id) == [400, 600]
    assert sizes(delivery_id=delivery["id"], status="split") == [1_000]
    assert sizes(project_id="prj_1M00RED0CKF10ATA") == []
    assert sizes(issuance_id=trade.issued["id"], status="retired") == [400]
    issued_at = batch["issued_at"]
    assert sizes(issued_after=issued_at) == sizes(issued_before=issued_at) == []
    assert sizes(issued_after="2020-01-01T00:00:00Z", issued_before="2100-01-01T00:00:00Z") == [
        400,
        600,
    ]
    for params in (
        {"status": "lost"},
        {"status": ["active", "active"]},
        {"issued_after": "2024-01-01T00:00:00"},
        {"sort_field": "size"},
        {"sort_direction": "up"},
    ):
        assert trade.buyer.http.get(path, params=params).status_code == 422, params


def test_an_issuance_shows_its_batches_as_issued(trade: Trade) -> None:
    trade.deliver(1_000)
    path = f"/issuances/{trade.issued['id']}/credit_batches"
    for registry in (trade.supplier, trade.buyer):
        issued = registry.get(path)
        assert [b["status"] for b in issued["supplier_credit_batches"]] == ["split"]
        assert issued["supplier_credit_batch_size_total"]["credit_kgs"] == 7_840
        assert issued["buffer_pool_credit_batch_size_total"]["credit_kgs"] == 160
        assert issued["credit_batch_size_total"] == {"credits": Decimal(8), "credit_kgs": 8_000}
    unseen = trade.control("issuances", credit_quantity_kg=900, project_id="prj_1M00RED0CKF10ATA")[
        "id"
    ]
    assert trade.buyer.get(f"/issuances/{unseen}")["id"] == unseen
    assert trade.buyer.http.get(f"/issuances/{unseen}/credit_batches").status_code == 403


# Pagination (contract 1.1)


def test_the_direction_rule(demo: Registry) -> None:
    ids = [node["id"] for node in demo.every("/deliveries")]

    def page(**params: Any) -> tuple[list[str], bool, bool]:
        found = demo.get("/deliveries", **params)
        info = found["page_info"]
        assert found["total_count"] == len(ids)
        shown = [node["id"] for node in found["nodes"]]
        return shown, info["has_previous_page"], info["has_next_page"]

    def cursor(**params: Any) -> dict[str, str]:
        return demo.get("/deliveries", **params)["page_info"]

    assert page() == (ids[:10], False, True)
    assert page(first=3) == (ids[:3], False, True)
    assert page(last=3) == (ids[-3:], True, False)
    assert page(first=3, last=5) == (ids[:3], False, True)
    end = cursor(first=4)["end_cursor"]
    assert page(after=end) == (ids[4:14], True, True)
    assert page(after=end, last=2) == (ids[4:14], True, True)
    start = cursor(last=4)["start_cursor"]
    assert page(before=start, last=2) == (ids[-6:-4], True, True)
    assert page(before=start, first=2) == (ids[-14:-4], True, True)
    assert page(after=cursor(last=1)["end_cursor"]) == ([], True, False)
    empty = cursor(after=cursor(last=1)["end_cursor"])
    assert (empty["start_cursor"], empty["end_cursor"]) == (None, None)


@pytest.mark.parametrize(
    "params",
    [
        {"first": 0},
        {"first": 51},
        {"last": 0},
        {"last": 51},
        {"first": "x"},
        {"after": ""},
        {"after": "!"},
        {"after": "é"},
        {"after": "WzFd"},
        {"after": "WyJ4IiwieCJd"},
        {"before": "W" * 60_000},
        {"after": "WzEsIngiXQ", "before": "WzEsIngiXQ"},
    ],
)
def test_bad_paging_is_422(demo: Registry, params: dict[str, Any]) -> None:
    refused = demo.http.get("/deliveries", params=params)
    assert refused.status_code == 422
    (error,) = refused.json()["detail"]
    assert error["loc"][0] == "query"
    assert error["loc"][1] in params


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(1, 50),
    backward=st.booleans(),
    path=st.sampled_from(["/deliveries", "/projects", "/issuances"]),
)
def test_walking_either_way_meets_every_row_once(
    demo: Registry, size: int, backward: bool, path: str
) -> None:
    whole = [node["id"] for node in demo.every(path)]
    met: list[str] = []
    params: dict[str, Any] = {"last": size} if backward else {"first": size}
    while True:
        page = demo.get(path, **params)
        ids = [node["id"] for node in page["nodes"]]
        met = ids + met if backward else met + ids
        info = page["page_info"]
        if not info["has_previous_page" if backward else "has_next_page"]:
            break
        name, edge = ("before", "start_cursor") if backward else ("after", "end_cursor")
        params[name] = info[edge]
    assert met == whole


def test_rows_that_arrive_while_paging_lose_nothing(trade: Trade) -> None:
    path = f"/organisations/{trade.buyer.organisation_id}/orders"
    for kg in range(1, 5):
        trade.control("orders", credit_quantity_kg=kg)
    known = [node["id"] for node in trade.buyer.every(path)]
    first = trade.buyer.get(path, first=2)
    trade.control("orders", credit_quantity_kg=99)
    rest = trade.buyer.get(path, after=first["page_info"]["end_cursor"])
    assert [node["id"] for node in first["nodes"] + rest["nodes"]] == known
    assert rest["total_count"] == len(known) + 1


# The control plane's creations


def test_the_control_plane_refuses_bad_bodies_with_a_sentence(sandbox: Any) -> None:
    bad: list[tuple[str, dict[str, Any], str]] = [
        ("orders", {}, "credit_quantity_kg"),
        ("orders", {"credit_quantity_kg": 0}, "credit_quantity_kg"),
        ("orders", {"credit_quantity_kg": 1, "supplier_id": "spl_" + UNKNOWN}, "supplier"),
        ("orders", {"credit_quantity_kg": 1, "colour": "red"}, "colour"),
        ("issuances", {"credit_quantity_kg": 1, "project_id": "prj_" + UNKNOWN}, "project"),
        ("transfers", {"credit_batch_id": "ctb_" + UNKNOWN}, "credit batch"),
    ]
    for what, body, word in bad:
        refused = sandbox.control.post(f"/isometric/{what}", json=body)
        assert refused.status_code == 422
        assert word in refused.text
    assert sandbox.ledger()["isometric-buyer"]["orders"] == 0


# The demo history


def test_leaves_sum_to_batches_batches_to_deliveries_deliveries_to_orders(
    demo: Registry, demo_sandbox: Any
) -> None:
    statuses: Counter[str] = Counter()
    units: set[tuple[str, int]] = set()
    leaf_statuses: Counter[str] = Counter()
    delivered = retired = 0
    for order in demo.every(f"/organisations/{demo.organisation_id}/orders"):
        statuses[order["status"]] += 1
        order_kg = 0
        for delivery in demo.every(f"/orders/{order['id']}/deliveries"):
            delivery_kg = 0
            assert delivery["delivered_at"][:10] > order["effective_contract_date"]
            for batch in demo.get(f"/deliveries/{delivery['id']}/credit_batches")["nodes"]:
                leaves = list(demo.leaves(batch))
                leaf_kg = sum(leaf["size"]["credit_kgs"] for leaf in leaves)
                assert leaf_kg == batch["size"]["credit_kgs"]
                delivery_kg += leaf_kg
                for leaf in leaves:
                    leaf_statuses[leaf["status"]] += 1
                    first, last = map(int, leaf["serial_number"].split("-")[-2:])
                    assert last - first + 1 == leaf["size"]["credit_kgs"]
                    assert leaf["serial_number"].split("-")[5] == leaf["sequestered_on"][:4]
                    span = {(leaf["project_id"], unit) for unit in range(first, last + 1, 97)}
                    assert not span & units
                    units |= span
                    retired += leaf["size"]["credit_kgs"] * (leaf["status"] == "retired")
            assert delivery_kg == delivery["credit_batch_size_total"]["credit_kgs"]
            order_kg += delivery_kg
        assert order_kg == order["credits_delivered"]["credit_kgs"]
        delivered += order_kg
    assert statuses.keys() == {"placed", "in_progress", "completed"}
    assert leaf_statuses.keys() == {"active", "retired"}
    entry = demo_sandbox.ledger()["isometric-buyer"]
    assert (entry["delivered_g"], entry["retired_g"]) == (delivered * 1000, retired * 1000)
    assert demo.balance_kg() == (delivered - retired, retired)


def test_the_history_shows_what_a_desk_must_cope_with(demo: Registry) -> None:
    owned = demo.every(
        f"/organisations/{demo.organisation_id}/credit_batches",
        status=["active", "retired", "split"],
    )
    assert {batch["sequestered_on"][:4] for batch in owned} >= {"2023", "2024", "2025"}
    assert {batch["ccp_approved"] for batch in owned} == {True, False}
    assert "split" in {batch["status"] for batch in owned}
    assert {batch["carbon_removal_data"] is None for batch in owned} == {True, False}
    retirements = demo.every("/retirements")
    for_us = [r for r in retirements if r["beneficiary"]["id"] == demo.organisation_id]
    by_us = [r for r in retirements if r["owner"]["id"] == demo.organisation_id]
    assert [r for r in for_us if r not in by_us], "retired on our behalf by another"
    assert [r for r in by_us if r not in for_us], "retired by us for another"
    notes = {delivery["notes"] for delivery in demo.every("/deliveries")}
    assert "<img src=x onerror=alert(1)> =1+1" in notes
    pathways = {project["pathway"] for project in demo.every("/projects")}
    assert len(pathways) == 5
    assert "superpollutants" in pathways


def test_links_lead_to_pages_of_the_sandbox_itself(demo: Registry, demo_sandbox: Any) -> None:
    for path in ("/deliveries", "/retirements", "/projects"):
        url = demo.get(path, first=1)["nodes"][0]["url"]
        assert url.startswith(demo_sandbox.url)
        shown = httpx.get(url)
        assert shown.status_code == 200
        assert shown.headers["content-type"].startswith("text/html")


def test_lists_keep_their_order(demo: Registry) -> None:
    names = [project["name"] for project in demo.every("/projects")]
    assert names == sorted(names)
    for path, field in (
        ("/deliveries", "delivered_at"),
        ("/issuances", "issued_at"),
        ("/retirements", "retired_at"),
    ):
        moments = [node[field] for node in demo.every(path)]
        assert moments == sorted(moments, reverse=True)
    path = f"/organisations/{demo.organisation_id}/credit_batches"
    moments = [batch["issued_at"] for batch in demo.every(path, sort_direction="asc")]
    assert moments == sorted(moments)
    for supplier in demo.every("/suppliers"):
        assert demo.get(f"/suppliers/{supplier['id']}") == supplier
        base = f"/suppliers/{supplier['id']}"
        for node in demo.every(f"{base}/deliveries"):
            assert node["from_supplier"]["id"] == supplier["id"]
            assert demo.get(f"/deliveries/{node['id']}") == node
        assert all(n["supplier"] == supplier for n in demo.every(f"{base}/issuances"))
        assert all(n["supplier"] == supplier for n in demo.every(f"{base}/projects"))


# The history of this registry alone, without server and without the other providers: seconds less.


def registry_world(seed: int, size: History) -> World:
    """A world of this registry only, filled with three years."""
    world = World("sqlite://", catalogue={"isometric": built_in_section()}, seed=seed)
    world.create_tables()
    isometric.register(world)
    end = datetime(2026, 11, 1, tzinfo=UTC)
    with world.transaction() as connection:
        world.set_now(connection, end)
        isometric.seed(world, connection)
        isometric.seed(world, connection)
        isometric.history(
            world,
            connection,
            size=size,
            start=end - timedelta(days=1095),
            end=end,
            rng=random.Random(seed),
        )
    return world


def truth_of(world: World) -> dict[str, Any]:
    with world.transaction() as connection:
        return {entry["account"]: entry for entry in isometric.truth(world, connection)}


def test_suppliers_deliver_on_as_the_clock_runs_but_nobody_retires() -> None:
    world = registry_world(1, "demo")
    before = truth_of(world)["isometric-buyer"]
    world.advance(300 * 86_400)
    after = truth_of(world)["isometric-buyer"]
    assert after["delivered_g"] > before["delivered_g"]
    assert after["retired_g"] == before["retired_g"]
    assert after["ordered_g"] == before["ordered_g"]


def test_the_same_seed_and_clock_give_the_same_registry() -> None:
    def batches(seed: int) -> list[Any]:
        with registry_world(seed, "demo").transaction() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    query = "select * from isometric_credit_batches order by id"
    assert batches(3) == batches(3)
    assert batches(3) != batches(4)


@pytest.mark.parametrize(("size", "orders"), [("none", 0), (5, 1), (240, 12)])
def test_a_history_of_a_size_has_proportionate_orders(size: History, orders: int) -> None:
    entry = truth_of(registry_world(1, size))["isometric-buyer"]
    assert entry["orders"] == orders
    assert (entry["delivered_g"] > 0) == (orders > 0)


# The catalogue


def built_in_section() -> dict[str, Any]:
    path = Path(isometric.__file__).parents[1] / "catalogue.json"
    section: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["isometric"]
    return section


def with_section(sandbox_factory: Any, folder: Path, section: dict[str, Any]) -> Any:
    path = folder / "catalogue.json"
    path.write_text(json.dumps({"isometric": section}), encoding="utf-8")
    return sandbox_factory(catalogue=path, rate_limits="off")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda s: s.pop("projects"), "projects"),
        (lambda s: s.update(colour="red"), "colour"),
        (lambda s: s["projects"][2].update(pathway="magic"), "projects.2.pathway"),
        (lambda s: s["projects"][1].update(short_code="F5X7"), "projects.1.short_code"),
        (lambda s: s["projects"][1].update(id=s["projects"][0]["id"]), "projects.1.id"),
        (
            lambda s: s["projects"][0].update(supplier_id="spl_" + UNKNOWN),
            "projects.0.supplier_id",
        ),
        (
            lambda s: s["suppliers"][0].update(organisation_id="org_" + UNKNOWN),
            "suppliers.0.organisation_id",
        ),
        (
            lambda s: s.update(buffer_pool_organisation_id="org_" + UNKNOWN),
            "buffer_pool_organisation_id",
        ),
        (lambda s: s["organisations"][0].update(account=None), "organisations"),
        (
            lambda s: s["organisations"].append(
                {"id": "org_" + UNKNOWN, "name": "Second", "account": "isometric-supplier"}
            ),
            "organisations",
        ),
        (lambda s: s["projects"].pop(0), "suppliers"),
    ],
)
def test_a_broken_catalogue_is_refused_with_the_path_of_the_wrong_value(
    change: Callable[[dict[str, Any]], Any], path: str
) -> None:
    section = copy.deepcopy(built_in_section())
    isometric.check_catalogue(section)
    change(section)
    with pytest.raises(ValueError, match=f"^{path}: "):
        isometric.check_catalogue(section)
