from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import StepPatch

from model.emotions import Emotion
from reports.charts import heatmap
from reports.charts.annotations import Annotation, letter_annotations, merge_labels, number_annotations
from reports.charts.bands import head_band_styles
from reports.charts.class_timeline import ClassAnnotations, class_timeline_chart
from reports.charts.heatmap import direction_heat_maps, sadness_heat_maps
from reports.charts.resampling import ColumnState
from reports.charts.student_strip import student_strip
from reports.charts.style import (
    EXPRESSION_COLOURS,
    EXPRESSION_HATCHES,
    EYES_CLOSED_COLOUR,
    HEAD_COLOURS,
    SADNESS_LEVELS,
    TURNED_LEVELS,
    FigureWithAlt,
    state_style,
)
from reports.charts.svg import to_svg
from reports.text.formatting import format_percent
from reports.timeline.classroom import aggregate_timeline, class_timeline

HATCHES = {state: state_style(state)["hatch"] for state in ColumnState if state is not ColumnState.KNOWN}


@pytest.fixture(scope="module")
def lines(lessons):
    return lessons.timelines("sssshhss?..s", "nnnn....nnnn", "nnn<<<<<<nnn", "  nnnnnnnn??")


@pytest.fixture(scope="module")
def whole(lines):
    return class_timeline(lines, lines[0].grid)


def _legend(chart: FigureWithAlt) -> list[str]:
    legend = chart.figure.legends[0] if chart.figure.legends else chart.figure.axes[0].get_legend()
    return [text.get_text() for text in legend.get_texts()]


def _hatches(ax: Axes) -> set[str]:
    """The hatches of states; bands have hatches too."""
    patches = [patch for patch in ax.patches if not isinstance(patch, StepPatch)]
    return {patch.get_hatch() for patch in patches if patch.get_hatch()}


def _extents(chart: FigureWithAlt, colour: str) -> list[tuple[float, float]]:
    """Bounds of the cells of a colour, seconds."""
    found = []
    for patch in chart.figure.axes[0].patches:
        if to_hex(patch.get_facecolor()) == colour.lower() and not patch.get_hatch():
            boxes = patch.get_path().vertices.reshape(-1, 5, 2)
            found += [(box[:, 0].min(), box[:, 0].max()) for box in boxes]
    return sorted(found)


def _luminance(colour: str) -> float:
    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))


def _panel(chart: FigureWithAlt, label: str) -> Axes:
    return next(ax for ax in chart.figure.axes if ax.get_ylabel() == label)


def _bands(ax: Axes) -> list[StepPatch]:
    return [patch for patch in ax.patches if isinstance(patch, StepPatch) and patch.get_fill()]


