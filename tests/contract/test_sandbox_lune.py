"""The Lune sandbox over real HTTP, against Lune's contract: every operation and every refusal."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from lib.sandbox import lune, wire
from lib.sandbox.lune import factors
from lib.sandbox.lune.catalogue import REQUIRED_FACTORS, Catalogue
from lib.sandbox.lune.shipping_methods import SHIPPING_METHODS
from lib.sandbox.options import Options
from lib.sandbox.serve import RunningSandbox
from tests.conftest import CLOCK, Sandbox, SandboxFactory

BUILT_IN = Path("lib/sandbox/catalogue.json")
FOREST, STONE = "bndForest", "bndStone"
NORDICS, AIR = "accHaldenNordicsClient0000000001", "accHaldenAirClient00000000000002"


def client(sandbox: Sandbox, key: str = "sandbox-lune-key", **headers: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{sandbox.url}/lune/v1/",
        headers={"Authorization": f"Bearer {key}", **headers},
        timeout=30,
    )


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client(sandbox) as opened:
        yield opened


def bundle(id: str, price: str, **rest: Any) -> dict[str, Any]:
    project = wire.loads(BUILT_IN.read_text())["lune"]["projects"][0]["id"]
    projects = [{"project_id": project, "weight": 1}]
    return {"id": id, "name": id, "unit_price": price, "projects": projects} | rest


def worked_section() -> dict[str, Any]:
    """A catalogue with the two bundles of the contract's worked examples."""
    section: dict[str, Any] = json.loads(BUILT_IN.read_text())["lune"]
    section["bundles"] = [bundle(FOREST, "12.00"), bundle(STONE, "200.00")]
    section["default_selection"] = [
        {"bundle_id": FOREST, "percentage": 60},
        {"bundle_id": STONE, "percentage": 40},
    ]
    return section


@pytest.fixture
def worked(sandbox_factory: SandboxFactory, tmp_path: Path) -> Iterator[httpx.Client]:
    with client(start_with(sandbox_factory, tmp_path, worked_section())) as opened:
        yield opened


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """One sandbox for all tests that never place an order: refusals and estimates."""
    catalogue = tmp_path_factory.mktemp("standing") / "catalogue.json"
    catalogue.write_text(json.dumps({"lune": worked_section()}))
    options = Options(port=0, history="none", rate_limits="off", catalogue=catalogue)
    headers = {"Authorization": "Bearer sandbox-lune-key"}
    with (
        RunningSandbox(options) as running,
        httpx.Client(base_url=f"{running.url}/lune/v1/", headers=headers) as opened,
    ):
        yield opened


def start_with(
    factory: SandboxFactory, folder: Path, section: dict[str, Any], **options: Any
) -> Sandbox:
    path = folder / "catalogue.json"
    path.write_text(json.dumps({"lune": section}))
    return factory(rate_limits="off", catalogue=path, **options)


