"""The shapes of the registry's wire, requests and answers: Isometric contract 3, 4 and 5.

Imported only inside this package. The server's own reading of the contract: the client library
has another, so that a mistake in one shows in the other.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from ..state import rfc3339

BatchStatus = Literal["active", "split", "retired"]
OrderStatus = Literal["placed", "in_progress", "completed"]
ProjectStatus = Literal[
    "draft", "preview", "under_validation", "validated", "validation_unsuccessful", "cancelled"
]
Pathway = Literal[
    "biomass_carbon_removal_and_storage",
    "direct_air_capture",
    "enhanced_weathering",
    "carbon_mineralization",
    "reforestation",
    "marine",
    "superpollutants",
]
Purpose = Literal[
    "corporate_targets",
    "public_environmental_claims",
    "insetting",
    "regulatory_requirement",
    "other",
]


def unique(values: list[Any] | None) -> list[Any] | None:
    """Refuse a list that names something twice."""
    if values is not None and len(set(values)) != len(values):
        raise ValueError("must not hold the same value twice")
    return values


def _storable(text: str) -> str:
    # JSON can escape what no database and no UTF-8 reply can hold.
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must be text without NUL or lone surrogates")
    return text


Id = Annotated[str, Field(min_length=20, max_length=37), AfterValidator(_storable)]
Text256 = Annotated[str, Field(max_length=256), AfterValidator(_storable)]
Email = Annotated[
    str,
    Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", json_schema_extra={"format": "email"}),
    AfterValidator(_storable),
]
Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]
Moment = Annotated[
    datetime, PlainSerializer(rfc3339), WithJsonSchema({"type": "string", "format": "date-time"})
]
Day = Annotated[
    date, PlainSerializer(date.isoformat), WithJsonSchema({"type": "string", "format": "date"})
]
Node = TypeVar("Node")


class CreditQuantity(BaseModel):
    """A mass: `credits` in tonnes with at most three decimals, `credit_kgs` in kilograms."""

    credits: Number
    credit_kgs: int


class Organisation(BaseModel):
    """A buyer, supplier or beneficiary."""

    id: str
    name: str
    domain: str | None


class Location(BaseModel):
    """Where a supplier or project is."""

    country_code: str
    country_name: str
    latitude: Number
    longitude: Number
    description: str | None = None


class Supplier(BaseModel):
    """An organisation that removes CO2 and sells it."""

    id: str
    short_description: str | None
    long_description: str | None
    organisation: Organisation
    location: Location | None


class Order(BaseModel):
    """Credits a buyer bought from a supplier under a contract."""

    id: str
    effective_contract_date: Day
    fulfilled_at: Moment | None
    buyer_organisation: Organisation
    supplier: Supplier
    status: OrderStatus
    credits_ordered: CreditQuantity
    credits_delivered: CreditQuantity


class Delivery(BaseModel):
    """Credits that a supplier assigned to an order."""

    id: str
    delivered_at: Moment
    order_id: str
    from_supplier: Supplier
    to_organisation: Organisation
    credit_batch_size_total: CreditQuantity
    url: str
    notes: str | None


class CarbonRemovalData(BaseModel):
    """How a batch's net removal came about, in whole kilograms: gross less the other three."""

    gross_carbon_removed_kg: int
    net_carbon_removed_kg: int
    emissions_kg: int
    counterfactuals_kg: int
    losses_kg: int


class CreditBatch(BaseModel):
    """A run of 1 kg units of one supplier, project and issuance."""

    id: str
    serial_number: str
    status: BatchStatus
    size: CreditQuantity
    issued_at: Moment
    retired_at: Moment | None
    delivered_at: Moment | None
    sequestered_on: Day
    country_of_issue: str
    supplier_id: str
    parent_id: str | None
    left_child_id: str | None
    right_child_id: str | None
    issuance_id: str
    delivery_id: str | None
    beneficiary: Organisation | None
    retirement_id: str | None
    removal_id: str
    owner: Organisation
    project_id: str
    carbon_removal_data: CarbonRemovalData | None
    ccp_approved: bool


class Project(BaseModel):
    """A supplier's activity that removes CO2; `issued_credits_total` includes the buffer pool."""

    id: str
    name: str
    supplier: Supplier
    status: ProjectStatus
    short_code: str
    url: str
    process_key: str
    pathway: Pathway
    protocol_slug: str
    country_code: str
    validator_name: str | None
    current_verifier_name: str | None
    crediting_period_start: Day | None
    crediting_period_end: Day | None
    issued_credits_total: CreditQuantity
    retired_credits_total: CreditQuantity
    issued_buffer_pool_credits_total: CreditQuantity
    retired_buffer_pool_credits_total: CreditQuantity
    location: Location | None


