"""The CNaught API v1, operation by operation.

Imported by the CNaught adapter and by notebooks. Each method describes a request; `http.Session`
sends it, `models` reads the answer. Methods raise `clients.errors.ApiError`s, and ValueError for
arguments that the contract refuses, before anything is sent. `subaccount_id` scopes a call to
one subaccount; without it a call covers the whole account (contract 1).

Orders, quotes, checkout sessions and impact figures are never cached: the first three must be
as they are now, and the ledger is held against the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from ..api import ApiClient
from ..cache import Cache
from ..http import Session, identity_of, path_of
from ..models import read_model
from . import bodies
from .bodies import Amount
from .models import (
    CheckoutSession,
    ImpactData,
    ImpactHostedPageConfig,
    Portfolio,
    PortfolioDetails,
    Project,
    ProjectCategory,
    Subaccount,
)
from .orders import Orders
from .quotes import Quotes
from .shared import LARGEST_PAGE, Group, data_reader, reader, scope, walk_list

BASE_URL = "https://api.cnaught.com/v1"


class CNaughtClient(ApiClient):
    """One CNaught account; may be shared by threads.

    `cache` keeps portfolios, projects, categories and subaccounts for a while. Close it, or use
    it in a `with` statement.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str = BASE_URL,
        timeout: float = 30.0,
        cache: Cache | None = None,
    ) -> None:
        super().__init__(
            Session(
                base_url=base_url,
                headers={"Authorization": f"Bearer {api_key}"},
                identity=identity_of("cnaught", base_url, api_key),
                timeout=timeout,
                cache=cache,
            )
        )
        self.orders = Orders(self.session)
        self.quotes = Quotes(self.session)
        self.impact = Impact(self.session)
        self.subaccounts = Subaccounts(self.session)
        self.checkout_sessions = CheckoutSessions(self.session)
        self.portfolios = Portfolios(self.session)
        self.projects = Projects(self.session)
        self.project_categories = ProjectCategories(self.session)


class Impact(Group):
    """What was retired for the account or a subaccount (contract 4.7 and 4.8)."""

    def data(
        self,
        *,
        from_: datetime | None = None,
        to: datetime | None = None,
        subaccount_id: str | None = None,
    ) -> ImpactData:
        """Kilograms of fulfilled, not cancelled orders in [`from_`, `to`); both carry a zone."""
        return self._session.read(
            "/impact/data",
            reader(ImpactData),
            params={"from": _rfc3339("from_", from_), "to": _rfc3339("to", to)},
            headers=scope(subaccount_id),
        )

    def hosted_page_config(self, *, subaccount_id: str | None = None) -> ImpactHostedPageConfig:
        """Whether there is a public impact page, and where."""
        return self._session.read(
            "/impact/hosted-page-config",
            reader(ImpactHostedPageConfig),
            headers=scope(subaccount_id),
            keep="settings",
        )


class Subaccounts(Group):
    """Subaccounts (contract 4.9).

    All raise ForbiddenError on an account without them.
    """

    _DROPS = ("subaccounts", "settings")

    def list(
        self,
        *,
        limit: int = LARGEST_PAGE,
        starting_after: str | None = None,
        ending_before: str | None = None,
    ) -> Iterator[Subaccount]:
        """Walk all subaccounts; the arguments are those of `Orders.list`."""
        return walk_list(
            self._session,
            "subaccounts",
            Subaccount,
            limit=limit,
            starting_after=starting_after,
            ending_before=ending_before,
            keep="subaccounts",
        )

    def create(
        self,
        *,
        name: str,
        email: str | None = None,
        default_portfolio_id: str | None = None,
        logo_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Subaccount:
        """Create one. Raises BadRequestError for an unknown portfolio."""
        body = bodies.subaccount_body(
            name=name, email=email, default_portfolio_id=default_portfolio_id, logo_url=logo_url
        )
        reply = self._session.post(
            "/subaccounts", body, headers=scope(None, idempotency_key), drops=self._DROPS
        )
        return read_model(reply, Subaccount)

    def get(self, id: str) -> Subaccount:
        """One subaccount. Raises NotFoundError."""
        return self._session.read(
            path_of("subaccounts", id), reader(Subaccount), keep="subaccounts"
        )

    def update(
        self, id: str, *, name: str, email: str | None, default_portfolio_id: str | None
    ) -> Subaccount:
        """Replace name, email and default portfolio; None clears. The logo stays."""
        body = bodies.subaccount_replacement(
            name=name, email=email, default_portfolio_id=default_portfolio_id
        )
        reply = self._session.put(path_of("subaccounts", id), body, drops=self._DROPS)
        return read_model(reply, Subaccount)

    def delete(self, id: str) -> None:
        """Delete one without orders. Raises ForbiddenError when it has any."""
        self._session.delete(path_of("subaccounts", id), drops=self._DROPS)


class CheckoutText(TypedDict, total=False):
    """What may be said about a checkout session; see `bodies.checkout_body`."""

    portfolio_id: str | None
    description: str | None
    notification_url: str | None


class CheckoutSessions(Group):
    """Hosted payment pages, on which an end customer pays by card (contract 4.10)."""

    def create(
        self,
        *,
        amount_kg: Amount,
        success_url: str,
        cancel_url: str,
        subaccount_id: str | None = None,
        **about: Unpack[CheckoutText],
    ) -> CheckoutSession:
        """Open a page; paying it creates an order. Raises BadRequestError below 50 cents."""
        body = bodies.checkout_body(
            amount_kg=amount_kg, success_url=success_url, cancel_url=cancel_url, **about
        )
        reply = self._session.post("/checkout/sessions", body, headers=scope(subaccount_id))
        return read_model(reply, CheckoutSession)

    def get(self, id: str, *, subaccount_id: str | None = None) -> CheckoutSession:
        """One session, as it is now. Raises NotFoundError."""
        return self._session.read(
            path_of("checkout", "sessions", id),
            reader(CheckoutSession),
            headers=scope(subaccount_id),
        )


class Portfolios(Group):
    """What can be ordered from (contract 4.11)."""

    def list(self) -> tuple[Portfolio, ...]:
        """The portfolios the account may order from; the list has no pages."""
        return self._session.read("/portfolios", data_reader(Portfolio), keep="catalogue")

    def get(self, id: str) -> PortfolioDetails:
        """One portfolio with prices, categories and projects. Raises NotFoundError."""
        return self._session.read(
            path_of("portfolios", id), reader(PortfolioDetails), keep="catalogue"
        )


class Projects(Group):
    """Projects (contract 4.11); there is no list of all, see portfolios and categories."""

    def get(self, id: str) -> Project:
        """One project with its credit issuances. Raises NotFoundError."""
        return self._session.read(path_of("projects", id), reader(Project), keep="projects")


class ProjectCategories(Group):
    """Categories of projects (contract 4.11)."""

    def get(self, id: str) -> ProjectCategory:
        """One category with its projects. Raises NotFoundError."""
        return self._session.read(
            path_of("project-categories", id), reader(ProjectCategory), keep="projects"
        )


def _rfc3339(name: str, moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError(f"{name} must carry a time zone.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
