"""A Lune order's certificate as a PDF (Lune contract 3.6)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..documents import sample_pdf
from .accounts import Actor
from .orders import parts_of
from .rules import tonnes

_WORDS = {"retired": "Retired", "allocated": "Allocated, pending retirement"}


def certificate(actor: Actor, order: sa.Row[Any], origin: str) -> bytes:
    """Beneficiary, tonnes, and every project's part with its state and registry link."""
    rows = [
        ("Beneficiary", order.beneficiary),
        ("Order", order.id),
        ("Quantity", f"{tonnes(order.quantity_g)} t CO2"),
    ]
    for part in parts_of(actor.connection, order.id):
        project = actor.catalogue.project_by_id[part.project_id]
        link = registry_url(project.registry_link, origin) or "no registry link"
        rows.append((project.name, f"{tonnes(part.quantity_g)} t, {_WORDS[part.status]}, {link}"))
    return sample_pdf("Certificate of carbon credits", rows)


def registry_url(link: str | None, origin: str) -> str | None:
    """A catalogue's registry link; a path is on the sandbox's own host."""
    return f"{origin}{link}" if link is not None and link.startswith("/") else link
