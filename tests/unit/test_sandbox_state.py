"""The sandbox's state: clock, due events, ids, and that a transaction is whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from lib.sandbox import wire
from lib.sandbox.state import World, effects, from_us, rfc3339, to_us

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["file", "memory"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = f"sqlite:///{tmp_path / 'state.db'}" if request.param == "file" else "sqlite://"
    world = World(url, catalogue={}, seed=7)
    world.create_tables()
    with world.transaction() as connection:
        world.set_now(connection, START)
    yield world
    world.close()


def seen(world: World) -> list[tuple[str, datetime]]:
    """Let events of the kind `note` be written down with the time they happened at."""
    notes: list[tuple[str, datetime]] = []
    world.on("note", lambda w, c, ref: notes.append((ref, w.now(c))))
    return notes


def test_events_happen_in_the_order_they_fall_due_each_at_its_own_time(world: World) -> None:
    notes = seen(world)
    with world.transaction() as connection:
        world.schedule(connection, START + timedelta(hours=2), "note", "second")
        world.schedule(connection, START + timedelta(hours=1), "note", "first")
        world.schedule(connection, START + timedelta(days=9), "note", "not yet")
    world.advance(3 * 3600)
    assert notes == [
        ("first", START + timedelta(hours=1)),
        ("second", START + timedelta(hours=2)),
    ]


def test_an_event_can_bring_about_another_that_is_due_on_the_way(world: World) -> None:
    happened: list[datetime] = []

    def again(w: World, connection: sa.Connection, ref: str) -> None:
        happened.append(w.now(connection))
        if len(happened) < 3:
            w.schedule(connection, w.now(connection) + timedelta(minutes=10), "again", ref)

    world.on("again", again)
    with world.transaction() as connection:
        world.schedule(connection, START + timedelta(minutes=10), "again", "x")
    world.advance(3600)
    assert happened == [START + timedelta(minutes=m) for m in (10, 20, 30)]


def test_what_fails_leaves_nothing_behind(world: World) -> None:
    def fail() -> None:
        with world.transaction() as connection:
            world.put(connection, "name", "value")
            world.new_id(connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with world.transaction() as connection:
        assert world.get(connection, "name") is None
        first = world.new_id(connection)
    fresh = World("sqlite://", catalogue={}, seed=7)
    fresh.create_tables()
    with fresh.transaction() as connection:
        assert fresh.new_id(connection) == first


def test_ids_are_distinct_and_the_same_for_the_same_seed() -> None:
    def ids(seed: int) -> list[str]:
        world = World("sqlite://", catalogue={}, seed=seed)
        world.create_tables()
        with world.transaction() as connection:
            return [world.new_id(connection) for _ in range(200)]

    assert ids(1) == ids(1)
    assert len(set(ids(1))) == 200
    assert not set(ids(1)) & set(ids(2))


def test_while_history_is_filled_its_events_wait_for_the_filler(world: World) -> None:
    notes = seen(world)
    past, future = START - timedelta(days=1), START + timedelta(seconds=5)
    with world.filling_until(START):
        with world.transaction() as connection:
            world.schedule(connection, past, "note", "of history")
            world.schedule(connection, future, "note", "of now")
        world.advance(60)
        assert [ref for ref, _ in notes] == ["of now"]
        with world.transaction() as connection:
            world.carry_out_until(connection, START)
    assert [ref for ref, _ in notes] == ["of now", "of history"]


def test_a_pinned_clock_is_let_go_again(world: World) -> None:
    with world.transaction() as connection:
        with world.at(START - timedelta(days=100)):
            assert world.now(connection) == START - timedelta(days=100)
        assert world.now(connection) >= START


def test_effects_carry_a_fingerprint_of_the_body(world: World) -> None:
    with world.transaction() as connection:
        world.record_effect(
            connection, provider="p", account="a", kind="order", id="1", grams=5, body=b"{}"
        )
        row = connection.execute(sa.select(effects)).one()
    assert row.body_sha256 == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 (bounds are naive by the library's rule)
def test_times_survive_the_database_and_print_six_digits(moment: datetime) -> None:
    assert from_us(to_us(moment)) == moment
    assert datetime.fromisoformat(rfc3339(moment)) == moment
    assert len(rfc3339(moment)) == len("2022-08-01T18:00:00.000000Z")


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6, allow_nan=False))
def test_numbers_survive_the_wire_to_the_digit(number: Decimal) -> None:
    text = wire.dumps({"n": number})
    assert "e" not in text.lower()
    back = wire.loads(text)["n"]
    assert Decimal(back) == number


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    assert wire.loads(wire.dumps(value)) == value


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("10.50"), "10.5"),
        (Decimal(10), "10"),
        (Decimal("1E+1"), "10"),
        (Decimal("0.00"), "0"),
        (Decimal("100"), "100"),
    ],
)
def test_decimals_are_written_plainly(number: Decimal, text: str) -> None:
    assert wire.plain(number) == text


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError):
        wire.dumps(1.5)
    with pytest.raises(ValueError, match="not JSON"):
        wire.loads('{"n": NaN}')