def code(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert body["errors"] == [body["error"]]
    assert body["error"]["message"]
    return response.status_code, body["error"]["error_code"]


def bundle_id(api: httpx.Client, name: str) -> Any:
    return next(b["id"] for b in api.get("bundles").json()["data"] if b["name"] == name)


def by_mass(api: httpx.Client, amount: str = "2500", unit: str = "kg", **rest: Any) -> Any:
    body = {"mass": {"amount": amount, "unit": unit}} | rest
    response = api.post("orders/by-mass", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def order(api: httpx.Client, id: str) -> Any:
    return api.get(f"orders/{id}").raise_for_status().json()


def parts(order: Any, status: str) -> Decimal:
    return sum(
        (Decimal(p["quantity"]) for p in order["projects"] if p["status"] == status), Decimal(0)
    )


# --- transport ---------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Basic sandbox-lune-key"])
def test_a_wrong_key_is_unauthorised(standing: httpx.Client, given: str) -> None:
    response = standing.get("orders", headers={"Authorization": given})
    assert code(response) == (401, "unauthorised")


def test_every_answer_tells_request_id_and_version(standing: httpx.Client) -> None:
    for path in ("bundles", "orders/unknown", "orders?limit=0"):
        response = standing.get(path)
        assert response.headers["CF-Ray"]
        assert response.headers["Lune-Version"] == "2024-08-08"
    assert standing.get("bundles", headers={"Lune-Version": "2024-08-08"}).status_code == 200
    unknown = standing.get("bundles", headers={"Lune-Version": "2020-01-01"})
    assert code(unknown) == (400, "api_version_invalid")


def test_unknown_path_and_unknown_id_are_told_apart(standing: httpx.Client) -> None:
    unrouted, unknown = standing.get("estimates/flight/abc"), standing.get("orders/abc")
    assert unrouted.headers["X-Sandbox-Route"] == "none"
    assert "X-Sandbox-Route" not in unknown.headers
    for response in (unrouted, unknown):
        assert (response.status_code, response.text) == (404, "Not Found")
        assert response.headers["content-type"].startswith("text/plain")


def test_body_form(standing: httpx.Client) -> None:
    wrong_type = standing.post(
        "orders/by-mass", content=b"{}", headers={"Content-Type": "text/plain"}
    )
    assert (wrong_type.status_code, wrong_type.text) == (415, "Unsupported Media Type")
    too_large = standing.post("orders/by-mass", json={"metadata": {"a": "x" * 100_000}})
    assert too_large.status_code == 413
    assert too_large.headers["content-type"].startswith("text/plain")
    broken = standing.post(
        "orders/by-mass", content=b"{", headers={"Content-Type": "application/json; charset=utf-8"}
    )
    assert code(broken) == (400, "validation_error")


def test_rate_limit_answers_plain_text(sandbox_factory: SandboxFactory) -> None:
    with client(sandbox_factory(rate_limits="provider")) as api:
        answers = [api.get("accounts/me") for _ in range(60)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].headers["content-type"].startswith("text/plain")


# --- prices and quotes -------------------------------------------------------------------------


def test_order_by_mass_as_the_contract_shows(worked: httpx.Client) -> None:
    selection = [
        {"bundle_id": FOREST, "percentage": 60},
        {"bundle_id": STONE, "percentage": "40.00"},
    ]
    placed = by_mass(
        worked, bundle_selection=selection, idempotency_key="inv-2041", metadata={"trip": "9"}
    )
    fresh = ("id", "created_at")
    assert {name: value for name, value in placed.items() if name not in fresh} == {
        "idempotency_key": "inv-2041",
        "type": "quantity",
        "status": "placed",
        "currency": "EUR",
        "offset_cost": "218.00",
        "total_cost": "242.22",
        "commission": "24.22",
        "quantity": "2.5",
        "payment_method": "invoice",
        "bundles": [
            {
                "bundle_id": FOREST,
                "bundle_name": FOREST,
                "quantity": "1.5",
                "unit_price": "12.00",
                "gross_unit_price": "13.33",
                "offset_cost": "18.00",
                "insufficient_available_quantity": False,
            },
            {
                "bundle_id": STONE,
                "bundle_name": STONE,
                "quantity": "1",
                "unit_price": "200.00",
                "gross_unit_price": "222.22",
                "offset_cost": "200.00",
                "insufficient_available_quantity": False,
            },
        ],
        "projects": [],
        "certificate": None,
        "public_certificate_url": None,
        "metadata": {"trip": "9"},
        "offset_link_id": None,
        "email": None,
        "requested_quantity": "2.5",
        "requested_value": None,
        "estimate_id": None,
    }
    assert datetime.fromisoformat(placed["created_at"]).tzinfo is not None


def test_quote_and_order_by_value_as_the_contract_shows(worked: httpx.Client) -> None:
    quote = worked.post("orders/by-value/quote", json={"value": "100"}).json()
    assert [quote[f"estimated_{name}"] for name in ("quantity", "total_cost")] == [
        "1.03214",
        "100.00",
    ]
    assert (quote["estimated_offset_cost"], quote["estimated_commission"]) == ("90.00", "10.00")
    assert (quote["requested_value"], quote["requested_quantity"]) == ("100", None)
    placed = worked.post("orders/by-value", json={"value": "100"}).json()
    assert (placed["type"], placed["quantity"], placed["total_cost"]) == (
        "value",
        "1.03214",
        "100.00",
    )
    assert [b["offset_cost"] for b in placed["bundles"]] == ["7.44", "82.58"]
    assert placed["estimate_id"] is None


def test_bundle_masses_and_truncation(standing: httpx.Client) -> None:
    masses = [{"bundle_id": FOREST, "mass": {"amount": "1.5009", "unit": "t"}}]
    body = {"bundle_masses": masses, "quantity_trunc": "kg"}
    quote = standing.post("orders/by-mass/quote", json=body).json()
    assert (quote["estimated_quantity"], quote["estimated_total_cost"]) == ("1.5", "20.00")
    assert quote["requested_quantity"] == "1.5009"
    assert standing.get("orders").json()["data"] == []


def test_the_default_selection_prices_twelve_kilograms(api: httpx.Client) -> None:
    mass = {"mass": {"amount": "12.07", "unit": "kg"}}
    quote = api.post("orders/by-mass/quote", json=mass).json()
    assert [b["quantity"] for b in quote["bundles"]] == ["0.011466", "0.000603"]
    assert quote["estimated_quantity"] == "0.012069"


def test_prices_are_in_the_account_s_currency(sandbox: Sandbox, api: httpx.Client) -> None:
    with client(sandbox, "sandbox-lune-key-2") as second:
        theirs = second.get("bundles").json()["data"][0]
    ours = api.get("bundles").json()["data"][0]
    assert (ours["currency"], ours["unit_price"]) == ("EUR", "13.57")
    assert (theirs["currency"], theirs["unit_price"]) == ("GBP", "11.67")


ONE_T = {"mass": {"amount": "1", "unit": "t"}}


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("by-mass", {"mass": {"amount": "0", "unit": "t"}}, (409, "order_quantity_invalid")),
        (
            "by-mass",
            {"mass": {"amount": "0.0000001", "unit": "t"}},
            (409, "order_quantity_invalid"),
        ),
        ("by-mass", {"mass": {"amount": "9" * 20, "unit": "t"}}, (409, "order_quantity_invalid")),
        ("by-mass", {"mass": {"amount": 5, "unit": "t"}}, (400, "validation_error")),
        ("by-mass", {"mass": {"amount": "-5", "unit": "t"}}, (400, "validation_error")),
        ("by-mass", {"mass": {"amount": "1e3", "unit": "t"}}, (400, "validation_error")),
        ("by-mass", {"mass": {"amount": "5", "unit": "lb"}}, (400, "validation_error")),
        ("by-mass", {}, (400, "validation_error")),
        ("by-mass", ONE_T | {"bundle_masses": []}, (400, "validation_error")),
        ("by-mass", ONE_T | {"idempotency_key": "k" * 101}, (400, "validation_error")),
        ("by-mass", ONE_T | {"metadata": {"n": 1}}, (400, "validation_error")),
        (
            "by-mass",
            {"bundle_masses": [{"bundle_id": "gone", "mass": ONE_T["mass"]}]},
            (400, "bundle_id_invalid"),
        ),
        (
            "by-mass",
            ONE_T | {"bundle_selection": [{"bundle_id": "gone"}]},
            (400, "bundle_selection_bundle_invalid"),
        ),
        (
            "by-mass",
            ONE_T | {"bundle_selection": [{"bundle_id": FOREST, "percentage": 99}]},
            (400, "bundle_selection_ratios_invalid"),
        ),
        (
            "by-mass",
            ONE_T | {"bundle_selection": [{"bundle_id": FOREST, "percentage": 33.5}]},
            (400, "bundle_selection_ratios_invalid_format"),
        ),
        ("by-value", {"value": "0"}, (400, "order_value_invalid")),
        ("by-value", {"value": "0.009"}, (400, "order_value_invalid")),
        ("by-value", {"value": "0.01", "quantity_trunc": "t"}, (409, "order_quantity_invalid")),
    ],
)
def test_refused_quotes_and_orders(
    standing: httpx.Client, path: str, body: Any, expected: tuple[int, str]
) -> None:
    assert code(standing.post(f"orders/{path}", json=body)) == expected
    quote_body = {name: value for name, value in body.items() if name not in NOT_IN_QUOTES}
    if quote_body == body:
        assert code(standing.post(f"orders/{path}/quote", json=body)) == expected
    assert standing.get("orders").json()["data"] == []


