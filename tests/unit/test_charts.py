"""The charts: every gram is drawn once, nothing a provider wrote is interpreted."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.charts.bars import ranked_bars, retired_by_year
from lib.charts.deliveries import delivered_by_project_and_vintage, marked
from lib.charts.stacking import REST
from lib.charts.style import DARK, LIGHT, elided, mass_text, plain, shades


def line(**given: Any) -> dict[str, Any]:
    """One row of `desk.delivered()`."""
    values = {
        "provider": "cnaught",
        "project_id": "p1",
        "project_name": "Glen Basalt",
        "vintage_label": "2021",
        "vintage_source": "serial",
        "held_g": 0,
        "retired_g": 2_000_000,
        "outstanding_g": 0,
        "orders": 1,
        "serials": ["GS1-1-KE-GS11603-16-2025-30256-110-5463"],
        "serial_count": 1,
    }
    return {**values, **given}


FRAME = pd.DataFrame(
    [
        line(vintage_label="2021", retired_g=5_000_000),
        line(vintage_label="2022", retired_g=1_000_000, held_g=500_000, outstanding_g=250_000),
        line(project_id="p2", project_name="Kiruo", vintage_label="not provided",
             vintage_source="not provided", serials=[], serial_count=0, provider="lune"),
        line(project_id="p3", project_name="Tanda", vintage_label="2018/2019 (mixed)"),
        line(project_id=None, project_name="project not yet assigned", retired_g=0,
             vintage_label="not provided", vintage_source="not provided", outstanding_g=9_000_000),
    ]
)  # fmt: skip

lines = st.builds(
    line,
    provider=st.sampled_from(["cnaught", "lune", "isometric"]),
    project_id=st.sampled_from([None, *(f"p{n}" for n in range(30))]),
    vintage_label=st.sampled_from(["2019", "2021/2022", "2018/2019 (mixed)", "not provided"]),
    held_g=st.integers(0, 10**9),
    retired_g=st.integers(0, 10**9),
    outstanding_g=st.integers(0, 10**9),
)  # fmt: skip
frames = st.lists(
    lines, max_size=40, unique_by=lambda x: (x["provider"], x["project_id"], x["vintage_label"])
).map(lambda rows: pd.DataFrame(rows, columns=list(line())))

#: Drawing takes its time on a busy machine; how much is measured elsewhere.
relaxed = settings(deadline=None, max_examples=40)


def marks(figure: go.Figure) -> list[dict[str, Any]]:
    """Every bar with a place: what a reader sees, without the legend's keys."""
    found = []
    for trace in figure.data:
        if trace.type != "bar" or not trace.customdata:
            continue
        for at, key in enumerate(trace.customdata):
            found.append(
                {
                    "row": trace.y[at],
                    "from": trace.base[at],
                    "to": trace.base[at] + trace.x[at],
                    "mass": trace.x[at],
                    "key": tuple(key),
                    "hover": trace.hovertext[at],
                    "hatched": trace.marker.pattern.shape == "/",
                }
            )
    return found


@relaxed
@given(frame=frames, by=st.sampled_from(["project", "vintage"]), top=st.sampled_from([None, 3]))
def test_every_gram_is_drawn_once(frame: pd.DataFrame, by: Any, top: int | None) -> None:
    """The bars of delivered and of outstanding tonnes add up to the table."""
    drawn = marks(delivered_by_project_and_vintage(frame, by=by, top=top))
    delivered = sum(Decimal(str(m["mass"])) for m in drawn if not m["hatched"])
    outstanding = sum(Decimal(str(m["mass"])) for m in drawn if m["hatched"])
    assert delivered == Decimal(int(frame["held_g"].sum() + frame["retired_g"].sum())).scaleb(-6)
    assert outstanding == Decimal(int(frame["outstanding_g"].sum())).scaleb(-6)


