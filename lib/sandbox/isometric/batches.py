"""Credit batches: how they come into being and how they split. Isometric contract 2.

Imported only inside this package. A batch is an inclusive range of 1 kg units of one project;
a split divides the range, so serial numbers never overlap and always sum.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import CROCKFORD, World
from .section import section_of
from .tables import batches

# What lies behind a net tonne, per cent of it; invented, like everything in a catalogue.
_EMISSIONS_PERCENT, _COUNTERFACTUALS_PERCENT, _LOSSES_PERCENT = 18, 4, 3
_PARTS = ("emissions_kg", "counterfactuals_kg", "losses_kg")


def new_id(world: World, connection: Connection, prefix: str) -> str:
    """A fresh registry id such as `ctb_1DRBTYA8Q1S07CBY` (contract 1)."""
    return f"{prefix}_{world.new_id(connection, 16, CROCKFORD)}"


def size_kg(batch: sa.Row[Any]) -> int:
    """How many 1 kg units the batch holds; both ends of the range belong to it."""
    return int(batch.last_unit - batch.first_unit + 1)


def serial_number(batch: sa.Row[Any], project: sa.Row[Any]) -> str:
    """`ISO-1-<process>-<country>-<short code>-<vintage>-<first unit>-<last unit>`."""
    return (
        f"ISO-1-{project.process_key}-{project.country_code}-{project.short_code}"
        f"-{batch.sequestered_on.year}-{batch.first_unit}-{batch.last_unit}"
    )


def create_batch(
    world: World,
    connection: Connection,
    *,
    issuance: dict[str, Any],
    sequestered_on: date,
    kg: int,
    owner_id: str,
    buffer: bool,
) -> str:
    """Put `kg` new units of the issuance's project into a batch; returns its id."""
    project = section_of(world).project(issuance["project_id"])
    first = _next_unit(connection, project.id)
    parts = (
        {
            "emissions_kg": kg * _EMISSIONS_PERCENT // 100,
            "counterfactuals_kg": kg * _COUNTERFACTUALS_PERCENT // 100,
            "losses_kg": kg * _LOSSES_PERCENT // 100,
        }
        if project.publishes_removal_data
        else {}
    )
    batch_id = new_id(world, connection, "ctb")
    connection.execute(
        sa.insert(batches).values(
            id=batch_id,
            issuance_id=issuance["id"],
            project_id=project.id,
            supplier_id=project.supplier_id,
            removal_id=new_id(world, connection, "rmv"),
            owner_id=owner_id,
            status="active",
            buffer=buffer,
            ccp_approved=project.ccp_approved,
            issued_us=issuance["issued_us"],
            sequestered_on=sequestered_on,
            first_unit=first,
            last_unit=first + kg - 1,
            **parts,
        )
    )
    return batch_id


def take(world: World, connection: Connection, batch: sa.Row[Any], kg: int) -> str:
    """The id of an active batch of exactly `kg`: this one, or the left child of its split."""
    if kg == size_kg(batch):
        return str(batch.id)
    return _split(world, connection, batch, kg)


def _split(world: World, connection: Connection, batch: sa.Row[Any], kg: int) -> str:
    children = (new_id(world, connection, "ctb"), new_id(world, connection, "ctb"))
    middle = batch.first_unit + kg
    left_parts, right_parts = _share_parts(batch, kg)
    inherited = dict(batch._mapping) | {"parent_id": batch.id}
    if not section_of(world).children_inherit_delivery:
        inherited |= {"delivery_id": None, "delivered_us": None}
    left = {"id": children[0], "last_unit": middle - 1, **left_parts}
    right = {"id": children[1], "first_unit": middle, **right_parts}
    connection.execute(sa.insert(batches), [inherited | left, inherited | right])
    connection.execute(
        sa.update(batches)
        .where(batches.c.id == batch.id)
        .values(status="split", left_child_id=children[0], right_child_id=children[1])
    )
    return children[0]


def _share_parts(batch: sa.Row[Any], kg: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The removal data of both children: whole kilograms that sum to the parent's."""
    left: dict[str, Any] = {}
    right: dict[str, Any] = {}
    for name in _PARTS:
        whole = getattr(batch, name)
        left[name] = None if whole is None else whole * kg // size_kg(batch)
        right[name] = None if whole is None else whole - left[name]
    return left, right


def _next_unit(connection: Connection, project_id: str) -> int:
    last = connection.execute(
        sa.select(sa.func.max(batches.c.last_unit)).where(batches.c.project_id == project_id)
    ).scalar_one()
    return int(last or 0) + 1
