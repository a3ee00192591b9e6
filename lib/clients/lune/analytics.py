"""What Lune sums up over a period: per bundle, by property, and counts; frozen models.

Imported by this package and by whoever holds what its client returns. Quantities are tonnes,
values are money in the account's currency. These figures come from the same orders as the order
list, so they check it but do not prove it.

Lune contract 4.5.
"""

from __future__ import annotations

from ..models import Day, DecimalText, Many, Number, Whole, WireModel


class BundlePoint(WireModel):
    """A bundle's running totals at the end of a day."""

    date: Day
    value: DecimalText
    quantity: DecimalText


class BundleSeries(WireModel):
    """The running totals of one bundle."""

    bundle_id: str
    bundle_name: str
    timeseries: tuple[BundlePoint, ...]


class GoalCount(WireModel):
    """How many projects serve a UN Sustainable Development Goal."""

    un_sdg_number: Whole
    occurrences: Whole


class Metrics(WireModel):
    """Counts over the projects of a period's orders."""

    number_of_un_sdgs: Whole
    number_of_projects: Whole
    un_sdg: Many[GoalCount] = ()


class Aggregate(WireModel):
    """The tonnes and money of one group."""

    quantity: DecimalText
    value: DecimalText


class BundleAggregate(Aggregate):
    """One bundle's part."""

    bundle_id: str
    bundle_name: str


class LocationAggregate(Aggregate):
    """One continent's part."""

    location: str


class RegistryAggregate(Aggregate):
    """One registry's part; it may be "Not certified" or "Not yet allocated"."""

    registry_name: str


class OxfordAggregate(Aggregate):
    """The part of one type, 1 to 5, of the Oxford principles."""

    type: Number


class OffsetTypeAggregate(Aggregate):
    """The part of one impact type; None where Lune states none."""

    offset_type: str | None = None


class AggregatedAnalytics(WireModel):
    """The same orders cut in five ways."""

    bundle: tuple[BundleAggregate, ...]
    location: tuple[LocationAggregate, ...]
    registry: tuple[RegistryAggregate, ...]
    oxford_offsetting_principles: tuple[OxfordAggregate, ...]
    offset_type: tuple[OffsetTypeAggregate, ...]


class CountPoint(WireModel):
    """A count for a day or a month."""

    date: Day
    count: Whole


class EmissionCalculations(WireModel):
    """How many estimates were made, over time."""

    timeseries: tuple[CountPoint, ...]