NOT_IN_QUOTES = {"idempotency_key", "metadata"}


def test_a_disabled_bundle_is_refused_and_listed_only_on_request(api: httpx.Client) -> None:
    every = api.get("bundles", params={"recently_disabled": "true"}).json()["data"]
    (disabled,) = [b for b in every if b["disabled"]]
    assert disabled["id"] not in {b["id"] for b in api.get("bundles").json()["data"]}
    selection = [{"bundle_id": disabled["id"]}]
    refused = api.post("orders/by-mass", json=ONE_T | {"bundle_selection": selection})
    assert code(refused) == (400, "bundle_selection_bundle_invalid")
    assert api.get(f"bundles/{disabled['id']}").json()["disabled"] is True


# --- idempotency, scope, lists -----------------------------------------------------------------


def test_a_repeated_key_is_refused_and_looked_up(sandbox: Sandbox, api: httpx.Client) -> None:
    key = "trip 9/ö?&#%"
    placed = by_mass(api, idempotency_key=key)
    body = {"value": "10", "idempotency_key": key}
    assert code(api.post("orders/by-value", json=body)) == (409, "order_idempotency_already_exists")
    quoted = "trip%209%2F%C3%B6%3F%26%23%25"
    assert api.get(f"orders/by-idempotency-key/{quoted}").json()["id"] == placed["id"]
    assert api.get("orders/by-idempotency-key/unknown").status_code == 404
    with client(sandbox, **{"Lune-Account": NORDICS}) as nordics:
        assert nordics.get(f"orders/by-idempotency-key/{quoted}").status_code == 404
        by_mass(nordics, idempotency_key=key)
    assert len(sandbox.effects()) == 2


def test_effects_tell_what_an_order_did(sandbox: Sandbox) -> None:
    body = b"""{"mass": {"amount": "1.5", "unit": "t"},
        "idempotency_key": "e1", "metadata": {"reference": "R-7"}}"""
    with client(sandbox, **{"Lune-Account": AIR, "Content-Type": "application/json"}) as air:
        placed = air.post("orders/by-mass", content=body).json()
    (effect,) = sandbox.effects()
    told = {name: effect[name] for name in ("provider", "account", "subaccount", "kind", "id")}
    assert told == {
        "provider": "lune",
        "account": "lune-1",
        "subaccount": AIR,
        "kind": "order",
        "id": placed["id"],
    }
    assert (effect["key"], effect["reference"], effect["grams"]) == ("e1", "R-7", 1_500_000)
    assert effect["body_sha256"] == hashlib.sha256(body).hexdigest()


def test_orders_belong_to_one_account(sandbox: Sandbox, api: httpx.Client) -> None:
    placed = by_mass(api)
    with client(sandbox, "sandbox-lune-key-2") as second:
        assert second.get(f"orders/{placed['id']}").status_code == 404
        assert second.get("orders").json()["data"] == []
        wrong = second.get("orders", headers={"Lune-Account": NORDICS})
    assert code(wrong) == (400, "invalid_selected_account_id")
    assert api.get("orders", headers={"Lune-Account": AIR}).json()["data"] == []


def test_orders_come_newest_first_in_pages(api: httpx.Client) -> None:
    ids = [by_mass(api, str(number))["id"] for number in range(1, 13)]
    first = api.get("orders").json()
    assert [o["id"] for o in first["data"]] == ids[:1:-1]
    assert first["has_more"] is True
    by_mass(api, "99")  # a newer order does not shift the pages that follow
    last = api.get("orders", params={"after": first["next_cursor"]}).json()
    assert [o["id"] for o in last["data"]] == ids[1::-1]
    assert (last["has_more"], last["next_cursor"]) == (False, None)
    exact = api.get("orders", params={"limit": "13"}).json()
    assert (len(exact["data"]), exact["has_more"], exact["next_cursor"]) == (13, False, None)
    assert api.get("orders", params={"offset_link_id": "none"}).json()["data"] == []


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1.5", ""])
def test_a_wrong_limit_is_refused(standing: httpx.Client, limit: str) -> None:
    for path in ("orders", "bundles", "projects", "accounts/client"):
        refused = standing.get(path, params={"limit": limit})
        assert code(refused) == (400, "pagination_limit_invalid")


def test_a_wrong_cursor_is_refused(standing: httpx.Client) -> None:
    assert code(standing.get("orders", params={"after": "nonsense"})) == (400, "validation_error")


def test_a_suspended_account_cannot_order(sandbox_factory: SandboxFactory, tmp_path: Path) -> None:
    section = json.loads(BUILT_IN.read_text())["lune"]
    section["accounts"][0]["suspended"] = True
    with client(start_with(sandbox_factory, tmp_path, section)) as api:
        assert code(api.post("orders/by-mass", json=ONE_T)) == (409, "account_suspended")
        assert api.post("orders/by-mass/quote", json=ONE_T).status_code == 200