@relaxed
@given(frame=frames, by=st.sampled_from(["project", "vintage"]))
def test_bars_of_a_row_follow_each_other(frame: pd.DataFrame, by: Any) -> None:
    """No two marks of a stack overlap and none leaves a hole."""
    drawn = marks(delivered_by_project_and_vintage(frame, by=by))
    for hatched in (True, False):
        for row in {m["row"] for m in drawn}:
            stack = sorted(
                (m for m in drawn if m["row"] == row and m["hatched"] is hatched),
                key=lambda m: m["from"],
            )
            ends = [0.0, *(m["to"] for m in stack)]
            assert [m["from"] for m in stack] == pytest.approx(ends[:-1])


@relaxed
@given(frame=frames, by=st.sampled_from(["project", "vintage"]), top=st.sampled_from([None, 3]))
def test_a_mark_leads_back_to_its_rows(frame: pd.DataFrame, by: Any, top: int | None) -> None:
    """A clicked mark finds rows of the frame that hold at least its mass."""
    for mark in marks(delivered_by_project_and_vintage(frame, by=by, top=top)):
        rows = marked(frame, list(mark["key"]), by, top)
        held = rows[["held_g", "retired_g", "outstanding_g"]].sum().sum()
        assert not rows.empty
        assert Decimal(str(mark["mass"])) <= Decimal(int(held)).scaleb(-6)


def test_retired_is_filled_held_is_hollow_outstanding_is_hatched() -> None:
    """Three fills for three measures, whatever the colour."""
    figure = delivered_by_project_and_vintage(FRAME)
    colours = {"retired": set(), "held": set()}
    for trace in figure.data:
        if trace.type == "bar" and trace.customdata and trace.marker.pattern.shape != "/":
            hollow = str(trace.marker.color).startswith("rgba")
            colours["held" if hollow else "retired"].add(trace.marker.line.color)
    names = [trace.name for trace in figure.data if trace.showlegend]
    assert names[:3] == ["retired", "held, not retired", "outstanding"]
    assert colours["held"], "the held part of 2022 is drawn hollow"
    assert colours["retired"] == {LIGHT.paper}


def test_what_has_no_project_has_a_bar_of_its_own_even_in_a_short_picture() -> None:
    """It is never spread over projects nor joined with the small ones."""
    figure = delivered_by_project_and_vintage(FRAME, top=1)
    names = [note.text for note in figure.layout.annotations]
    assert names[-1] == "project not yet assigned · CNaught"
    assert names[1] == "2 more projects together"
    outstanding = [m for m in marks(figure) if m["hatched"]]
    assert [m["mass"] for m in outstanding if m["row"] == len(names) - 1] == [9.0]
    assert all(m["key"][0] != REST for m in outstanding)


def test_vintages_run_from_old_to_young_and_unknown_ones_are_neutral() -> None:
    """Years take the sequential colours; mixed and not provided take a pattern."""
    figure = delivered_by_project_and_vintage(FRAME)
    keys = {t.name: t.marker for t in figure.data if t.showlegend}
    assert list(keys)[3:] == ["2021", "2022", "mixed vintages", "vintage not provided"]
    assert keys["2021"].color == LIGHT.vintages[0]
    assert keys["2022"].color == LIGHT.vintages[-1]
    assert keys["mixed vintages"].color == keys["vintage not provided"].color == LIGHT.unknown
    assert keys["mixed vintages"].pattern.shape != keys["vintage not provided"].pattern.shape


def test_projects_per_vintage_swaps_rows_and_colours() -> None:
    """Rows are vintages, youngest first; unknown ones last."""
    figure = delivered_by_project_and_vintage(FRAME, by="vintage")
    names = [note.text for note in figure.layout.annotations]
    assert names == ["2022", "2021", "2018/2019 (mixed)", "vintage not provided"]


@pytest.mark.parametrize("dark", [False, True])
def test_provider_text_is_never_interpreted(dark: bool) -> None:
    """Markup in a name stays text, in the name, the hover and the legend, and long ones are cut."""
    hostile = '<b>Bog</b> <a href="javascript:alert(1)">x</a> & ' + "very " * 40 + "long"
    frame = pd.DataFrame([line(project_name=hostile, serials=["<i>1</i>"], held_g=1)])
    for by in ("project", "vintage"):
        figure = delivered_by_project_and_vintage(frame, by=by, dark=dark)
        text = json.dumps(figure.to_plotly_json(), default=str, ensure_ascii=False)
        assert "<a" not in text
        assert "<i>" not in text
        assert "&lt;b&gt;Bog&lt;/b&gt;" in text
        assert all(len(note.text) < 120 for note in figure.layout.annotations)


