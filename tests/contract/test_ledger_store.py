"""The ledger in real databases: recording is idempotent, append-only, and survives its mirror."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lib.domain.errors import StoreProblem
from lib.domain.ledger import ProjectFacts, Stage
from lib.domain.quantities import Money
from lib.services.periods import Calendar
from lib.services.reporting import Reporting
from lib.store.engine import open_engines
from lib.store.ledger import Changes, Ledger
from lib.store.schema import mirror, observations
from lib.store.syncs import Syncs
from tests.unit.facts import DAY, ORDERED, PROJECT, line, order

FULFILLED = order(
    line("a", Stage.RETIRED, 3_000_000, serials=("GS1-1-KE-GS1-16-2020-7-1-10",)),
    line("b", Stage.RETIRED, 1_000_000, project_id="p2"),
    state="fulfilled",
)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request):
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def engines(database_url, tmp_path):
    opened = open_engines(database_url, tmp_path / "data")
    yield opened
    opened.dispose()


@pytest.fixture
def ledger(engines):
    return Ledger(engines)


def seen_on(ledger, day, *facts, projects=(PROJECT,)):
    return ledger.record(facts, projects, ORDERED + day * DAY)


def observed(engines):
    with engines.records.connect() as records:
        return records.execute(sa.select(sa.func.count()).select_from(observations)).scalar()


def test_recording_the_same_facts_again_changes_nothing(ledger, engines):
    assert seen_on(ledger, 1, FULFILLED) == Changes(new=1)
    rows, version = ledger.rows(), ledger.version()
    assert seen_on(ledger, 2, FULFILLED) == Changes(unchanged=1)
    again = ledger.rows()
    assert [{**r, "last_seen_at": None} for r in again] == [
        {**r, "last_seen_at": None} for r in rows
    ]
    assert {row["last_seen_at"] for row in again} == {ORDERED + 2 * DAY}
    assert ledger.version() == version
    assert observed(engines) == 1


def test_every_change_appends_an_observation_and_none_is_rewritten(ledger, engines):
    placed = order(line("x", Stage.ORDERED, 4_000_000))
    seen_on(ledger, 1, placed)
    seen_on(ledger, 2, placed)
    assert seen_on(ledger, 3, FULFILLED) == Changes(changed=1)
    history = ledger.history("acme", "o1")
    assert [(o.seen_at, o.earlier_until) for o in history] == [
        (ORDERED + DAY, None),
        (ORDERED + 3 * DAY, ORDERED + 2 * DAY),
    ]
    assert observed(engines) == 2
    assert sum(m.quantity_g for m in ledger.movements("acme", "o1")) == 4_000_000


def test_a_lost_mirror_is_rebuilt_with_the_first_sights_it_had(ledger, engines):
    seen_on(ledger, 1, FULFILLED)
    with engines.mirror.begin() as connection:
        for table in reversed(mirror.sorted_tables):
            connection.execute(sa.delete(table))
    assert seen_on(ledger, 40, FULFILLED) == Changes(unchanged=0, changed=0, new=1)
    assert {row["first_seen_at"] for row in ledger.rows()} == {ORDERED + DAY}
    assert observed(engines) == 1


def test_a_renamed_project_corrects_its_rows_without_new_observations(ledger, engines):
    seen_on(ledger, 1, FULFILLED)
    seen_on(ledger, 2, FULFILLED, projects=(replace(PROJECT, name="Peat Bog South"),))
    assert "Peat Bog South" in {row["project_name"] for row in ledger.rows()}
    assert observed(engines) == 1


def test_an_order_reached_through_two_accounts_is_counted_once(ledger):
    seen_on(ledger, 1, FULFILLED)
    seen_on(ledger, 1, replace(FULFILLED, account="acme-second-key"))
    assert {row["account"] for row in ledger.rows()} == {"acme"}
    assert sum(row["delivered_g"] for row in ledger.delivered()) == 4_000_000
    assert len(ledger.orders()) == 1
    assert len(ledger.rows(once=False)) == 4


def test_accounts_that_this_desk_does_not_have_count_in_nothing(ledger, engines):
    seen_on(ledger, 1, FULFILLED)
    seen_on(ledger, 1, replace(FULFILLED, account="renamed"))
    seen_on(ledger, 1, replace(FULFILLED, account="renamed", order_id="o2", mode="live"))
    here = Ledger(engines, [("renamed", "cnaught", "sandbox")])
    assert [(o["account"], o["order_id"]) for o in here.orders()] == [("renamed", "o1")]
    assert {row["mode"] for row in here.rows()} == {"sandbox"}
    assert sum(x["delivered_g"] for x in here.delivered()) == 4_000_000


def test_an_order_of_two_accounts_is_found_through_either(ledger):
    seen_on(ledger, 1, FULFILLED)
    seen_on(ledger, 1, replace(FULFILLED, account="second"))
    assert {row["account"] for row in ledger.rows(account="second")} == {"second"}


def test_a_change_happened_after_the_earlier_reading_began(ledger):
    placed = order(line("x", Stage.ORDERED, 4_000_000))
    ledger.record([placed], [], ORDERED + 3 * DAY, read_from=ORDERED + 2 * DAY)
    ledger.record([FULFILLED], [PROJECT], ORDERED + 5 * DAY, read_from=ORDERED + 4 * DAY)
    (row, *_rest) = ledger.rows()
    assert (row["not_before"], row["not_after"]) == (ORDERED + 2 * DAY, ORDERED + 5 * DAY)


def test_two_processes_recording_the_same_append_it_once(engines):
    def record(ledger):
        for n in range(6):
            seen_on(ledger, 1, *(replace(FULFILLED, order_id=f"o{n}-{m}") for m in range(5)))

    threads = [threading.Thread(target=record, args=(Ledger(engines),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert observed(engines) == 30
    assert len(Ledger(engines).orders()) == 30


def test_a_sync_that_was_overtaken_by_another_does_not_complete_it(engines):
    syncs = Syncs(engines)
    syncs.begin("acme", "cnaught", ORDERED)
    syncs.begin("acme", "cnaught", ORDERED + DAY)
    syncs.complete("acme", "cnaught", ORDERED, ORDERED + 2 * DAY, [], [], orders_read=3)
    syncs.fail("acme", ORDERED, ORDERED + 2 * DAY, "too late")
    assert [sync["state"] for sync in syncs.all()] == ["running"]


def test_a_bare_name_does_not_replace_what_was_said_of_a_project(ledger):
    seen_on(ledger, 1, FULFILLED)
    bare = ProjectFacts("cnaught", "p1", "Peat Bog North")
    seen_on(ledger, 2, replace(FULFILLED, order_id="o2"), projects=(bare,))
    assert {r["registry"] for r in ledger.rows(project_id="p1")} == {"Verra"}


def test_an_order_seen_from_both_sides_counts_as_bought_and_as_sold(ledger):
    seen_on(ledger, 1, FULFILLED)
    seen_on(ledger, 1, replace(FULFILLED, account="supplier", side="sold"))
    assert sum(row["quantity_g"] for row in ledger.rows(side="bought")) == 4_000_000
    assert sum(row["quantity_g"] for row in ledger.rows(side="sold")) == 4_000_000


def test_totals_equal_the_sum_of_their_rows(ledger):
    for n in range(5):
        seen_on(ledger, 1, replace(FULFILLED, order_id=f"o{n}"))
    rows = ledger.rows()
    delivered = ledger.delivered()
    assert sum(x["delivered_g"] for x in delivered) == sum(r["quantity_g"] for r in rows)
    assert sum(o["retired_g"] for o in ledger.orders()) == sum(r["quantity_g"] for r in rows)


def test_frames_have_fixed_columns_and_exact_types(ledger, engines):
    reporting = Reporting(ledger, Syncs(engines), Calendar())
    empty = reporting.ledger()
    seen_on(ledger, 1, FULFILLED)
    frame = reporting.ledger()
    assert list(frame.columns) == list(empty.columns)
    assert str(frame["quantity_g"].dtype) == str(empty["quantity_g"].dtype) == "int64"
    assert str(frame["ordered_at"].dt.tz) == "UTC"
    assert sum(frame["price"]) == Decimal("10.00")
    assert reporting.orders()["balanced"].all()
    assert reporting.impact().retired_g == 4_000_000


def test_a_line_that_disappears_takes_its_row_with_it(ledger):
    seen_on(ledger, 1, FULFILLED)
    seen_on(ledger, 2, order(line("a", Stage.RETIRED, 4_000_000), state="fulfilled"))
    assert len(ledger.rows()) == 1


def test_prices_of_unlike_currencies_stay_apart(ledger):
    seen_on(ledger, 1, FULFILLED)
    seen_on(ledger, 1, replace(FULFILLED, order_id="o2", price=Money(Decimal(9), "EUR")))
    assert {o["currency"] for o in ledger.orders()} == {"USD", "EUR"}


def test_a_price_finer_than_a_cent_is_kept_exactly(ledger):
    seen_on(ledger, 1, replace(FULFILLED, price=Money(Decimal("12.345"), "EUR")))
    assert sum(Decimal(row["price"]) for row in ledger.rows()) == Decimal("12.345")


def test_a_database_url_that_cannot_be_read_shows_no_password(tmp_path):
    with pytest.raises(StoreProblem) as raised:
        open_engines("postgresql+psycopg://user:p@ss:canary/rd@host/db", tmp_path)
    assert "canary" not in str(raised.value)


def test_records_of_a_newer_program_are_refused_in_a_sentence(database_url, tmp_path):
    opened = open_engines(database_url, tmp_path / "data")
    with opened.records.begin() as records:
        records.exec_driver_sql("UPDATE schema_version SET version = 99")
    opened.dispose()
    with pytest.raises(StoreProblem, match="version 99"):
        open_engines(database_url, tmp_path / "data")


def test_a_mirror_of_another_version_is_emptied(database_url, tmp_path):
    opened = open_engines(database_url, tmp_path / "data")
    seen_on(Ledger(opened), 1, FULFILLED)
    with opened.mirror.begin() as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version = 99")
    opened.dispose()
    again = open_engines(database_url, tmp_path / "data")
    assert Ledger(again).rows() == []
    assert len(Ledger(again).history("acme", "o1")) == 1
    again.dispose()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(StoreProblem, match="cannot be opened"):
        open_engines(None, blocker / "data")


def test_a_broken_database_file_is_one_sentence(tmp_path):
    (tmp_path / "records.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreProblem, match=r"records\.db"):
        open_engines(None, tmp_path)


def test_moments_are_kept_to_the_microsecond(ledger):
    odd = ORDERED + timedelta(microseconds=123_457)
    ledger.record([replace(FULFILLED, ordered_at=odd)], [PROJECT], ORDERED + DAY)
    assert ledger.rows()[0]["ordered_at"] == odd
