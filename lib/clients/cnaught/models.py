"""What CNaught answers, as frozen models with the wire's field names.

Imported by this package's client and by whoever holds what it returns. Masses are kilograms of
CO2e, money is whole US cents, both exact. Only what a decision rests on is indispensable;
whatever merely describes may be absent or None, and new values of `state` stay text.

CNaught contract 2 and 4.
"""

from __future__ import annotations

from ..models import Label, Many, Number, Timestamp, Whole, WireModel


class NotableBuyer(WireModel):
    """A known buyer of a project's credits."""

    name: str | None = None
    logo_url: str | None = None
    logo_alt_text: str | None = None


class DueDiligenceFigure(WireModel):
    """A picture that illustrates the due diligence."""

    description: str | None = None
    image_url: str | None = None
    image_alt_text: str | None = None


class NewsArticle(WireModel):
    """What was written about a project; `published_on` is the provider's text."""

    title: str | None = None
    url: str | None = None
    author: str | None = None
    published_on: str | None = None
    cnaught_take: str | None = None


class ProjectLifetime(WireModel):
    """The years in which a project runs."""

    start_year: Whole | None = None
    end_year: Whole | None = None


class CreditIssuance(WireModel):
    """Credits issued to a project for a vintage; the unit of `total_amount` is not stated.

    It concerns the whole project and says nothing about any order's vintage.
    """

    vintage_year: Whole
    total_amount: Number


class Project(WireModel):
    """A project, as CNaught describes it (contract 2); coordinates in degrees.

    `credit_issuances` is filled by `projects.get` only.
    """

    id: str
    name: str
    type: str
    un_sdg_goals: Many[Whole] = ()
    activity_types: Many[str] = ()
    developer: str | None = None
    registry_name: str | None = None
    registry_id: Label | None = None
    registry_url: str | None = None
    summary: str | None = None
    description: str | None = None
    location_name: str | None = None
    location_latitude: Number | None = None
    location_longitude: Number | None = None
    primary_image_url: str | None = None
    methodology: str | None = None
    verifier: str | None = None
    permanence: str | None = None
    lifetime: ProjectLifetime | None = None
    impact_type: str | None = None
    due_diligence: str | None = None
    beyond_carbon: str | None = None
    risk_of_reversal: str | None = None
    third_party_labels: Many[str] = ()
    notable_buyers: Many[NotableBuyer] = ()
    due_diligence_figure: DueDiligenceFigure | None = None
    news_articles: Many[NewsArticle] = ()
    credit_issuances: Many[CreditIssuance] = ()


class Retirement(WireModel):
    """The retired block an allocation was taken from; it may be larger than the allocation."""

    serial_number_range: str | None = None
    url: str | None = None


class ProjectAllocation(WireModel):
    """The kilograms of an order that one project fulfils."""

    project: Project
    amount_kg: Number
    retirements: Many[Retirement] = ()


class OrderReceipt(WireModel):
    """What placing an order may answer: the published samples leave out all but three fields.

    `state` is "not provided" where the answer has none; otherwise see `Order`.
    """

    id: str
    amount_kg: Number
    price_usd_cents: Whole
    state: str = "not provided"
    order_number: str | None = None
    created_on: Timestamp | None = None
    metadata: str | None = None
    description: str | None = None
    callback_url: str | None = None
    certificate_public_url: str | None = None
    certificate_download_public_url: str | None = None
    subaccount_id: str | None = None
    project_allocations: Many[ProjectAllocation] = ()
    checkout_session_id: str | None = None


class Order(OrderReceipt):
    """An order (contract 2). `state` is placed, fulfilled or cancelled, or new text.

    `metadata` is private to the API client, `description` stands on the public certificate.
    Allocations are empty until the order is fulfilled; certificate URLs are None when cancelled.
    """

    state: str
    order_number: str
    created_on: Timestamp


class Quote(WireModel):
    """The price of a mass, in whole US cents."""

    amount_kg: Number
    price_usd_cents: Whole


class ProjectCategory(WireModel):
    """A category of projects; `projects` is filled where it is read with them."""

    id: str
    name: str
    description: str | None = None
    primary_image_url: str | None = None
    projects: Many[Project] = ()


class Portfolio(WireModel):
    """Something that can be ordered from."""

    id: str
    name: str
    summary: str | None = None
    description: str | None = None
    primary_image_url: str | None = None


class CategoryAllocation(WireModel):
    """A category's share of a portfolio, 0 to 1."""

    allocated_fraction: Number
    category: ProjectCategory


class PortfolioDetails(Portfolio):
    """A portfolio with its prices, in US cents per kilogram, which may have fractions."""

    checkout_price_per_kg_usd_cents: Number
    api_price_per_kg_usd_cents: Number
    category_allocations: Many[CategoryAllocation] = ()


class ImpactEquivalents(WireModel):
    """CNaught's comparisons for a mass; its formula is not published."""

    cars_off_the_road: Number | None = None
    trees_planted: Number | None = None
    homes_annual_energy_usage: Number | None = None
    flights_lax_to_nyc: Number | None = None


class ImpactCategory(WireModel):
    """A category as impact data names it."""

    name: str | None = None
    description: str | None = None


class ImpactProjectUsage(WireModel):
    """Kilograms from one project; `vintages` is text over all orders, such as "2022, 2023"."""

    project: Project
    offset_kgs: Number
    vintages: Label | None = None


class ImpactCategoryUsage(WireModel):
    """Kilograms from one category, by project."""

    category: ImpactCategory
    offset_kgs: Number
    projects: Many[ImpactProjectUsage] = ()


class ImpactData(WireModel):
    """Kilograms retired for an account or subaccount in [`since_date`, `to_date`)."""

    name: str | None = None
    logo_url: str | None = None
    total_offset_kgs: Number
    equivalents: ImpactEquivalents | None = None
    categories: Many[ImpactCategoryUsage] = ()
    since_date: Timestamp | None = None
    to_date: Timestamp | None = None


class ImpactHostedPageConfig(WireModel):
    """The public impact page: whether and where it is, and what it compares with."""

    enabled: bool
    url: str | None = None
    enabled_equivalents: Many[str] = ()


class Subaccount(WireModel):
    """A customer or department under the account.

    `default_portfolio_id` None: the account's default applies. `logo_url` may be signed anew at
    every reading.
    """

    id: str
    name: str
    email: str | None = None
    created_on: Timestamp | None = None
    default_portfolio_id: str | None = None
    logo_url: str | None = None


class CheckoutSession(WireModel):
    """A hosted payment page; `state` is open, complete or expired, or new text."""

    id: str
    amount_kg: Number
    price_usd_cents: Whole
    checkout_url: str
    state: str
    expires_on: Timestamp
    success_url: str | None = None
    cancel_url: str | None = None
    created_on: Timestamp | None = None
    completed_on: Timestamp | None = None
    portfolio_id: str | None = None
    subaccount_id: str | None = None
    order_description: str | None = None
    order_webhook_url: str | None = None