def test_hover_tells_tonnes_to_the_kilogram_and_how_many_serials_more() -> None:
    """What a reader needs to answer "how do you know"."""
    frame = pd.DataFrame([line(retired_g=1_234_567_891, serials=["A", "B"], serial_count=7)])
    (mark,) = marks(delivered_by_project_and_vintage(frame))
    assert "retired 1,234.568 t" in mark["hover"]
    assert "vintage 2021 (from serial number)" in mark["hover"]
    assert mark["hover"].endswith("A<br>B<br>and 5 more serial numbers")


def test_many_projects_stay_readable() -> None:
    """The drawing grows with its rows, or joins the small ones."""
    frame = pd.DataFrame([line(project_id=f"p{n}", retired_g=n + 1) for n in range(40)])
    every = delivered_by_project_and_vintage(frame, top=None)
    short = delivered_by_project_and_vintage(frame, top=12)
    assert len(every.layout.annotations) == 40
    assert every.layout.height > 40 * 40
    assert len(short.layout.annotations) == 13


def test_an_empty_frame_draws_an_empty_picture() -> None:
    """No rows are no error."""
    assert marks(delivered_by_project_and_vintage(FRAME.iloc[:0])) == []


def test_ranked_bars_join_what_exceeds_the_top() -> None:
    """Largest first, and nothing lost."""
    figure = ranked_bars({f"n{n}": n * 1_000_000 for n in range(1, 21)}, top=5)
    (bars,) = figure.data
    assert list(bars.x) == [20, 19, 18, 17, 16, 120]
    assert figure.layout.annotations[-1].text == "15 more together"


def test_what_is_not_dated_stands_apart_hatched() -> None:
    """Years in order, "date not proven" last and in a pattern."""
    rows = [
        {"year_label": "date not proven", "provider": "lune", "retired_g": 3_000_000},
        {"year_label": "2026", "provider": "cnaught", "retired_g": 2_000_000},
        {"year_label": "2025", "provider": "lune", "retired_g": 1_000_000},
    ]
    figure = retired_by_year(pd.DataFrame(rows), zone="UTC")
    lune = next(trace for trace in figure.data if trace.name == "Lune")
    assert list(lune.x) == ["2025", "2026", "date not proven"]
    assert list(lune.y) == [1, 0, 3]
    assert list(lune.marker.pattern.shape) == ["", "", "/"]
    assert figure.layout.xaxis.title.text == "retired in (UTC)"


@given(st.text())
def test_plain_text_has_no_markup_left(text: str) -> None:
    """Nothing plotly could read as a tag, nor a line break."""
    assert not {"<", ">", "\n", "\r"} & set(plain(text))


@given(st.integers(0, 12))
def test_shades_are_as_many_as_asked(count: int) -> None:
    """From the first stop to the last, all different."""
    for stops in (LIGHT.vintages, DARK.vintages):
        found = shades(stops, count)
        assert len(set(found)) == count
        if count > 1:
            assert (found[0], found[-1]) == (stops[0], stops[-1])


@pytest.mark.parametrize(
    ("mass_g", "unit", "text"),
    [
        (1_234_567_891, "t", "1,234.568 t"),
        (1_234_567_891, "kg", "1,234,567.891 kg"),
        (500, "t", "0.000 t"),
        (1_500, "t", "0.002 t"),
        (0, "t", "0.000 t"),
    ],
)
def test_masses_are_rounded_once_half_even(mass_g: int, unit: Any, text: str) -> None:
    """Three decimals in tonnes are kilograms; kilograms are exact."""
    assert mass_text(mass_g, unit) == text


def test_elided_names_keep_their_beginning() -> None:
    """A cut name ends in an ellipsis and is no longer than asked."""
    assert elided("short") == "short"
    assert elided("x" * 80, 20) == "x" * 19 + "…"
