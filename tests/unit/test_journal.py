"""The journal: the database itself refuses what the table of moves does not allow."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from lib.domain.errors import BadInput, StoreProblem
from lib.domain.intents import MOVES, Intent, IntentState, Receipt
from lib.store.engine import writing
from lib.store.journal import QUEUED_FOR
from lib.store.journal_tables import attempts, audit, intents
from lib.store.leases import LeaseHolder, new_holder
from tests.unit.scripted import PRICE, Rig


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    rig = Rig(tmp_path, database_url=url)
    yield rig
    rig.close()


def drafted(rig: Rig) -> Intent:
    return rig.ordering.prepare(rig.quote, ceiling=PRICE, description="Team trip", who="ana")


def put(rig: Rig, intent: Intent, state: IntentState) -> None:
    """Bring an intent to a state along allowed moves."""
    route: dict[IntentState, list[IntentState]] = {IntentState.DRAFT: []}
    while state not in route:
        for known, path in list(route.items()):
            for step in MOVES[known]:
                route.setdefault(step, [*path, step])
    here = IntentState.DRAFT
    for step in route[state]:
        assert rig.journal.move(intent.intent_id, here, step, now=rig.clock.now, message="…")
        here = step


def test_what_was_written_is_read_back_to_the_byte(rig: Rig) -> None:
    draft = drafted(rig)
    kept = rig.journal.get(draft.intent_id)
    assert kept == draft
    assert kept.request.body == draft.request.body
    assert kept.request.key == dict(kept.request.headers)["Idempotency-Key"]


def test_an_unknown_intent_is_a_sentence(rig: Rig) -> None:
    with pytest.raises(BadInput, match="no order record"):
        rig.journal.get("nonsense")


@pytest.mark.parametrize("state", list(IntentState))
def test_the_database_knows_the_table_of_moves(rig: Rig, state: IntentState) -> None:
    for target in IntentState:
        draft = drafted(rig)
        put(rig, draft, state)

        def move(to: IntentState = target, intent_id: str = draft.intent_id) -> bool:
            return rig.journal.move(intent_id, state, to, now=rig.clock.now, message="moved")

        if target == state or target in MOVES[state]:
            assert move()
            assert rig.journal.get(draft.intent_id).state is target
        else:
            with pytest.raises(StoreProblem, match="state may not follow"):
                move()
            assert rig.journal.get(draft.intent_id).state is state


def test_an_intent_can_only_be_born_as_a_draft(rig: Rig) -> None:
    draft = drafted(rig)
    request = replace(draft.request, reference="cd-other")
    queued = replace(draft, intent_id="x", state=IntentState.QUEUED, request=request)
    with pytest.raises(StoreProblem, match="starts as a draft"):
        rig.journal.add(queued)


@pytest.mark.parametrize(
    "change",
    [
        {"body": b"{}"},
        {"key": "another"},
        {"path": "/orders/ride"},
        {"headers": []},
        {"ceiling": "9999"},
        {"account": "other"},
        {"base_url": "https://elsewhere.example"},
        {"subaccount": "someone"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_confirmed_is_frozen(rig: Rig, change: dict[str, object]) -> None:
    draft = drafted(rig)
    with pytest.raises(StoreProblem, match="frozen"), writing(rig.engines.records) as connection:
        connection.execute(sa.update(intents).values(**change))
    assert rig.journal.get(draft.intent_id) == draft


def test_nothing_is_deleted_and_no_finished_attempt_rewritten(rig: Rig) -> None:
    draft = drafted(rig)
    attempt = rig.journal.begin(draft.intent_id, "send", "w", rig.clock.now)
    rig.journal.finish(attempt, outcome="unknown", detail="reset", now=rig.clock.now)
    refused = [
        sa.delete(intents),
        sa.delete(attempts),
        sa.update(attempts).values(outcome="receipt"),
        sa.delete(audit),
        sa.update(audit).values(who="somebody else"),
    ]
    for statement in refused:
        with pytest.raises(StoreProblem), writing(rig.engines.records) as connection:
            connection.execute(statement)
    assert [x.outcome for x in rig.journal.attempts(draft.intent_id)] == ["unknown"]


def test_a_claim_is_taken_once_by_many_threads(rig: Rig) -> None:
    draft = drafted(rig)
    rig.ordering.confirm(draft.intent_id)
    barrier, taken = Barrier(8), []

    def claim(name: str) -> None:
        barrier.wait()
        if rig.journal.claim(draft.intent_id, name, rig.clock.now) is not None:
            taken.append(name)

    threads = [Thread(target=claim, args=(f"worker {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    assert [x.worker for x in rig.journal.attempts(draft.intent_id)] == taken
    assert rig.journal.get(draft.intent_id).first_sent_at == rig.clock.now


def test_two_drafts_for_the_same_thing_confirmed_at_once_queue_one(rig: Rig) -> None:
    drafts = [drafted(rig) for _ in range(6)]
    barrier, blocked = Barrier(len(drafts)), []

    def confirm(draft: Intent) -> None:
        barrier.wait()
        twin = rig.journal.enqueue(draft.intent_id, who="ana", now=rig.clock.now, again=False)
        if twin is not None:
            blocked.append(draft)

    threads = [Thread(target=confirm, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(blocked) == len(drafts) - 1
    assert len(rig.journal.open()) == 1


def test_queued_rows_expire_and_are_never_claimed(rig: Rig) -> None:
    draft = drafted(rig)
    rig.ordering.confirm(draft.intent_id)
    rig.clock.advance(seconds=QUEUED_FOR.total_seconds())
    assert rig.journal.claim(draft.intent_id, "w", rig.clock.now) is None
    assert rig.journal.expire(rig.clock.now) == [draft.intent_id]
    assert rig.journal.get(draft.intent_id).state is IntentState.EXPIRED


def test_a_receipt_is_kept(rig: Rig) -> None:
    draft = drafted(rig)
    put(rig, draft, IntentState.SENDING)
    receipt = Receipt("Gre28Fc35bt3", "placed", 2_500_000, PRICE)
    rig.journal.move(
        draft.intent_id,
        IntentState.SENDING,
        IntentState.CONFIRMED,
        now=rig.clock.now,
        message="done",
        receipt=receipt,
    )
    assert rig.journal.get(draft.intent_id).receipt == receipt


def test_one_lease_at_a_time_and_a_dead_holder_gives_way(rig: Rig) -> None:
    first, second = new_holder(), new_holder()
    now, ttl = rig.clock.now, timedelta(minutes=1)
    assert rig.journal.acquire_lease("worker", first, ttl=ttl, now=now) is None
    assert rig.journal.acquire_lease("worker", first, ttl=ttl, now=now) is None
    assert rig.journal.acquire_lease("worker", second, ttl=ttl, now=now) == first
    assert rig.journal.lease_holder("worker", now) == first
    rig.journal.release_lease("worker", first)
    assert rig.journal.lease_holder("worker", now) is None
    # Same machine, a process id that no longer exists: taken over at once.
    dead = LeaseHolder("gone", first.host, 2**22 - 1)
    assert rig.journal.acquire_lease("worker", dead, ttl=ttl, now=now) is None
    assert rig.journal.acquire_lease("worker", second, ttl=ttl, now=now) is None
    rig.journal.release_lease("worker", second)
    # Another machine: only when its lease has run out.
    far = LeaseHolder("far", "another-machine", first.pid)
    assert rig.journal.acquire_lease("worker", far, ttl=ttl, now=now) is None
    assert rig.journal.acquire_lease("worker", second, ttl=ttl, now=now) == far
    later = now + ttl
    assert rig.journal.acquire_lease("worker", second, ttl=ttl, now=later) is None


def test_a_full_disk_is_a_sentence_and_nothing_is_queued(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    draft = drafted(rig)
    fill_up(rig)
    with pytest.raises(StoreProblem, match="full"):
        rig.ordering.prepare(rig.quote, ceiling=PRICE, description="x" * 20_000)
    assert rig.journal.get(draft.intent_id) == draft
    assert rig.journal.open() == []
    rig.close()


def fill_up(rig: Rig) -> None:
    """Let the database grow no further."""

    def no_more_pages(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1")

    sa.event.listen(rig.engines.records, "connect", no_more_pages)
    rig.engines.records.dispose()
