"""The Isometric registry API v0: all 31 operations, in groups, over one session.

Adapters and notebooks may import it. Lists are lazy iterators in the registry's own order, or
with `backwards=True` from its end; single objects raise NotFoundError where the registry answers
404 or null. Writes take effect once and have no key: they are repeated only if provably nothing
was sent, and after any doubt the caller must look before asking again (contract 1, idempotency).

Isometric contract 1, 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack, cast

from ..api import ApiClient
from ..cache import Cache
from ..http import Param, Reply, Session, identity_of
from ..models import read_model
from .bodies import (
    BatchRetirement,
    OldestRetirement,
    checked_id,
    delivery_body,
    individual_beneficiary_body,
    oldest_retirement_body,
    organisation_beneficiary_body,
    retirement_body,
)
from .group import Group, Paging
from .models import (
    CreditBatch,
    CreditBatchList,
    Delivery,
    Issuance,
    IssuanceCreditBatches,
    Order,
    Organisation,
    OrganisationCreditBalance,
    Project,
    Retirement,
    Supplier,
)

#: Cached reads that a delivery or a retirement makes stale: a project's totals.
_TOTALS = ("projects",)


class BatchFilter(TypedDict, total=False):
    """Which batches of an organisation are wanted; all conditions hold together.

    Without `status` split batches are left out. The times need a zone and bound strictly.
    """

    supplier_id: str
    project_id: str
    issuance_id: str
    delivery_id: str
    order_id: str
    retirement_id: str
    status: Sequence[Literal["active", "split", "retired"]]
    issued_after: datetime
    issued_before: datetime
    sort_direction: Literal["asc", "desc"]


def read_delivery(reply: Reply) -> Delivery:
    """Read the answer to a delivery; raises MalformedReplyError."""
    return read_model(reply, Delivery)


def read_retirement(reply: Reply) -> Retirement:
    """Read the answer to a retirement; raises MalformedReplyError."""
    return read_model(reply, Retirement)


class Organisations(Group):
    """Organisations; balances, orders and batches are shown to the parties only."""

    def current(self) -> Organisation:
        """The organisation that the access token acts for."""
        return self._one(Organisation, "organisation", keep="organisations")

    def get(self, organisation_id: str) -> Organisation:
        """One organisation."""
        checked_id(organisation_id, "org")
        return self._one(Organisation, "organisations", organisation_id, keep="organisations")

    def orders(self, organisation_id: str, **paging: Unpack[Paging]) -> Iterator[Order]:
        """The orders it placed, newest first."""
        checked_id(organisation_id, "org")
        return self._walk(Order, "organisations", organisation_id, "orders", **paging)

    def credit_balance(self, organisation_id: str) -> OrganisationCreditBalance:
        """What it holds and what is retired; never cached, for it checks other figures."""
        checked_id(organisation_id, "org")
        return self._one(
            OrganisationCreditBalance, "organisations", organisation_id, "credit_balance"
        )

    def credit_batches(
        self,
        organisation_id: str,
        *,
        where: BatchFilter | None = None,
        **paging: Unpack[Paging],
    ) -> Iterator[CreditBatch]:
        """The batches it owns or that are retired for it, latest issued first by default."""
        checked_id(organisation_id, "org")
        return self._walk(
            CreditBatch,
            *("organisations", organisation_id, "credit_batches"),
            params=_batch_params(where or {}),
            **paging,
        )


class Suppliers(Group):
    """Suppliers and what belongs to one of them."""

    def current(self) -> Supplier:
        """The supplier that the access token acts for; Forbidden or NotFound if it is none."""
        return self._one(Supplier, "supplier", keep="organisations")

    def list(self, **paging: Unpack[Paging]) -> Iterator[Supplier]:
        """All suppliers of the registry."""
        return self._walk(Supplier, "suppliers", keep="organisations", **paging)

    def get(self, supplier_id: str) -> Supplier:
        """One supplier."""
        checked_id(supplier_id, "spl")
        return self._one(Supplier, "suppliers", supplier_id, keep="organisations")

    def projects(self, supplier_id: str, **paging: Unpack[Paging]) -> Iterator[Project]:
        """Its projects, latest created first."""
        checked_id(supplier_id, "spl")
        return self._walk(Project, "suppliers", supplier_id, "projects", keep="projects", **paging)

    def orders(self, supplier_id: str, **paging: Unpack[Paging]) -> Iterator[Order]:
        """The orders placed with it, latest first."""
        checked_id(supplier_id, "spl")
        return self._walk(Order, "suppliers", supplier_id, "orders", **paging)

    def deliveries(self, supplier_id: str, **paging: Unpack[Paging]) -> Iterator[Delivery]:
        """Its deliveries, latest first."""
        checked_id(supplier_id, "spl")
        return self._walk(Delivery, "suppliers", supplier_id, "deliveries", **paging)

    def issuances(self, supplier_id: str, **paging: Unpack[Paging]) -> Iterator[Issuance]:
        """Its issuances, latest first."""
        checked_id(supplier_id, "spl")
        return self._walk(Issuance, "suppliers", supplier_id, "issuances", **paging)


class Projects(Group):
    """Projects of the whole registry."""

    def list(self, **paging: Unpack[Paging]) -> Iterator[Project]:
        """All projects by name."""
        return self._walk(Project, "projects", keep="projects", **paging)

    def get(self, project_id: str) -> Project:
        """One project."""
        checked_id(project_id, "prj")
        return self._one(Project, "projects", project_id, keep="projects")


class Issuances(Group):
    """Issuances of the whole registry."""

    def list(self, **paging: Unpack[Paging]) -> Iterator[Issuance]:
        """All issuances, latest first."""
        return self._walk(Issuance, "issuances", **paging)

    def get(self, issuance_id: str) -> Issuance:
        """One issuance."""
        return self._one(Issuance, "issuances", checked_id(issuance_id, "iss"))

    def credit_batches(self, issuance_id: str) -> IssuanceCreditBatches:
        """Its batches as issued (some may be split by now), the buffer pool's apart."""
        checked_id(issuance_id, "iss")
        return self._one(IssuanceCreditBatches, "issuances", issuance_id, "credit_batches")


