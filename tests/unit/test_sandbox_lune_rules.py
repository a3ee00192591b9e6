"""Lune's arithmetic in the sandbox: the worked values of its contract, and what always holds."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.sandbox.lune import rules
from lib.sandbox.lune.errors import Refused
from lib.sandbox.lune.rules import Price

FOREST, STONE = Price(Decimal(12)), Price(Decimal(200))


def test_gross_price_adds_the_fee_and_rounds_half_up() -> None:
    assert [FOREST.gross, STONE.gross] == [Decimal("13.33"), Decimal("222.22")]
    assert Price(Decimal("13.57")).gross == Decimal("15.08")


def test_two_and_a_half_tonnes_at_sixty_forty() -> None:
    bought = rules.costs([(1_500_000, FOREST), (1_000_000, STONE)])
    assert (bought.offset, bought.commission) == (Decimal("218.00"), Decimal("24.22"))


def test_twelve_kilograms_at_ninety_five_five() -> None:
    requested_t = rules.mass_in_tonnes("12.07", "kg")
    shares = [rules.truncate(requested_t * percentage / 100, "g") for percentage in (95, 5)]
    assert shares == [11_466, 603]
    assert rules.tonnes(sum(shares)) == "0.012069"
    bought = rules.costs(
        list(zip(shares, [Price(Decimal("13.57")), Price(Decimal(250))], strict=True))
    )
    assert [bought.total, bought.offset, bought.commission] == [
        Decimal("0.35"),
        Decimal("0.30"),
        Decimal("0.05"),
    ]


def test_a_hundred_euros_buy_what_the_contract_says() -> None:
    parts = [(Fraction(60), FOREST), (Fraction(40), STONE)]
    quantity_t = rules.quantity_for_value(Decimal(100), parts)
    shares = [
        (rules.truncate(quantity_t * percentage / 100, "g"), price) for percentage, price in parts
    ]
    assert [grams for grams, _ in shares] == [619_284, 412_856]
    spent = rules.costs_of_value(shares, Decimal(100))
    assert [spent.total, spent.offset, spent.commission] == [100, 90, 10]
    assert [rules.up_to_cent(grams, price.unit) for grams, price in shares] == [
        Decimal("7.44"),
        Decimal("82.58"),
    ]


@pytest.mark.parametrize(("unit", "grams"), [("g", 2_345_678), ("kg", 2_345_000), ("t", 2_000_000)])
def test_truncation_never_rounds_up(unit: str, grams: int) -> None:
    assert rules.truncate(Fraction("2.3456789"), unit) == grams


def test_percentages_left_out_are_equal_parts() -> None:
    assert rules.percentages([None, None, None]) == [Fraction(100, 3)] * 3
    assert rules.equal_percentages(3) == ["33.34", "33.33", "33.33"]
    assert rules.equal_percentages(4) == [25, 25, 25, 25]


@pytest.mark.parametrize(
    ("given_percentages", "code"),
    [
        ([60, 41], "bundle_selection_ratios_invalid"),
        ([100, None], "bundle_selection_ratios_invalid"),
        (["33.333", "66.667"], "bundle_selection_ratios_invalid_format"),
        ([Decimal("60.5"), "39.5"], "bundle_selection_ratios_invalid_format"),
        (["sixty", 40], "bundle_selection_ratios_invalid_format"),
        ([True, 99], "bundle_selection_ratios_invalid_format"),
        ([-10, 110], "bundle_selection_ratios_invalid_format"),
    ],
)
def test_wrong_percentages_are_refused(given_percentages: list[object], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        rules.percentages(given_percentages)
    assert (refusal.value.status, refusal.value.code) == (400, code)


@given(st.integers(1, 100))
def test_equal_percentages_sum_to_a_hundred(count: int) -> None:
    assert sum(rules.percentages(rules.equal_percentages(count))) == 100


@given(st.integers(0, 10**12), st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_split_by_weight_loses_no_gram(grams: int, weights: list[int]) -> None:
    parts = rules.split_by_weight(grams, weights)
    assert sum(parts) == grams
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(grams * weight, sum(weights))) < 1


@given(st.lists(st.integers(1, 5_000_000), max_size=8), st.data())
def test_the_pool_serves_first_come_first(grams: list[int], data: st.DataObject) -> None:
    asked = data.draw(st.integers(0, sum(grams)))
    taken = rules.take_first(list(enumerate(grams)), asked)
    assert sum(entry.retired_g for entry in taken) == asked
    assert [entry.part for entry in taken] == list(range(len(taken)))
    assert all(entry.left_g == 0 for entry in taken[:-1])
    assert all(entry.retired_g + entry.left_g == grams[entry.part] for entry in taken)


def test_the_pool_cannot_retire_more_than_it_holds() -> None:
    with pytest.raises(ValueError, match="do not hold"):
        rules.take_first([(1, 999_999)], 1_000_000)


@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), st.decimals("0.01", "900", places=2)),
        min_size=1,
        max_size=5,
    )
)
def test_costs_bracket_the_exact_price(shares: list[tuple[int, Decimal]]) -> None:
    bought = rules.costs([(grams, Price(unit)) for grams, unit in shares])
    exactly = sum(Fraction(grams, 10**6) * Fraction(unit) for grams, unit in shares)
    assert 0 <= exactly - Fraction(bought.offset) < Fraction(1, 100)
    assert bought.commission >= 0


@given(st.decimals("1", "100000", places=2), st.lists(st.integers(1, 99), min_size=1, max_size=4))
def test_a_value_is_never_exceeded(value: Decimal, weights: list[int]) -> None:
    parts = [
        (Fraction(100 * weight, sum(weights)), Price(Decimal(weight) + Decimal("0.37")))
        for weight in weights
    ]
    quantity_t = rules.quantity_for_value(value, parts)
    shares = [(rules.truncate(quantity_t * part / 100, "g"), price) for part, price in parts]
    exactly = sum(Fraction(grams, 10**6) * Fraction(price.gross) for grams, price in shares)
    assert exactly <= Fraction(value)
    assert rules.costs_of_value(shares, value).total == value


@given(st.integers(0, 10**15))
def test_tonnes_say_every_gram(grams: int) -> None:
    text = rules.tonnes(grams)
    assert Fraction(text) * 10**6 == grams
    assert text.partition(".")[2] == text.partition(".")[2].rstrip("0")
    assert not text.endswith(".")


def test_a_fraction_without_decimal_form_is_not_shortened() -> None:
    with pytest.raises(ValueError, match="no finite decimal"):
        rules.plain(Fraction(1, 3))
