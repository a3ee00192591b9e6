"""The restatements of the three contracts are sound, and a broken answer is noticed."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.contract.contracts import contract, problems


@pytest.mark.parametrize("api", ["cnaught", "lune", "isometric"])
def test_the_restatement_is_sound(api: str) -> None:
    """Each schema is valid JSON Schema and every operation's answer refers to one that exists."""
    Draft202012Validator.check_schema(contract(api))
    for operation in contract(api)["operations"].values():
        reference = operation.get("response", {}).get("$ref", "")
        assert not reference or reference.removeprefix("#/$defs/") in contract(api)["$defs"]


@pytest.mark.parametrize(
    ("api", "name", "broken"),
    [
        ("cnaught", "Quote", {"amount_kg": "10", "price_usd_cents": 20}),
        ("lune", "Amount", "1e3"),
        ("isometric", "CreditQuantity", {"credits": 1.5, "credit_kgs": 1500.5}),
    ],
)
def test_a_broken_answer_is_noticed(api: str, name: str, broken: Any) -> None:
    assert problems(api, {"$ref": f"#/$defs/{name}"}, broken)
