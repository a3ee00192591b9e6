"""Ordering and the worker: whatever goes wrong, one confirmed intent has at most one effect."""

from __future__ import annotations

import re
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lib.domain.errors import BadInput, NotAllowed
from lib.domain.intents import FINAL, Intent, IntentState
from lib.domain.ledger import ProviderName
from lib.domain.quantities import wished_money
from lib.services.ordering import OrderedAlready, Rules, new_reference
from lib.services.worker import AnotherWorker, Worker
from tests.unit.scripted import FATES, PRICE, Rig

PROVIDERS: tuple[ProviderName, ...] = ("cnaught", "lune", "isometric")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture(params=PROVIDERS)
def any_rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, request.param)
    yield rig
    rig.close()


def placed(rig: Rig, *fates: str) -> Intent:
    rig.provider.fates = list(fates)
    return rig.ordering.place(rig.quote, ceiling=PRICE, confirm=True, who="ana")


def outcome(rig: Rig, intent: Intent) -> Intent:
    rig.work()
    return rig.journal.get(intent.intent_id)


# -- what may be confirmed -----------------------------------------------------------------


def test_a_confirmed_order_is_sent_once_and_its_receipt_kept(any_rig: Rig) -> None:
    intent = placed(any_rig)
    assert intent.state is IntentState.QUEUED
    assert any_rig.provider.sends == []
    done = outcome(any_rig, intent)
    assert done.state is IntentState.CONFIRMED
    assert done.receipt == any_rig.provider.effects[0][1]
    assert done.receipt.effect_id in done.message
    assert any_rig.settled == [intent.account]


@pytest.mark.parametrize("confirm", [False, "", "yes"])
def test_nothing_is_queued_without_a_clear_yes(rig: Rig, confirm: bool | str) -> None:
    with pytest.raises(BadInput, match="confirm=True"):
        rig.ordering.place(rig.quote, ceiling=PRICE, confirm=confirm)
    assert rig.journal.open() == []


def test_a_read_only_desk_queues_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, rules=Rules(read_only=True))
    for attempt in (
        lambda: rig.ordering.prepare(rig.quote, ceiling=PRICE),
        lambda: rig.ordering.cancel("cnaught", "order-1", confirm=True),
    ):
        with pytest.raises(NotAllowed, match="read-only"):
            attempt()
    assert rig.journal.recent() == []
    rig.close()


def test_live_orders_need_the_switch_also_when_sending(rig: Rig, tmp_path: Path) -> None:
    rig.provider.account = replace(rig.provider.account, mode="live")
    with pytest.raises(NotAllowed, match="CARBON_DESK_ALLOW_LIVE_ORDERS"):
        rig.ordering.prepare(rig.quote, ceiling=PRICE)
    allowed = Rig(tmp_path / "allowed", rules=Rules(allow_live_orders=True))
    allowed.provider.account = replace(allowed.provider.account, mode="live")
    intent = placed(allowed)
    # Switched off after the confirmation: the worker asks again before it sends.
    allowed.ordering._rules = Rules(allow_live_orders=False)
    done = outcome(allowed, intent)
    assert done.state is IntentState.REJECTED
    assert allowed.provider.sends == []
    allowed.close()


