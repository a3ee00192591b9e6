"""Mass in grams and money in decimals: exact, bounded, and clear about what cannot be used."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.errors import BadInput
from lib.domain.quantities import (
    Money,
    apportion,
    decimal_from,
    grams,
    kg_text,
    tonnes_text,
    total_by_currency,
    wished_grams,
    wished_money,
)


@given(st.integers(0, 10**15), st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=9))
def test_parts_always_sum_to_the_whole(total, weights):
    parts = apportion(total, weights)
    assert sum(parts) == total
    assert all(part >= 0 for part in parts)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=8))
def test_a_whole_that_equals_its_weights_is_shared_as_they_are(weights):
    assert apportion(sum(weights), weights) == weights


@given(st.integers(1, 10**4), st.lists(st.integers(1, 50), min_size=2, max_size=6))
def test_no_part_is_a_whole_unit_away_from_its_share(total, weights):
    for part, weight in zip(apportion(total, weights), weights, strict=True):
        assert abs(part - Decimal(total) * weight / sum(weights)) < 1


def test_largest_remainder_gives_the_odd_gram_to_the_largest_fraction():
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(1, [Decimal("0.2"), Decimal("0.5"), Decimal("0.3")]) == [0, 1, 0]


def test_negative_weights_are_a_programming_error():
    with pytest.raises(ValueError, match="negative"):
        apportion(1, [-1, 2])


@given(st.integers(0, 10**15))
def test_the_wire_text_of_a_mass_reads_back_to_the_gram(mass_g):
    assert grams(Decimal(kg_text(mass_g)), "kg") == mass_g
    assert grams(Decimal(tonnes_text(mass_g)), "t") == mass_g
    assert "E" not in kg_text(mass_g) + tonnes_text(mass_g)


def test_units_convert_exactly():
    assert grams(Decimal("10.5"), "kg") == 10_500
    assert grams(Decimal("0.012069"), "t") == 12_069
    assert grams(Decimal(1), "lb") == 454


@pytest.mark.parametrize(
    "text", ["", "abc", "NaN", "Infinity", "-Infinity", "1e400", "1,000", "1_000", "²", "9" * 50]
)
def test_what_is_not_a_plain_number_is_refused_in_a_sentence(text):
    with pytest.raises(BadInput, match="plain number"):
        decimal_from(text, what="mass")


@pytest.mark.parametrize(("text", "unit"), [("0", "kg"), ("-3", "t"), ("0.0001", "g")])
def test_a_mass_must_be_above_zero(text, unit):
    with pytest.raises(BadInput, match="above 0"):
        wished_grams(text, unit)


def test_a_mass_beyond_the_worlds_emissions_is_a_typing_error():
    with pytest.raises(BadInput, match="check the unit"):
        wished_grams("1" + "0" * 20, "kg")


@given(st.text(max_size=30))
def test_any_text_is_a_mass_or_a_sentence(text):
    try:
        mass = wished_grams(text, "kg")
    except BadInput:
        return
    assert 0 < mass == grams(Decimal(text.strip()), "kg")


@given(st.integers(-(10**12), 10**12), st.sampled_from(["USD", "EUR", "ISK"]))
def test_money_keeps_its_smallest_unit(minor, currency):
    assert Money.from_minor(minor, currency).minor == minor


def test_unlike_currencies_are_never_summed_or_compared():
    with pytest.raises(ValueError, match="never"):
        Money(Decimal(1), "USD") + Money(Decimal(1), "EUR")
    with pytest.raises(ValueError, match="never"):
        _ = Money(Decimal(1), "USD") <= Money(Decimal(2), "EUR")


def test_a_total_has_one_sum_per_currency():
    usd, eur = Money(Decimal("1.10"), "USD"), Money(Decimal("2.20"), "EUR")
    assert total_by_currency([usd, eur, usd]) == {
        "USD": Money(Decimal("2.20"), "USD"),
        "EUR": Money(Decimal("2.20"), "EUR"),
    }


def test_a_budget_is_not_finer_than_its_currency():
    assert wished_money("12.34", "USD").minor == 1234
    with pytest.raises(BadInput, match="decimals"):
        wished_money("12.345", "USD")
    with pytest.raises(BadInput, match="above 0"):
        wished_money("0", "USD")
