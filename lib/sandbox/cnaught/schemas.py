"""The bodies of the CNaught API as the sandbox reads and documents them (contract 2 and 4).

Imported only inside this package. Requests are checked with these models; replies are built as
plain JSON and documented with them, and a test holds every reply against its model.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_LARGEST = Decimal(10) ** 9
"""Amounts beyond this are refused: a million tonnes in one order is a slip of the pen."""


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 (pydantic expects it)
    return Decimal(value)


def _not_finer_than_milligrams(value: Decimal) -> Decimal:
    if value != value.quantize(Decimal("0.000001")):
        raise ValueError("must have at most 6 decimals")
    return value


_NUMBER = {"type": "number", "exclusiveMinimum": 0}
Positive = Annotated[
    Decimal, Field(gt=0, le=_LARGEST), BeforeValidator(_number), WithJsonSchema(_NUMBER)
]
Kilograms = Annotated[Positive, AfterValidator(_not_finer_than_milligrams)]
Cents = Annotated[int, Field(strict=True, gt=0, le=10**12)]
Text = Annotated[str, Field(max_length=512)]
Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class NotificationConfig(_Body):
    """Where to call when the order changes state; an absolute https URL."""

    url: Annotated[str, Field(max_length=2048)]


class OrderTexts(_Body):
    """What all orders may say beside their amount."""

    metadata: Text | None = None
    description: Text | None = None
    notification_config: NotificationConfig | None = None
    portfolio_id: str | None = None


class OrderRequest(OrderTexts):
    """POST /orders: exactly one of the two amounts."""

    amount_kg: Kilograms | None = None
    total_price_usd_cents: Cents | None = None


class RideOrderRequest(OrderTexts):
    """POST /orders/ride."""

    distance_km: Positive


class QuoteBasis(_Body):
    """Which price a quote takes; source null means api."""

    portfolio_id: str | None = None
    source: Literal["api", "checkout"] | None = None


class GenericQuoteRequest(QuoteBasis):
    """POST /quotes."""

    amount_kg: Kilograms


class DistanceQuoteRequest(QuoteBasis):
    """POST /quotes/ride, /quotes/flight and /quotes/train."""

    distance_km: Positive


class FreightQuoteRequest(QuoteBasis):
    """POST /quotes/air-freight and /quotes/ground-freight."""

    freight_mass_kg: Positive
    distance_km: Positive


class GroundTransportQuoteRequest(QuoteBasis):
    """POST /quotes/ground-transport: the whole vehicle."""

    distance_km: Positive
    vehicle_type: Literal["passenger_car_van_or_suv", "small_bus", "school_bus", "coach_bus"]


class OfficeSpaceQuoteRequest(QuoteBasis):
    """POST /quotes/office-space: one year."""

    square_footage: Positive


class SubaccountUpdateRequest(_Body):
    """PUT /subaccounts/{id}: a full replacement, the logo apart."""

    name: Annotated[str, Field(min_length=1, max_length=512)]
    email: Text | None = None
    default_portfolio_id: str | None = None


class SubaccountCreateRequest(SubaccountUpdateRequest):
    """POST /subaccounts."""

    logo_url: Annotated[str, Field(max_length=2048)] | None = None


class CheckoutSessionRequest(_Body):
    """POST /checkout/sessions."""

    amount_kg: Kilograms
    success_url: Annotated[str, Field(max_length=2048)]
    cancel_url: Annotated[str, Field(max_length=2048)]
    portfolio_id: str | None = None
    description: Text | None = None
    notification_config: NotificationConfig | None = None


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lifetime(_Reply):
    """The years a project runs."""

    start_year: int | None = None
    end_year: int | None = None


class NotableBuyer(_Reply):
    """Who else bought from a project."""

    name: str
    logo_url: str
    logo_alt_text: str | None = None


class DueDiligenceFigure(_Reply):
    """A picture from the due diligence."""

    description: str
    image_url: str
    image_alt_text: str | None = None


class NewsArticle(_Reply):
    """What was written about a project."""

    title: str
    url: str
    author: str
    published_on: str
    cnaught_take: str | None = None


class Project(_Reply):
    """A project; the catalogue's entries are of this form too."""

    id: str
    name: str
    type: str
    un_sdg_goals: tuple[Annotated[int, Field(ge=1, le=17)], ...]
    activity_types: tuple[str, ...] | None = None
    developer: str | None = None
    registry_name: str | None = None
    registry_id: str | None = None
    registry_url: str | None = None
    summary: str | None = None
    description: str | None = None
    location_name: str | None = None
    location_latitude: Annotated[Number, Field(ge=-90, le=90)] | None = None
    location_longitude: Annotated[Number, Field(ge=-180, le=180)] | None = None
    primary_image_url: str | None = None
    methodology: str | None = None
    verifier: str | None = None
    permanence: str | None = None
    lifetime: Lifetime | None = None
    impact_type: str | None = None
    due_diligence: str | None = None
    beyond_carbon: str | None = None
    risk_of_reversal: str | None = None
    third_party_labels: tuple[str, ...] | None = None
    notable_buyers: tuple[NotableBuyer, ...] | None = None
    due_diligence_figure: DueDiligenceFigure | None = None
    news_articles: tuple[NewsArticle, ...] | None = None


