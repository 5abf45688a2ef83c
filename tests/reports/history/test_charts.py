"""The charts of the history: data in, artists out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from matplotlib.colors import to_hex

from reports.charts.dates import days_since_epoch, format_axis_date
from reports.charts.differences import Difference, difference_chart
from reports.charts.levels import MeanStep, SharePanel, SharePoint, share_chart
from reports.charts.sessions import SessionPoint, sessions_chart
from reports.charts.style import SADNESS_LEVELS, state_style
from reports.charts.svg import to_svg
from reports.charts.term_grid import (
    MAX_TERM_GRID_ROWS,
    STATE_MISSED,
    STATE_NOT_KEPT,
    STATE_UNKNOWN,
    TermGridRow,
    term_grid_charts,
)

START = datetime(2026, 1, 12, 9, tzinfo=UTC)
WEEKS = [START + timedelta(weeks=number) for number in range(6)]


def legend(chart) -> list[str]:
    return [text.get_text() for text in chart.figure.legends[0].get_texts()]


def marks(ax, marker: str) -> list[tuple[float, float]]:
    found = [line for line in ax.lines if line.get_marker() == marker]
    return [(x, y) for line in found for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def test_missed_session_is_a_cross_not_zero():
    points = [SharePoint(WEEKS[0], 0.1, 0.05, 0.2), SharePoint(WEEKS[2], 0.5, 0.4, 0.6, flagged=True)]
    chart = share_chart([SharePanel("sadness", points)], WEEKS[:3], "told", missed=[WEEKS[1]])
    (ax,) = chart.figure.axes
    assert marks(ax, "o") == [(days_since_epoch(WEEKS[0]), 0.1)]
    assert marks(ax, "s") == [(days_since_epoch(WEEKS[2]), 0.5)]
    ((at, height),) = marks(ax, "x")
    assert (at, height > ax.get_ylim()[1]) == (days_since_epoch(WEEKS[1]), True)
    assert legend(chart) == ["lesson with interval", "flagged", "not seen"]
    assert chart.alt == "told"


def test_weekly_means_and_empty_weeks_are_drawn():
    steps = [MeanStep(WEEKS[0], WEEKS[1], 0.2)]
    panel = SharePanel(
        "seen",
        [SharePoint(WEEKS[0], 0.2), SharePoint(WEEKS[2], 0.2)],
        steps,
        [(WEEKS[0], 0.2), (WEEKS[2], 0.2)],
    )
    chart = share_chart([panel], WEEKS[:3], "told", empty=[(WEEKS[1], WEEKS[2])])
    (ax,) = chart.figure.axes
    (gap,) = [patch for patch in ax.patches if patch.get_hatch()]
    assert (gap.get_x(), gap.get_x() + gap.get_width()) == (
        days_since_epoch(WEEKS[1]),
        days_since_epoch(WEEKS[2]),
    )
    assert legend(chart) == ["lesson with interval", "weekly mean", "trend", "week without lesson"]


@pytest.mark.parametrize(("high", "top"), [(0.15, 0.2), (0.3, 0.4), (0.41, 1.0)])
def test_share_axis_ends_at_one_of_three_values(high, top):
    panel = SharePanel("sadness", [SharePoint(WEEKS[0], 0.1, 0.05, high)])
    assert panel.y_max == top


def test_date_ticks_are_few_and_on_mondays():
    chart = share_chart([SharePanel("seen", [SharePoint(at, 0.5) for at in WEEKS])], WEEKS, "told")
    ax = chart.figure.axes[-1]
    chart.figure.canvas.draw()
    assert [text.get_text() for text in ax.get_xticklabels()] == [
        "12 Jan", "19 Jan", "26 Jan", "2 Feb", "9 Feb", "16 Feb",
    ]  # fmt: skip
    assert format_axis_date(START, years=True) == "12 Jan 2026"
    year = [START, START + timedelta(days=700)]
    chart = share_chart([SharePanel("seen", [SharePoint(at, 0.5) for at in year])], year, "told")
    assert len(chart.figure.axes[0].get_xticks()) <= 8


def test_clear_differences_are_filled():
    chart = difference_chart(
        [
            Difference("seen", 0.2, 0.1, 0.3),
            Difference("facing $x$", -0.1, -0.2, 0.1),
            Difference("x", 0.1, None, None),
        ],
        "told",
        label="points",
    )
    (ax,) = chart.figure.axes
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [False, True, True]
    spans = [
        tuple(line.get_xdata())
        for line in ax.lines
        if line.get_marker() == "None" and len(line.get_xdata()) == 2
    ]
    assert (0.1, 0.3) in spans
    low, high = ax.get_xlim()
    assert low == -high  # zero is in the middle
    assert "facing $x$" in to_svg(chart)


def test_term_grid_distinguishes_missed_unknown_and_zero():
    row = TermGridRow(
        "Student 1", [0.0, STATE_MISSED, STATE_UNKNOWN, STATE_NOT_KEPT, None, 0.7], frozenset({5})
    )
    (chart,) = term_grid_charts([row], WEEKS, "told", label="resembling sadness")
    ax = chart.figure.axes[0]
    hatches = {patch.get_hatch() for patch in ax.patches if patch.get_hatch()}
    assert hatches == {state_style(state)["hatch"] for state in (STATE_MISSED, STATE_UNKNOWN, STATE_NOT_KEPT)}
    filled = [
        (box[:, 0].min(), to_hex(patch.get_facecolor()))
        for patch in ax.patches
        if not patch.get_hatch()
        for box in patch.get_path().vertices.reshape(-1, 5, 2)
    ]
    assert (0.0, SADNESS_LEVELS[0][1].lower()) in filled
    assert (5.0, SADNESS_LEVELS[-1][1].lower()) in filled
    assert 4.0 not in {left for left, _ in filled}  # before the first session: nothing
    assert marks(ax, "x") == [(1.5, 0)]
    assert marks(ax, "o") == [(5.5, 0)]
    assert {"not seen", "not enough data", "not stored", "flagged"} <= set(legend(chart))


def test_term_grid_of_large_class_is_split():
    rows = [TermGridRow(f"Student {number}", [0.1]) for number in range(MAX_TERM_GRID_ROWS + 5)]
    charts = term_grid_charts(rows, WEEKS[:1], "told", label="x")
    assert [len(chart.figure.axes[0].get_yticklabels()) for chart in charts] == [MAX_TERM_GRID_ROWS, 5]


def test_sessions_chart_marks_interruptions_and_flags():
    chart = sessions_chart([SessionPoint(WEEKS[0], 50.0, False, 2), SessionPoint(WEEKS[1], 12.0, True, 0)])
    (ax,) = chart.figure.axes
    assert marks(ax, "o") == [(days_since_epoch(WEEKS[0]), 50.0)]
    assert marks(ax, "^") == [(days_since_epoch(WEEKS[1]), 12.0)]
    assert [text.get_text() for text in ax.texts] == ["2"]
    assert "1 of them interrupted" in chart.alt


def test_history_charts_are_reproducible():
    def draw() -> str:
        return to_svg(sessions_chart([SessionPoint(WEEKS[0], 50.0, False, 2)]))

    assert draw() == draw()
