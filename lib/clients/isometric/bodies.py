"""The bodies of what the Isometric registry is asked to do, as pure functions.

Imported by this package's client and by whoever must know a request to the byte before it is
sent. Each function refuses what the contract refuses with a `ValueError` of one clear sentence,
so that nothing wrong is sent to an API whose effects cannot be taken back.

Isometric contract 4.2, 5.1, 5.2 and 5.3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict, Unpack

PURPOSES = frozenset(
    {
        "corporate_targets",
        "public_environmental_claims",
        "insetting",
        "regulatory_requirement",
        "other",
    }
)
LONGEST_TEXT = 256

_ID = re.compile(r"[a-z]{3}_[0-9A-Za-z]{16,33}")


def checked_id(value: str, prefix: str) -> str:
    """Return the id, or raise ValueError if it is no id of this kind (contract 1: ids)."""
    if not _ID.fullmatch(value) or not value.startswith(f"{prefix}_"):
        raise ValueError(
            f"An Isometric id must begin with {prefix}_ and be 20 to 37 characters long."
        )
    return value


def delivery_body(
    *, order_id: str, credit_batch_quantities: Sequence[tuple[str, int]], notes: str | None = None
) -> dict[str, Any]:
    """The body of a delivery: (batch id, kilograms) pairs that fill an order.

    `notes` are public, at most 256 characters; the key is always sent, as the contract asks.
    """
    return {
        "credit_batch_quantities": _quantities(credit_batch_quantities),
        "order_id": checked_id(order_id, "ord"),
        "notes": _notes(notes),
    }


class Claim(TypedDict):
    """What any retirement says: whose credits, for whom, from which supplier, what for.

    `retirement_purposes` are of `PURPOSES`, each once; `notes` are public, at most 256 characters.
    """

    owner_organisation_id: str
    beneficiary_organisation_id: str
    supplier_id: str
    retirement_purposes: Sequence[str]
    notes: NotRequired[str | None]


class BatchRetirement(Claim):
    """A retirement of (batch id, kilograms) pairs."""

    credit_batch_quantities: Sequence[tuple[str, int]]


class OldestRetirement(Claim):
    """A retirement of so many kilograms of the owner's oldest credits of the supplier.

    `vintage` (a year, 1900 to 2100) and `order_id` narrow which credits may be taken.
    """

    credit_quantity_kg: int
    vintage: NotRequired[int | None]
    order_id: NotRequired[str | None]


def retirement_body(**retirement: Unpack[BatchRetirement]) -> dict[str, Any]:
    """The body of a retirement of named batches."""
    quantities = _quantities(retirement["credit_batch_quantities"])
    return {**_claim(retirement), "credit_batch_quantities": quantities}


def oldest_retirement_body(**retirement: Unpack[OldestRetirement]) -> dict[str, Any]:
    """The body of a retirement of the oldest credits."""
    vintage, order_id = retirement.get("vintage"), retirement.get("order_id")
    if vintage is not None and not 1900 <= vintage <= 2100:
        raise ValueError("The vintage must be a year between 1900 and 2100.")
    return {
        **_claim(retirement),
        "credit_quantity_kg": _kilograms(retirement["credit_quantity_kg"]),
        "vintage": vintage,
        "order_id": None if order_id is None else checked_id(order_id, "ord"),
    }


def organisation_beneficiary_body(*, name: str, domain: str) -> dict[str, Any]:
    """The body that makes an organisation a beneficiary; its name is public, its domain is not."""
    return {
        "__typename": "CreateOrganizationBeneficiary",
        "beneficiary_name": _text(name, "beneficiary's name"),
        "beneficiary_domain": _text(domain, "beneficiary's domain"),
    }


def individual_beneficiary_body(*, name: str, email: str) -> dict[str, Any]:
    """The body that makes a person a beneficiary; the name is public, the address is not."""
    if "@" not in email:
        raise ValueError("The beneficiary's email address must contain an @.")
    return {
        "__typename": "CreateIndividualBeneficiary",
        "beneficiary_name": _text(name, "beneficiary's name"),
        "beneficiary_email": email,
    }


def _claim(claim: Claim) -> dict[str, Any]:
    """The five fields that both kinds of retirement share."""
    purposes = list(claim["retirement_purposes"])
    if not purposes or len(set(purposes)) != len(purposes) or not PURPOSES.issuperset(purposes):
        raise ValueError(
            f"Name each retirement purpose once, at least one of: {', '.join(sorted(PURPOSES))}."
        )
    return {
        "owner_organisation_id": checked_id(claim["owner_organisation_id"], "org"),
        "beneficiary_organisation_id": checked_id(claim["beneficiary_organisation_id"], "org"),
        "supplier_id": checked_id(claim["supplier_id"], "spl"),
        "retirement_purposes": purposes,
        "notes": _notes(claim.get("notes")),
    }


def _quantities(quantities: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    batch_ids = [batch_id for batch_id, _ in quantities]
    if not batch_ids:
        raise ValueError("Name at least one credit batch.")
    if len(set(batch_ids)) != len(batch_ids):
        raise ValueError("Name each credit batch only once.")
    return [
        {"credit_batch_id": checked_id(batch_id, "ctb"), "credit_quantity_kg": _kilograms(kg)}
        for batch_id, kg in quantities
    ]


def _kilograms(kg: int) -> int:
    # A bool is an int to Python, and a Decimal or float may hold a fraction of a unit.
    if type(kg) is not int or kg <= 0:
        raise ValueError("A credit quantity must be a whole number of kilograms above 0.")
    return kg


def _notes(notes: str | None) -> str | None:
    if notes is not None and len(notes) > LONGEST_TEXT:
        raise ValueError(f"The notes must be at most {LONGEST_TEXT} characters long.")
    return notes


def _text(text: str, what: str) -> str:
    if not 0 < len(text) <= LONGEST_TEXT:
        raise ValueError(f"The {what} must be 1 to {LONGEST_TEXT} characters long.")
    return text
