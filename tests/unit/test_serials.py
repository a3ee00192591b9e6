"""Serial numbers of six registries: the right vintage, inclusive ranges, and never a guess."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.serials import (
    NOT_PROVIDED,
    parse_serial,
    vintage_of_removal,
    vintage_of_serials,
)

VERRA = "19368-940602844-940604553-VCS-VCU-1289-VER-VN-1-1975-01022023-31122023-0"
REAL = [
    (VERRA, "Verra", "1975", 2023, 940602844, 940604553, 1_000_000),
    ("GS1-1-KE-GS11603-16-2025-30256-110-5463", "Gold Standard", "GS11603", 2025, 110, 5463, 10**6),
    ("GS1-1-KE-GS5642-16-2018-20671-12345-12350", "Gold Standard", "GS5642", 2018, 12345, 12350,
     10**6),
    ("ACR-FR-1129-2025-2917-30932 to 35143", "American Carbon Registry", "1129", 2025, 30932,
     35143, 10**6),
    ("CAR-1-US-1335-31-983-KS-2025-9205-1 to 5000", "Climate Action Reserve", "1335", 2025, 1,
     5000, 10**6),
    ("CAR-ROC-US-2056-129-2283-WV-2025-8969-1 to 260294", "Climate Action Reserve", "2056", 2025,
     1, 260294, 10**6),
    ("PURO_PR_CORC100+_FI_577166_2020_055a3fbe_1-100", "Puro.earth", "577166", 2020, 1, 100,
     10**6),
    ("ISO-1-BSTORE-GBR-F5X7-2024-78177-81177", "Isometric", "F5X7", 2024, 78177, 81177, 1_000),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "registry", "project", "year", "first", "last", "unit_g"),
    REAL,
    ids=[row[0][:24] for row in REAL],
)
def test_real_serials_of_every_registry(text, registry, project, year, first, last, unit_g):
    serial = parse_serial(text)
    assert serial is not None
    assert serial.registry == registry
    assert serial.project_id == project
    assert serial.vintage_year == year
    assert (serial.first_unit, serial.last_unit, serial.unit_g) == (first, last, unit_g)
    assert serial.units == last - first + 1


def test_ranges_are_inclusive_on_both_ends():
    assert parse_serial("GS1-1-KE-GS5642-16-2018-20671-12345-12350").units == 6
    assert parse_serial("CAR-1-US-1335-31-983-KS-2025-9205-1 to 5000").block_g == 5_000 * 10**6


def test_a_verra_period_within_a_year_is_that_year():
    serial = parse_serial(VERRA)
    assert (serial.period_start, serial.period_end) == (date(2023, 2, 1), date(2023, 12, 31))
    assert serial.vintage_label == "2023"


def test_a_verra_period_that_crosses_years_names_both_and_counts_as_its_end():
    serial = parse_serial(VERRA.replace("01022023-31122023", "01072021-30062022"))
    assert serial.vintage_year == 2022
    assert serial.vintage_label == "2021/2022"


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "hello", "RW-5-1463953-2-2-0-7014", "CDC_1_1_1_321_14_1",
        VERRA.replace("31122023", "31132023"),  # no such month
        VERRA.replace("01022023-31122023", "31122023-01022023"),  # ends before it starts
        VERRA.replace("940602844-940604553", "940604553-940602844"),  # counts backwards
        "GS1-1-KE-GS11603-16-0025-30256-110-5463",  # no such year
        VERRA + "-1", "x" + VERRA, "٣" * 30, "GS1-1-KE-GS1-1-２０２０-1-1-2",
    ],
)  # fmt: skip
def test_anything_else_is_not_recognised(text):
    assert parse_serial(text) is None


def test_what_is_no_text_is_not_recognised():
    assert parse_serial(None) is None


@given(st.text(max_size=120))
def test_parsing_any_text_gives_a_whole_serial_or_nothing(text):
    serial = parse_serial(text)
    if serial is not None:
        assert serial.first_unit <= serial.last_unit
        assert 1900 <= serial.vintage_year <= 2100


@given(st.integers(1, 10**9), st.integers(0, 10**6), st.integers(1950, 2099))
def test_built_serials_read_back(first, more, year):
    for text in (
        f"GS1-1-KE-GS11603-16-{year}-30256-{first}-{first + more}",
        f"ACR-US-1129-{year}-2917-{first} to {first + more}",
        f"ISO-1-BSTORE-GBR-F5X7-{year}-{first}-{first + more}",
        f"PURO_PR_CORC100+_FI_577166_{year}_055a3fbe_{first}-{first + more}",
    ):
        serial = parse_serial(text)
        assert (serial.vintage_year, serial.first_unit, serial.units) == (year, first, more + 1)


@given(st.integers(1, 100), st.integers(0, 50), st.integers(1, 100), st.integers(0, 50))
def test_overlap_is_symmetric_and_exact(a, a_more, b, b_more):
    first = parse_serial(f"ACR-US-1-2020-9-{a} to {a + a_more}")
    second = parse_serial(f"ACR-US-1-2020-9-{b} to {b + b_more}")
    shared = len(set(range(a, a + a_more + 1)) & set(range(b, b + b_more + 1)))
    assert first.overlap(second) == second.overlap(first) == shared
    assert first.overlap(parse_serial(f"ACR-US-2-2020-9-{a} to {a + a_more}")) == 0


def test_serials_of_one_year_prove_it():
    vintage = vintage_of_serials([REAL[1][0], "GS1-1-KE-GS11603-16-2025-30257-1-10"])
    assert (vintage.label, vintage.year, vintage.source) == ("2025", 2025, "serial")


def test_serials_of_different_years_are_mixed_and_have_no_year():
    vintage = vintage_of_serials(["GS1-1-KE-GS1-16-2019-1-1-2", "GS1-1-KE-GS1-16-2018-1-1-2"])
    assert (vintage.label, vintage.year) == ("2018/2019 (mixed)", None)


def test_one_unrecognised_serial_among_others_proves_nothing():
    assert vintage_of_serials([VERRA, "CDC_1_1_1_321_14_1"]) == NOT_PROVIDED
    assert vintage_of_serials([]) == NOT_PROVIDED


def test_a_removals_vintage_is_the_year_it_was_sequestered():
    vintage = vintage_of_removal(date(2024, 11, 30), "ISO-1-BSTORE-GBR-F5X7-2023-1-10")
    assert (vintage.label, vintage.year, vintage.source) == ("2024", 2024, "sequestered_on")
    fallback = vintage_of_removal(None, "ISO-1-BSTORE-GBR-F5X7-2023-1-10")
    assert (fallback.year, fallback.source) == (2023, "serial")
    assert vintage_of_removal(None, None) == NOT_PROVIDED
