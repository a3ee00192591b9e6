"""What the Lune part of the catalogue holds: accounts, bundles, projects, prices and factors.

For the Lune sandbox: `check_catalogue` refuses a broken file with the path of the wrong value,
`catalogue_of(world)` reads it once per world. Prices are per tonne in euros without Lune's fee.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..state import World
from .rules import CENT, GRAMS_PER_TONNE, Price

Currency = Literal[
    "GBP", "EUR", "USD", "SEK", "CHF", "PLN", "DKK", "NOK", "BGN", "INR", "SGD", "AED", "AUD",
    "HUF", "ISK", "CZK", "CAD",
]  # fmt: skip
Visibility = Literal["public", "hidden", "private"]
Handle = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Amount = Annotated[Decimal, Field(ge=0)]
Latitude = Annotated[Decimal, Field(ge=-90, le=90)]
Longitude = Annotated[Decimal, Field(ge=-180, le=180)]

# What estimates may need; `electricity.<country>` comes on top, by alpha-3 code.
REQUIRED_FACTORS = frozenset(
    {
        *(f"flight.{haul}.{cabin}" for haul in ("short", "long")
          for cabin in ("economy", "business", "first")),
        *(f"rail.{kind}" for kind in ("national_rail", "international_rail", "light_rail_or_tram")),
        *(f"road.car_{size}" for size in (
            "mini", "supermini", "lower_medium", "upper_medium", "executive", "luxury", "sports",
            "dual_purpose_4x4", "mpv")),
        *(f"road.motorcycle_{size}" for size in ("small", "medium", "large", "average")),
        *(f"freight.{kind}" for kind in (
            "plane_short", "plane_long", "container_ship", "inland_waterway", "train", "train_us",
            "van", "truck_na", "rigid_small", "rigid_medium", "rigid_large", "articulated",
            "truck")),
        "electricity.world",
    }
)  # fmt: skip


class _Entry(BaseModel):
    """A part of the catalogue: an unknown name is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClientEntry(_Entry):
    """A client account that exists from the start."""

    id: str
    name: str
    currency: Currency
    beneficiary: str | None = None
    handle: Handle | None = None


class AccountEntry(_Entry):
    """A main account with its key; `account` is its name in the sandbox's own ledger."""

    account: str
    key: str
    id: str
    name: str
    organisation_id: str
    organisation_name: str
    organisation_type: Literal["shipper", "supplier"] = "shipper"
    currency: Currency
    beneficiary: str | None = None
    handle: Handle | None = None
    suspended: bool = False
    clients: tuple[ClientEntry, ...] = ()


class Lifecycle(_Entry):
    """The state of a new order, and how many seconds later it moves on (contract 2.2).

    `restock_s`: how long after a shortfall the missing credits are in stock.
    """

    created_as: Literal["received", "placed"] = "placed"
    placed_s: float = 5
    paid_s: float = 10
    retiring_s: float = 20
    complete_s: float = 30
    restock_s: float = 30 * 86400


class Selected(_Entry):
    """A bundle's percentage in the default selection."""

    bundle_id: str
    percentage: int | str


class ProjectWeight(_Entry):
    """A project's weight when a bundle's tonnes are allotted."""

    project_id: str
    weight: int = Field(gt=0)


class Bundle(_Entry):
    """A bundle for sale. `available_quantity` in tonnes, null: unlimited."""

    id: str
    name: str
    unit_price: Annotated[Decimal, Field(gt=0)]
    description: str | None = None
    background_colour: str | None = None
    disabled: bool = False
    available_quantity: Amount | None = None
    offset_type: Literal["emissions_reduction", "carbon_removal"] | None = None
    approach: Literal["traditional", "innovative"] | None = None
    carbon_permanence: Literal["long_term", "short_term", "no_storage"] | None = None
    oxford_type: int | None = Field(default=None, ge=1, le=5)
    projects: tuple[ProjectWeight, ...] = Field(min_length=1)

    @property
    def stock_g(self) -> int | None:
        """What is for sale at the start, in grams."""
        quantity = self.available_quantity
        return None if quantity is None else int(quantity * GRAMS_PER_TONNE)


class InventoryEntry(_Entry):
    """Stock for sale, by an opaque vintage text."""

    vintage: str
    quantity: Amount
    price: Amount