# --- life cycle --------------------------------------------------------------------------------


def test_an_order_lives_by_the_clock(sandbox: Sandbox, api: httpx.Client) -> None:
    placed = by_mass(api, "2", "t")
    statuses = []
    for _ in range(4):
        statuses.append(order(api, placed["id"])["status"])
        sandbox.advance(10.5)
    assert statuses == ["placed", "paid", "retiring", "complete"]
    done = order(api, placed["id"])
    assert parts(done, "retired") == 2
    assert done["certificate"] == f"{sandbox.url}/lune/v1/orders/{placed['id']}/certificate"
    assert done["bundles"] == placed["bundles"]
    assert sandbox.ledger()["lune-1"] | {} == {
        "provider": "lune",
        "account": "lune-1",
        "orders": 1,
        "ordered_g": 2_000_000,
        "delivered_g": 2_000_000,
        "retired_g": 2_000_000,
        "money": {"EUR": done["total_cost"]},
    }


def test_a_received_order_has_no_bundles_yet(
    sandbox_factory: SandboxFactory, tmp_path: Path
) -> None:
    section = json.loads(BUILT_IN.read_text())["lune"]
    section["lifecycle"]["created_as"] = "received"
    sandbox = start_with(sandbox_factory, tmp_path, section)
    with client(sandbox) as api:
        received = by_mass(api)
        unknown = ("bundles", "projects", "quantity", "total_cost", "offset_cost", "commission")
        assert received["status"] == "received"
        assert all(received[name] is None for name in unknown)
        sandbox.advance(6)
        placed = order(api, received["id"])
    assert (placed["status"], placed["quantity"]) == ("placed", "2.5")


def test_parts_of_a_tonne_wait_for_their_pool(sandbox: Sandbox, api: httpx.Client) -> None:
    small = [by_mass(api, "0.3", "t")["id"] for _ in range(3)]
    sandbox.advance(60)
    for order_id in small:
        waiting = order(api, order_id)
        assert waiting["status"] == "retiring"
        assert parts(waiting, "allocated") == Decimal("0.3")
    fourth = by_mass(api, "1.3", "t")["id"]
    sandbox.advance(60)
    assert [order(api, one)["status"] for one in small] == ["complete"] * 3
    last = order(api, fourth)
    assert (parts(last, "retired"), parts(last, "allocated")) == (Decimal("1.1"), Decimal("0.2"))
    assert last["status"] == "retiring"
    assert last["certificate"] is None
    assert sandbox.ledger()["lune-1"]["retired_g"] == 2_000_000


def test_pools_are_apart_by_account_and_beneficiary(sandbox: Sandbox, api: httpx.Client) -> None:
    first = by_mass(api, "0.6", "t")["id"]
    with client(sandbox, **{"Lune-Account": NORDICS}) as nordics:
        theirs = by_mass(nordics, "0.6", "t")["id"]
        changed = {"beneficiary": "Somebody Else"}
        api.patch(f"accounts/client/{NORDICS}", json=changed).raise_for_status()
        other = by_mass(nordics, "0.6", "t")["id"]
        sandbox.advance(60)
        assert [order(nordics, one)["status"] for one in (theirs, other)] == ["retiring"] * 2
    assert order(api, first)["status"] == "retiring"
    assert sandbox.ledger()["lune-1"]["retired_g"] == 0


def test_too_little_stock_is_told_and_waits(sandbox: Sandbox, api: httpx.Client) -> None:
    scarce = bundle_id(api, "Nordic biochar")
    available = Decimal(api.get(f"bundles/{scarce}").json()["available_quantity"])
    wanted = {"bundle_id": scarce, "mass": {"amount": str(available + 3), "unit": "t"}}
    placed = api.post("orders/by-mass", json={"bundle_masses": [wanted]}).json()
    assert placed["bundles"][0]["insufficient_available_quantity"] is True
    sandbox.advance(3600)
    assert order(api, placed["id"])["status"] == "paid"
    assert Decimal(api.get(f"bundles/{scarce}").json()["available_quantity"]) == available
    sandbox.advance(31 * 86400)
    assert order(api, placed["id"])["status"] == "complete"
    assert api.get(f"bundles/{scarce}").json()["available_quantity"] == "0"


def test_stock_shrinks_with_orders(sandbox: Sandbox, api: httpx.Client) -> None:
    scarce = bundle_id(api, "Nordic biochar")
    wanted = {"bundle_id": scarce, "mass": {"amount": "4.25", "unit": "t"}}
    api.post("orders/by-mass", json={"bundle_masses": [wanted]}).raise_for_status()
    sandbox.advance(60)
    assert api.get(f"bundles/{scarce}").json()["available_quantity"] == "20.75"


def test_certificate_from_retiring_on(sandbox: Sandbox, api: httpx.Client) -> None:
    placed = by_mass(api, "0.4", "t")
    path = f"orders/{placed['id']}/certificate"
    assert api.get(path).status_code == 404
    sandbox.advance(60)
    answer = api.get(path)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert api.get(path).content == answer.content
    assert api.get("orders/unknown/certificate").status_code == 404


# --- bundles, projects, selections -------------------------------------------------------------


