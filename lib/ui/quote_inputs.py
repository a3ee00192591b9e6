"""What a person wants a price for: an activity, a mass or a budget. Part of the quotes page.

Figures are typed as text and read as exact decimals by the domain, which also says what is wrong
with one. Values stand in the address, so that a prepared question can be sent to a colleague.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

import streamlit as st

from ..domain.activities import (
    VEHICLE_TITLES,
    Activity,
    Drive,
    Electricity,
    Flight,
    Freight,
    OfficeSpace,
    TrainRide,
    Vehicle,
)
from ..domain.errors import BadInput
from ..domain.quantities import MassUnit, Money, decimal_from, wished_grams, wished_money
from ..services import airports
from .text import literal

Cabin = Literal["economy", "business", "first"]

#: Every input stands in the address.
_URL: Literal["query-params"] = "query-params"

#: What currencies the sellers charge in is theirs to say; these are offered for a budget.
CURRENCIES = ("USD", "EUR", "GBP")


@dataclass(frozen=True, slots=True)
class Wish:
    """Exactly one of the three is given: what `desk.quote` is asked for."""

    mass_g: int | None = None
    budget: Money | None = None
    activity: Activity | None = None


def wish() -> Wish:
    """Draw the inputs and read them; raises BadInput, in one sentence, for what cannot be."""
    kind = st.segmented_control(
        "Quote for",
        list(_KINDS),
        default="Flight",
        required=True,
        key="for",
        bind=_URL,
    )
    return _KINDS[kind or "Flight"]()


def _mass() -> Wish:
    left, right = st.columns([2, 1])
    text = left.text_input("Mass of CO2e", "1", key="mass", bind=_URL)
    unit = right.selectbox("Unit of mass", ["t", "kg", "lb"], key="mass_unit", bind=_URL)
    return Wish(mass_g=wished_grams(text, cast("MassUnit", unit)))


def _budget() -> Wish:
    left, right = st.columns([2, 1])
    text = left.text_input("Budget", "500", key="budget", bind=_URL)
    currency = right.selectbox("Currency", CURRENCIES, key="currency", bind=_URL)
    return Wish(budget=wished_money(text, currency))


def _flight() -> Wish:
    if st.toggle("I know the distance, not the airports", key="by_distance", bind=_URL):
        origin = destination = None
        distance = _decimal("Distance one way (km)", "5500", "km")
    else:
        left, right = st.columns(2)
        with left:
            origin = _airport("From", "LHR", "from")
        with right:
            destination = _airport("To", "JFK", "to")
        distance = airports.distance_km(origin, destination)
        st.caption(f"{distance:,f} km one way, great circle")
    first, second, third = st.columns(3, vertical_alignment="bottom")
    cabin = first.selectbox("Class", ["economy", "business", "first"], key="class", bind=_URL)
    with second:
        passengers = _whole("Passengers", "1", "passengers")
    return_trip = third.toggle("Return trip", value=True, key="return", bind=_URL)
    activity = Flight(distance, passengers, cast("Cabin", cabin), return_trip, origin, destination)
    return Wish(activity=activity)


def _airport(label: str, value: str, key: str) -> str:
    """An airport by code or by search, as its IATA code."""
    text = st.text_input(label, value, key=key, placeholder="Airport code or city", bind=_URL)
    found = airports.search(text, limit=30)
    if not found:
        raise BadInput(f"No airport is called “{text[:30]}”: type a code such as LHR, or a city.")
    if len(found) == 1 or found[0].code == text.strip().upper():
        st.caption(literal(found[0].describe()))
        return found[0].code
    chosen = st.selectbox(
        f"{label}: which airport", found, format_func=lambda x: x.describe(), key=f"{key}_choice"
    )
    return chosen.code


def _freight() -> Wish:
    mode = st.segmented_control(
        "By", ["ground", "air"], default="ground", required=True, key="freight", bind=_URL
    )
    left, right = st.columns(2)
    with left:
        mass = _decimal("Goods (kg)", "1000", "goods")
    with right:
        distance = _decimal("Distance (km)", "800", "freight_km")
    return Wish(activity=Freight("air" if mode == "air" else "ground", mass, distance))


def _drive() -> Wish:
    left, right = st.columns(2)
    title = left.selectbox("Vehicle", list(_VEHICLES), key="vehicle", bind=_URL)
    with right:
        distance = _decimal("Distance (km)", "300", "drive_km")
    return Wish(activity=Drive(distance, _VEHICLES[title]))


_VEHICLES = {title: cast("Vehicle", name) for name, title in VEHICLE_TITLES.items()}


def _train() -> Wish:
    left, right = st.columns(2)
    with left:
        distance = _decimal("Distance (km)", "450", "train_km")
    with right:
        riders = _whole("Passengers", "1", "riders")
    return Wish(activity=TrainRide(distance, riders))


def _office() -> Wish:
    return Wish(activity=OfficeSpace(_decimal("Office area (square feet)", "5000", "area")))


def _electricity() -> Wish:
    left, right = st.columns(2)
    with left:
        kwh = _decimal("Electricity (kWh)", "12000", "kwh")
    country = right.text_input(
        "Country code", key="country", placeholder="GBR, or empty for the world average", bind=_URL
    )
    return Wish(activity=Electricity(kwh, country.strip().upper() or None))


_KINDS: Mapping[str, Callable[[], Wish]] = {
    "Flight": _flight,
    "Freight": _freight,
    "Drive": _drive,
    "Train": _train,
    "Office": _office,
    "Electricity": _electricity,
    "Mass": _mass,
    "Budget": _budget,
}


def _decimal(label: str, value: str, key: str) -> Decimal:
    text = st.text_input(label, value, key=key, bind=_URL)
    return decimal_from(text, what=label.partition(" (")[0].lower())


def _whole(label: str, value: str, key: str) -> int:
    number = _decimal(label, value, key)
    if number != number.to_integral_value():
        raise BadInput(f"The number of {label.lower()} must be a whole number.")
    return int(number)