class CreditIssuance(_Reply):
    """Credits issued to a project for a vintage, in tonnes."""

    vintage_year: int
    total_amount: Number


class ProjectWithCreditIssuances(Project):
    """GET /projects/{id}."""

    credit_issuances: list[CreditIssuance]


class ProjectCategory(_Reply):
    """A kind of project."""

    id: str
    name: str
    description: str | None
    primary_image_url: str | None


class ProjectCategoryWithProjects(ProjectCategory):
    """GET /project-categories/{id}."""

    projects: list[Project]


class Portfolio(_Reply):
    """An entry of GET /portfolios."""

    id: str
    name: str
    summary: str | None
    description: str | None
    primary_image_url: str | None


class PortfolioList(_Reply):
    """GET /portfolios."""

    data: list[Portfolio]


class CategoryAllocation(_Reply):
    """A portfolio's fraction for a category."""

    allocated_fraction: Number
    category: ProjectCategoryWithProjects


class PortfolioWithCategoryAllocations(Portfolio):
    """GET /portfolios/{id}."""

    checkout_price_per_kg_usd_cents: Number
    api_price_per_kg_usd_cents: Number
    category_allocations: list[CategoryAllocation]


class Retirement(_Reply):
    """A range of units retired at a registry."""

    serial_number_range: str | None
    url: str | None


class ProjectAllocation(_Reply):
    """An order's part from one project."""

    project: Project
    amount_kg: Number
    retirements: list[Retirement]


class Order(_Reply):
    """An order; every key is always sent."""

    id: str
    order_number: str
    created_on: str
    metadata: Text | None
    description: Text | None
    amount_kg: Number
    state: Literal["placed", "fulfilled", "cancelled"]
    price_usd_cents: int
    callback_url: str | None
    certificate_public_url: str | None
    certificate_download_public_url: str | None
    subaccount_id: str | None
    project_allocations: list[ProjectAllocation]
    checkout_session_id: str | None


class OrderList(_Reply):
    """GET /orders."""

    data: list[Order]


class Quote(_Reply):
    """What all quotes answer."""

    amount_kg: Number
    price_usd_cents: int


class ImpactEquivalents(_Reply):
    """The impact in things people know."""

    cars_off_the_road: Number
    trees_planted: Number
    homes_annual_energy_usage: Number
    flights_lax_to_nyc: Number


class ImpactCategory(_Reply):
    """A category without its id."""

    name: str
    description: str | None


class ImpactProjectUsage(_Reply):
    """What was retired from a project."""

    project: Project
    offset_kgs: Number
    vintages: str


class ImpactCategoryUsage(_Reply):
    """What was retired from a category."""

    category: ImpactCategory
    offset_kgs: Number
    projects: list[ImpactProjectUsage]


class ImpactData(_Reply):
    """GET /impact/data."""

    name: str | None
    logo_url: str | None
    total_offset_kgs: Number
    equivalents: ImpactEquivalents
    categories: list[ImpactCategoryUsage]
    since_date: str
    to_date: str | None


class ImpactHostedPageConfig(_Reply):
    """GET /impact/hosted-page-config."""

    enabled: bool
    url: str | None
    enabled_equivalents: list[Literal["cars", "homes", "flights", "trees"]]


class Subaccount(_Reply):
    """A subaccount."""

    id: str
    name: str
    email: str | None
    created_on: str
    default_portfolio_id: str | None
    logo_url: str | None


class SubaccountList(_Reply):
    """GET /subaccounts."""

    data: list[Subaccount]


class CheckoutSession(_Reply):
    """A checkout session."""

    id: str
    amount_kg: Number
    price_usd_cents: int
    success_url: str
    cancel_url: str
    checkout_url: str
    state: Literal["open", "complete", "expired"]
    created_on: str
    expires_on: str
    completed_on: str | None
    portfolio_id: str
    subaccount_id: str | None
    order_description: str | None
    order_webhook_url: str | None