def test_bundles_and_projects_point_at_each_other(sandbox: Sandbox, api: httpx.Client) -> None:
    bundles = api.get("bundles").json()["data"]
    assert {b["offset_type"] for b in bundles} == {"emissions_reduction", "carbon_removal", None}
    first = bundles[0]["projects"][0]
    project = api.get(f"projects/{first['id']}").json()
    assert api.get(f"projects/by-slug/{first['slug']}").json() == project
    assert first.items() <= project.items()
    assert bundles[0]["id"] in {b["id"] for b in project["bundles"]}
    assert project["registry_link"].startswith(f"{sandbox.url}/pages/lune/projects/")
    assert httpx.get(project["registry_link"]).status_code == 200
    assert isinstance(project["latitude"], float)
    for path in ("bundles/gone", "projects/gone", "projects/by-slug/gone"):
        assert api.get(path).text == "Not Found"


def test_catalogue_lists_are_paged(api: httpx.Client) -> None:
    for path in ("bundles", "projects"):
        whole = api.get(path, params={"limit": "100"}).json()["data"]
        seen: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = api.get(path, params={"limit": "3"} | cursor).json()
            seen += page["data"]
            if not page["has_more"]:
                break
            cursor = {"after": page["next_cursor"]}
        assert seen == whole


def test_a_selection_is_stored_per_account(sandbox: Sandbox, api: httpx.Client) -> None:
    default = api.get("bundle-selections").json()
    assert [entry["percentage"] for entry in default] == [95, 5]
    biochar, shore = (bundle_id(api, name) for name in ("Nordic biochar", "Soil and shore"))
    wanted = [
        {"bundle_id": biochar, "percentage": "75.5"},
        {"bundle_id": shore, "percentage": "24.5"},
    ]
    assert api.put("bundle-selections", json=wanted).json() == wanted
    assert api.get("bundle-selections").json() == wanted
    assert [b["bundle_id"] for b in by_mass(api)["bundles"]] == [biochar, shore]
    with client(sandbox, **{"Lune-Account": NORDICS}) as nordics:
        assert nordics.get("bundle-selections").json() == default
    equal = api.put("bundle-selections", json=[{"bundle_id": biochar}, {"bundle_id": shore}])
    assert [entry["percentage"] for entry in equal.json()] == [50, 50]
    assert api.put("bundle-selections", json=[]).json() == default
    uneven = api.put("bundle-selections", json=[{"bundle_id": biochar, "percentage": 50}])
    assert code(uneven) == (400, "bundle_selection_ratios_invalid")


# --- estimates ---------------------------------------------------------------------------------


def estimate(api: httpx.Client, kind: str, **body: Any) -> Any:
    response = api.post(f"estimates/{kind}", json=body)
    assert response.status_code == 200, response.text
    return response.json()


KM = {"amount": "9000", "unit": "km"}
CONTAINERS = {"containers": "2", "cargo_type": "average"}
SHIP = {"vessel_type": "container_ship"}


def test_electricity_as_the_contract_shows(standing: httpx.Client) -> None:
    request = {
        "name": "Office March",
        "consumption": {"amount": "12", "unit": "MWh"},
        "country_code": "GBR",
    }
    made = estimate(standing, "electricity", **request, metadata={"site": "A"})
    assert made["mass"] == {"amount": "2.124", "unit": "t"}
    assert (made["metadata"], made["request"]) == ({"site": "A"}, request)
    quote = made["quote"]
    assert [quote[f"estimated_{name}"] for name in ("offset_cost", "total_cost", "commission")] == [
        "185.21",
        "205.79",
        "20.58",
    ]
    assert [b["offset_cost"] for b in quote["bundles"]] == ["15.30", "169.92"]
    assert standing.get(f"estimates/electricity/{made['id']}").json() == made
    world = estimate(standing, "electricity", consumption={"amount": "1000", "unit": "kWh"})
    assert world["mass"]["amount"] == "0.47"


def test_flight_by_airports_and_by_distance(standing: httpx.Client) -> None:
    route = {"source": {"code": "LHR"}, "destination": {"code": "JFK"}}
    made = estimate(standing, "flight", route=route, passengers=2)
    icao = {"source": {"code": "EGLL"}, "destination": {"code": "KJFK"}}
    assert estimate(standing, "flight", route=icao, passengers=2)["mass"] == made["mass"]
    # About 5,540 km in economy, long haul, for two.
    assert abs(Decimal(made["mass"]["amount"]) - Decimal("1.297")) < Decimal("0.005")
    assert made["request"]["passengers"] == 2
    short = estimate(
        standing, "flight", route={"amount": "3700", "unit": "km"}, cabin_class="business"
    )
    assert short["mass"]["amount"] == "0.697931"
    nautical = estimate(standing, "flight", route={"amount": "100", "unit": "nm"})
    assert nautical["mass"]["amount"] == "0.02329"
    half = estimate(standing, "flight", route={"amount": "1000", "unit": "km"}, passengers=1.5)
    assert half["mass"]["amount"] == "0.18864"


def test_journey_sums_its_legs(standing: httpx.Client) -> None:
    legs = [
        {"route": {"amount": "40", "unit": "km"}, "vehicle_type": "car_lower_medium"},
        {"route": {"amount": "300", "unit": "km"}, "rail_type": "national_rail"},
        {
            "route": {"source": {"lat": 0, "lon": 0}, "destination": {"lat": 0, "lon": 1.5}},
            "cabin_class": "first",
            "flight_identification": {"flight_number": "SB 1", "departure_on": "2026-03-01"},
        },
    ]
    made = estimate(standing, "passenger-transportation", legs=legs, passengers=2)
    masses = [Decimal(leg["mass"]["amount"]) for leg in made["legs"]]
    assert masses[:2] == [Decimal("0.006189"), Decimal("0.021276")]
    assert abs(sum(masses) - Decimal(made["mass"]["amount"])) <= Decimal("0.000003")
    factor = made["legs"][1]["emission_factor"]
    assert (factor["source"], factor["publication_year"], factor["denominator_unit"]) == (
        "beis",
        2025,
        "person*km",
    )
    assert factor["gas_emissions"] == {"co2e": "0.03546"}
    assert made["legs"][2]["distance"]["unit"] == "km"
    again = standing.get(f"estimates/passenger-transportation/{made['id']}")
    assert again.json() == made


