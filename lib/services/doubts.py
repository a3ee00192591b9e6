"""How doubts are settled at each provider: may a request be repeated, when is a search over.

Pure; used by the worker. The figures come from what the providers promise about idempotency keys
(CNaught contract 1.2, Lune contract 1.3) and from what Isometric does not promise (1, idempotency).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from ..domain.intents import Intent
from ..providers import outcomes
from ..providers.base import Effects
from ..store.journal import Attempt

#: The life of a provider's idempotency key is unpublished; ten minutes is safely inside.
RESEND_WITHIN = timedelta(minutes=10)
RESENDS = 3
LOOKS_THAT_FIND_NOTHING = 2
LOOKS_APART = timedelta(minutes=5)
#: A provider's clock may be this far off ours.
CLOCK_SKEW = timedelta(minutes=15)
#: Our own clock may step back this far when it is set right; more tells nothing about time.
_CLOCK_STEP = timedelta(minutes=1)

#: Waiting time before the n-th further step of one intent, in seconds.
_BACK_OFF = (2, 5, 15, 30, 60)

#: How outcomes are called in the attempt rows.
OUTCOME_WORDS: Mapping[type[outcomes.Outcome], str] = {
    outcomes.NotSent: "not sent",
    outcomes.Refused: "refused",
    outcomes.Doubtful: "unknown",
    outcomes.AlreadyExists: "already exists",
    outcomes.Busy: "busy",
    outcomes.StillRunning: "still running",
    outcomes.Contradiction: "contradiction",
}
#: Sends that certainly did nothing: they do not use up a repeat.
_HARMLESS = frozenset({"not sent", "busy", "still running"})
#: After these a repeat can tell nothing new.
_TELLING = frozenset({"refused", "already exists", "contradiction"})


@dataclass(frozen=True, slots=True)
class Policy:
    """How doubts are settled at one provider: may a request be repeated, and is a look first."""

    repeats: bool
    looks_first: bool


POLICIES: Mapping[str, Policy] = {
    # The same key replays the stored answer: repeating is itself the surest look.
    "cnaught": Policy(repeats=True, looks_first=False),
    # A used key answers 409 without the order, so it is looked up by key first.
    "lune": Policy(repeats=True, looks_first=True),
    # No key exists: a repeat would be a second effect.
    "isometric": Policy(repeats=False, looks_first=True),
}


def same_scope(intent: Intent, effects: Effects) -> bool:
    """Whether the account still has the address and key for which the intent was confirmed."""
    account = effects.account
    return (account.base_url, account.credential) == (intent.base_url, intent.credential)


def may_repeat(intent: Intent, tried: Sequence[Attempt], now: datetime) -> bool:
    """Whether the same bytes with the same key may be sent once more."""
    if not POLICIES[intent.provider].repeats or not _in_window(intent, now):
        return False
    if _clock_went_back(tried, now):
        return False
    sends = [attempt.outcome for attempt in tried if attempt.what == "send"]
    if any(outcome in _TELLING for outcome in sends):
        return False
    used = sum(1 for outcome in sends if outcome not in _HARMLESS)
    return used <= RESENDS


def empty_looks(intent: Intent, tried: Sequence[Attempt]) -> int:
    """How many complete looks found nothing at a time when nothing could arrive any more."""
    last_send = max(n for n, attempt in enumerate(tried) if attempt.what == "send")
    return sum(
        1
        for attempt in tried[last_send:]
        if attempt.outcome == "nothing found" and not _in_window(intent, attempt.started_at)
    )


def _in_window(intent: Intent, moment: datetime) -> bool:
    first = intent.first_sent_at or intent.created_at
    return -_CLOCK_STEP <= moment - first < RESEND_WITHIN


def _clock_went_back(tried: Sequence[Attempt], now: datetime) -> bool:
    """Whether some attempt seems later than a following one: then no one knows the time."""
    times = [*(attempt.started_at for attempt in tried), now]
    return any(later < earlier - _CLOCK_STEP for earlier, later in pairwise(times))


def refusal(tried: Sequence[Attempt]) -> str | None:
    """The provider's reason when its last word about a send was no."""
    last = [attempt for attempt in tried if attempt.what == "send"][-1]
    return last.detail if last.outcome == "refused" else None


def back_off(tried: Sequence[Attempt]) -> timedelta:
    """How long to wait after the attempts made so far."""
    return timedelta(seconds=_BACK_OFF[min(len(tried), len(_BACK_OFF) - 1)])
