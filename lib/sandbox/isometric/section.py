"""The `isometric` section of a catalogue file: who is in the registry, and two switches.

Imported only inside this package. A broken section is refused with the path of the wrong value.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..state import World
from .schemas import Id, Location, Pathway, ProjectStatus

BUYER = "isometric-buyer"
SELLER = "isometric-supplier"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LocationEntry(Location):
    """A place; coordinates in degrees."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrganisationEntry(_Entry):
    """An organisation; one with an `account` has the token `sandbox-<account>`."""

    id: Id
    name: str
    domain: str | None = None
    account: Literal["isometric-buyer", "isometric-supplier"] | None = None


class SupplierEntry(_Entry):
    """The supplier's side of an organisation."""

    id: Id
    organisation_id: Id
    short_description: str | None = None
    long_description: str | None = None
    location: LocationEntry | None = None


class ProjectEntry(_Entry):
    """A project; `buffer_pool_kg_per_tonne` of each issuance goes to the buffer pool."""

    id: Id
    supplier_id: Id
    created_on: date
    name: str
    status: ProjectStatus
    short_code: Annotated[str, Field(pattern=r"^[A-Z0-9]{4}$")]
    process_key: Annotated[str, Field(pattern=r"^[A-Z0-9]+$")]
    pathway: Pathway
    protocol_slug: str
    country_code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    validator_name: str | None = None
    current_verifier_name: str | None = None
    crediting_period_start: date | None = None
    crediting_period_end: date | None = None
    location: LocationEntry | None = None
    ccp_approved: bool = False
    publishes_removal_data: bool = True
    buffer_pool_kg_per_tonne: Annotated[int, Field(ge=0, lt=1000)] = 0


class Section(_Entry):
    """The whole section.

    `children_inherit_delivery`: whether the children of a delivered batch carry its delivery id
    and date; the contract (2) lets them not, and then a client must look at the ancestor.
    `unknown_single_object`: what an unknown organisation, supplier or project answers (1.2).
    """

    children_inherit_delivery: bool = False
    unknown_single_object: Literal["404", "null"] = "404"
    buffer_pool_organisation_id: Id
    organisations: tuple[OrganisationEntry, ...]
    suppliers: tuple[SupplierEntry, ...]
    projects: Annotated[tuple[ProjectEntry, ...], Field(min_length=1)]

    def project(self, project_id: str) -> ProjectEntry:
        """The project's entry."""
        return next(project for project in self.projects if project.id == project_id)


def check_catalogue(section: Any) -> None:
    """Refuse a section that cannot be served: ValueError with the path of the wrong value."""
    try:
        read = Section.model_validate(section)
    except ValidationError as problem:
        error = problem.errors()[0]
        path = ".".join(str(part) for part in error["loc"])
        raise ValueError(f"{path}: {error['msg']}") from None
    _check_ids(read)
    _check_accounts(read)


def section_of(world: World) -> Section:
    """The section of the catalogue this world runs on."""
    return Section.model_validate(world.catalogue["isometric"])


def _check_ids(section: Section) -> None:
    organisations = _distinct("organisations", "id", (o.id for o in section.organisations))
    suppliers = _distinct("suppliers", "id", (s.id for s in section.suppliers))
    _distinct("projects", "id", (p.id for p in section.projects))
    _distinct("projects", "short_code", (p.short_code for p in section.projects))
    _known("buffer_pool_organisation_id", section.buffer_pool_organisation_id, organisations)
    for index, supplier in enumerate(section.suppliers):
        _known(f"suppliers.{index}.organisation_id", supplier.organisation_id, organisations)
    for index, project in enumerate(section.projects):
        _known(f"projects.{index}.supplier_id", project.supplier_id, suppliers)


def _check_accounts(section: Section) -> None:
    owners = {str(o.account): o.id for o in section.organisations if o.account}
    for account in (BUYER, SELLER):
        if sum(o.account == account for o in section.organisations) != 1:
            raise ValueError(f"organisations: exactly one must have the account {account}")
    sellers = [s.id for s in section.suppliers if s.organisation_id == owners[SELLER]]
    if not sellers or not any(p.supplier_id in sellers for p in section.projects):
        raise ValueError(f"suppliers: the account {SELLER} must supply a project")


def _distinct(where: str, field: str, values: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise ValueError(f"{where}.{index}.{field}: {value} is used twice")
        seen.add(value)
    return seen


def _known(path: str, value: str, known: set[str]) -> None:
    if value not in known:
        raise ValueError(f"{path}: nothing in the catalogue has the id {value}")