class Project(_Entry):
    """An invented project. `registry_link` may be a path on the sandbox's own host."""

    id: str
    name: str
    short_name: str
    slug: str
    description: str
    project_type: str
    registry_name: Literal[
        "American Carbon Registry", "Verra", "Puro.earth", "Gold Standard",
        "Climate Action Reserve", "Woodland Carbon Code", "ACCU", "Carbon Future", "Isometric",
        "Tuv Nord", "",
    ]  # fmt: skip
    registry_link: str | None = None
    latitude: Latitude
    longitude: Longitude
    country_name: str
    country_code: CountryCode
    continent: str
    region: str | None = None
    results: tuple[str, ...] | None = None
    un_sdg: tuple[int, ...] | None = None
    disabled: bool = False
    crediting_start_date: date | None = None
    crediting_end_date: date | None = None
    registration_date: date | None = None
    protocol: tuple[str, ...] | None = None
    methodology: str | None = None
    durability: str | None = None
    additional_standards_met: tuple[str, ...] | None = None
    verifying_body: str | None = None
    risk_of_reversal: str | None = None
    risk_of_predicted_emissions: str | None = None
    avg_annual_emission_reductions: Amount | None = None
    offset_delivery: Literal["ex_post", "ex_ante", "pre_purchase"] = "ex_post"
    retirement_timeframe: Literal["instant", "near_term", "future"] = "instant"
    inventory: tuple[InventoryEntry, ...] | None = Field(default=None, min_length=1)


class Factor(_Entry):
    """An emission factor in kg CO2e per `unit`, with its source and year."""

    kg: Annotated[Decimal, Field(ge=0)]
    unit: str
    name: str
    source: str
    version: str
    year: int
    region: str


class Place(_Entry):
    """A city that addresses are resolved to."""

    city: str
    country_code: CountryCode
    latitude: Latitude
    longitude: Longitude


class Port(_Entry):
    """Where a UN/LOCODE lies."""

    latitude: Latitude
    longitude: Longitude


class FreightRatios(_Entry):
    """What refrigeration and an electric drive change about a road freight factor."""

    refrigerated: Amount
    electric: Amount


class Catalogue(_Entry):
    """The whole section `lune`. `factors` is by names such as `rail.national_rail`."""

    accounts: tuple[AccountEntry, ...] = Field(min_length=1)
    exchange_rates: dict[Currency, Annotated[Decimal, Field(gt=0)]]
    lifecycle: Lifecycle
    default_selection: tuple[Selected, ...] = Field(min_length=1)
    bundles: tuple[Bundle, ...] = Field(min_length=1)
    projects: tuple[Project, ...] = Field(min_length=1)
    flight_short_haul_max_km: Amount
    freight_ratios: FreightRatios
    factors: dict[str, Factor]
    places: tuple[Place, ...] = ()
    locodes: dict[str, Port] = {}

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        projects = {project.id for project in self.projects}
        for bundle in self.bundles:
            for part in bundle.projects:
                if part.project_id not in projects:
                    raise ValueError(f"bundle {bundle.id} names the unknown {part.project_id}")
        bundles = {bundle.id for bundle in self.bundles}
        for chosen in self.default_selection:
            if chosen.bundle_id not in bundles:
                raise ValueError(f"default_selection names the unknown {chosen.bundle_id}")
        missing = REQUIRED_FACTORS - self.factors.keys()
        if missing:
            raise ValueError(f"factors lacks {min(missing)}")
        return self

    @cached_property
    def bundle_by_id(self) -> dict[str, Bundle]:
        """Every bundle, disabled ones too."""
        return {bundle.id: bundle for bundle in self.bundles}

    @cached_property
    def project_by_id(self) -> dict[str, Project]:
        """Every project, disabled ones too."""
        return {project.id: project for project in self.projects}

    @cached_property
    def account_by_key(self) -> dict[str, AccountEntry]:
        """The main accounts by API key."""
        return {account.key: account for account in self.accounts}

    @cached_property
    def account_by_name(self) -> dict[str, AccountEntry]:
        """The main accounts by their name in the sandbox's ledger."""
        return {account.account: account for account in self.accounts}

    def price(self, bundle: Bundle, currency: str) -> Price:
        """A bundle's price per tonne in an account's currency, in whole cents."""
        return Price(self.converted(bundle.unit_price, currency))

    def converted(self, euros: Decimal, currency: str) -> Decimal:
        """Euros in another currency by the catalogue's rate, in whole cents."""
        rates: dict[Any, Decimal] = self.exchange_rates
        return (euros * rates[currency]).quantize(CENT)


_read: WeakKeyDictionary[World, Catalogue] = WeakKeyDictionary()


def catalogue_of(world: World) -> Catalogue:
    """The Lune section of the world's catalogue, read once."""
    if world not in _read:
        _read[world] = Catalogue.model_validate(world.catalogue["lune"])
    return _read[world]


def check_catalogue(section: Any) -> None:
    """Raise ValueError with the path of the first wrong value."""
    try:
        Catalogue.model_validate(section)
    except ValidationError as problem:
        first = problem.errors()[0]
        path = ".".join(str(step) for step in first["loc"]) or "(whole section)"
        raise ValueError(f"{path}: {first['msg']}") from problem
