"""Lune's bundle and project operations (Lune contract 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request

from ..wire import ExactJSON
from .call import AskedPage, Call, LuneRoute, Page, opened, page_of
from .catalogue import Bundle, Project
from .certificates import registry_url
from .errors import not_found
from .rules import money, plain, tonnes
from .tables import stock

router = APIRouter(route_class=LuneRoute, tags=["bundles and projects"])

RecentlyDisabled = Annotated[bool, Query()]
_Entry = TypeVar("_Entry", Bundle, Project)

# What bundles and projects of the catalogue have under the same name on the wire.
_BUNDLE_FIELDS = {
    "id", "name", "background_colour", "description", "disabled", "offset_type", "approach",
    "carbon_permanence",
}  # fmt: skip
_PROJECT_FIELDS = {
    "id", "name", "short_name", "slug", "description", "project_type", "registry_name",
    "country_name", "country_code", "region", "results", "un_sdg", "disabled", "protocol",
    "methodology", "durability", "additional_standards_met", "verifying_body",
    "risk_of_reversal", "risk_of_predicted_emissions", "crediting_start_date",
    "crediting_end_date", "registration_date",
}  # fmt: skip
# What the sandbox has nothing to tell about: invented projects have neither pictures nor news.
_NO_BUNDLE_IMAGES = dict.fromkeys(("primary_image", "primary_image_hires", "small_thumbnail"))
_NO_PROJECT_IMAGES = dict.fromkeys(("logo", "primary_image", "thumbnail_image"))
_NO_PROJECT_DETAILS = dict.fromkeys(
    ("impact_summary", "datasets", "quality_assessment", "links_and_news", "timeline",
     "carbon_storage_over_time")
)  # fmt: skip


@router.get("/bundles", operation_id="list_bundles")
def list_bundles(
    request: Request, page: AskedPage, *, recently_disabled: RecentlyDisabled = False
) -> ExactJSON:
    """The bundles for sale, on request with those disabled lately."""
    with opened(request) as call:
        return _listed(
            call.catalogue.bundles, page, recently_disabled, lambda one: _bundle_view(call, one)
        )


@router.get("/bundles/{id}", operation_id="get_bundle")
def get_bundle(request: Request, id: str) -> ExactJSON:
    """One bundle."""
    with opened(request) as call:
        bundle = call.catalogue.bundle_by_id.get(id)
        if bundle is None:
            raise not_found()
        return ExactJSON(_bundle_view(call, bundle))


@router.get("/projects", operation_id="list_projects")
def list_projects(
    request: Request, page: AskedPage, *, recently_disabled: RecentlyDisabled = False
) -> ExactJSON:
    """The projects behind the bundles, on request with those disabled lately."""
    with opened(request) as call:
        return _listed(
            call.catalogue.projects, page, recently_disabled, lambda one: _project_view(call, one)
        )


@router.get("/projects/by-slug/{slug}", operation_id="get_project_by_slug")
def get_project_by_slug(request: Request, slug: str) -> ExactJSON:
    """One project by its slug."""
    with opened(request) as call:
        for project in call.catalogue.projects:
            if project.slug == slug:
                return ExactJSON(_project_view(call, project))
        raise not_found()


@router.get("/projects/{id}", operation_id="get_project")
def get_project(request: Request, id: str) -> ExactJSON:
    """One project."""
    with opened(request) as call:
        project = call.catalogue.project_by_id.get(id)
        if project is None:
            raise not_found()
        return ExactJSON(_project_view(call, project))


def _listed(
    entries: Sequence[_Entry],
    page: Page,
    with_disabled: bool,  # noqa: FBT001 (private, and always named by its variable)
    view: Callable[[_Entry], dict[str, Any]],
) -> ExactJSON:
    """A page of catalogue entries, in the catalogue's order; cursors count from 1."""
    shown = [
        (number, entry)
        for number, entry in enumerate(entries, start=1)
        if number > (page.after or 0) and (with_disabled or not entry.disabled)
    ]
    wanted = shown[: page.limit + 1]
    return ExactJSON(page_of([(number, view(entry)) for number, entry in wanted], page))


def _bundle_summary(call: Call, bundle: Bundle) -> dict[str, Any]:
    price = call.catalogue.price(bundle, call.account.currency)
    available_g = call.connection.scalar(
        sa.select(stock.c.available_g).where(stock.c.bundle_id == bundle.id)
    )
    return bundle.model_dump(include=_BUNDLE_FIELDS) | {
        **_NO_BUNDLE_IMAGES,
        "unit_price": money(price.unit),
        "gross_unit_price": money(price.gross),
        "currency": call.account.currency,
        "available_quantity": None if available_g is None else tonnes(available_g),
    }


def _bundle_view(call: Call, bundle: Bundle) -> dict[str, Any]:
    projects = (call.catalogue.project_by_id[entry.project_id] for entry in bundle.projects)
    return _bundle_summary(call, bundle) | {
        "projects": [_project_summary(call, project) for project in projects]
    }


def _project_summary(call: Call, project: Project) -> dict[str, Any]:
    reductions = project.avg_annual_emission_reductions
    return project.model_dump(mode="json", include=_PROJECT_FIELDS) | {
        **_NO_PROJECT_IMAGES,
        "registry_link": registry_url(project.registry_link, call.origin),
        "latitude": project.latitude,
        "longitude": project.longitude,
        "media": [],
        "avg_annual_emission_reductions": None if reductions is None else plain(reductions),
    }


def _project_view(call: Call, project: Project) -> dict[str, Any]:
    bundles = [
        _bundle_summary(call, bundle)
        for bundle in call.catalogue.bundles
        if any(entry.project_id == project.id for entry in bundle.projects)
    ]
    return _project_summary(call, project) | {
        **_NO_PROJECT_DETAILS,
        "bundles": bundles,
        "carbon_credits": {
            "offset_delivery": project.offset_delivery,
            "retirement_timeframe": project.retirement_timeframe,
            "inventory": _inventory_view(call, project),
        },
    }


def _inventory_view(call: Call, project: Project) -> list[dict[str, Any]] | None:
    currency = call.account.currency
    if project.inventory is None:
        return None
    return [
        {
            "vintage": entry.vintage,
            "quantity": entry.quantity,
            "price": {
                "value": money(call.catalogue.converted(entry.price, currency)),
                "currency": currency,
            },
        }
        for entry in project.inventory
    ]
