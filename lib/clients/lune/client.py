"""The Lune API v1: all 33 operations, in groups, over one session.

Adapters and notebooks may import it. Lists are lazy iterators that fetch pages as they are
needed; every method takes `account_id` to run as another account of the organisation.

Lune contract 1, 3 and 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from ..api import ApiClient
from ..cache import Cache
from ..http import Pace, Param, Session, identity_of
from ..models import read_list
from .accounts import Accounts
from .analytics import AggregatedAnalytics, BundleSeries, EmissionCalculations, Metrics
from .bodies import Selection, selection_body
from .catalogue import Bundle, Project
from .estimating import Estimates
from .group import LARGEST_PAGE, Group, account_header
from .models import BundlePercentage
from .orders import Orders

#: The newest version known; sent so that an organisation's older pinned one is never met.
API_VERSION = "2024-08-08"


class Bundles(Group):
    """What can be ordered, with prices in the account's currency (contract 4.1)."""

    def list(
        self,
        *,
        limit: int = LARGEST_PAGE,
        after: str | None = None,
        recently_disabled: bool = False,
        account_id: str | None = None,
    ) -> Iterator[Bundle]:
        """All bundles on sale, with `recently_disabled` also those disabled lately."""
        return self._walk(
            Bundle,
            "bundles",
            account_id=account_id,
            limit=limit,
            after=after,
            params={"recently_disabled": recently_disabled or None},
            keep="catalogue",
        )

    def get(self, bundle_id: str, *, account_id: str | None = None) -> Bundle:
        """One bundle."""
        return self._one(Bundle, "bundles", bundle_id, account_id=account_id, keep="catalogue")


class Projects(Group):
    """The projects behind the bundles (contract 4.1)."""

    def list(
        self,
        *,
        limit: int = LARGEST_PAGE,
        after: str | None = None,
        recently_disabled: bool = False,
        account_id: str | None = None,
    ) -> Iterator[Project]:
        """All projects, with `recently_disabled` also those disabled lately."""
        return self._walk(
            Project,
            "projects",
            account_id=account_id,
            limit=limit,
            after=after,
            params={"recently_disabled": recently_disabled or None},
            keep="projects",
        )

    def get(self, project_id: str, *, account_id: str | None = None) -> Project:
        """One project."""
        return self._one(Project, "projects", project_id, account_id=account_id, keep="projects")

    def by_slug(self, slug: str, *, account_id: str | None = None) -> Project:
        """One project by the name in its web address."""
        return self._one(
            Project, "projects", "by-slug", slug, account_id=account_id, keep="projects"
        )


class BundleSelections(Group):
    """The selection that orders follow when they name none; one per account (contract 4.2)."""

    def get(self, *, account_id: str | None = None) -> tuple[BundlePercentage, ...]:
        """The stored selection."""
        return self._session.read(
            "/bundle-selections",
            lambda reply: read_list(reply, BundlePercentage),
            headers=account_header(account_id),
            keep="settings",
        )

    def update(
        self, selection: Selection, *, account_id: str | None = None
    ) -> tuple[BundlePercentage, ...]:
        """Store a selection (bundle id to percentage); an empty one restores the default."""
        reply = self._session.put(
            "/bundle-selections",
            selection_body(selection),
            headers=account_header(account_id),
            drops=("settings",),
        )
        return read_list(reply, BundlePercentage)


class Analytics(Group):
    """Sums over the orders of a period; `start` and `end` are days, both included (contract 4.5).

    Without them the last 30 days. They are computed from the orders, so they check the order
    list without proving it.
    """

    def cumulative_per_bundle(
        self, *, start: date | None = None, end: date | None = None, account_id: str | None = None
    ) -> tuple[BundleSeries, ...]:
        """The running totals of each bundle."""
        return self._session.read(
            "/analytics/cumulative-per-bundle",
            lambda reply: read_list(reply, BundleSeries),
            params=_period(start, end),
            headers=account_header(account_id),
            keep="impact",
        )

    def metrics(
        self, *, start: date | None = None, end: date | None = None, account_id: str | None = None
    ) -> Metrics:
        """How many projects and UN goals."""
        return self._one(
            Metrics,
            *("analytics", "metrics"),
            account_id=account_id,
            params=_period(start, end),
            keep="impact",
        )

    def aggregated_by_property(
        self, *, start: date | None = None, end: date | None = None, account_id: str | None = None
    ) -> AggregatedAnalytics:
        """The tonnes and money by bundle, continent, registry, Oxford type and impact type."""
        return self._one(
            AggregatedAnalytics,
            *("analytics", "aggregated-by-property"),
            account_id=account_id,
            params=_period(start, end),
            keep="impact",
        )

    def emission_calculations(
        self,
        *,
        start: date | None = None,
        end: date | None = None,
        interval: Literal["day", "month"] | None = None,
        all_accounts: bool | None = None,
        account_id: str | None = None,
    ) -> EmissionCalculations:
        """How many estimates were made by day or month, here or in all accounts."""
        return self._one(
            EmissionCalculations,
            *("analytics", "emission-calculations"),
            account_id=account_id,
            params={**_period(start, end), "interval": interval, "all_accounts": all_accounts},
            keep="impact",
        )


class LuneClient(ApiClient):
    """Lune as one API key sees it; usable as a context manager, by many threads.

    The key decides between live and test mode. `timeout` is in seconds; `requests_per_second`
    keeps this client below Lune's limit of 15.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str = "https://api.lune.co/v1",
        timeout: float = 30.0,
        cache: Cache | None = None,
        requests_per_second: int = 15,
    ) -> None:
        super().__init__(
            Session(
                base_url=base_url,
                headers={"Authorization": f"Bearer {api_key}", "Lune-Version": API_VERSION},
                identity=identity_of(base_url, api_key),
                timeout=timeout,
                cache=cache,
                pace=Pace(requests_per_second),
            )
        )
        self.orders = Orders(self.session)
        self.bundles = Bundles(self.session)
        self.projects = Projects(self.session)
        self.bundle_selections = BundleSelections(self.session)
        self.estimates = Estimates(self.session)
        self.accounts = Accounts(self.session)
        self.analytics = Analytics(self.session)


def _period(start: date | None, end: date | None) -> dict[str, Param]:
    if start is not None and end is not None and start > end:
        raise ValueError("The period's start must not be after its end.")
    return {
        "from": start.isoformat() if start else None,
        "through": end.isoformat() if end else None,
    }
