"""Gaps are printed, drawn and exported as unwatched time, not as absence."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import GapRecord
from monitor.types import GapReason
from reports.charts.class_timeline import class_timeline_chart
from reports.charts.heatmap import direction_heat_maps, sadness_heat_maps
from reports.charts.resampling import ColumnState
from reports.charts.sparklines import facing_sparkline
from reports.charts.student_strip import student_strip
from reports.charts.style import state_style
from reports.flags.base import FlagOutcome
from reports.narrative.summary import missing_data_notice, summary_sentences
from reports.rendering.export import report_csv, report_json
from reports.rendering.html import render_report_html, report_facts
from reports.timeline.gaps import (
    GAP_REASONS,
    MAX_LISTED_GAPS,
    UnobservedInterval,
    describe_gaps,
    find_unobserved_intervals,
    gaps_to_list,
    sum_unobserved_s,
)
from reports.timeline.student import build_session_grid, overlap_s
from tests.helpers.pages import Page
from tests.helpers.session_report import make_report
from tests.reports.rendering.test_export_schema import problems

NOT_WATCHED = state_style(ColumnState.NOT_WATCHED)["hatch"]


def plain(text: str | None) -> str | None:
    return None if text is None else text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def make(lessons):
    """A report of scripts (a space: unwatched) with the gaps ``(start_s, end_s, reason)``."""

    def _make(*scripts, gaps=(), aggregate=None, watched_s=None, **changes):
        length = max(map(len, scripts))
        session = lessons.session(length, **changes)
        watched = sum(any(s[n : n + 1] not in ("", " ") for s in scripts) for n in range(length)) * 5.0
        session = replace(session, watched_s=watched if watched_s is None else watched_s)
        rows = lessons.bins(scripts) if aggregate is None else aggregate
        records = [GapRecord(*gap) for gap in gaps]
        return make_report(session, lessons.students(len(scripts)), rows, gaps=records)

    return _make


def test_every_gap_reason_has_a_text() -> None:
    assert set(GAP_REASONS) == {reason.value for reason in GapReason}


class TestUnseen:
    @pytest.mark.parametrize(
        ("gaps", "found"),
        [
            ([], []),
            ([(60, 90, "paused"), (5, 10, "no signal")], [(5, 10, "no signal"), (60, 90, "paused")]),
            ([(5, 10, "paused"), (10, 12, "paused")], [(5, 12, "paused")]),
            ([(5, 10, "paused"), (10, 12, "no signal")], [(5, 10, "paused"), (10, 12, "no signal")]),
            ([(5, 10, "paused"), (10.5, 12, "paused")], [(5, 10, "paused"), (10.5, 12, "paused")]),
            ([(5, 20, "paused"), (10, 25, "no signal")], [(5, 20, "paused"), (20, 25, "no signal")]),
            ([(5, 20, "paused"), (10, 15, "no signal")], [(5, 20, "paused")]),
            ([(90, 200, "paused"), (200, 210, "paused"), (7, 7, "paused")], [(90, 100, "paused")]),
        ],
    )
    def test_intervals_are_clipped_joined_and_sorted(self, gaps, found) -> None:
        assert find_unobserved_intervals(gaps, 100.0) == tuple(UnobservedInterval(*gap) for gap in found)

    @given(
        st.lists(
            st.tuples(st.floats(0, 100), st.floats(0, 30), st.sampled_from(["a", "b"])).map(
                lambda t: (t[0], t[0] + t[1], t[2])
            )
        )
    )
    def test_intervals_do_not_overlap(self, gaps) -> None:
        found = find_unobserved_intervals(gaps, 90.0)
        assert all(gap.length_s > 0 for gap in found)
        assert all(a.end_s <= b.start_s for a, b in pairwise(found))
        fine = np.arange(0.005, 90, 0.01)
        covered = np.zeros(len(fine), bool)
        for start_s, end_s, _ in gaps:
            covered |= (fine >= start_s) & (fine < end_s)
        assert sum_unobserved_s(found) == pytest.approx(covered.sum() * 0.01, abs=0.02 * (len(gaps) + 1))


@pytest.mark.parametrize(
    ("gaps", "told"),
    [
        ([], None),
        ([(0, 180, "no signal")], "For 3 min of 50 min nothing was seen: the camera sent no image."),
        (
            [(0, 60, "paused"), (100, 200, "no signal"), (300, 380, "no signal")],
            "For 4 min of 50 min nothing was seen: the camera sent no image (3 min) and the recording was "
            "paused (1 min).",
        ),
        ([(0, 60, "a new one")], "For 1 min of 50 min nothing was seen: a new one."),
    ],
)
def test_describe_gaps(gaps, told) -> None:
    assert plain(describe_gaps([UnobservedInterval(*gap) for gap in gaps], 3000.0)) == told


def test_gaps_to_list_keeps_the_longest() -> None:
    gaps = [UnobservedInterval(n * 10.0, n * 10.0 + 1 + n % 20, "paused") for n in range(40)]
    shown = gaps_to_list(gaps)
    assert len(shown) == MAX_LISTED_GAPS
    assert [gap.start_s for gap in shown] == sorted(gap.start_s for gap in shown)
    assert min(gap.length_s for gap in shown) >= 15


class TestThePage:
    def test_page_has_notice_table_and_note(self, make) -> None:
        report = make(
            "bb    bbbb", gaps=[(10.0, 25.0, "no signal"), (25.0, 30.0, "paused")], mode="behaviour"
        )
        page = Page(render_report_html(report))
        assert not page.problems
        sentence = (
            "For 20 s of 50 s nothing was seen: the camera sent no image (15 s) and the recording was "
            "paused (5 s)."
        )
        assert plain(missing_data_notice(report)) == sentence
        assert page.text.index(sentence) < page.text.index("The class over time")
        assert ["0:10", "0:25", "15 s", "The camera sent no image"] in [
            [plain(cell) for cell in row] for row in page.table
        ]
        assert "It does not count as absence" in page.text
        assert plain(dict(report_facts(report))["Watched"]) == "30 s of 50 s"

    def test_page_without_gaps_has_no_table(self, make) -> None:
        report = make("bbbb", mode="behaviour")
        assert missing_data_notice(report) is None
        page = Page(render_report_html(report))
        assert "nothing was seen" not in page.text.casefold()
        assert "absence" not in page.text
        assert plain(dict(report_facts(report))["Watched"]) == "20 s"

    def test_unwatched_time_outside_gaps_is_added(self, make) -> None:
        report = make("bb  b   bb", gaps=[(9.5, 20.5, "black frame")], mode="behaviour")
        assert plain(missing_data_notice(report)) == (
            "For 11 s of 50 s nothing was seen: the image was black. "
            "In addition, nothing was watched for 15 s in between; the charts show when."
        )

    def test_partial_bins_at_gap_ends_give_no_warning(self, make) -> None:
        report = make("bb  bb", gaps=[(10.5, 19.5, "paused")], mode="behaviour")
        assert "Besides" not in str(missing_data_notice(report))

    def test_many_gaps_are_counted(self, make) -> None:
        gaps = [(n * 5.0, n * 5.0 + 1.0, "no signal") for n in range(20)]
        page = Page(render_report_html(make("b" * 20, gaps=gaps, mode="behaviour")))
        assert "And 8 shorter ones." in page.text

    def test_aggregate_has_gaps(self, make, lessons) -> None:
        rows = [row for row in lessons.aggregate([6] * 6) if row.start_s not in (10.0, 15.0)]
        report = make(
            "......", aggregate=rows, watched_s=20.0, gaps=[(10.0, 20.0, "paused")], mode="aggregate"
        )
        page = Page(render_report_html(report))
        assert "For 10 s of 30 s nothing was seen: the recording was paused." in plain(page.text)
        assert "When nothing was seen" in page.headings
        assert np.isnan(report.class_timeline.seen_share[2:4]).all()

    def test_gap_over_whole_session(self, make) -> None:
        report = make("    ", gaps=[(0.0, 20.0, "paused")])
        assert summary_sentences(report) == ("Nothing was watched, so there is nothing to report.",)
        assert (
            plain(missing_data_notice(report))
            == "For 20 s of 20 s nothing was seen: the recording was paused."
        )
        assert not Page(render_report_html(report)).problems


class TestTheCharts:
    SCRIPTS = ("ss" + " " * 6 + "nnnn", "nn" + " " * 6 + "..nn", "bb" + " " * 6 + "bb<<")

    def hatched(self, ax) -> list[tuple[float, float]]:
        """Bounds of the areas drawn as not watched, seconds."""
        found = []
        for patch in ax.patches:
            if patch.get_hatch() == NOT_WATCHED:
                boxes = patch.get_path().vertices.reshape(-1, 5, 2)
                found += [(float(box[:, 0].min()), float(box[:, 0].max())) for box in boxes]
        return found

    def charts(self, report):
        lines = [person.timeline for person in report.students]
        return [
            class_timeline_chart(report.class_timeline, expressions=True),
            *sadness_heat_maps(lines),
            *direction_heat_maps(lines),
            student_strip(lines[0]),
        ]

    def test_gap_is_hatched_exactly_in_every_chart(self, make) -> None:
        report = make(*self.SCRIPTS, gaps=[(12.5, 37.5, "no signal")])
        for chart in self.charts(report):
            for ax in chart.figure.axes:
                assert (12.5, 37.5) in self.hatched(ax), chart.alt

    def test_short_gap_within_a_column_is_visible(self, make) -> None:
        report = make(*["n" * 720] * 2, gaps=[(1000.0, 1001.0, "frozen frame")])
        for chart in self.charts(report):
            (left, right) = self.hatched(chart.figure.axes[0])[0]
            assert (left, right) == (1000.0, 1009.0)

    def test_legend_distinguishes_gap_from_not_seen(self, make) -> None:
        for chart in self.charts(
            make(*["n" * 720, "n" * 360 + "." * 360], gaps=[(1000.0, 1001.0, "paused")])
        ):
            legends = [*chart.figure.legends, *(ax.get_legend() for ax in chart.figure.axes)]
            words = [text.get_text() for legend in legends if legend for text in legend.get_texts()]
            assert "not watched" in words
        assert state_style(ColumnState.ABSENT)["hatch"] != NOT_WATCHED

    def test_charts_without_gaps_have_no_gap_hatching(self, make) -> None:
        for chart in self.charts(make("nnnn", "nn..")):
            assert all(self.hatched(ax) == [] for ax in chart.figure.axes)

    def test_sparklines_are_grey_in_gaps(self, make) -> None:
        gone = make(*self.SCRIPTS, gaps=[(15.0, 30.0, "paused")]).students[0].timeline
        assert "M30.0 0H60.0V20H30.0z" in facing_sparkline(gone)
        assert facing_sparkline(gone).count("<path") == 3
        assert facing_sparkline(make("nnnn").students[0].timeline).count("<path") == 2

    def test_chart_alt_mentions_gaps(self, make) -> None:
        report = make(*self.SCRIPTS, gaps=[(10.0, 40.0, "paused")])
        assert "Nothing was seen for 30" in class_timeline_chart(report.class_timeline, expressions=True).alt


class TestTheExports:
    GAPS = ((10.0, 18.0, "no signal"), (18.0, 21.0, "paused"))

    @pytest.mark.parametrize("mode", ["emotion", "behaviour", "aggregate"])
    def test_csv_has_gap_columns_per_bin(self, make, lessons, mode) -> None:
        rows = [row for row in lessons.aggregate([6] * 6) if row.start_s not in (10.0, 15.0)]
        report = make(
            "nn  nn",
            gaps=self.GAPS,
            mode=mode,
            aggregate=rows if mode == "aggregate" else None,
            watched_s=20.0,
        )
        told = [
            (row["start_s"], row["gap_s"], row["gap_reason"], row["watched_s"])
            for row in csv.DictReader(io.StringIO(report_csv(report)))
        ]
        assert told == [
            ("0", "0", "", "5"),
            ("5", "0", "", "5"),
            ("10", "5", "no signal", "0"),
            ("15", "5", "no signal", "0"),
            ("20", "1", "paused", "5"),
            ("25", "0", "", "5"),
        ]

    def test_json_has_exact_gaps(self, make) -> None:
        data = json.loads(report_json(make("nn  nn", gaps=self.GAPS)))
        assert [tuple(gap.values()) for gap in data["gaps"]] == list(self.GAPS)
        assert data["session"]["unobserved_s"] == 11.0
        assert "nothing was seen" in data["missing_data"]
        assert problems(data) == []

    def test_json_without_gaps_is_valid(self, make) -> None:
        data = json.loads(report_json(make("nn", gaps=[])))
        del data["gaps"], data["session"]["unobserved_s"]
        assert problems(data) == []

    def test_unknown_gap_key_is_invalid(self, make) -> None:
        data = json.loads(report_json(make("nn  nn", gaps=self.GAPS)))
        data["gaps"][0]["undescribed"] = 1
        assert problems(data) != []


class TestNobodyIsAbsentInAGap:
    """A session with and without a gap: all shares of students are equal."""

    MINUTES = 60
    CLASS = ("b" * 120, "b" * 120, "b" * 80 + "<" * 40, "b" * 100 + "." * 20, "." * 60 + "b" * 60, "b.<" * 40)

    def parted(self, script: str, at: int, bins: int) -> str:
        return script[:at] + " " * bins + script[at:]

    def decisions(self, report):
        return [person.attention_decision for person in report.students]

    @pytest.mark.parametrize("at", [0, 1, 30, 60, 119, 120])
    @pytest.mark.parametrize("bins", [1, 240])
    def test_gap_changes_no_share(self, make, at, bins) -> None:
        whole = make(*self.CLASS, mode="behaviour")
        gap = (at * 5.0, (at + bins) * 5.0, "no signal")
        parted = make(*(self.parted(s, at, bins) for s in self.CLASS), gaps=[gap], mode="behaviour")
        assert len(parted.class_timeline.grid.watched_s) == 120 + bins
        for before, after in zip(self.decisions(whole), self.decisions(parted), strict=True):
            for name in (
                "outcome",
                "watched_s",
                "known_s",
                "compared_s",
                "not_seen_s",
                "turned_away_s",
                "coverage",
            ):
                assert getattr(after, name) == getattr(before, name), name
            assert after.away_share == pytest.approx(before.away_share)
            assert after.class_share == pytest.approx(before.class_share)
        assert parted.class_timeline.mean_seen_share == pytest.approx(whole.class_timeline.mean_seen_share)
        assert parted.watched_s == whole.watched_s
        assert not [p for p in parted.students if p.timeline.unreadable_reasons.get("absent", 0) > 100 * 10]

    def test_absence_of_same_length_is_flagged(self, make) -> None:
        """Counter-check of the test above: the same time, watched without the students, is away."""
        gone = make(*["b" * 120] * 5, "b" * 60 + "." * 60, mode="behaviour")
        parted = make(*[self.parted("b" * 60, 60, 60)] * 6, gaps=[(300.0, 600.0, "paused")], mode="behaviour")
        assert self.decisions(gone)[5].not_seen_s == 300.0
        assert self.decisions(gone)[5].away_share == pytest.approx(0.5)
        assert self.decisions(parted)[5].not_seen_s == 0.0
        assert self.decisions(parted)[5].outcome is FlagOutcome.NOT_FLAGGED

    def test_gap_in_empty_room_is_unwatched(self, lessons) -> None:
        """The time before the first student has no rows; it must not be spread over the gap."""
        rows = lessons.bins([" " * 8 + "bbbb"])
        session = replace(lessons.session(12), watched_s=20.0 + 25.0)
        grid = build_session_grid(session, rows, [(10.0, 25.0)])
        assert grid.watched_s.tolist() == [5, 5, 0, 0, 0, 5, 5, 5, 5, 5, 5, 5]

    def test_empty_room_time_matches_session(self, lessons) -> None:
        rows = lessons.bins([" " * 4 + "bb"])
        session = replace(lessons.session(6), watched_s=10.0 + 6.0)
        grid = build_session_grid(session, rows, [(2.0, 7.0)])
        assert grid.watched_s[:4].sum() == pytest.approx(6.0)
        assert (grid.watched_s[:4] <= [2, 3, 5, 5]).all()


def test_overlap_s_per_bin() -> None:
    assert overlap_s([(2.0, 11.0), (12.0, 13.0)], 5.0, 4).tolist() == [3.0, 5.0, 2.0, 0.0]
    assert overlap_s([], 5.0, 2).tolist() == [0.0, 0.0]


def test_gaps_under_a_second_are_not_listed() -> None:
    found = find_unobserved_intervals(
        [(10.0, 20.0, "paused"), (20.0, 20.4, "no signal"), (50.0, 51.0, "no signal")], 60.0
    )
    assert [(gap.start_s, gap.end_s) for gap in gaps_to_list(found)] == [(10.0, 20.0), (50.0, 51.0)]
    assert "For 11\xa0s of" in str(describe_gaps(found, 60.0))
    alone = find_unobserved_intervals([(20.0, 20.4, "no signal")], 60.0)
    assert gaps_to_list(alone) == alone
