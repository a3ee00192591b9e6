"""The rules a carbon accountant would insist on, one test each, on the pure ledger."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.ledger import (
    LEDGER_COLUMNS,
    UNASSIGNED_PROJECT,
    Stage,
    balance,
    movements,
    rows,
)
from lib.domain.serials import vintage_of_serials
from lib.services.alarms import find_alarms
from lib.services.periods import NOT_PROVEN, Calendar
from tests.unit.facts import DAY, ORDERED, PROJECT, line, order, seen

PROJECTS = {"p1": PROJECT}
NOW = ORDERED + 100 * DAY


def view(*history):
    return rows(history, PROJECTS, NOW)


def test_columns_of_the_ledger_are_the_agreed_ones():
    agreed = (
        "provider account subaccount mode side order_id delivery_id batch_id parent_batch_id "
        "project_id project_name registry country methodology impact_type impact_type_source ccp "
        "serials vintage_label vintage_year vintage_start vintage_end vintage_source quantity_g "
        "stage beneficiary beneficiary_source retirement_id retirement_purpose ordered_at "
        "delivered_at delivered_at_source retired_at retired_at_source not_before not_after "
        "registry_url certificate_url price currency first_seen_at last_seen_at"
    )
    assert " ".join(LEDGER_COLUMNS) == agreed


def test_lines_that_do_not_sum_to_the_order_are_refused():
    with pytest.raises(ValueError, match="sum to 5 g"):
        order(line("a", Stage.RETIRED, 5), quantity_g=6)


@given(st.lists(st.tuples(st.sampled_from(list(Stage)), st.integers(0, 10**12)), max_size=12))
def test_ordered_is_outstanding_held_retired_and_transferred_out(parts):
    sums = balance([line(str(n), stage, grams) for n, (stage, grams) in enumerate(parts)])
    assert sums.balanced
    assert sums.ordered + sums.cancelled == sum(grams for _stage, grams in parts)


def test_a_quantity_without_a_project_is_its_own_row():
    (row,) = view(seen(order(line("x", Stage.ORDERED, 7)), 1))
    assert row.project_name == UNASSIGNED_PROJECT
    assert (row.project_id, row.vintage_label, row.stage) == (None, "not provided", "ordered")


def test_vintage_is_never_derived_from_dates():
    retired = line("a", Stage.RETIRED, 7, retired_at=datetime(2024, 5, 1, tzinfo=UTC))
    (row,) = view(seen(order(retired), 1))
    assert (row.vintage_label, row.vintage_year, row.vintage_source) == (
        "not provided", None, "not provided",
    )  # fmt: skip


def test_a_first_sync_never_dates_history_to_today():
    (row,) = view(seen(order(line("a", Stage.RETIRED, 7)), 30))
    assert (row.retired_at, row.retired_at_source) == (None, "not provided")
    assert (row.not_before, row.not_after) == (ORDERED, ORDERED + 30 * DAY)


def test_observed_only_if_an_earlier_sync_saw_the_order_not_yet_so():
    (row,) = view(
        seen(order(line("x", Stage.ORDERED, 7)), 1),
        seen(order(line("a", Stage.RETIRED, 7)), 9, earlier_until=8),
    )
    assert (row.retired_at, row.retired_at_source) == (ORDERED + 9 * DAY, "observed")
    assert (row.delivered_at, row.delivered_at_source) == (ORDERED + 9 * DAY, "observed")
    assert (row.not_before, row.not_after) == (ORDERED + 8 * DAY, ORDERED + 9 * DAY)


def test_a_part_that_grew_happened_between_its_first_and_last_growth():
    half = order(line("a", Stage.RETIRED, 3), line("x", Stage.ORDERED, 4))
    (row,) = view(
        seen(order(line("x", Stage.ORDERED, 7)), 1),
        seen(half, 5, earlier_until=4),
        seen(order(line("a", Stage.RETIRED, 7)), 9, earlier_until=8),
    )
    assert (row.not_before, row.not_after) == (ORDERED + 4 * DAY, ORDERED + 9 * DAY)


def test_the_providers_own_dates_are_kept_as_such():
    delivered, retired = ORDERED + 3 * DAY, ORDERED + 5 * DAY
    fact = line("a", Stage.RETIRED, 7, delivered_at=delivered, retired_at=retired)
    (row,) = view(seen(order(fact), 30))
    assert (row.delivered_at, row.delivered_at_source) == (delivered, "provider")
    assert (row.retired_at, row.retired_at_source) == (retired, "provider")
    assert (row.not_before, row.not_after) == (retired, retired)


def test_the_year_of_a_claim_is_the_retirement_year_in_the_reporting_time_zone():
    berlin = Calendar("Europe/Berlin")
    moment = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert berlin.retired_in("retired", moment, moment) == "2026"
    assert Calendar().retired_in("retired", moment, moment) == "2025"
    assert Calendar(fiscal_year_start="04-01").retired_in("retired", moment, moment) == "2025/26"
    assert Calendar().retired_in("delivered", moment, moment) is None


def test_a_retirement_that_may_be_of_either_year_has_no_proven_date():
    before, after = datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)
    assert Calendar().retired_in("retired", before, after) == NOT_PROVEN
    assert Calendar().retired_in("retired", None, after) == NOT_PROVEN


def test_cancelling_a_fulfilled_order_keeps_the_last_seen_projects_and_serials():
    fulfilled = order(line("a", Stage.RETIRED, 7, serials=("S1",)), state="fulfilled")
    cancelled = order(line("x", Stage.ORDER_CANCELLED, 7), state="cancelled")
    history = (seen(fulfilled, 2), seen(cancelled, 9, earlier_until=8))
    (row,) = view(*history)
    assert (row.stage, row.project_id, row.serials) == ("order_cancelled", "p1", ("S1",))
    contra = [m for m in movements(history) if m.quantity_g < 0]
    assert [(m.stage, m.quantity_g) for m in contra] == [(Stage.RETIRED, -7)]


def test_a_cancelled_order_that_was_never_fulfilled_has_no_project():
    (row,) = view(
        seen(order(line("x", Stage.ORDERED, 7)), 2),
        seen(order(line("x", Stage.ORDER_CANCELLED, 7)), 9, earlier_until=8),
    )
    assert (row.stage, row.project_id) == ("order_cancelled", None)


def test_prices_of_rows_add_up_to_the_order():
    parts = [line(str(n), Stage.RETIRED, 1) for n in range(3)]
    assert sorted(str(row.price) for row in view(seen(order(*parts), 1))) == [
        "3.33", "3.33", "3.34",
    ]  # fmt: skip


def test_impact_type_comes_from_the_project_unless_the_line_says_more():
    (by_project,) = view(seen(order(line("a", Stage.RETIRED, 1)), 1))
    assert (by_project.impact_type, by_project.impact_type_source) == ("removal", "project")
    of_bundle = line("a", Stage.RETIRED, 1, impact_type="mixed", impact_type_source="bundle")
    (by_bundle,) = view(seen(order(of_bundle), 1))
    assert (by_bundle.impact_type, by_bundle.impact_type_source) == ("mixed", "bundle")


states = st.lists(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(list(Stage)), st.integers(1, 50)),
        min_size=1, max_size=4, unique_by=lambda part: part[0],
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@given(states)
def test_movements_sum_to_the_current_view(history):
    observations = [
        seen(order(*(line(k, stage, g) for k, stage, g in parts)), day * 2, day * 2 - 1 or None)
        for day, parts in enumerate(history)
    ]
    sums: dict[tuple[str, str], int] = {}
    for movement in movements(observations):
        key = (movement.line_key, movement.stage.value)
        sums[key] = sums.get(key, 0) + movement.quantity_g
    by_stage: dict[str, int] = {}
    for (_key, stage), grams in sums.items():
        by_stage[stage] = by_stage.get(stage, 0) + grams
    shown: dict[str, int] = {}
    for row in view(*observations):
        shown[row.stage] = shown.get(row.stage, 0) + row.quantity_g
    assert {k: v for k, v in by_stage.items() if v} == shown


BLOCK = "GS1-1-KE-GS1-16-2020-7-1-10"  # ten tonnes


def claim(order_id, grams, serials=(BLOCK,), provider="cnaught", **more):
    return {
        "provider": provider, "order_id": order_id, "serials": list(serials),
        "quantity_g": grams, "stage": "retired", "side": "bought", "batch_id": None, **more,
    }  # fmt: skip


def kinds(*claims):
    return [(alarm.kind, alarm.severity) for alarm in find_alarms(claims, [], {})]


def test_a_serial_range_is_the_tranche_block_and_not_the_tonnes():
    fact = line("a", Stage.RETIRED, 3_000, serials=(BLOCK,), vintage=vintage_of_serials([BLOCK]))
    (row,) = view(seen(order(fact), 1))
    assert (row.quantity_g, row.vintage_year) == (3_000, 2020)


def test_a_shared_block_is_information_not_an_alarm():
    assert kinds(claim("o1", 3_000), claim("o2", 4_000)) == [("block shared", "information")]


def test_a_block_held_beyond_its_units_is_an_alarm():
    assert kinds(claim("o1", 6_000_000), claim("o2", 4_000_001)) == [
        ("block over-claimed", "alarm")
    ]


def test_of_several_ranges_only_what_the_others_cannot_hold_is_proven():
    other = "GS1-1-KE-GS1-16-2020-8-1-4"  # four tonnes
    both = claim("o1", 12_000_000, (BLOCK, other))
    assert kinds(both) == []
    assert ("block over-claimed", "alarm") in kinds(both, claim("o2", 3_000_000))


def test_the_same_units_under_two_providers_are_an_alarm():
    found = kinds(claim("o1", 5), claim("o2", 5, ("GS1-1-KE-GS1-16-2020-7-10-12",), "lune"))
    assert ("same units under two providers", "alarm") in found


def test_overlapping_isometric_leaves_are_an_alarm_but_one_shared_end_is_not():
    first = claim("o1", 5, ("ISO-1-X-GBR-F5X7-2024-1-100",), "isometric", batch_id="b1")
    touching = claim("o1", 5, ("ISO-1-X-GBR-F5X7-2024-100-200",), "isometric", batch_id="b2")
    overlapping = claim("o1", 5, ("ISO-1-X-GBR-F5X7-2024-90-200",), "isometric", batch_id="b3")
    assert kinds(first, touching) == []
    assert kinds(first, overlapping) == [("leaf batches overlap", "alarm")]
