"""The composition root: `open_desk()` gives the Desk that pages, notebooks and commands hold.

    desk = open_desk()
    board = desk.quote(mass="2.5", unit="t")
    intent = desk.place(board[0], ceiling=board[0].price, confirm=True)
    desk.sync()
    desk.ledger()

Everything a person can be told is a `lib.domain.errors.DeskError` with one clear sentence. pandas
is imported only by the methods that return DataFrames.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .clients.cache import Cache
from .clients.cnaught import CNaughtClient
from .clients.isometric import IsometricClient
from .clients.lune import LuneClient
from .domain.activities import Activity
from .domain.errors import BadInput, NoWorker
from .domain.intents import Intent, IntentState
from .domain.ledger import Movement
from .domain.quantities import MassUnit, Money, wished_grams
from .domain.quotes import Quote, QuoteBoard
from .providers.base import Account, DeliverableBatch, OpenOrder, Recipient, Registry, Seller
from .providers.cnaught.provider import CNaught
from .providers.isometric.provider import Isometric
from .providers.lune.provider import Lune
from .services.embedded import EmbeddedSandbox
from .services.keeping import Keeper, Pace
from .services.ordering import Ordering, Rules
from .services.periods import Calendar
from .services.quoting import Quoting
from .services.syncing import Report, Syncing, SyncResult
from .services.worker import LEASE, AnotherWorker, Worker
from .settings import AccountSettings, Settings, load_settings
from .store.engine import Engines, open_engines
from .store.journal import Attempt, Journal
from .store.ledger import Ledger
from .store.syncs import Syncs

if TYPE_CHECKING:
    import pandas as pd

    from .services.reporting import Impact, Reporting

_log = logging.getLogger(__name__)

Client = CNaughtClient | LuneClient | IsometricClient

_PACES = {
    "sandbox": Pace(just_ordered=3, with_open_orders=30, all=300),
    "test": Pace(just_ordered=10, with_open_orders=120, all=900),
    "live": Pace(just_ordered=10, with_open_orders=300, all=1800, settling=300),
}


#: A worker's thread takes its lease within this many seconds after `start`.
_WORKER_STARTS_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class PlacedIntent(Intent):
    """The intent that `desk.place` queued. It sends nothing: a worker does."""

    desk: Desk | None = field(default=None, compare=False, repr=False)

    def wait(self, timeout: float = 60.0) -> Intent:
        """The intent as it stands once it is settled or needs a person, or after `timeout` seconds.

        Raises NoWorker when nobody is there to send it; one that was just started is waited for.
        """
        desk = self._desk()
        deadline = time.monotonic() + timeout
        worker_due = time.monotonic() + min(timeout, _WORKER_STARTS_WITHIN_S)
        while True:
            intent = desk.intent(self.intent_id)
            if intent.settled or intent.state == IntentState.NEEDS_A_PERSON:
                return intent
            if time.monotonic() >= worker_due and not desk.worker_alive():
                raise NoWorker(
                    "The order is written down but no worker is running to send it: open the app "
                    "or run “python -m lib worker”. Unsent orders expire after ten minutes."
                )
            if time.monotonic() >= deadline:
                return intent
            time.sleep(0.1)

    def _desk(self) -> Desk:
        if self.desk is None:
            raise BadInput("This intent was not placed through a desk.")
        return self.desk


class Desk:
    """Accounts, quotes, orders and the ledger of one set of settings.

    Thread-safe. Close it (or use `with`) when done; `start` lets it work in the background.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._embedded: EmbeddedSandbox | None = None
        self._engines: Engines = open_engines(settings.database_url, settings.data_dir)
        accounts = dict(settings.accounts)
        if not accounts:
            self._embedded = EmbeddedSandbox(settings.data_dir)
            accounts = self._embedded.accounts()
        self.cache = Cache(settings.data_dir / "cache.db")
        self.clients: dict[str, Client] = {}
        self._sellers: dict[str, Seller] = {}
        self._registries: dict[str, Registry] = {}
        for name, account in accounts.items():
            self._connect(name, account)
        visible = [(account.name, account.provider, account.mode) for account in self.accounts]
        self._ledger = Ledger(self._engines, visible)
        self._syncs = Syncs(self._engines, [name for name, _provider, _mode in visible])
        self._journal = Journal(self._engines.records)
        self._syncing = Syncing({**self._sellers, **self._registries}, self._ledger, self._syncs)
        self._quoting = Quoting(self._sellers)
        self._ordering = Ordering(
            self._journal,
            sellers=self._sellers,
            registries=self._registries,
            clock=_now,
            rules=Rules(settings.read_only, settings.allow_live_orders),
        )
        self._keeper = Keeper(
            self._syncing,
            self._syncs,
            {account.name: _PACES[account.mode] for account in self.accounts},
            filling=self._sandbox_is_filling,
        )
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def _connect(self, name: str, settings: AccountSettings) -> None:
        key = settings.api_key.get_secret_value()
        account = Account(name, settings.provider, settings.mode, settings.url, _fingerprint(key))
        timeout = self.settings.request_timeout_s
        if settings.provider == "cnaught":
            cnaught = CNaughtClient(
                api_key=key, base_url=settings.url, timeout=timeout, cache=self.cache
            )
            self.clients[name] = cnaught
            self._sellers[name] = CNaught(account, cnaught)
        elif settings.provider == "lune":
            lune = LuneClient(api_key=key, base_url=settings.url, timeout=timeout, cache=self.cache)
            self.clients[name] = lune
            self._sellers[name] = Lune(account, lune)
        else:
            secret = settings.client_secret
            isometric = IsometricClient(
                client_secret=secret.get_secret_value() if secret else "",
                access_token=key,
                base_url=settings.url,
                timeout=timeout,
                cache=self.cache,
            )
            self.clients[name] = isometric
            self._registries[name] = Isometric(account, isometric)

    # -- who and what

    @property
    def accounts(self) -> tuple[Account, ...]:
        """All accounts, sellers first, without their credentials."""
        return tuple(
            source.account for source in (*self._sellers.values(), *self._registries.values())
        )

    @property
    def is_sandbox(self) -> bool:
        """Whether every figure is sample data."""
        return all(account.mode != "live" for account in self.accounts)

    @property
    def embedded_sandbox_url(self) -> str | None:
        """Where the desk's own sandbox listens; None when accounts are set."""
        return self._embedded.url if self._embedded else None

    def advance_sandbox(self, seconds: int) -> str:
        """Move the own sandbox's clock forward and read the accounts again; its new time."""
        if self._embedded is None:
            raise BadInput("This desk has accounts of its own: there is no sandbox clock to move.")
        now = self._embedded.advance(seconds)
        self.sync_soon()
        return now

    def probe(self, account: str) -> str:
        """Who the account's credentials act as; raises ProviderProblem when they do not work."""
        return self._source(account).probe()

    def _source(self, account: str) -> Seller | Registry:
        source = self._sellers.get(account) or self._registries.get(account)
        if source is None:
            raise BadInput(f"There is no account “{account}” on this desk.")
        return source

    # -- quotes

    def quote(
        self,
        *,
        mass: str | int | Any = None,
        unit: MassUnit = "kg",
        budget: Money | None = None,
        activity: Activity | None = None,
        basis: str | None = None,
        account: str | None = None,
        offer: str | None = None,
        subaccount: str | None = None,
    ) -> QuoteBoard:
        """One mass, all sellers: exactly one of `mass` (in `unit`), `budget` and `activity`.

        `basis` names the account whose estimate of an activity sets the mass; `account`, `offer`
        and `subaccount` narrow the question. Buys nothing. Raises BadInput; a seller's failure
        stands in the board's `failures`.
        """
        return self._quoting.board(
            mass_g=None if mass is None else wished_grams(mass, unit),
            budget=budget,
            activity=activity,
            basis=basis,
            account=account,
            offer=offer,
            subaccount=subaccount,
        )

    def recipients(self, account: str) -> list[Recipient]:
        """Subaccounts or client accounts that an order of this account can be placed for."""
        seller = self._sellers.get(account)
        return seller.recipients() if seller else []

    # -- orders

    def draft(
        self, quote: Quote, *, ceiling: Money, description: str | None = None,
        who: str = "unidentified",
    ) -> Intent:  # fmt: skip
        """Write down an order for review; nothing is queued until `confirm`."""
        return self._ordering.prepare(quote, ceiling=ceiling, description=description, who=who)

    def confirm(
        self, intent_id: str, *, typed: str | None = None, who: str | None = None
    ) -> Intent:
        """Queue a draft; confirming twice is the same as once."""
        return self._ordering.confirm(intent_id, typed=typed, who=who)

    def place(
        self,
        quote: Quote,
        *,
        ceiling: Money,
        confirm: bool | str,
        description: str | None = None,
        who: str = "unidentified",
    ) -> PlacedIntent:
        """Commit a queued intent to order at no more than `ceiling`, and return it.

        `confirm` must be True (or “again” to repeat the same order within ten minutes). Sends
        nothing itself. Raises NotAllowed by the desk's rules, BadInput otherwise.
        """
        intent = self._ordering.place(
            quote, ceiling=ceiling, confirm=confirm, description=description, who=who
        )
        return self._placed(intent)

    def cancel(
        self, account: str, order_id: str, *, confirm: bool | str, who: str = "unidentified"
    ) -> PlacedIntent:
        """Queue the cancellation of an order; raises NotAllowed where the provider has none."""
        return self._placed(self._ordering.cancel(account, order_id, confirm=confirm, who=who))

    def deliver(
        self,
        account: str,
        order_id: str,
        batches: Sequence[tuple[str, int]],
        *,
        confirm: bool | str,
        who: str = "unidentified",
    ) -> PlacedIntent:
        """Queue a delivery of (batch id, grams) pairs against an order, as its supplier."""
        return self._placed(
            self._ordering.deliver(account, order_id, batches, confirm=confirm, who=who)
        )

    def settle(
        self, intent_id: str, *, effect_id: str | None, evidence: str, who: str = "unidentified"
    ) -> Intent:
        """Record what a person found out about an intent that needs one."""
        return self._ordering.settle(intent_id, effect_id=effect_id, evidence=evidence, who=who)

    def intent(self, intent_id: str) -> Intent:
        """The intent as the journal holds it now; raises BadInput for an unknown id."""
        return self._journal.get(intent_id)

    def intents(self, limit: int = 50) -> list[Intent]:
        """The newest intents."""
        return self._journal.recent(limit=limit)

    def unsettled(self) -> list[Intent]:
        """Every intent that can still move or waits for a person, however old."""
        return self._journal.open()

    def attempts(self, intent_id: str) -> list[Attempt]:
        """What was tried for an intent, oldest first."""
        return self._journal.attempts(intent_id)

    def certificate(self, account: str, order_id: str) -> bytes:
        """The order's certificate as PDF bytes."""
        seller = self._sellers.get(account)
        if seller is None:
            raise BadInput("A registry has no order certificates: open the delivery instead.")
        return seller.certificate(order_id)

    def open_orders(self, account: str) -> list[OpenOrder]:
        """Orders that this supplier account can still deliver against."""
        registry = self._registries.get(account)
        return registry.open_orders() if registry else []

    def deliverable_batches(self, account: str) -> list[DeliverableBatch]:
        """Batches that this supplier account owns and has not delivered."""
        registry = self._registries.get(account)
        return registry.deliverable_batches() if registry else []

    def _placed(self, intent: Intent) -> PlacedIntent:
        values = {f.name: getattr(intent, f.name) for f in fields(Intent)}
        return PlacedIntent(**values, desk=self)

    # -- the ledger

    def sync(
        self, accounts: Sequence[str] | None = None, report: Report | None = None
    ) -> SyncResult:
        """Bring the ledger up to date once; `report(account, orders_read)` tells how far it is."""
        for name in accounts or ():
            self._source(name)
        return self._syncing.sync(accounts, report)

    def sync_soon(self, accounts: Sequence[str] | None = None) -> None:
        """Let the background thread sync these accounts (all by default) at once."""
        for name in accounts or [account.name for account in self.accounts]:
            self._keeper.soon(name)

    def forget_cached_answers(self) -> None:
        """Read everything anew from the providers next time."""
        for client in self.clients.values():
            self.cache.drop(client.session.identity)

    def version(self) -> int:
        """Grows whenever the ledger or the state of a sync changes: a key for caches."""
        return self._ledger.version()

    def rows_version(self) -> int:
        """Grows only when the ledger's rows change: a sync that finds nothing new leaves it."""
        return self._ledger.rows_version()

    def movements(self, account: str, order_id: str, side: str = "bought") -> list[Movement]:
        """The journal entries of one order: what moved from stage to stage, and when."""
        return self._ledger.movements(account, order_id, side)

    def ledger(self, **equal: Any) -> pd.DataFrame:
        """The tidy ledger; `equal` filters columns, as in `desk.ledger(provider="lune")`."""
        return self._reporting.ledger(**equal)

    def orders(self, **equal: Any) -> pd.DataFrame:
        """Orders with their grams by measure."""
        return self._reporting.orders(**equal)

    def delivered(
        self,
        providers: Sequence[str] | None = None,
        accounts: Sequence[str] | None = None,
        side: str = "bought",
    ) -> pd.DataFrame:
        """Delivered, retired and outstanding grams per project and vintage."""
        return self._reporting.delivered(provider=providers, account=accounts, side=side)

    def reconciliation(self, *, detail: bool = False) -> pd.DataFrame:
        """The providers' independent figures beside ours."""
        return self._reporting.reconciliation(detail=detail)

    def freshness(self) -> pd.DataFrame:
        """When each account was last read, how far a running sync is, what failed."""
        return self._reporting.freshness()

    def alarms(self) -> pd.DataFrame:
        """What needs a look."""
        return self._reporting.alarms()

    def unmatched(self) -> pd.DataFrame:
        """Retired on our behalf without an order of ours."""
        return self._reporting.unmatched()

    def projects(self) -> pd.DataFrame:
        """What the providers say of the projects named by orders."""
        return self._reporting.projects()

    def impact(self, **equal: Any) -> Impact:
        """What was retired, by type, retirement year and beneficiary, with comparisons."""
        return self._reporting.impact(**equal)

    def hosted_page(self, account: str) -> str | None:
        """The public impact page that the provider hosts for the account, where it has one."""
        seller = self._sellers.get(account)
        return seller.hosted_page() if seller else None

    @cached_property
    def _reporting(self) -> Reporting:
        from .services.reporting import Reporting  # noqa: PLC0415 (pandas takes a second)

        calendar = Calendar(self.settings.reporting_timezone, self.settings.fiscal_year_start)
        return Reporting(self._ledger, self._syncs, calendar)

    # -- the background

    def worker(self) -> Worker:
        """A worker for this desk's journal: run it in one thread of one process."""
        effects: Mapping[str, Any] = {**self._sellers, **self._registries}
        return Worker(
            self._journal,
            effects,
            requote=self._ordering.reprice,
            allowed=self._ordering.allows,
            on_settled=self._keeper.soon,
            clock=_now,
        )

    def start(self) -> None:
        """Keep the ledger fresh and, unless an external worker is set, send intents: in threads.

        Another worker on the same journal is no error: this process goes on without its own.
        """
        if self._threads:
            return
        work: list[Callable[[], None]] = [lambda: self._keeper.run(self._stop)]
        if self.settings.worker == "embedded":
            # Also on a read-only desk: what was sent before must still be looked up.
            work.append(self._work)
        for target in work:
            thread = threading.Thread(target=target, name="carbon-desk", daemon=True)
            self._threads.append(thread)
            thread.start()

    def run(self) -> None:
        """The work of `python -m lib worker`, until interrupted; raises AnotherWorker."""
        keeper = threading.Thread(target=self._keeper.run, args=(self._stop,), daemon=True)
        # Close waits for it: a sync that the process's end cuts short would print a traceback.
        self._threads.append(keeper)
        keeper.start()
        try:
            self.worker().run(self._stop)
        finally:
            self._stop.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self.worker().run(self._stop)
            except AnotherWorker as problem:
                _log.info("%s", problem)
                self._stop.wait(15)

    def worker_alive(self) -> bool:
        """Whether some worker, here or elsewhere, holds the journal's lease."""
        return self._journal.lease_holder(LEASE, _now()) is not None

    def _sandbox_is_filling(self) -> bool:
        return self._embedded is not None and not self._embedded.ready()

    def close(self) -> None:
        """Stop the background threads, the clients, the databases and the own sandbox."""
        self._stop.set()
        self._syncing.interrupt()
        self._keeper.wake()
        for thread in self._threads:
            thread.join(timeout=10)
        for client in self.clients.values():
            client.close()
        self.cache.close()
        self._engines.dispose()
        if self._embedded:
            self._embedded.stop()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_desk(settings: Settings | None = None) -> Desk:
    """Open the desk of these settings (by default the environment's and the secrets file's).

    With no account set it starts, or finds, its own sandbox. Raises SettingsProblem or
    StoreProblem in one sentence.
    """
    return Desk(load_settings() if settings is None else settings)


def _now() -> datetime:
    return datetime.now(UTC)


def _fingerprint(key: str) -> str:
    """Tells a changed key from the same one; says nothing about the key."""
    return hmac.new(b"carbon-desk credential", key.encode(), hashlib.sha256).hexdigest()[:16]