class Issuance(BaseModel):
    """Verified removal turned into credits, part of them for the buffer pool."""

    id: str
    issued_at: Moment
    supplier: Supplier
    project_id: str
    reporting_period_start_at: Day
    reporting_period_end_at: Day
    supplier_credit_batch_size_total: CreditQuantity
    buffer_pool_credit_batch_size_total: CreditQuantity
    credit_batch_size_total: CreditQuantity


class IssuanceCreditBatches(BaseModel):
    """The batches as originally issued; some may be split by now."""

    issuance_id: str
    supplier_credit_batches: list[CreditBatch]
    supplier_credit_batch_size_total: CreditQuantity
    buffer_pool_credit_batches: list[CreditBatch]
    buffer_pool_credit_batch_size_total: CreditQuantity
    credit_batch_size_total: CreditQuantity


class Retirement(BaseModel):
    """Credits made final for a beneficiary's claim."""

    id: str
    retired_at: Moment
    purposes: list[Purpose]
    beneficiary: Organisation
    owner: Organisation
    credit_batch_size_total: CreditQuantity
    url: str
    notes: str | None


class CreditBalance(BaseModel):
    """What an organisation owns, still active and retired."""

    active_credits_total: CreditQuantity
    retired_credits_total: CreditQuantity


class SupplierCreditBalance(BaseModel):
    """The balance of one supplier's credits."""

    supplier_id: str
    total: CreditBalance


class ProjectCreditBalance(BaseModel):
    """The balance of one project's credits."""

    project_id: str
    total: CreditBalance


class OrderCreditBalance(BaseModel):
    """The balance of the credits delivered for one order."""

    order_id: str
    total: CreditBalance


class OrganisationCreditBalance(BaseModel):
    """The balance of all credits an organisation owns, and how it divides."""

    total: CreditBalance
    supplier_balances: list[SupplierCreditBalance]
    project_balances: list[ProjectCreditBalance]
    order_balances: list[OrderCreditBalance]


class PageInfo(BaseModel):
    """Where a page lies in its list (contract 1.1)."""

    has_previous_page: bool
    start_cursor: str | None
    has_next_page: bool
    end_cursor: str | None


class ListResource(BaseModel, Generic[Node]):
    """A whole list, not paged."""

    nodes: list[Node]
    total_count: int


class PaginatedListResource(BaseModel, Generic[Node]):
    """One page; `total_count` is the size of the whole list."""

    nodes: list[Node]
    total_count: int
    page_info: PageInfo


class HTTPError(BaseModel):
    """Every refusal that is not about the request's form."""

    detail: str


class _Body(BaseModel):
    # Strict: "500" and 500.0 are no integers on this wire. Unknown fields are ignored.
    model_config = ConfigDict(strict=True)


class CreditBatchQuantity(_Body):
    """So many kilograms of one batch."""

    credit_batch_id: Id
    credit_quantity_kg: int = Field(gt=0)


BatchQuantities = Annotated[list[CreditBatchQuantity], Field(min_length=1)]
Purposes = Annotated[list[Purpose], Field(min_length=1), AfterValidator(unique)]


class CreateDeliveryRequest(_Body):
    """Contract 4.2; the key `notes` must be present, its value may be null."""

    credit_batch_quantities: BatchQuantities
    order_id: Id
    notes: Text256 | None


class _RetirementRequest(_Body):
    owner_organisation_id: Id
    beneficiary_organisation_id: Id
    supplier_id: Id
    retirement_purposes: Purposes
    notes: Text256 | None


class CreateRetirementByBatchRequest(_RetirementRequest):
    """Contract 5.1: the caller names the batches."""

    credit_batch_quantities: BatchQuantities


class CreateRetirementOldestCreditsRequest(_RetirementRequest):
    """Contract 5.2: the registry takes the oldest credits, perhaps of one vintage or order."""

    credit_quantity_kg: int = Field(gt=0)
    vintage: int | None = Field(default=None, ge=1900, le=2100)
    order_id: Id | None = None


class CreateOrganizationBeneficiary(_Body):
    """Contract 5.3: an organisation, known by its domain (not public)."""

    typename: Literal["CreateOrganizationBeneficiary"] = Field(
        default="CreateOrganizationBeneficiary", alias="__typename"
    )
    beneficiary_name: Text256
    beneficiary_domain: Text256


class CreateIndividualBeneficiary(_Body):
    """Contract 5.3: a person, known by their e-mail address (not public)."""

    typename: Literal["CreateIndividualBeneficiary"] = Field(
        default="CreateIndividualBeneficiary", alias="__typename"
    )
    beneficiary_name: Text256
    beneficiary_email: Email


CreateBeneficiaryRequest = CreateOrganizationBeneficiary | CreateIndividualBeneficiary


def quantity(kg: int) -> CreditQuantity:
    """`{"credits": 1.5, "credit_kgs": 1500}`: 1 credit is 1000 kg."""
    tonnes, rest = divmod(kg, 1000)
    return CreditQuantity(credits=Decimal(f"{tonnes}.{rest:03d}"), credit_kgs=kg)