def test_shipping_as_the_contract_shows(standing: httpx.Client) -> None:
    request = {"shipment": CONTAINERS, "route": KM, "method": SHIP, "is_shipment": True}
    made = estimate(standing, "shipping", **request)
    assert made["mass"] == {"amount": "2.9016", "unit": "t"}
    assert made["activity"] == {"value": "180000", "unit": "t*km"}
    assert made["converted_shipment"] == {"amount": "20", "unit": "t"}
    assert made["shipment_conversion_method"] == "user_provided_cargo_type"
    assert made["distance_calculation_method"] == "user_input"
    assert made["request"] == request
    assert made["shipped_at"] == made["created_at"]
    for name in ("intensity", "route", "methodology_details", "resolved_legs", "filename"):
        assert made[name] is None
    path = f"estimates/shipping/{made['id']}"
    in_unit = {
        unit: standing.get(path, params={"estimate_mass_unit": unit}).json()["mass"]["amount"]
        for unit in ("mg", "g", "kg", "t")
    }
    assert in_unit == {"mg": "2901600000", "g": "2901600", "kg": "2901.6", "t": "2.9016"}
    assert code(standing.get(path, params={"estimate_mass_unit": "lb"})) == (
        400,
        "validation_error",
    )


@pytest.mark.parametrize(
    ("method", "factor"),
    [
        (SHIP, "0.01612"),
        ("cargo_plane", "0.89939"),
        ("inland_waterway_tanker", "0.0537"),
        ("electric_freight_train_eu_average", "0.02779"),
        ("diesel_freight_train_us_average", "0.01451"),
        ("rail", "0.02779"),
        ("truck_generic_van_electric", "0.2196924"),
        ("truck_na_refrigerated", "0.1502397"),
        ("truck_generic_urban", "0.52761"),
        ("truck_rigid_12t_cng", "0.36362"),
        ("truck_rigid_26t", "0.17146"),
        ("truck_articulated_40t_si_engine_cng", "0.07703"),
        ("diesel_truck_refrigerated", "0.1189071"),
    ],
)
def test_shipping_methods_find_their_factor(
    standing: httpx.Client, method: Any, factor: str
) -> None:
    shipment = {"mass": {"amount": "1", "unit": "t"}}
    made = estimate(standing, "shipping", shipment=shipment, route=KM, method=method)
    assert made["emission_factor"]["gas_emissions"] == {"co2e": factor}
    assert made["converted_shipment"] is None


def test_every_shipping_method_has_a_factor(standing: httpx.Client) -> None:
    catalogue = Catalogue.model_validate(wire.loads(BUILT_IN.read_text())["lune"])
    assert len(SHIPPING_METHODS) == 148
    for method in SHIPPING_METHODS:
        assert factors.freight(catalogue, method, Decimal(100)).kg > 0
    body = {"shipment": CONTAINERS, "route": KM, "method": "monorail"}
    assert code(standing.post("estimates/shipping", json=body)) == (400, "validation_error")


def test_places_are_joined_by_the_great_circle(standing: httpx.Client) -> None:
    route = {"source": {"locode": "NLRTM"}, "destination": {"city": "new york"}}
    made = estimate(standing, "shipping", shipment={"containers": "1"}, route=route, method=SHIP)
    assert made["distance_calculation_method"] == "great_circle_distance"
    assert 5_800 < Decimal(made["distance"]["amount"]) < 5_900
    assert made["shipment_conversion_method"] == "average_cargo_type"


AIRPORT = {"code": "LHR"}


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (
            "flight",
            {"route": {"source": AIRPORT, "destination": {"code": "QQQ"}}},
            "airport_invalid",
        ),
        ("flight", {"route": {"source": AIRPORT, "destination": AIRPORT}}, "distance_invalid"),
        ("flight", {"route": {"amount": "0", "unit": "km"}}, "distance_invalid"),
        ("flight", {"route": KM, "passengers": 0}, "validation_error"),
        ("flight", {"route": {"amount": "1" * 24, "unit": "km"}}, "validation_error"),
        ("flight", {"route": KM, "cabin_class": "roof"}, "validation_error"),
        ("electricity", {"consumption": {"amount": "1", "unit": "kJ"}}, "validation_error"),
        ("passenger-transportation", {"legs": []}, "validation_error"),
        (
            "passenger-transportation",
            {"legs": [{"route": KM, "vehicle_type": "bicycle"}]},
            "validation_error",
        ),
        (
            "shipping",
            {"shipment": CONTAINERS, "route": KM, "method": "catapult"},
            "validation_error",
        ),
        ("shipping", {"shipment": {}, "route": KM, "method": SHIP}, "validation_error"),
        (
            "shipping",
            {
                "shipment": CONTAINERS,
                "route": {"source": {"locode": "XXXXX"}, "destination": AIRPORT},
                "method": SHIP,
            },
            "locode_not_found",
        ),
        (
            "shipping",
            {
                "shipment": CONTAINERS,
                "route": {"source": {"city": "Atlantis"}, "destination": AIRPORT},
                "method": SHIP,
            },
            "address_not_found",
        ),
    ],
)
def test_refused_estimates(standing: httpx.Client, kind: str, body: Any, expected: str) -> None:
    assert code(standing.post(f"estimates/{kind}", json=body)) == (400, expected)


def test_an_estimate_without_quote_tells_why(standing: httpx.Client) -> None:
    selection = [{"bundle_id": "gone"}]
    consumption = {"amount": "1", "unit": "MWh"}
    made = estimate(standing, "electricity", consumption=consumption, bundle_selection=selection)
    assert made["quote"]["error"]["error_code"] == "bundle_selection_bundle_invalid"
    assert made["mass"]["amount"] == "0.47"


