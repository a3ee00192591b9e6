"""A scripted provider for fault injection at the `Effects` protocol.

It stands where a provider's adapter would: each send takes the next of a list of fates, and every
effect that truly happened is recorded. The sandbox drops real connections; only here can every
order of outcomes be tried thousands of times.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lib.domain.errors import ProviderUnreachable
from lib.domain.intents import IntentState, Receipt, Request
from lib.domain.ledger import ProviderName
from lib.domain.quantities import Money, wished_money
from lib.domain.quotes import Offer, Quote
from lib.providers import outcomes
from lib.providers.base import Account
from lib.services.ordering import Ordering, Rules
from lib.services.worker import Worker
from lib.store.engine import open_engines
from lib.store.journal import Journal

PRICE = wished_money("50", "USD")
MASS_G = 2_500_000

#: What may become of one send: what happens at the provider, and what is heard of it.
FATES = (
    "ok",
    "not sent",
    "refused",
    "busy",
    "still running",
    "lost before",
    "lost after",
    "wrong amount",
    "too dear",
    "broken",
    "killed before",
    "killed after",
)


class Killed(BaseException):
    """The process ends here: nothing of ours runs any more."""


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class ScriptedProvider:
    """Sends and finds like an adapter; idempotent by key where the provider is."""

    def __init__(self, provider: ProviderName) -> None:
        self.account = Account(provider, provider, "sandbox", "http://127.0.0.1:1/v1", "fp")
        self.fates: list[str] = []
        self.effects: list[tuple[str, Receipt]] = []
        self.sends: list[Request] = []
        self.reachable = True
        self._ids = (f"effect-{n}" for n in itertools.count(1))

    def send(self, request: Request) -> Receipt:
        self.sends.append(request)
        fate = self.fates.pop(0) if self.fates else "ok"
        if fate == "not sent":
            raise outcomes.NotSent("Could not be reached.")
        if fate == "refused":
            raise outcomes.Refused("It said no.")
        if fate == "busy":
            raise outcomes.Busy("It asks to wait.", retry_after=7)
        if fate == "still running":
            raise outcomes.StillRunning("It is still at it.")
        if fate == "lost before":
            raise outcomes.Doubtful("No answer.")
        if fate == "killed before":
            raise Killed
        receipt = self._effect(request, fate)
        if fate == "killed after":
            raise Killed
        if fate == "lost after":
            raise outcomes.Doubtful("No answer.")
        if fate == "broken":
            raise KeyError("an adapter's bug after the effect")
        return receipt

    def find(self, request: Request, since: datetime) -> Receipt | None:
        if not self.reachable:
            raise ProviderUnreachable("Could not be reached.")
        found = [receipt for reference, receipt in self.effects if reference == request.reference]
        if len(found) > 1:
            raise outcomes.Contradiction("Found twice.")
        return found[0] if found else None

    def _effect(self, request: Request, fate: str) -> Receipt:
        if self.account.provider != "isometric":
            for reference, receipt in self.effects:
                if reference == request.reference:
                    if self.account.provider == "lune":
                        raise outcomes.AlreadyExists("The key was used.")
                    return receipt
        grams = MASS_G - 1 if fate == "wrong amount" else MASS_G
        price = Money(PRICE.amount * 2, "USD") if fate == "too dear" else PRICE
        receipt = Receipt(next(self._ids), "placed", grams, price)
        self.effects.append((request.reference, receipt))
        return receipt

    # The Seller's part that ordering and re-quoting use.

    def quote(
        self, offer: Offer, *, mass_g: int | None, budget: Money | None, subaccount: str | None
    ) -> Quote:
        if not self.reachable:
            raise ProviderUnreachable("Could not be reached.")
        return a_quote(self.account, price=self.price_now)

    price_now = PRICE

    def order_request(
        self, quote: Quote, *, key: str, reference: str, description: str | None
    ) -> Request:
        body = f'{{"amount_kg":{quote.mass_g / 1000},"n":"{description}"}}'.encode()
        headers = (("Idempotency-Key", key),)
        return Request("order", "POST", "/orders", headers, body, key, reference)

    def cancel_request(self, order_id: str, *, key: str, subaccount: str | None) -> Request:
        return Request("cancel", "POST", f"/orders/{order_id}/cancel", (), b"", key, f"c {key}")


def a_quote(account: Account, *, price: Money = PRICE, mass_g: int = MASS_G) -> Quote:
    offer = Offer(account.name, account.provider, "offer-1", "Balanced", "portfolio")
    quoted_at = datetime(2026, 11, 1, tzinfo=UTC)
    return Quote(account.name, account.provider, offer, "mass", mass_g, price, quoted_at)


class Rig:
    """Journal, ordering and worker on one SQLite file (or PostgreSQL) and one provider."""

    def __init__(
        self,
        folder: Path,
        provider: ProviderName = "cnaught",
        *,
        rules: Rules | None = None,
        database_url: str | None = None,
    ) -> None:
        self.engines = open_engines(database_url, folder)
        self.clock = Clock()
        self.journal = Journal(self.engines.records)
        self.provider = ScriptedProvider(provider)
        self.settled: list[str] = []
        self.ordering = Ordering(
            self.journal,
            sellers={provider: self.provider},  # type: ignore[dict-item]
            registries={},
            clock=self.clock,
            rules=rules or Rules(),
        )
        self.worker = self.new_worker()

    def new_worker(self) -> Worker:
        return Worker(
            self.journal,
            {self.provider.account.name: self.provider},
            requote=self.ordering.reprice,
            allowed=self.ordering.allows,
            on_settled=self.settled.append,
            clock=self.clock,
        )

    @property
    def quote(self) -> Quote:
        return a_quote(self.provider.account)

    def step(self) -> bool:
        """One step of the worker; when it is killed, a new one starts in its place."""
        try:
            return self.worker.step()
        except Killed:
            self.worker.close()
            self.worker = self.new_worker()
            return True

    def work(self, minutes: float = 60) -> None:
        """Let the worker work until only people can go on, moving the clock when it is idle."""
        end = self.clock.now + timedelta(minutes=minutes)
        while self.clock.now < end and self.waiting:
            if not self.step():
                self.clock.advance(seconds=30)

    @property
    def waiting(self) -> bool:
        """Whether some intent is still the worker's matter."""
        return any(x.state is not IntentState.NEEDS_A_PERSON for x in self.journal.open())

    def close(self) -> None:
        self.engines.dispose()
