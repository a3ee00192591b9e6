"""Tables of the journal, and the triggers with which the database itself guards them.

Imported by journal.py, leases.py and engine.py (which creates them); everything else goes
through `Journal`. The triggers repeat `domain.intents.MOVES` where no program error can get past
them: a state moves only along the table, what was confirmed never changes, and what was tried
is never rewritten.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from ..domain.intents import MOVES, IntentState
from .schema import Utc, records

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")

#: What a person confirmed: frozen from the first write on.
_CONFIRMED = (
    sa.Column("intent_id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("subaccount", sa.Text),
    sa.Column("base_url", sa.Text, nullable=False),
    sa.Column("credential", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("target", sa.Text),
    sa.Column("fixed", sa.Text, nullable=False),
    sa.Column("quantity_g", sa.BigInteger),
    sa.Column("expected", sa.Text),
    sa.Column("ceiling", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("key", sa.Text),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
)

#: What changes while the intent moves.
_MOVING = (
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("expires_at", Utc, nullable=False),
    sa.Column("queued_at", Utc),
    sa.Column("due_at", Utc, nullable=False),
    sa.Column("first_sent_at", Utc),
    sa.Column("effect_id", sa.Text),
    sa.Column("effect_state", sa.Text),
    sa.Column("effect_quantity_g", sa.BigInteger),
    sa.Column("charged", sa.Text),
    sa.Column("charged_currency", sa.Text),
)

intents = sa.Table(
    "intents",
    records,
    *_CONFIRMED,
    *_MOVING,
    sa.Index("intents_due", "state", "due_at"),
    sa.Index("intents_of_account", "account", "created_at"),
)

attempts = sa.Table(
    "attempts",
    records,
    sa.Column("attempt_id", _SEQUENCE, primary_key=True),
    sa.Column("intent_id", sa.Text, sa.ForeignKey("intents.intent_id"), nullable=False, index=True),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("started_at", Utc, nullable=False),
    sa.Column("finished_at", Utc),
    sa.Column("outcome", sa.Text),
    sa.Column("detail", sa.Text),
)

audit = sa.Table(
    "audit",
    records,
    sa.Column("audit_id", _SEQUENCE, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

leases = sa.Table(
    "leases",
    records,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("expires_at", Utc, nullable=False),
)


def _quoted(states: frozenset[IntentState]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))


def _wrong_move() -> str:
    allowed = " OR ".join(
        f"(OLD.state = '{state.value}' AND NEW.state IN ({_quoted(moves)}))"
        for state, moves in MOVES.items()
        if moves
    )
    return f"OLD.state <> NEW.state AND NOT ({allowed})"


def _unborn() -> str:
    return f"NEW.state <> '{IntentState.DRAFT.value}'"


def _thawed(distinct: str) -> str:
    return " OR ".join(
        f"CAST(OLD.{column.name} AS TEXT) {distinct} CAST(NEW.{column.name} AS TEXT)"
        if isinstance(column.type, sa.JSON)  # PostgreSQL compares no JSON
        else f"OLD.{column.name} {distinct} NEW.{column.name}"
        for column in _CONFIRMED
    )


#: (trigger, table, operation, condition under which it is refused, reason)
def _guards(distinct: str) -> list[tuple[str, str, str, str, str]]:
    return [
        ("intents_start", "intents", "INSERT", _unborn(), "an intent starts as a draft"),
        ("intents_move", "intents", "UPDATE", _wrong_move(), "this state may not follow"),
        ("intents_frozen", "intents", "UPDATE", _thawed(distinct), "what was confirmed is frozen"),
        ("intents_kept", "intents", "DELETE", "1 = 1", "intents are kept"),
        (
            "attempts_frozen",
            "attempts",
            "UPDATE",
            "OLD.finished_at IS NOT NULL",
            "a finished attempt is never rewritten",
        ),
        ("attempts_kept", "attempts", "DELETE", "1 = 1", "attempts are kept"),
        ("audit_frozen", "audit", "UPDATE", "1 = 1", "the audit trail is never rewritten"),
        ("audit_kept", "audit", "DELETE", "1 = 1", "the audit trail is kept"),
    ]


def _sqlite_triggers() -> Iterator[tuple[str, str]]:
    for name, table, operation, condition, reason in _guards("IS NOT"):
        yield (
            table,
            _sql(
                f"CREATE TRIGGER {name} BEFORE {operation} ON {table} WHEN {condition}",
                f"BEGIN SELECT RAISE(ABORT, '{reason}'); END",
            ),
        )


def _postgres_triggers() -> Iterator[tuple[str, str]]:
    for name, table, operation, condition, reason in _guards("IS DISTINCT FROM"):
        kept = "OLD" if operation == "DELETE" else "NEW"
        yield (
            table,
            _sql(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$",
                f"BEGIN IF {condition} THEN RAISE EXCEPTION '{reason}'; END IF;",
                f"RETURN {kept}; END $$",
            ),
        )
        yield (
            table,
            _sql(
                f"CREATE TRIGGER {name} BEFORE {operation} ON {table}",
                f"FOR EACH ROW EXECUTE FUNCTION {name}()",
            ),
        )


def _sql(*lines: str) -> str:
    return " ".join(lines)


def _install() -> None:
    by_dialect = {"sqlite": _sqlite_triggers(), "postgresql": _postgres_triggers()}
    for dialect, triggers in by_dialect.items():
        for table, statement in triggers:
            ddl = sa.DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
            sa.event.listen(records.tables[table], "after_create", ddl)


_install()
