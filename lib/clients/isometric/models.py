"""What the Isometric registry answers, read into frozen models.

Imported by this package's client and by whoever holds what it returns. Field names are the
wire's; unknown fields are kept, unknown enum values stay text, and keys that the registry's own
samples leave out may be absent. Masses are `CreditQuantity`: kilograms as an integer of any size,
which is the exact figure, with the same amount in credits (tonnes) beside it.

Isometric contract 3; the fields of a delivery and an order are those of 4.1 and 5.4.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, Field

from ..models import Day, Many, Number, Timestamp, Whole, WireModel


class Listed(WireModel):
    """Anything the registry knows by an id."""

    id: str


class CreditQuantity(WireModel):
    """A mass twice: `credit_kgs` in kilograms of CO2e, `credits` in tonnes."""

    credits: Annotated[Number, Field(ge=0)]
    credit_kgs: Annotated[Whole, Field(ge=0)]


class Organisation(Listed):
    """A party of the registry; `domain` is None where it has none."""

    name: str
    domain: str | None = None


class Location(WireModel):
    """Where a supplier or project is; a country in ISO 3166-1 alpha-3, degrees if stated."""

    country_code: str
    country_name: str
    latitude: Number | None = None
    longitude: Number | None = None
    description: str | None = None


class Supplier(Listed):
    """An organisation that removes carbon dioxide and sells the credits."""

    organisation: Organisation
    short_description: str | None = None
    long_description: str | None = None
    location: Location | None = None


class Order(Listed):
    """Credits a buyer bought from a supplier; `status` is placed, in_progress or completed."""

    effective_contract_date: Day
    buyer_organisation: Organisation
    supplier: Supplier
    status: str
    credits_ordered: CreditQuantity
    credits_delivered: CreditQuantity
    fulfilled_at: Timestamp | None = None


class Delivery(Listed):
    """Credits that a supplier assigned to an order; `notes` are public."""

    delivered_at: Timestamp
    order_id: str
    from_supplier: Supplier
    to_organisation: Organisation
    credit_batch_size_total: CreditQuantity
    url: str
    notes: str | None = None


class CarbonRemovalData(WireModel):
    """How the mass of a batch was reckoned, all in kilograms of CO2e."""

    gross_carbon_removed_kg: Whole
    net_carbon_removed_kg: Whole
    emissions_kg: Whole
    counterfactuals_kg: Whole
    losses_kg: Whole


class CreditBatch(Listed):
    """Units of 1 kg with one serial number; `status` is active, split or retired.

    A split batch can no longer be used: its units live on in its two children. There is no
    vintage field; it is the year of `sequestered_on`, which older replies call `sequestered_at`
    (contract 2 and 7).
    """

    serial_number: str
    status: str
    size: CreditQuantity
    issued_at: Timestamp
    sequestered_on: Annotated[
        Day, Field(validation_alias=AliasChoices("sequestered_on", "sequestered_at"))
    ]
    supplier_id: str
    project_id: str
    issuance_id: str
    owner: Organisation
    country_of_issue: str | None = None
    removal_id: str | None = None
    retired_at: Timestamp | None = None
    delivered_at: Timestamp | None = None
    parent_id: str | None = None
    left_child_id: str | None = None
    right_child_id: str | None = None
    delivery_id: str | None = None
    retirement_id: str | None = None
    beneficiary: Organisation | None = None
    carbon_removal_data: CarbonRemovalData | None = None
    ccp_approved: bool | None = None


class Project(Listed):
    """A project and its totals since it began; issued credits include the buffer pool's."""

    name: str
    supplier: Supplier
    status: str
    short_code: str
    pathway: str
    country_code: str
    issued_credits_total: CreditQuantity
    retired_credits_total: CreditQuantity
    issued_buffer_pool_credits_total: CreditQuantity
    retired_buffer_pool_credits_total: CreditQuantity
    url: str | None = None
    process_key: str | None = None
    protocol_slug: str | None = None
    validator_name: str | None = None
    current_verifier_name: str | None = None
    crediting_period_start: Day | None = None
    crediting_period_end: Day | None = None
    location: Location | None = None


class Issuance(Listed):
    """Verified removal turned into credits; the reporting period includes both its days."""

    issued_at: Timestamp
    supplier: Supplier
    project_id: str
    reporting_period_start_at: Day
    reporting_period_end_at: Day
    supplier_credit_batch_size_total: CreditQuantity
    buffer_pool_credit_batch_size_total: CreditQuantity
    credit_batch_size_total: CreditQuantity


class IssuanceCreditBatches(WireModel):
    """The batches of an issuance as issued, those of the buffer pool apart."""

    issuance_id: str
    supplier_credit_batches: tuple[CreditBatch, ...]
    supplier_credit_batch_size_total: CreditQuantity
    buffer_pool_credit_batches: tuple[CreditBatch, ...]
    buffer_pool_credit_batch_size_total: CreditQuantity
    credit_batch_size_total: CreditQuantity


class Retirement(Listed):
    """Credits made final for one beneficiary; `notes` are public."""

    retired_at: Timestamp
    purposes: tuple[str, ...]
    beneficiary: Organisation
    owner: Organisation
    credit_batch_size_total: CreditQuantity
    url: str
    notes: str | None = None


class CreditBalance(WireModel):
    """What an organisation holds and what is retired."""

    active_credits_total: CreditQuantity
    retired_credits_total: CreditQuantity


class SupplierCreditBalance(WireModel):
    """The balance of one supplier's credits."""

    supplier_id: str
    total: CreditBalance


class ProjectCreditBalance(WireModel):
    """The balance of one project's credits."""

    project_id: str
    total: CreditBalance


class OrderCreditBalance(WireModel):
    """The balance of the credits delivered for one order."""

    order_id: str
    total: CreditBalance


class OrganisationCreditBalance(WireModel):
    """An organisation's balance, whole and cut in three ways."""

    total: CreditBalance
    supplier_balances: Many[SupplierCreditBalance] = ()
    project_balances: Many[ProjectCreditBalance] = ()
    order_balances: Many[OrderCreditBalance] = ()


class PageInfo(WireModel):
    """Where a page lies in its list; cursors are None when the page is empty."""

    has_previous_page: bool
    has_next_page: bool
    start_cursor: str | None = None
    end_cursor: str | None = None


class Page(WireModel):
    """One page of any list, its nodes still unread; `total_count` is the whole list's size."""

    nodes: list[Any]
    page_info: PageInfo
    total_count: Whole


class CreditBatchList(WireModel):
    """All batches of a delivery or retirement: these lists are not paged."""

    nodes: tuple[CreditBatch, ...]
    total_count: Whole
