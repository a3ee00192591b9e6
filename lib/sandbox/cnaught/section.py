"""The catalogue's `cnaught` section: accounts, portfolios, categories, projects, prices, factors.

Imported only inside this package. Whatever the vendor does not publish is a value here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Self
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..state import World
from .schemas import Project

Positive = Annotated[Decimal, Field(gt=0)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lot(_Entry):
    """Credits of one vintage. `vintage` None: not known; `start`, `end` are DDMMYYYY in serials."""

    vintage: int | None
    tonnes: Annotated[int, Field(gt=0)]
    block_tonnes: Annotated[int, Field(gt=0)] = 25
    start: str | None = None
    end: str | None = None


class StockedProject(_Entry):
    """A project as the API shows it, and the stock that orders are served from.

    `serial` is a text with the places {block} {first} {last} {vintage} {start} {end}; None where
    the registry gives no serial numbers.
    """

    project: Project
    serial: str | None
    lots: tuple[Lot, ...]

    @model_validator(mode="after")
    def _serial_can_be_written(self) -> Self:
        if self.serial is not None:
            places = dict.fromkeys(("block", "first", "last", "vintage", "start", "end"), "1")
            try:
                self.serial.format(**places)
            except (KeyError, IndexError, ValueError) as problem:
                raise ValueError(f"serial has a place that is not known: {problem}") from problem
        return self


class Category(_Entry):
    """A kind of project; orders are served from its projects in this order."""

    id: str
    name: str
    description: str | None = None
    primary_image_url: str | None = None
    projects: Annotated[tuple[str, ...], Field(min_length=1)]


class Share(_Entry):
    """A portfolio's fraction for a category."""

    allocated_fraction: Annotated[Decimal, Field(gt=0, le=1)]
    category: str


class Portfolio(_Entry):
    """A portfolio and its prices in US cents per kg."""

    id: str
    name: str
    summary: str | None = None
    description: str | None = None
    primary_image_url: str | None = None
    api_price_per_kg_usd_cents: Positive
    checkout_price_per_kg_usd_cents: Positive
    category_allocations: Annotated[tuple[Share, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fractions_make_a_whole(self) -> Self:
        if sum(share.allocated_fraction for share in self.category_allocations) != 1:
            raise ValueError("the allocated fractions must add up to 1")
        return self


class Account(_Entry):
    """One API key and what it may do; `portfolios` None: all."""

    name: str
    key: str
    company: str
    slug: str
    default_portfolio_id: str
    portfolios: tuple[str, ...] | None = None
    billing: bool = True
    subaccounts: bool = True
    hosted_page: bool = True

    def may_order(self, portfolio_id: str) -> bool:
        """Whether the account may use a portfolio."""
        return self.portfolios is None or portfolio_id in self.portfolios


class Factor(_Entry):
    """kg CO2e per unit of activity, with the source it was taken from."""

    kg: Positive
    source: str


class FlightBand(Factor):
    """A factor per passenger-km for flights shorter than `below_km`; None: the rest."""

    below_km: Positive | None


class Source(_Entry):
    """Where a factor comes from."""

    title: str
    year: int


class Factors(_Entry):
    """One set of emission factors."""

    id: str
    sources: dict[str, Source]
    flight: tuple[FlightBand, ...]
    air_freight: Factor
    ground_freight: Factor
    train: Factor
    ride: Factor
    ground_transport: dict[str, Factor]
    office_space_ft2_year: Factor

    @model_validator(mode="after")
    def _every_flight_has_a_band(self) -> Self:
        if not self.flight or self.flight[-1].below_km is not None:
            raise ValueError("the last flight band must have below_km null")
        return self


class Equivalents(_Entry):
    """kg CO2e per equivalent of the impact data."""

    cars_off_the_road: Positive
    trees_planted: Positive
    homes_annual_energy_usage: Positive
    flights_lax_to_nyc: Positive


class Section(_Entry):
    """The whole section."""

    fulfilment_delay_s: Annotated[int, Field(ge=0)] = 15
    idempotency_life_s: Annotated[int, Field(gt=0)] = 86_400
    checkout_life_s: Annotated[int, Field(gt=0)] = 86_400
    whole_kilograms_only: bool = False
    accounts: Annotated[tuple[Account, ...], Field(min_length=1)]
    portfolios: Annotated[tuple[Portfolio, ...], Field(min_length=1)]
    categories: tuple[Category, ...]
    projects: tuple[StockedProject, ...]
    emission_factors: Factors
    equivalents: Equivalents

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        _known("portfolios", self.portfolios_by_id, (a.default_portfolio_id for a in self.accounts))
        _known(
            "portfolios",
            self.portfolios_by_id,
            (p for a in self.accounts for p in a.portfolios or ()),
        )
        shares = (s.category for p in self.portfolios for s in p.category_allocations)
        _known("categories", self.categories_by_id, shares)
        _known("projects", self.projects_by_id, (p for c in self.categories for p in c.projects))
        return self

    @property
    def portfolios_by_id(self) -> dict[str, Portfolio]:
        """The portfolios by id."""
        return {portfolio.id: portfolio for portfolio in self.portfolios}

    @property
    def categories_by_id(self) -> dict[str, Category]:
        """The categories by id."""
        return {category.id: category for category in self.categories}

    @property
    def projects_by_id(self) -> dict[str, StockedProject]:
        """The projects by id."""
        return {stocked.project.id: stocked for stocked in self.projects}


def _known(what: str, known: dict[str, Any], used: Any) -> None:
    for name in used:
        if name not in known:
            raise ValueError(f"{what} has no {name!r}")


def check_catalogue(section: Any) -> None:
    """Raise ValueError with the path of the first wrong value."""
    try:
        Section.model_validate(section)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        path = ".".join(map(str, first["loc"])) or "(whole section)"
        raise ValueError(f"{path}: {first['msg']}") from None


_parsed: WeakKeyDictionary[World, Section] = WeakKeyDictionary()


def section_of(world: World) -> Section:
    """The section that a world was made with, read once."""
    if world not in _parsed:
        _parsed[world] = Section.model_validate(world.catalogue["cnaught"])
    return _parsed[world]