class Orders(Group):
    """Orders by id; the API creates none."""

    def get(self, order_id: str) -> Order:
        """One order, for its buyer and its supplier."""
        return self._one(Order, "orders", checked_id(order_id, "ord"))

    def deliveries(self, order_id: str, **paging: Unpack[Paging]) -> Iterator[Delivery]:
        """What was delivered for it, latest first (contract 4.1)."""
        checked_id(order_id, "ord")
        return self._walk(Delivery, "orders", order_id, "deliveries", **paging)


class Deliveries(Group):
    """Deliveries of the whole registry, and making one."""

    def list(
        self,
        *,
        from_supplier_id: str | None = None,
        to_organisation_id: str | None = None,
        **paging: Unpack[Paging],
    ) -> Iterator[Delivery]:
        """Deliveries, latest first, of one supplier or to one organisation if asked."""
        params = {"from_supplier_id": from_supplier_id, "to_organisation_id": to_organisation_id}
        return self._walk(Delivery, "deliveries", params=params, **paging)

    def get(self, delivery_id: str) -> Delivery:
        """One delivery."""
        return self._one(Delivery, "deliveries", checked_id(delivery_id, "dlv"))

    def credit_batches(self, delivery_id: str) -> tuple[CreditBatch, ...]:
        """Its batches as delivered; some may be split by now."""
        checked_id(delivery_id, "dlv")
        return self._one(CreditBatchList, "deliveries", delivery_id, "credit_batches").nodes

    def create(
        self,
        *,
        order_id: str,
        credit_batch_quantities: Sequence[tuple[str, int]],
        notes: str | None = None,
    ) -> Delivery:
        """Deliver (batch id, kilograms) pairs for an order; irrevocable (contract 4.2).

        After OutcomeUnknownError, MalformedReplyError or ServerError read the order's deliveries
        before anything else: there is no key that would stop a second delivery.
        """
        body = delivery_body(
            order_id=order_id, credit_batch_quantities=credit_batch_quantities, notes=notes
        )
        return read_delivery(self._session.post("/deliveries", body, drops=_TOTALS))


class CreditBatches(Group):
    """Batches by id."""

    def get(self, batch_id: str) -> CreditBatch:
        """One batch, whatever its status."""
        return self._one(CreditBatch, "credit_batches", checked_id(batch_id, "ctb"))