def test_estimates_have_keys_and_owners(sandbox: Sandbox, api: httpx.Client) -> None:
    body = {"consumption": {"amount": "1", "unit": "MWh"}, "idempotency_key": "est"}
    made = estimate(api, "electricity", **body)
    assert made["idempotency_key"] == "est"
    again = api.post("estimates/electricity", json=body)
    assert code(again) == (409, "estimate_idempotency_already_exists")
    assert code(api.get(f"estimates/shipping/{made['id']}")) == (404, "estimate_not_found")
    with client(sandbox, "sandbox-lune-key-2") as second:
        theirs = second.get(f"estimates/electricity/{made['id']}")
        assert code(theirs) == (404, "estimate_not_found")
        placed = second.post("orders/by-estimate", json={"estimate_id": made["id"]})
        assert code(placed) == (400, "estimate_not_found")


def test_one_order_per_estimate(sandbox: Sandbox, api: httpx.Client) -> None:
    shore = bundle_id(api, "Soil and shore")
    made = estimate(
        api,
        "electricity",
        consumption={"amount": "12", "unit": "MWh"},
        country_code="GBR",
        bundle_selection=[{"bundle_id": shore}],
        quantity_trunc="kg",
    )
    body = {"estimate_id": made["id"], "idempotency_key": "once"}
    placed = api.post("orders/by-estimate", json=body).json()
    assert placed["estimate_id"] == made["id"]
    assert placed["requested_quantity"] == "2.124"
    assert placed["total_cost"] == made["quote"]["estimated_total_cost"]
    assert [b["bundle_id"] for b in placed["bundles"]] == [shore]
    again = api.post("orders/by-estimate", json={"estimate_id": made["id"]})
    assert code(again) == (409, "estimate_order_already_placed")
    with sandbox.world.transaction() as connection:
        lune.lifecycle.cancel(connection, placed["id"])
    assert api.post("orders/by-estimate", json={"estimate_id": made["id"]}).status_code == 200


# --- accounts ----------------------------------------------------------------------------------


def test_main_and_client_accounts_show_their_scope(sandbox: Sandbox, api: httpx.Client) -> None:
    main = api.get("accounts/me").json()
    assert (main["scope"], main["sibling_id"], main["type"]) == ("account", None, "test")
    assert main["name"] == "Halden Logistics"
    assert code(api.get("accounts/client/me")) == (400, "account_scope_incorrect")
    with client(sandbox, **{"Lune-Account": NORDICS}) as nordics:
        me = nordics.get("accounts/client/me").json()
        assert nordics.get("accounts/me").json() == me
        refused = nordics.post("accounts/client", json={"name": "Deeper", "currency": "EUR"})
    assert (me["scope"], me["beneficiary"]) == ("client_account", "Halden Nordics AB")
    assert code(refused) == (403, "account_scope_incorrect")


def test_client_accounts_are_created_and_changed(sandbox: Sandbox, api: httpx.Client) -> None:
    body = {
        "name": "Client Nine",
        "currency": "SEK",
        "beneficiary": "  Client Nine SA ",
        "handle": "client-nine",
        "idempotency_key": "nine",
    }
    made = api.post("accounts/client", json=body).json()
    assert (made["beneficiary"], made["idempotency_key"]) == ("Client Nine SA", "nine")
    assert code(api.post("accounts/client", json=body | {"idempotency_key": "ten"})) == (
        409,
        "handle_not_unique",
    )
    assert code(api.post("accounts/client", json=body | {"handle": "nine-b"})) == (
        409,
        "account_idempotency_already_exists",
    )
    path = f"accounts/client/{made['id']}"
    patched = api.patch(path, json={"beneficiary": None, "external_pages_visibility": "public"})
    assert patched.json() == made | {"beneficiary": None, "external_pages_visibility": "public"}
    assert api.patch(path, json={}).json() == patched.json()
    put = api.put(path, json={"name": "Client 9", "handle": "client-nine"}).json()
    assert put == made | {
        "name": "Client 9",
        "beneficiary": None,
        "external_pages_visibility": "hidden",
    }
    with client(sandbox, **{"Lune-Account": made["id"]}) as nine:
        assert by_mass(nine)["currency"] == "SEK"
    assert api.put("accounts/client/gone", json={"name": "x"}).text == "Not Found"
    main = api.get("accounts/me").json()["id"]
    assert api.patch(f"accounts/client/{main}", json={"name": "x"}).status_code == 404
    for wrong in ({"name": "x"}, {"name": "x", "currency": "XXX"}, body | {"handle": "Ö"}):
        assert code(api.post("accounts/client", json=wrong)) == (400, "validation_error")


def test_client_accounts_are_listed_with_their_estimates(
    sandbox: Sandbox, api: httpx.Client
) -> None:
    with client(sandbox, **{"Lune-Account": NORDICS}) as nordics:
        estimate(nordics, "electricity", consumption={"amount": "1", "unit": "MWh"})
    rows = api.get("accounts/client").json()["data"]
    assert [row["name"] for row in rows] == ["Halden Nordics", "Halden Air"]
    assert [row["number_of_estimates"] for row in rows] == [1, 0]
    assert [row["total_emissions"] for row in rows] == ["0.47", "0"]
    found = api.get("accounts/client", params={"name": "nord"}).json()["data"]
    assert [row["id"] for row in found] == [NORDICS]
    assert code(api.get("accounts/client", params={"name": "a b"})) == (400, "validation_error")


# --- analytics ---------------------------------------------------------------------------------