def _entries(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_class_expression_bands_sum_to_one(whole):
    bands = _bands(_panel(class_timeline_chart(whole, expressions=True), "resembling"))
    assert [to_hex(band.get_facecolor()) for band in bands] == [
        c.lower() for c in EXPRESSION_COLOURS.values()
    ]
    lowest, highest = bands[0].get_data(), bands[-1].get_data()
    assert (lowest.baseline == 0).all()
    np.testing.assert_allclose(highest.values, 1)
    np.testing.assert_allclose(lowest.values, whole.probabilities[:, Emotion.SAD])
    for band, emotion in zip(bands, EXPRESSION_COLOURS, strict=True):
        data = band.get_data()
        np.testing.assert_allclose(data.values - data.baseline, whole.probabilities[:, emotion])


def test_class_legend_names_all_expressions(whole):
    legend = _entries(_panel(class_timeline_chart(whole, expressions=True), "resembling"))
    assert legend[0] == "neutral"
    assert legend[6] == "sadness"
    assert "sad" not in legend


def test_class_head_bands_sum_to_one(whole):
    ax = _panel(class_timeline_chart(whole, expressions=True), "heads")
    heights = [band.get_data().values - band.get_data().baseline for band in _bands(ax)]
    np.testing.assert_allclose(np.transpose(heights), whole.head_shares, atol=1e-12)
    np.testing.assert_allclose(np.sum(heights, axis=0), 1)
    np.testing.assert_allclose(1 - heights[-1], whole.seen_share)
    assert _entries(ax) == ["not seen", "seen, not readable", "turned away", "to the front"]


def test_class_chart_with_known_eye_states_has_eye_panel(lessons, whole):
    assert "eyes closed" not in [
        ax.get_ylabel() for ax in class_timeline_chart(whole, expressions=True).figure.axes
    ]
    lines = lessons.timelines("bbzz", "bzz.")
    chart = class_timeline_chart(class_timeline(lines, lines[0].grid), expressions=False)
    assert [ax.get_ylabel() for ax in chart.figure.axes] == ["heads", "eyes closed"]
    ax = _panel(chart, "eyes closed")
    assert ax.patches[0].get_data().values.tolist() == [0, 0.5, 1, 1]
    assert to_hex(ax.patches[0].get_facecolor()) == EYES_CLOSED_COLOUR.lower()


def test_class_chart_without_expressions_names_none(whole):
    chart = class_timeline_chart(whole, expressions=False)
    assert [ax.get_ylabel() for ax in chart.figure.axes] == ["heads"]
    assert "sadness" not in chart.alt
    assert f"Heads faced the front in {format_percent(whole.mean_facing_share)}" in chart.alt


def test_aggregate_chart_hatches_too_small_classes(lessons):
    whole = aggregate_timeline(lessons.session(6), lessons.aggregate([6, 6, 4, 4, 0, 7]))
    chart = class_timeline_chart(whole, expressions=True)
    for label in ("resembling", "heads"):
        ax = _panel(chart, label)
        assert _hatches(ax) == {HATCHES[ColumnState.TOO_FEW], HATCHES[ColumnState.ABSENT]}
        assert np.isnan(_bands(ax)[0].get_data().values).tolist() == [False, False, True, True, True, False]
        assert {"not seen", "too few to show"} <= set(_entries(ax))


def test_annotations_are_drawn_at_their_times_in_every_panel(whole):
    chart = class_timeline_chart(
        whole,
        expressions=True,
        annotations=ClassAnnotations(number_annotations([10, 40]), letter_annotations([25])),
    )
    for label in ("resembling", "heads"):
        lines = [line for line in _panel(chart, label).lines if list(line.get_ydata()) == [0, 1]]
        assert sorted(line.get_xdata()[0] for line in lines) == [10, 25, 40]
    texts = [(text.get_text(), text.get_position()[0]) for ax in chart.figure.axes for text in ax.texts]
    assert sorted(texts) == [("1", 10), ("2", 40), ("A", 25)]


def test_annotation_after_the_end_is_not_drawn(whole):
    chart = class_timeline_chart(
        whole, expressions=True, annotations=ClassAnnotations(number_annotations([10, 4000]))
    )
    assert [text.get_text() for ax in chart.figure.axes for text in ax.texts] == ["1"]


@pytest.mark.parametrize(
    ("times", "labels"),
    [
        ([], []),
        ([100, 2000], ["1", "2"]),
        ([100, 120, 2000], ["1–2", "3"]),
        ([100, 101, 102, 103], ["1–4"]),
        ([100, 170, 240, 310], ["1–4"]),
    ],
)
def test_merge_labels_joins_touching_labels(times, labels):
    assert [mark.label for mark in merge_labels(number_annotations(times), 3000, 4.8)] == labels


@given(times=st.lists(st.floats(0, 3000), max_size=40))
def test_merge_labels_leaves_no_touching_labels(times):
    """At 6.5 points a figure of DejaVu Sans is 0.057 inches wide, and the box adds 0.036."""
    marks = merge_labels(number_annotations(sorted(times)), 3000, 4.8)
    for left, right in pairwise(marks):
        between_in = (right.at_s - left.at_s) / 3000 * 4.8
        assert between_in >= (len(left.label) + len(right.label)) / 2 * 0.057 + 0.036
    first_last = {part for mark in marks for part in mark.label.split("–")}
    assert {"1", str(len(times))} <= first_last or not times


def test_annotations_have_label_and_time():
    assert letter_annotations([7.0, 9.0]) == [Annotation(7.0, "A"), Annotation(9.0, "B")]


def test_heat_map_shows_levels_and_states(lines):
    (chart,) = sadness_heat_maps(lines, highlighted=frozenset({1}))
    assert _hatches(chart.figure.axes[0]) == {HATCHES[ColumnState.ABSENT], HATCHES[ColumnState.UNKNOWN]}
    assert (0, 20) in _extents(chart, SADNESS_LEVELS[5][1])  # 0.7 of sad, four bins in one run
    labels = chart.figure.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == [f"Student {n}" for n in (1, 2, 3, 4)]
    assert [label.get_fontweight() for label in labels] == ["bold", "normal", "normal", "normal"]
    assert "not watched" not in _legend(chart)


def test_heat_map_draws_every_cell_once(lines):
    (chart,) = sadness_heat_maps(lines)
    colours = [*(colour for _, colour in SADNESS_LEVELS), "#FFFFFF", "#DADADA"]
    drawn_s = sum(right - left for colour in colours for left, right in _extents(chart, colour))
    assert drawn_s == 4 * 60


def test_direction_map_is_darker_for_turned_heads(lines):
    (chart,) = direction_heat_maps(lines, highlighted=frozenset({2}))
    assert (15, 45) in _extents(chart, TURNED_LEVELS[-1][1])
    assert [label.get_fontweight() for label in chart.figure.axes[0].get_yticklabels()][1] == "bold"
    assert _extents(chart, EYES_CLOSED_COLOUR) == []
    assert chart.figure.legends[0].get_title().get_text() == "turned from the front"


def test_direction_map_marks_mostly_closed_eyes(lessons):
    (chart,) = direction_heat_maps(lessons.timelines("bbzzb", "bb..b"))
    assert _extents(chart, EYES_CLOSED_COLOUR) == [(10, 20)]
    assert "bar: eyes mostly closed" in _legend(chart)


def test_heat_map_alt_names_highest_students(lines):
    (sad,), (turned,) = sadness_heat_maps(lines), direction_heat_maps(lines)
    gap = "\N{NO-BREAK SPACE}"
    assert f"Highest on average: Student 1 56{gap}%, Student 2 5{gap}%" in sad.alt
    assert f"Highest on average: Student 3 50{gap}%." in turned.alt


def test_heat_map_of_large_class_is_split(lessons, monkeypatch):
    monkeypatch.setattr(heatmap, "MAX_HEAT_MAP_ROWS", 3)
    charts = sadness_heat_maps(lessons.timelines(*["nn"] * 7))
    assert [len(chart.figure.axes[0].get_yticklabels()) for chart in charts] == [3, 3, 1]
    assert sadness_heat_maps([]) == []


@pytest.mark.parametrize("count", [1, 3, 40])
def test_heat_map_rows_fit_their_names(lessons, count):
    (chart,) = sadness_heat_maps(lessons.timelines(*["nn"] * count))
    height_in = chart.figure.axes[0].get_position().height * chart.figure.get_figheight()
    assert 0.16 <= height_in / count <= 0.35
    assert chart.figure.get_figheight() < 9  # fits an A4 page with its heading


def test_strip_marks_columns_led_by_sadness(lines):
    chart = student_strip(lines[0])
    marks = _extents(chart, "#222222")
    assert marks == [(0, 20), (30, 40), (55, 60)]
    assert _legend(chart)[0] == "sadness leads"
    assert "sadness leads for 78\N{NO-BREAK SPACE}% of the readable time" in chart.alt
    assert "Student 1" in chart.alt


def test_strip_of_never_readable_student_has_no_bands(lessons):
    chart = student_strip(lessons.timeline("??.."))
    assert _extents(chart, "#222222") == []
    assert _hatches(chart.figure.axes[0]) == {HATCHES[ColumnState.UNKNOWN], HATCHES[ColumnState.ABSENT]}


@pytest.mark.parametrize(
    ("bins", "label", "last"),
    [
        (3, "minutes:seconds from the start", "0:14"),
        (15, "minutes:seconds from the start", "1:10"),
        (600, "minutes from the start", "50"),
    ],
)
def test_time_axis_has_few_ticks_in_fitting_units(lessons, bins, label, last):
    ax = student_strip(lessons.timeline("n" * bins)).figure.axes[-1]
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ax.get_xlabel() == label
    assert ticks[-1] == last
    assert 4 <= len(ticks) <= 9


@pytest.mark.parametrize("levels", [SADNESS_LEVELS, TURNED_LEVELS])
def test_levels_darken_in_order_in_greyscale(levels):
    luminances = [_luminance(colour) for _, colour in levels]
    assert all(a - b > 0.09 for a, b in pairwise(luminances))
    assert [bound for bound, _ in levels] == sorted(bound for bound, _ in levels)


def test_states_differ_without_colour():
    assert len(set(HATCHES.values())) == len(HATCHES) == len(ColumnState) - 1
    assert not set(HATCHES.values()) & set(EXPRESSION_HATCHES.values())


def test_neighbouring_bands_differ_in_greyscale_or_pattern():
    order = list(EXPRESSION_COLOURS)
    for lower, upper in pairwise(order):
        apart = abs(_luminance(EXPRESSION_COLOURS[lower]) - _luminance(EXPRESSION_COLOURS[upper])) > 0.05
        assert apart or EXPRESSION_HATCHES.get(lower) != EXPRESSION_HATCHES.get(upper)
    facing, turned = map(_luminance, HEAD_COLOURS)
    assert facing - turned > 0.5
    assert [look.get("hatch") for _, look in head_band_styles()[2:]] == [
        HATCHES[ColumnState.UNKNOWN],
        HATCHES[ColumnState.ABSENT],
    ]


class _Svg(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.attributes = []
        self.words = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.words.append(data.strip())


def test_svg_is_reproducible(lines):
    assert to_svg(student_strip(lines[0])) == to_svg(student_strip(lines[0]))


def test_svg_is_labelled_and_self_contained(lines):
    (chart,) = sadness_heat_maps(lines)
    svg = _Svg(to_svg(chart))
    assert ("svg", "role", "img") in svg.attributes
    assert ("svg", "aria-label", chart.alt) in svg.attributes
    links = [value for _, name, value in svg.attributes if name in {"href", "xlink:href", "src"}]
    assert all(value.startswith("#") for value in links)
    assert "Student 1" in svg.words  # text is text


def test_svg_has_no_date_font_or_long_number(lines):
    text = to_svg(student_strip(lines[0]))
    assert text.startswith("<svg")
    assert "dc:date" not in text
    assert "font-family" not in text
    assert "DejaVu" not in text
    assert not re.search(r"\d\.\d{3}", text)


@pytest.mark.filterwarnings("error")
def test_names_in_charts_are_escaped(lessons):
    lines = lessons.timelines("nn", "nn", "nn", "nn", "nn")
    names = ["<script>alert(1)</script>", "$\\frac{1}{$", "李小龙", "A name that goes on and on", "محمد"]
    lines = [
        type(line)(**(vars(line) | {"pseudonym": name})) for line, name in zip(lines, names, strict=True)
    ]
    svg = _Svg(to_svg(sadness_heat_maps(lines)[0]))
    assert "script" not in {tag for tag, _, _ in svg.attributes}
    assert "$\\frac{1}{$" in svg.words
    assert "李小龙" in svg.words
    assert "A name that g…d on" in svg.words
    assert "\u2068محمد\u2069" in svg.words


def test_charts_do_not_import_pyplot(lines):
    to_svg(student_strip(lines[0]))
    assert "matplotlib.pyplot" not in sys.modules or sys.modules["matplotlib.pyplot"].get_fignums() == []