class Retirements(Group):
    """Retirements of the whole registry, and making one."""

    def list(
        self,
        *,
        beneficiary_org_id: str | None = None,
        owner_org_id: str | None = None,
        **paging: Unpack[Paging],
    ) -> Iterator[Retirement]:
        """Retirements, latest first, for one beneficiary or by one owner if asked."""
        params = {"beneficiary_org_id": beneficiary_org_id, "owner_org_id": owner_org_id}
        return self._walk(Retirement, "retirements", params=params, **paging)

    def get(self, retirement_id: str) -> Retirement:
        """One retirement."""
        return self._one(Retirement, "retirements", checked_id(retirement_id, "ret"))

    def credit_batches(self, retirement_id: str) -> tuple[CreditBatch, ...]:
        """The batches it retired."""
        checked_id(retirement_id, "ret")
        return self._one(CreditBatchList, "retirements", retirement_id, "credit_batches").nodes

    def create(self, **retirement: Unpack[BatchRetirement]) -> Retirement:
        """Retire (batch id, kilograms) pairs; irrevocable, doubt as for a delivery (5.1)."""
        return self._retire("/retirements", retirement_body(**retirement))

    def from_oldest(self, **retirement: Unpack[OldestRetirement]) -> Retirement:
        """Retire the owner's oldest credits of a supplier (5.2).

        Irrevocable, and a repetition would take other credits: never ask again after doubt.
        """
        body = oldest_retirement_body(**retirement)
        return self._retire("/retirements/from_oldest_credits", body)

    def _retire(self, path: str, body: dict[str, Any]) -> Retirement:
        return read_retirement(self._session.post(path, body, drops=_TOTALS))


class Beneficiaries(Group):
    """Those the caller may retire for (contract 5.3)."""

    def list(self, **paging: Unpack[Paging]) -> Iterator[Organisation]:
        """All of them."""
        return self._walk(Organisation, "beneficiaries", keep="subaccounts", **paging)

    def create(self, *, name: str, domain: str) -> Organisation:
        """Make an organisation a beneficiary; the name becomes public, the domain does not."""
        return self._create(organisation_beneficiary_body(name=name, domain=domain))

    def create_individual(self, *, name: str, email: str) -> Organisation:
        """Make a person a beneficiary; the name becomes public, the address does not."""
        return self._create(individual_beneficiary_body(name=name, email=email))

    def _create(self, body: dict[str, Any]) -> Organisation:
        return read_model(
            self._session.post("/beneficiary", body, drops=("subaccounts",)), Organisation
        )


class IsometricClient(ApiClient):
    """The registry as one organisation sees it; usable as a context manager, by many threads.

    `client_secret` names the application, `access_token` acts for exactly one organisation.
    `base_url` decides between production and the vendor's sandbox; `timeout` is in seconds.
    """

    def __init__(
        self,
        *,
        client_secret: str,
        access_token: str,
        base_url: str = "https://api.isometric.com/registry/v0",
        timeout: float = 30.0,
        cache: Cache | None = None,
    ) -> None:
        super().__init__(
            Session(
                base_url=base_url,
                headers={
                    "X-Client-Secret": client_secret,
                    "Authorization": f"Bearer {access_token}",
                },
                identity=identity_of(base_url, client_secret, access_token),
                timeout=timeout,
                cache=cache,
            )
        )
        self.organisations = Organisations(self.session)
        self.suppliers = Suppliers(self.session)
        self.projects = Projects(self.session)
        self.issuances = Issuances(self.session)
        self.orders = Orders(self.session)
        self.deliveries = Deliveries(self.session)
        self.credit_batches = CreditBatches(self.session)
        self.retirements = Retirements(self.session)
        self.beneficiaries = Beneficiaries(self.session)


def _batch_params(where: BatchFilter) -> dict[str, Param]:
    """The filter as query parameters; ValueError for a time without a zone."""
    return {
        **{name: _plain(value) for name, value in where.items()},
        # The only field there is; without it the direction would have nothing to turn.
        "sort_field": "issued_at" if "sort_direction" in where else None,
    }


def _plain(value: object) -> Param:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("Give the times of a batch filter with their zone.")
        return value.isoformat()
    return value if isinstance(value, str) else sorted(set(cast("Sequence[str]", value)))
