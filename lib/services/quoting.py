"""Quoting: one mass, budget or activity, the prices of all sellers side by side.

Composed by desk.py; used by pages and notebooks through the desk. Buys nothing. Sellers are asked
in parallel, and one that fails leaves the others: its place is taken by a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from ..domain.activities import Activity
from ..domain.errors import BadInput, DeskError
from ..domain.quantities import LARGEST_MASS_G, Money
from ..domain.quotes import Estimate, Offer, Quote, QuoteBoard, QuoteFailure
from ..providers.base import Seller

_THREADS = 12

Found: TypeAlias = Estimate | Quote | QuoteFailure
#: Asks one seller one thing; returns what was found, and the jobs that follow from it.
_Job: TypeAlias = Callable[[], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked, checked: exactly one of mass, budget and activity."""

    mass_g: int | None
    budget: Money | None
    activity: Activity | None
    basis: str | None
    account: str | None
    offer: str | None
    subaccount: str | None


@dataclass(frozen=True, slots=True)
class BoardMass:
    """The one mass that all quotes of an activity are for, and whose estimate it is."""

    mass_g: int
    basis: str


class Quoting:
    """Asks every seller for prices. `sellers` maps account names, in the order of screens."""

    def __init__(self, sellers: Mapping[str, Seller]) -> None:
        self._sellers = sellers

    def board(
        self,
        *,
        mass_g: int | None = None,
        budget: Money | None = None,
        activity: Activity | None = None,
        basis: str | None = None,
        account: str | None = None,
        offer: str | None = None,
        subaccount: str | None = None,
    ) -> QuoteBoard:
        """All quotes for exactly one of a mass in grams, a budget or an activity.

        For an activity every seller estimates its emissions, and the estimate of account `basis`
        (by default of the first seller that has one) is the mass for all. `account`, `offer` and
        `subaccount` narrow the question. Raises BadInput; a seller's failure stands in `failures`.
        """
        wish = self._wish(mass_g, budget, activity, basis, account, offer, subaccount)
        estimates: list[Estimate] = []
        quotes: list[Quote] = []
        failures: list[QuoteFailure] = []
        mass: BoardMass | None = None
        for found in self._ask(wish):
            match found:
                case Estimate():
                    estimates.append(found)
                case Quote():
                    quotes.append(found)
                case QuoteFailure():
                    failures.append(found)
                case BoardMass():
                    mass = found
        accounts = list(self._sellers)
        return QuoteBoard(
            mass_g=mass.mass_g if mass else mass_g,
            budget=budget,
            basis=mass.basis if mass else None,
            activity=activity.describe() if activity else None,
            estimates=tuple(sorted(estimates, key=lambda x: accounts.index(x.account))),
            quotes=tuple(sorted(quotes, key=lambda x: (accounts.index(x.account), x.offer.name))),
            failures=tuple(sorted(failures, key=lambda x: accounts.index(x.account))),
        )

    def stream(
        self,
        *,
        mass_g: int | None = None,
        budget: Money | None = None,
        activity: Activity | None = None,
        basis: str | None = None,
        account: str | None = None,
        offer: str | None = None,
        subaccount: str | None = None,
    ) -> Iterator[Found | BoardMass]:
        """The same as `board`, piece by piece as the answers arrive.

        For an activity: the estimates, then the BoardMass they lead to, then the quotes.
        """
        return self._ask(self._wish(mass_g, budget, activity, basis, account, offer, subaccount))

    def _wish(
        self,
        mass_g: int | None,
        budget: Money | None,
        activity: Activity | None,
        basis: str | None,
        account: str | None,
        offer: str | None,
        subaccount: str | None,
    ) -> _Wish:
        if sum(x is not None for x in (mass_g, budget, activity)) != 1:
            raise BadInput("Give exactly one of a mass, a budget and an activity.")
        if mass_g is not None and not 0 < mass_g <= LARGEST_MASS_G:
            raise BadInput("The mass must be above 0, and below what the world emits in a year.")
        if budget is not None and budget.amount <= 0:
            raise BadInput("The budget must be above 0.")
        for name in (basis, account):
            if name is not None and name not in self._sellers:
                raise BadInput(f"“{name}” is not an account of this desk that sells credits.")
        if subaccount is not None and account is None:
            raise BadInput("A recipient belongs to one account: choose the account too.")
        return _Wish(mass_g, budget, activity, basis, account, offer, subaccount)

    def _ask(self, wish: _Wish) -> Iterator[Found | BoardMass]:
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="quoting")
        try:
            mass_g = wish.mass_g
            if wish.activity is not None:
                estimates: list[Estimate] = []
                for found in _arriving(pool, self._estimate_jobs(wish, wish.activity)):
                    if isinstance(found, Estimate):
                        estimates.append(found)
                    yield found
                mass = self._mass_of(estimates, wish.basis)
                if mass is None:
                    return
                yield mass
                mass_g = mass.mass_g
            yield from _arriving(pool, self._offer_jobs(wish, mass_g))
        finally:
            # A page that was left does not wait for slow providers.
            pool.shutdown(wait=False, cancel_futures=True)

    def _estimate_jobs(self, wish: _Wish, activity: Activity) -> list[_Job]:
        return [
            partial(_estimate, seller, activity)
            for name, seller in self._sellers.items()
            if wish.account in {None, name} or wish.basis == name
        ]

    def _offer_jobs(self, wish: _Wish, mass_g: int | None) -> list[_Job]:
        return [
            partial(_offers, seller, wish, mass_g)
            for name, seller in self._sellers.items()
            if wish.account in {None, name}
        ]

    def _mass_of(self, estimates: Sequence[Estimate], basis: str | None) -> BoardMass | None:
        """The estimate that counts: the chosen account's, else the first in order of screens."""
        by_account = {estimate.account: estimate for estimate in estimates}
        for name in [basis] if basis is not None else self._sellers:
            if name in by_account:
                return BoardMass(by_account[name].mass_g, name)
        return None


