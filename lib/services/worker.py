"""The worker: the only place from which orders, cancellations and deliveries are sent.

Composed by desk.py, run by `python -m lib worker` or as a thread of the app. It takes one intent
at a time from the journal, sends it once, and settles what stayed in doubt by the rules of each
provider. The rules are the table below; everything else here is their execution.

    outcome of a send         first time                      while in doubt
    receipt that matches      confirmed                       confirmed
    receipt that does not     needs a person                  needs a person
    not sent, 429             queued again, later             later, same key
    refused                   rejected                        look only; then rejected
    unknown, 5xx, running     in doubt                        look, repeat the same bytes and key

Repeats: at most 3, within 10 minutes of the first send, only where the provider knows keys. After
that the worker only looks; two complete looks that find nothing make it a person's matter.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from ..domain.errors import DeskError, ProviderNonsense, ProviderProblem, ProviderUnreachable
from ..domain.intents import Intent, IntentState, Receipt
from ..domain.ledger import PROVIDER_TITLES
from ..domain.quantities import Money
from ..providers import outcomes
from ..providers.base import Effects
from ..store.journal import Journal
from ..store.leases import LeaseHolder, new_holder
from .doubts import (
    CLOCK_SKEW,
    LOOKS_APART,
    LOOKS_THAT_FIND_NOTHING,
    OUTCOME_WORDS,
    POLICIES,
    back_off,
    empty_looks,
    may_repeat,
    refusal,
    same_scope,
)
from .verifying import accepted, contradiction

_log = logging.getLogger(__name__)

LEASE = "worker"
#: Longer than any single step; a dead holder on the same machine is noticed at once anyway.
LEASE_FOR = timedelta(minutes=5)
RENEW_EVERY = timedelta(seconds=30)

IDLE_S = 0.25


class AnotherWorker(DeskError):
    """Another worker serves this journal; `holder` tells which."""

    def __init__(self, holder: LeaseHolder) -> None:
        super().__init__(
            f"Another worker (process {holder.pid} on {holder.host}) already serves this journal. "
            "Stop it first, or set CARBON_DESK_WORKER=external to go on without one here."
        )
        self.holder = holder


class Worker:
    """Sends queued intents and settles doubtful ones, one step at a time.

    `requote` gives the price now (None where the request itself carries the limit) and raises a
    DeskError where the order is no longer allowed; `allowed` says whether a doubtful one may be
    repeated or only looked for. `on_settled(account)` is called when
    something at the provider may have changed. Not thread-safe: one worker, one thread.
    """

    def __init__(
        self,
        journal: Journal,
        effects: Mapping[str, Effects],
        *,
        requote: Callable[[Intent], Money | None],
        allowed: Callable[[Intent], bool] = lambda _intent: True,
        on_settled: Callable[[str], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._journal = journal
        self._effects = effects
        self._requote = requote
        self._allowed = allowed
        self._on_settled = on_settled
        self._clock = clock
        self._me = new_holder()
        self._renewed: datetime | None = None
        self._recovered = False

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Raises AnotherWorker when one holds the journal."""
        try:
            while not stop.is_set():
                if not self._safe_step():
                    stop.wait(IDLE_S)
        finally:
            self.close()

    def close(self) -> None:
        """Let another worker take over at once."""
        self._renewed = None
        self._journal.release_lease(LEASE, self._me)

    def _safe_step(self) -> bool:
        try:
            return self.step()
        except AnotherWorker:
            raise
        except Exception:  # noqa: BLE001 (the thread must outlive a full disk; intents stay safe)
            _log.exception("the worker could not finish a step and will try again")
            return False

    def step(self) -> bool:
        """Do one unit of work; False when nothing was due.

        Raises AnotherWorker, or StoreProblem when the journal cannot be written; whatever was
        being sent then is in doubt and looked for in the next step.
        """
        now = self._clock()
        self._hold_lease(now)
        if not self._recovered:
            self._journal.recover(now)
            self._recovered = True
        self._journal.expire(now)
        intent = self._journal.next_due(now)
        if intent is None:
            return False
        # Until this step has ended well, whatever it leaves in SENDING is in doubt.
        self._recovered = False
        if intent.state is IntentState.QUEUED:
            self._send_first(intent)
        else:
            self._settle(intent, now)
        self._recovered = True
        return True

    def _hold_lease(self, now: datetime) -> None:
        renewed = self._renewed
        if renewed is not None and timedelta(0) <= now - renewed < RENEW_EVERY:
            return
        holder = self._journal.acquire_lease(LEASE, self._me, ttl=LEASE_FOR, now=now)
        if holder is not None:
            raise AnotherWorker(holder)
        if renewed is None:
            self._recovered = False
        self._renewed = now

    # -- the first send --------------------------------------------------------------------

    def _send_first(self, intent: Intent) -> None:
        effects = self._effects.get(intent.account)
        if effects is None or not same_scope(intent, effects):
            self._reject(
                intent,
                f"The account “{intent.account}” has another address or key than when this was "
                "confirmed. Nothing was sent: confirm it again.",
            )
            return
        if not self._price_holds(intent):
            return
        attempt = self._journal.claim(intent.intent_id, self._me.holder, self._clock())
        if attempt is not None:
            self._after_first_send(intent, self._send(intent, effects, attempt))

    def _price_holds(self, intent: Intent) -> bool:
        """Ask for the price once more, so that a rise since the confirmation is never paid."""
        try:
            price = self._requote(intent)
        except (ProviderUnreachable, ProviderNonsense) as problem:
            message = f"Not sent yet, because the price could not be confirmed: {problem}"
            self._wait(intent, message, self._delay(intent))
            return False
        except DeskError as refusal:
            self._reject(intent, f"{refusal} Nothing was ordered.")
            return False
        ceiling = intent.ceiling
        if price is None or ceiling is None:
            return True
        if price.currency == ceiling.currency and price <= ceiling:
            return True
        self._reject(
            intent,
            f"The price is now {price}, above your limit of {ceiling}. Nothing was ordered.",
        )
        return False

    def _after_first_send(self, intent: Intent, result: Receipt | outcomes.Outcome) -> None:
        sending = IntentState.SENDING
        if isinstance(result, Receipt):
            self._take_receipt(intent, sending, result)
        elif isinstance(result, outcomes.Contradiction):
            self._ask_a_person(intent, sending, str(result))
        elif isinstance(result, outcomes.Refused):
            self._move(intent, sending, IntentState.REJECTED, str(result))
        elif self._provably_nothing(intent, result):
            message = f"Not sent yet: {result} Trying again."
            delay = self._delay(intent, result.retry_after)
            self._move(intent, sending, IntentState.QUEUED, message, after=delay)
        else:
            message = f"The outcome is not yet known: {result} Looking for it."
            wait = timedelta(seconds=result.retry_after or 0)
            self._move(intent, sending, IntentState.IN_DOUBT, message, after=wait)

    def _provably_nothing(self, intent: Intent, result: outcomes.Outcome) -> bool:
        if isinstance(result, outcomes.NotSent):
            return True
        # Without a key even a "try later" is looked into before anything is sent again.
        busy = isinstance(result, outcomes.Busy) and not isinstance(result, outcomes.StillRunning)
        return busy and POLICIES[intent.provider].repeats

    # -- doubts ----------------------------------------------------------------------------

    def _settle(self, intent: Intent, now: datetime) -> None:
        effects = self._effects.get(intent.account)
        if effects is None or effects.account.base_url != intent.base_url:
            # Looking with another account or address would find nothing and prove nothing.
            message = (
                f"The outcome is not known, and the account “{intent.account}” it was sent from "
                "is not set up any more. Set it up again to find out."
            )
            self._wait(intent, message, LOOKS_APART)
            return
        tried = self._journal.attempts(intent.intent_id)
        policy = POLICIES[intent.provider]
        repeats = may_repeat(intent, tried, now) and same_scope(intent, effects)
        if not repeats or not self._allowed(intent):
            self._look(intent, effects, last_word=True)
        elif not policy.looks_first or not self._look(intent, effects, last_word=False):
            self._repeat(intent, effects)

    def _repeat(self, intent: Intent, effects: Effects) -> None:
        attempt = self._journal.begin(intent.intent_id, "send", self._me.holder, self._clock())
        result = self._send(intent, effects, attempt)
        if isinstance(result, Receipt):
            self._take_receipt(intent, IntentState.IN_DOUBT, result)
        elif isinstance(result, outcomes.Contradiction):
            self._ask_a_person(intent, IntentState.IN_DOUBT, str(result))
        else:
            message = f"The outcome is not yet known: {result} Looking for it."
            self._wait(intent, message, self._delay(intent, result.retry_after))

    def _look(self, intent: Intent, effects: Effects, *, last_word: bool) -> bool:
        """Look for the effect; True when that settled the intent or ended this step.

        With `last_word` false a complete look without a find returns False: repeat now.
        """
        attempt = self._journal.begin(intent.intent_id, "look", self._me.holder, self._clock())
        since = (intent.first_sent_at or intent.created_at) - CLOCK_SKEW
        try:
            found = effects.find(intent.request, since)
        except outcomes.Contradiction as contradicting:
            self._finish(attempt, "contradiction", contradicting.detail)
            self._ask_a_person(intent, IntentState.IN_DOUBT, str(contradicting))
            return True
        except ProviderProblem as problem:
            self._finish(attempt, "could not look", str(problem))
            message = f"The outcome is not yet known, and looking for it failed: {problem}"
            self._wait(intent, message, self._delay(intent))
            return True
        if found is not None:
            self._finish(attempt, "found", found.effect_id)
            self._take_receipt(intent, IntentState.IN_DOUBT, found)
            return True
        self._finish(attempt, "nothing found", "")
        if last_word:
            self._found_nothing(intent)
        return last_word

    def _found_nothing(self, intent: Intent) -> None:
        tried = self._journal.attempts(intent.intent_id)
        title = PROVIDER_TITLES[intent.provider]
        looks, reason = empty_looks(intent, tried), refusal(tried)
        if looks < LOOKS_THAT_FIND_NOTHING:
            message = f"The outcome is not yet known: nothing found at {title} so far."
            self._wait(intent, message, LOOKS_APART if looks else back_off(tried))
        elif reason is not None:
            message = f"{reason} Looked twice: nothing was done."
            self._move(intent, IntentState.IN_DOUBT, IntentState.REJECTED, message)
        else:
            message = (
                f"No answer ever came, and two complete looks found nothing. Ask {title} about "
                f"reference {intent.request.reference}, then record what they say. "
                "It is not sent again by itself."
            )
            self._ask_a_person(intent, IntentState.IN_DOUBT, message)

    # -- shared steps ----------------------------------------------------------------------

    def _send(self, intent: Intent, effects: Effects, attempt: int) -> Receipt | outcomes.Outcome:
        try:
            receipt = effects.send(intent.request)
        except outcomes.Outcome as outcome:
            self._finish(attempt, OUTCOME_WORDS[type(outcome)], outcome.detail)
            return outcome
        except Exception as bug:  # noqa: BLE001 (whatever broke, bytes may have left: a doubt)
            _log.exception("sending intent %s broke", intent.intent_id)
            self._finish(attempt, "unknown", f"{type(bug).__name__} in this program")
            return outcomes.Doubtful("The answer could not be understood.")
        self._finish(attempt, "receipt", f"{receipt.effect_id}: {receipt.state}")
        return receipt

    def _take_receipt(self, intent: Intent, from_: IntentState, receipt: Receipt) -> None:
        wrong = contradiction(intent, receipt)
        if wrong is not None:
            self._ask_a_person(intent, from_, wrong, receipt)
            return
        self._move(intent, from_, IntentState.CONFIRMED, accepted(intent, receipt), receipt)
        self._on_settled(intent.account)

    def _ask_a_person(
        self, intent: Intent, from_: IntentState, message: str, receipt: Receipt | None = None
    ) -> None:
        self._move(intent, from_, IntentState.NEEDS_A_PERSON, message, receipt)
        self._on_settled(intent.account)

    def _reject(self, intent: Intent, message: str) -> None:
        self._move(intent, IntentState.QUEUED, IntentState.REJECTED, message)

    def _wait(self, intent: Intent, message: str, delay: timedelta) -> None:
        self._move(intent, intent.state, intent.state, message, after=delay)

    def _move(
        self,
        intent: Intent,
        from_: IntentState,
        to: IntentState,
        message: str,
        receipt: Receipt | None = None,
        *,
        after: timedelta | None = None,
    ) -> None:
        now = self._clock()
        due_at = now + after if after is not None else None
        moved = self._journal.move(
            intent.intent_id, from_, to, now=now, message=message, receipt=receipt, due_at=due_at
        )
        if not moved and to is not from_ and from_ is IntentState.SENDING:
            # Another worker took over meanwhile and called it a doubt: what we know settles it.
            doubt = IntentState.IN_DOUBT
            if to in {IntentState.CONFIRMED, IntentState.NEEDS_A_PERSON}:
                self._journal.move(
                    intent.intent_id, doubt, to, now=now, message=message, receipt=receipt
                )

    def _finish(self, attempt: int, outcome: str, detail: str) -> None:
        self._journal.finish(attempt, outcome=outcome, detail=detail, now=self._clock())

    def _delay(self, intent: Intent, retry_after: float | None = None) -> timedelta:
        if retry_after is not None:
            return timedelta(seconds=retry_after)
        return back_off(self._journal.attempts(intent.intent_id))
