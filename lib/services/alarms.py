"""What a carbon accountant must be told: over-claimed blocks, overlaps, repeats, loose ends.

A block that several orders share is information, not an alarm. We see only this desk's accounts:
the absence of an alarm proves no exclusivity.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from ..domain.ledger import DELIVERED_TO_DATE, PROVIDER_TITLES
from ..domain.serials import ISOMETRIC, Serial, parse_serial


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something to look at: `subject` names it, `message` is a sentence, `evidence` the facts."""

    kind: str
    severity: Literal["alarm", "information"]
    subject: str
    message: str
    evidence: str


@dataclass(frozen=True, slots=True)
class _Claim:
    """A quantity that an order of ours takes from one block; `at_least_g` is proven."""

    provider: str
    order_id: str
    batch_id: str | None
    serial: Serial
    at_least_g: int


def find_alarms(
    rows: Sequence[Mapping[str, Any]],
    orders: Sequence[Mapping[str, Any]],
    completed: Mapping[str, datetime],
) -> list[Alarm]:
    """All alarms of the ledger's rows and orders.

    `completed` tells of accounts whose last sync read everything when it began.
    """
    claims = [claim for row in rows for claim in _claims(row)]
    return [
        *_blocks(claims),
        *_across_providers(claims),
        *_overlapping_leaves(claims),
        *_orders(orders, completed),
    ]


def _claims(row: Mapping[str, Any]) -> Iterator[_Claim]:
    if row["stage"] not in DELIVERED_TO_DATE or row["side"] != "bought":
        return
    parsed = [parse_serial(text) for text in row["serials"]]
    serials = [serial for serial in parsed if serial is not None]
    for serial in serials:
        # Of several ranges without an amount each, one holds at least what the others cannot.
        others = sum(other.block_g for other in serials if other is not serial)
        proven = len(serials) == len(parsed)
        at_least = max(row["quantity_g"] - others, 0) if proven else 0
        yield _Claim(row["provider"], row["order_id"], row["batch_id"], serial, at_least)


def _blocks(claims: Sequence[_Claim]) -> Iterator[Alarm]:
    by_block: dict[str, list[_Claim]] = defaultdict(list)
    for claim in claims:
        if claim.serial.registry != ISOMETRIC:
            by_block[claim.serial.text].append(claim)
    for text, sharing in by_block.items():
        block_g = sharing[0].serial.block_g
        held = sum(claim.at_least_g for claim in sharing)
        orders = sorted({claim.order_id for claim in sharing})
        if held > block_g:
            yield Alarm(
                "block over-claimed",
                "alarm",
                text,
                f"Our orders hold {_tonnes(held)} t of a block of {_tonnes(block_g)} t.",
                f"orders {', '.join(orders)}",
            )
        elif len(orders) > 1:
            yield Alarm(
                "block shared",
                "information",
                text,
                f"{len(orders)} orders share this block of {_tonnes(block_g)} t; together they "
                f"hold {_tonnes(held)} t of it.",
                f"orders {', '.join(orders)}",
            )


def _across_providers(claims: Sequence[_Claim]) -> Iterator[Alarm]:
    for first, second in _overlapping(claims):
        if first.provider != second.provider:
            yield Alarm(
                "same units under two providers",
                "alarm",
                first.serial.text,
                f"{PROVIDER_TITLES[first.provider]} and {PROVIDER_TITLES[second.provider]} name "
                "the same units.",
                f"{first.order_id}: {first.serial.text}; {second.order_id}: {second.serial.text}",
            )


def _overlapping_leaves(claims: Sequence[_Claim]) -> Iterator[Alarm]:
    leaves = [claim for claim in claims if claim.serial.registry == ISOMETRIC]
    for first, second in _overlapping(leaves):
        # Whether both ends of an Isometric range belong to it is not proven: one unit is no proof.
        if first.batch_id != second.batch_id and first.serial.overlap(second.serial) > 1:
            yield Alarm(
                "leaf batches overlap",
                "alarm",
                first.serial.text,
                "Two leaf batches name the same units.",
                f"{first.batch_id}: {first.serial.text}; {second.batch_id}: {second.serial.text}",
            )


def _overlapping(claims: Sequence[_Claim]) -> Iterator[tuple[_Claim, _Claim]]:
    """Pairs of claims with units in common, by a sweep over each series."""
    by_series: dict[str, list[_Claim]] = defaultdict(list)
    # Orders that share a block name it alike: one of them stands for all.
    unique = {(c.provider, c.batch_id, c.serial.text): c for c in claims}
    for claim in unique.values():
        by_series[claim.serial.series].append(claim)
    for series in by_series.values():
        series.sort(key=lambda claim: claim.serial.first_unit)
        for index, first in enumerate(series):
            for second in series[index + 1 :]:
                if second.serial.first_unit > first.serial.last_unit:
                    break
                yield first, second


def _orders(
    orders: Sequence[Mapping[str, Any]], completed: Mapping[str, datetime]
) -> Iterator[Alarm]:
    for order in orders:
        subject = f"{PROVIDER_TITLES[order['provider']]} order {order['order_id']}"
        residue = Decimal(order["residue_g"])
        if abs(residue) >= 1:
            yield Alarm(
                "order and parts differ",
                "alarm",
                subject,
                f"The provider states {residue:+f} g beside the sum of the order's parts.",
                f"parts {order['quantity_g']} g",
            )
        whole_since = completed.get(order["account"])
        if whole_since is not None and order["last_seen_at"] < whole_since:
            yield Alarm(
                "order no longer listed",
                "alarm",
                subject,
                "The provider listed this order before, but not in the last complete sync.",
                f"last seen {order['last_seen_at']:%Y-%m-%d %H:%M} UTC",
            )


def _tonnes(mass_g: int) -> str:
    return f"{Decimal(mass_g).scaleb(-6):,.3f}"