@pytest.mark.parametrize(
    ("ceiling", "reason"),
    [
        (wished_money("50", "EUR"), "limit is in EUR"),
        (wished_money("49.99", "USD"), "above the limit"),
        (replace(PRICE, amount=-PRICE.amount), "below 0"),
    ],
)
def test_a_ceiling_that_cannot_hold_is_refused(rig: Rig, ceiling: object, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        rig.ordering.prepare(rig.quote, ceiling=ceiling)  # type: ignore[arg-type]


def test_the_reference_names_nobody() -> None:
    references = {new_reference() for _ in range(1000)}
    assert len(references) == 1000
    assert all(re.fullmatch(r"cd-[a-z2-7]{16}", reference) for reference in references)


def test_the_same_order_again_needs_the_word(rig: Rig) -> None:
    first = placed(rig)
    with pytest.raises(OrderedAlready) as blocked:
        placed(rig)
    assert blocked.value.earlier.intent_id == first.intent_id
    second = rig.ordering.place(rig.quote, ceiling=PRICE, confirm="again")
    rig.work(1)
    assert len(rig.provider.effects) == 2
    assert second.request.key != first.request.key
    # After ten minutes it is another order, not a slip.
    rig.clock.advance(minutes=11)
    assert placed(rig).state is IntentState.QUEUED


def test_confirming_a_draft_twice_is_one_order(rig: Rig) -> None:
    draft = rig.ordering.prepare(rig.quote, ceiling=PRICE)
    rig.ordering.confirm(draft.intent_id)
    assert rig.ordering.confirm(draft.intent_id).intent_id == draft.intent_id
    rig.work(1)
    assert rig.ordering.confirm(draft.intent_id).state is IntentState.CONFIRMED
    assert len(rig.provider.effects) == 1


def test_a_draft_does_not_stay_confirmable(rig: Rig) -> None:
    draft = rig.ordering.prepare(rig.quote, ceiling=PRICE)
    rig.clock.advance(minutes=31)
    with pytest.raises(BadInput, match="too old"):
        rig.ordering.confirm(draft.intent_id)


# -- what the worker does with it ----------------------------------------------------------


def test_a_price_that_rose_is_not_paid(rig: Rig) -> None:
    intent = placed(rig)
    rig.provider.price_now = wished_money("50.01", "USD")
    done = outcome(rig, intent)
    assert done.state is IntentState.REJECTED
    assert "50.01 USD" in done.message
    assert "50.00 USD" in done.message
    assert rig.provider.sends == []


def test_without_a_price_nothing_is_sent_and_the_order_expires(rig: Rig) -> None:
    intent = placed(rig)
    rig.provider.reachable = False
    done = outcome(rig, intent)
    assert done.state is IntentState.EXPIRED
    assert rig.provider.sends == []


def test_a_worker_that_was_away_does_not_buy_late(any_rig: Rig) -> None:
    intent = placed(any_rig)
    any_rig.clock.advance(hours=2)
    assert outcome(any_rig, intent).state is IntentState.EXPIRED
    assert any_rig.provider.sends == []


@pytest.mark.parametrize("fate", ["not sent", "busy"])
@pytest.mark.parametrize("provider", ["cnaught", "lune"])
def test_provably_unsent_is_tried_again(tmp_path: Path, provider: ProviderName, fate: str) -> None:
    rig = Rig(tmp_path, provider)
    intent = placed(rig, fate, fate)
    rig.worker.step()
    assert rig.journal.get(intent.intent_id).state is IntentState.QUEUED
    assert outcome(rig, intent).state is IntentState.CONFIRMED
    assert len(rig.provider.sends) == 3
    rig.close()


def test_a_refusal_is_final_and_quoted(any_rig: Rig) -> None:
    done = outcome(any_rig, placed(any_rig, "refused"))
    assert done.state is IntentState.REJECTED
    assert done.message == "It said no."


@pytest.mark.parametrize("fate", ["lost after", "broken", "killed after"])
def test_a_lost_answer_is_found_again(any_rig: Rig, fate: str) -> None:
    intent = placed(any_rig, fate)
    any_rig.step()
    doubtful = any_rig.journal.get(intent.intent_id).state
    assert doubtful in {IntentState.IN_DOUBT, IntentState.SENDING}
    assert outcome(any_rig, intent).state is IntentState.CONFIRMED
    assert len(any_rig.provider.effects) == 1


@pytest.mark.parametrize("fate", ["lost before", "killed before"])
@pytest.mark.parametrize("provider", ["cnaught", "lune"])
def test_a_lost_request_is_repeated_to_the_byte(
    tmp_path: Path, provider: ProviderName, fate: str
) -> None:
    rig = Rig(tmp_path, provider)
    done = outcome(rig, placed(rig, fate))
    assert done.state is IntentState.CONFIRMED
    assert rig.provider.sends[0] == rig.provider.sends[1]
    rig.close()


def test_without_a_key_nothing_is_ever_repeated(tmp_path: Path) -> None:
    rig = Rig(tmp_path, "isometric")
    done = outcome(rig, placed(rig, "lost before"))
    assert done.state is IntentState.NEEDS_A_PERSON
    assert done.request.reference in done.message
    assert len(rig.provider.sends) == 1
    rig.close()


@pytest.mark.parametrize("provider", ["cnaught", "lune"])
def test_repeats_end_after_three_and_a_person_is_asked(
    tmp_path: Path, provider: ProviderName
) -> None:
    rig = Rig(tmp_path, provider)
    done = outcome(rig, placed(rig, *["lost before"] * 50))
    assert done.state is IntentState.NEEDS_A_PERSON
    assert len(rig.provider.sends) == 1 + 3
    first, last = rig.provider.sends[0], rig.provider.sends[-1]
    assert first == last
    rig.close()


@pytest.mark.parametrize("provider", ["cnaught", "lune"])
def test_after_the_window_only_looks(tmp_path: Path, provider: ProviderName) -> None:
    rig = Rig(tmp_path, provider)
    intent = placed(rig, "lost after")
    rig.step()
    rig.clock.advance(minutes=11)
    assert outcome(rig, intent).state is IntentState.CONFIRMED
    assert len(rig.provider.sends) == 1
    rig.close()


def test_a_clock_that_jumps_back_counts_as_too_late(rig: Rig) -> None:
    intent = placed(rig, "lost before")
    rig.step()
    rig.clock.advance(hours=-25)
    rig.work()
    rig.clock.advance(hours=25)
    rig.work()
    assert len(rig.provider.sends) == 1
    assert rig.journal.get(intent.intent_id).state is IntentState.NEEDS_A_PERSON


def test_a_clock_that_jumped_back_and_caught_up_still_counts_as_too_late(rig: Rig) -> None:
    intent = placed(rig, "lost before")
    rig.step()
    rig.clock.advance(hours=-25)
    rig.provider.reachable = False
    rig.step()
    rig.clock.advance(hours=25)
    rig.provider.reachable = True
    assert outcome(rig, intent).state is IntentState.NEEDS_A_PERSON
    assert len(rig.provider.sends) == 1


def test_a_concurrent_key_is_waited_for(rig: Rig) -> None:
    done = outcome(rig, placed(rig, *["still running"] * 5))
    assert done.state is IntentState.CONFIRMED
    assert len(rig.provider.effects) == 1


@pytest.mark.parametrize("fate", ["wrong amount", "too dear"])
def test_an_answer_that_contradicts_is_a_persons_matter(any_rig: Rig, fate: str) -> None:
    done = outcome(any_rig, placed(any_rig, fate))
    assert done.state is IntentState.NEEDS_A_PERSON
    assert len(any_rig.provider.sends) == 1
    assert done.receipt is not None
    assert done.receipt.effect_id in done.message


def test_another_key_or_address_never_repeats(rig: Rig) -> None:
    intent = placed(rig, "lost before")
    rig.step()
    rig.provider.account = replace(rig.provider.account, credential="rotated")
    assert outcome(rig, intent).state is IntentState.NEEDS_A_PERSON
    assert len(rig.provider.sends) == 1


def test_an_address_that_changed_keeps_the_doubt(rig: Rig) -> None:
    intent = placed(rig, "lost after")
    rig.step()
    rig.provider.account = replace(rig.provider.account, base_url="http://127.0.0.1:2/v1")
    rig.work(11)
    assert rig.journal.get(intent.intent_id).state is IntentState.IN_DOUBT


def test_a_doubtful_order_is_only_looked_for_once_buying_was_switched_off(rig: Rig) -> None:
    intent = placed(rig, "lost before")
    rig.step()
    rig.ordering._rules = Rules(read_only=True)
    rig.work(9)
    assert len(rig.provider.sends) == 1
    assert rig.journal.get(intent.intent_id).state is not IntentState.CONFIRMED


def test_a_queued_order_is_not_sent_with_another_key(rig: Rig) -> None:
    intent = placed(rig)
    rig.provider.account = replace(rig.provider.account, credential="rotated")
    assert outcome(rig, intent).state is IntentState.REJECTED
    assert rig.provider.sends == []


def test_looks_that_fail_prove_nothing(rig: Rig) -> None:
    intent = placed(rig, "lost after")
    rig.step()
    rig.provider.reachable = False
    rig.provider.fates = ["not sent"] * 1000
    rig.work(15)
    assert rig.journal.get(intent.intent_id).state is IntentState.IN_DOUBT
    rig.provider.reachable = True
    assert outcome(rig, intent).state is IntentState.CONFIRMED


# -- a person's word -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect_id", "state"), [("dlv_1", IntentState.CONFIRMED), (None, IntentState.NOT_PLACED)]
)
def test_a_person_settles_with_evidence(
    tmp_path: Path, effect_id: str | None, state: IntentState
) -> None:
    rig = Rig(tmp_path, "isometric")
    intent = outcome(rig, placed(rig, "lost before"))
    with pytest.raises(BadInput, match="how you know"):
        rig.ordering.settle(intent.intent_id, effect_id=effect_id, evidence=" ", who="ana")
    settled = rig.ordering.settle(
        intent.intent_id, effect_id=effect_id, evidence="mail of 3 November", who="ana"
    )
    assert settled.state is state
    newest = rig.journal.audit()[0]
    assert (newest.who, newest.detail) == ("ana", "mail of 3 November")
    with pytest.raises(BadInput, match="nothing for a person"):
        rig.ordering.settle(intent.intent_id, effect_id=None, evidence="x", who="ana")
    rig.close()