def _arriving(pool: ThreadPoolExecutor, jobs: Sequence[_Job]) -> Iterator[Found]:
    """What the jobs find, as it arrives; a job may also return further jobs."""
    pending = {pool.submit(job) for job in jobs}
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for finished in done:
            for item in finished.result():
                if callable(item):
                    pending.add(pool.submit(item))
                else:
                    yield item


def _estimate(seller: Seller, activity: Activity) -> list[Found]:
    try:
        estimate = seller.estimate(activity)
    except DeskError as problem:
        return [_failure(seller, None, str(problem))]
    if estimate is None:
        return [_failure(seller, None, f"No calculation for this ({activity.describe()}).")]
    return [estimate]


def _offers(seller: Seller, wish: _Wish, mass_g: int | None) -> list[_Job | Found]:
    """One quoting job per offer, or why this seller is not asked."""
    try:
        if wish.budget is not None:
            currency = seller.currency(wish.subaccount)
            if currency != wish.budget.currency:
                reason = f"Not asked: it charges {currency}, the budget is {wish.budget.currency}."
                return [_failure(seller, None, reason)]
        offers = [x for x in seller.offers() if wish.offer in {None, x.offer_id}]
    except DeskError as problem:
        return [_failure(seller, None, str(problem))]
    return [partial(_quote, seller, offer, wish, mass_g) for offer in offers]


def _quote(seller: Seller, offer: Offer, wish: _Wish, mass_g: int | None) -> list[Found]:
    try:
        return [seller.quote(offer, mass_g=mass_g, budget=wish.budget, subaccount=wish.subaccount)]
    except DeskError as problem:
        return [_failure(seller, offer.name, str(problem))]


def _failure(seller: Seller, offer_name: str | None, reason: str) -> QuoteFailure:
    return QuoteFailure(seller.account.name, seller.account.provider, offer_name, reason)
