"""What Lune sells: bundles, and the projects behind them, as frozen models.

Imported by this package and by whoever holds what its client returns. Credits of one project
cannot be bought: orders go to bundles, and projects are assigned later and may change. Lune's
inventory vintage is an opaque text about stock for sale; it says nothing about an order.

Lune contract 4.1.
"""

from __future__ import annotations

from ..models import Day, DecimalText, Many, Number, Whole, WireModel
from .models import Listed


class Media(WireModel):
    """An image or a video of a project."""

    type: str
    url: str
    attribution_text: str | None = None
    attribution_url: str | None = None


class ProjectSummary(Listed):
    """A project as bundles name it; an empty `registry_name` means none is stated.

    `disabled` projects get no part of new orders. Texts such as `durability` are the
    provider's statements, verbatim. `avg_annual_emission_reductions` is in tonnes a year.
    """

    name: str
    slug: str
    disabled: bool = False
    short_name: str | None = None
    description: str | None = None
    project_type: str | None = None
    registry_name: str | None = None
    registry_link: str | None = None
    latitude: Number | None = None
    longitude: Number | None = None
    country_name: str | None = None
    country_code: str | None = None
    region: str | None = None
    logo: str | None = None
    primary_image: str | None = None
    thumbnail_image: str | None = None
    results: Many[str] = ()
    un_sdg: Many[Whole] = ()
    media: Many[Media] = ()
    crediting_start_date: Day | None = None
    crediting_end_date: Day | None = None
    registration_date: Day | None = None
    protocol: Many[str] = ()
    methodology: str | None = None
    durability: str | None = None
    additional_standards_met: Many[str] = ()
    verifying_body: str | None = None
    risk_of_reversal: str | None = None
    risk_of_predicted_emissions: str | None = None
    avg_annual_emission_reductions: DecimalText | None = None


class BundleSummary(Listed):
    """A bundle on sale; prices per tonne, `gross_unit_price` with Lune's fee.

    `available_quantity` is in tonnes; None means unlimited.
    """

    name: str
    unit_price: DecimalText
    gross_unit_price: DecimalText
    currency: str
    disabled: bool = False
    description: str | None = None
    available_quantity: DecimalText | None = None
    offset_type: str | None = None
    approach: str | None = None
    carbon_permanence: str | None = None
    background_colour: str | None = None
    primary_image: str | None = None
    large_image: str | None = None
    primary_image_hires: str | None = None
    small_thumbnail: str | None = None


class Bundle(BundleSummary):
    """A bundle with the projects that orders may be assigned to."""

    projects: tuple[ProjectSummary, ...]


class ImpactItem(WireModel):
    """One item of a project's impact summary."""

    title: str | None = None
    label: str | None = None
    description: str | None = None
    icon: str | None = None
    image_url: str | None = None


class Dataset(WireModel):
    """A data set that a project's claims rest on."""

    dataset: str
    description: str | None = None
    thumbnail_url: str | None = None


class TitledText(WireModel):
    """A titled paragraph."""

    title: str | None = None
    description: str | None = None


class QualityAssessment(WireModel):
    """Lune's assessment of a project, in five parts."""

    durability: TitledText | None = None
    additionality: TitledText | None = None
    measurement: TitledText | None = None
    risk_mitigation: TitledText | None = None
    cobenefits: TitledText | None = None


class Link(WireModel):
    """A link about a project."""

    destination_url: str
    title: str | None = None
    favicon_url: str | None = None


class NewsItem(WireModel):
    """A published article about a project."""

    article_url: str
    title: str | None = None
    description: str | None = None
    image_url: str | None = None
    favicon_url: str | None = None
    published_at: str | None = None


class LinksAndNews(WireModel):
    """Links and articles about a project."""

    links: Many[Link] = ()
    news: Many[NewsItem] = ()


class MonetaryAmount(WireModel):
    """An amount of money in its own currency."""

    value: DecimalText
    currency: str


class InventoryItem(WireModel):
    """Stock for sale in tonnes and its price per tonne; `vintage` is opaque: never parse it."""

    vintage: str
    quantity: Number
    price: MonetaryAmount


class CarbonCredits(WireModel):
    """How a project's credits are delivered and retired, and the stock, newest first."""

    offset_delivery: str | None = None
    retirement_timeframe: str | None = None
    inventory: Many[InventoryItem] = ()


class TimelineItem(WireModel):
    """What happened to a project in a year."""

    year: Whole
    description: str


class CarbonStorage(WireModel):
    """A year's carbon accounts of a project, in tonnes."""

    year: Whole
    baseline: Number | None = None
    carbon_stock: Number | None = None
    assumed_leakage: Number | None = None
    buffer: Number | None = None
    credits_issued: Number | None = None


class Project(ProjectSummary):
    """A project in full."""

    bundles: tuple[BundleSummary, ...]
    impact_summary: Many[ImpactItem] = ()
    datasets: Many[Dataset] = ()
    quality_assessment: QualityAssessment | None = None
    links_and_news: LinksAndNews | None = None
    carbon_credits: CarbonCredits | None = None
    timeline: Many[TimelineItem] = ()
    carbon_storage_over_time: Many[CarbonStorage] = ()