# -- one worker ----------------------------------------------------------------------------


def test_a_second_worker_is_refused_with_the_holders_pid(rig: Rig) -> None:
    rig.worker.step()
    with pytest.raises(AnotherWorker, match="CARBON_DESK_WORKER=external") as refused:
        rig.new_worker().step()
    assert str(refused.value.holder.pid) in str(refused.value)
    rig.worker.close()
    rig.new_worker().step()


def test_the_thread_works_until_it_is_told_to_stop(rig: Rig) -> None:
    intent = placed(rig)
    stop = threading.Event()
    worker: Worker = rig.new_worker()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    for _ in range(200):
        if rig.journal.get(intent.intent_id).settled:
            break
        stop.wait(0.05)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert rig.journal.get(intent.intent_id).state is IntentState.CONFIRMED
    assert rig.journal.lease_holder("worker", rig.clock.now) is None


# -- everything at once --------------------------------------------------------------------


class ExactlyOnce(RuleBasedStateMachine):
    """Orders, faults, kills, outages and clock jumps in any order."""

    @initialize(provider=st.sampled_from(PROVIDERS))
    def open(self, provider: ProviderName) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.rig = Rig(Path(self.folder.name), provider)
        self.intents: list[Intent] = []

    @rule(fates=st.lists(st.sampled_from(FATES), max_size=6))
    def order(self, fates: list[str]) -> None:
        self.rig.provider.fates += fates
        self.intents.append(self.rig.ordering.place(self.rig.quote, ceiling=PRICE, confirm="again"))

    @rule(times=st.integers(1, 4))
    def work(self, times: int) -> None:
        for _ in range(times):
            self.rig.step()

    @rule(seconds=st.sampled_from([1, 10, 61, 400, 700, -30, -90_000]))
    def time_passes(self, seconds: int) -> None:
        self.rig.clock.advance(seconds=seconds)

    @rule(reachable=st.booleans())
    def network(self, reachable: bool) -> None:
        self.rig.provider.reachable = reachable

    @rule()
    def restart(self) -> None:
        self.rig.worker.close()
        self.rig.worker = self.rig.new_worker()

    @invariant()
    def at_most_one_effect_each(self) -> None:
        counts = Counter(reference for reference, _ in self.rig.provider.effects)
        assert all(count == 1 for count in counts.values()), counts

    def teardown(self) -> None:
        self.rig.provider.reachable = True
        self.rig.provider.fates = []
        self.rig.clock.advance(days=30)  # beyond whatever the jumps back have postponed
        self.rig.work(60)
        happened = {reference for reference, _ in self.rig.provider.effects}
        for intent in map(self._now, self.intents):
            assert intent.state in FINAL | {IntentState.NEEDS_A_PERSON}, intent.message
            if intent.state is IntentState.CONFIRMED:
                assert intent.request.reference in happened
            elif intent.state is not IntentState.NEEDS_A_PERSON:
                assert intent.request.reference not in happened
            assert intent.message
        self.rig.close()
        self.folder.cleanup()

    def _now(self, intent: Intent) -> Intent:
        return self.rig.journal.get(intent.intent_id)


ExactlyOnce.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestExactlyOnce = ExactlyOnce.TestCase
