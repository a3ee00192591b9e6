"""From the wire's decimals to whole grams: rounded once per order, the residue kept."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lib.domain.ledger import Stage
from lib.domain.quantities import exact_grams
from lib.providers.lines import in_whole_grams, unassigned

REST = unassigned(Stage.ORDERED)


def part(key, text):
    return unassigned(Stage.RETIRED, key), Decimal(text)


quantities = st.lists(st.decimals(min_value=0, max_value=10**6, places=9), min_size=0, max_size=6)


@given(quantities, st.decimals(min_value=0, max_value=10**6, places=9))
def test_lines_sum_to_the_order_and_the_residue_is_what_rounding_cost(texts, stated):
    parts = [part(str(n), text) for n, text in enumerate(texts)]
    grams, lines, residue = in_whole_grams(stated, "kg", parts, rest=REST)
    assert sum(line.quantity_g for line in lines) == grams
    assert grams + residue == exact_grams(stated, "kg")
    if sum(texts) <= stated:
        assert abs(residue) <= Decimal("0.5")


def test_what_no_part_covers_is_a_line_of_its_own():
    _grams, lines, _residue = in_whole_grams(Decimal(10), "t", [part("a", "4")], rest=REST)
    assert [(line.key, line.quantity_g) for line in lines] == [
        ("a", 4_000_000),
        ("unassigned", 6_000_000),
    ]


def test_parts_finer_than_a_gram_still_sum_to_the_order():
    third = "0.0003333333"
    grams, lines, residue = in_whole_grams(
        Decimal("0.001"), "kg", [part(str(n), third) for n in range(3)], rest=REST
    )
    assert grams == sum(line.quantity_g for line in lines) == 1
    assert residue == 0


def test_parts_beyond_the_statement_are_kept_and_the_residue_tells():
    grams, _lines, residue = in_whole_grams(Decimal(1), "kg", [part("a", "1.5")], rest=REST)
    assert (grams, residue) == (1500, Decimal(-500))


def test_the_wires_own_decimal_stays_beside_the_grams():
    _grams, lines, _residue = in_whole_grams(
        Decimal("0.012069"), "t", [part("a", "0.012069")], rest=REST
    )
    assert lines[0].wire_quantity == "0.012069 t"