def test_analytics_count_orders_and_estimates(sandbox: Sandbox, api: httpx.Client) -> None:
    forest, shore = (
        bundle_id(api, name) for name in ("Conserving southern forests", "Soil and shore")
    )
    by_mass(api, "1.5", "t", bundle_selection=[{"bundle_id": forest}])
    sandbox.advance(86400)
    by_mass(api, "1.5", "t", bundle_selection=[{"bundle_id": forest}])
    by_mass(api, "1", "t", bundle_selection=[{"bundle_id": shore}])
    estimate(api, "electricity", consumption={"amount": "1", "unit": "MWh"})
    series = api.get("analytics/cumulative-per-bundle").json()
    assert [row["bundle_id"] for row in series] == [forest, shore]
    assert [(day["quantity"], day["value"]) for day in series[0]["timeseries"]] == [
        ("1.5", "20.36"),
        ("3", "40.72"),
    ]
    grouped = api.get("analytics/aggregated-by-property").json()
    assert {row["offset_type"]: row["quantity"] for row in grouped["offset_type"]} == {
        "emissions_reduction": "3",
        None: "1",
    }
    registries = {row["registry_name"]: Decimal(row["quantity"]) for row in grouped["registry"]}
    assert registries["Not yet allocated"] == Decimal("2.5")
    assert sum(registries.values()) == 4
    metrics = api.get("analytics/metrics").json()
    assert metrics["number_of_projects"] == 3
    assert metrics["number_of_un_sdgs"] == len(metrics["un_sdg"])
    calculations = api.get("analytics/emission-calculations").json()["timeseries"]
    assert calculations == [{"date": "2026-11-02", "count": 1}]
    by_month = api.get("analytics/emission-calculations", params={"interval": "month"}).json()
    assert by_month["timeseries"] == [{"date": "2026-11-01", "count": 1}]
    nobody = {"Lune-Account": AIR}
    assert api.get("analytics/metrics", headers=nobody).json()["un_sdg"] is None
    every = api.get(
        "analytics/emission-calculations", params={"all_accounts": "true"}, headers=nobody
    )
    assert every.json()["timeseries"] == calculations


@pytest.mark.parametrize(
    "name",
    ["cumulative-per-bundle", "metrics", "aggregated-by-property", "emission-calculations"],
)
def test_analytics_days_in_wrong_order(standing: httpx.Client, name: str) -> None:
    days = {"from": "2026-03-02", "through": "2026-03-01"}
    assert code(standing.get(f"analytics/{name}", params=days)) == (400, "time_range_invalid")
    wrong = standing.get(f"analytics/{name}", params={"from": "yesterday"})
    assert code(wrong) == (400, "validation_error")


# --- history, ground truth, catalogue ----------------------------------------------------------


def all_orders(api: httpx.Client, account: str | None = None) -> list[Any]:
    headers = {"Lune-Account": account} if account else {}
    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = api.get("orders", params={"limit": "100"} | after, headers=headers).json()
        found += page["data"]
        if not page["has_more"]:
            return found
        after = {"after": page["next_cursor"]}


def test_demo_history_is_believable_and_adds_up(demo_sandbox: Sandbox) -> None:
    with client(demo_sandbox) as api:
        orders = [o for account in (None, NORDICS, AIR) for o in all_orders(api, account)]
    statuses = Counter(o["status"] for o in orders)
    assert 80 <= len(orders) <= 100
    assert (statuses["cancelled"], statuses["failed"], statuses["paid"]) == (2, 1, 1)
    assert statuses["retiring"] >= 3
    assert statuses["complete"] > 70
    years = {datetime.fromisoformat(o["created_at"]).astimezone(UTC).year for o in orders}
    assert {2024, 2025, 2026} <= years
    assert any("<img" in value for o in orders for value in o["metadata"].values())
    counted = [o for o in orders if o["status"] not in {"cancelled", "failed"}]
    truth = demo_sandbox.ledger()["lune-1"]
    assert truth["orders"] == len(counted)
    assert truth["ordered_g"] == sum(Decimal(o["quantity"]) for o in counted) * 1_000_000
    retired = sum(parts(o, "retired") for o in counted)
    assert truth["retired_g"] == retired * 1_000_000
    assert retired == int(retired)
    assert Decimal(truth["money"]["EUR"]) == sum(Decimal(o["total_cost"]) for o in counted)
    for o in counted:
        if o["projects"]:
            assert parts(o, "retired") + parts(o, "allocated") == Decimal(o["quantity"])


def test_the_same_seed_and_clock_give_the_same_history(sandbox_factory: SandboxFactory) -> None:
    dumps = []
    for _ in range(2):
        with client(sandbox_factory(history=40, seed=7, clock=CLOCK, rate_limits="off")) as api:
            dumps.append([o | {"certificate": None} for o in all_orders(api)])
    assert dumps[0]
    assert dumps[0] == dumps[1]


def test_a_broken_catalogue_is_refused_with_its_path() -> None:
    section = wire.loads(BUILT_IN.read_text())["lune"]
    lune.check_catalogue(section)
    section["bundles"][2]["unit_price"] = "dear"
    with pytest.raises(ValueError, match=r"^bundles\.2\.unit_price: "):
        lune.check_catalogue(section)
    section = wire.loads(BUILT_IN.read_text())["lune"]
    del section["factors"][min(REQUIRED_FACTORS)]
    with pytest.raises(ValueError, match=r"lacks"):
        lune.check_catalogue(section)


def test_openapi_lists_all_operations(standing: httpx.Client) -> None:
    paths = standing.get("openapi.json").json()["paths"]
    operations = {op["operationId"] for path in paths.values() for op in path.values()}
    assert len(operations) == 33
    assert {"create_order_by_mass", "get_emission_calculation_metrics"} <= operations
