from __future__ import annotations

import pytest

from db.records import StudentSummary
from reports.flags.sadness import FlagSettings
from reports.history.summaries import RULES_VERSION, summarise_class, summarise_report
from reports.text.dates import ReportSettings
from tests.helpers.session_report import make_report

UTC = ReportSettings("UTC")


@pytest.fixture(scope="module")
def summed(lessons):
    def make(*scripts, **changes):
        session = lessons.session(max(map(len, scripts)), **changes)
        students = lessons.students(len(scripts))
        bins = lessons.bins(scripts)
        enough = FlagSettings(min_usable_s=10.0, min_usable_samples=20)
        return summarise_report(make_report(session, students, bins, settings=UTC, flag_settings=enough))

    return make


def test_summarise_student(summed, lessons):
    whole, (one, other) = summed("ssnn<<..", "........")
    assert (one.watched_s, one.seen_s, one.usable_s, one.usable_samples) == (40.0, 30.0, 20.0, 40)
    assert (one.head_pose_s, one.facing_share, one.closed_share) == (30.0, pytest.approx(4 / 6), None)
    assert one.probabilities == pytest.approx([0.05] * 4 + [0.375, 0.05, 0.375])
    assert one.sad is not None
    assert one.sad.share == pytest.approx(0.5)
    assert one.sad.low < 0.5 < one.sad.high
    assert summed("sn......")[1][0].sad is not None
    assert summed("s.......")[1][0].sad is None  # five seconds are not enough data
    assert (other.seen_s, other.probabilities, other.sad, other.facing_share) == (0.0, None, None, None)
    # A never-seen student is not counted and does not lower the means.
    assert (whole.session_id, whole.rules_version, whole.student_count) == (7, RULES_VERSION, 1)
    assert (whole.seen_share, whole.probabilities) == (0.75, one.probabilities)


def test_summarise_class_counts_every_student_once(summed):
    whole, _ = summed("ssssssss", "nnnnnnnn", "n.......")
    assert whole.student_count == 3
    assert whole.seen_share == pytest.approx((1 + 1 + 1 / 8) / 3)
    assert whole.probabilities is not None
    assert whole.probabilities[4] == pytest.approx((0.7 + 0.05 + 0.05) / 3)


def test_behaviour_summary_has_no_expressions(summed):
    whole, (one,) = summed("bbzz", mode="behaviour")
    assert (one.sad, one.probabilities, one.closed_share, one.facing_share) == (None, None, 0.5, 1.0)
    assert (whole.probabilities, whole.closed_share) == (None, 0.5)


def test_aggregate_summary_has_no_students_or_small_classes(lessons):
    session = lessons.session(6, mode="aggregate")
    many, nobody = summarise_report(
        make_report(session, (), lessons.aggregate([6, 6, 6, 4, 0, 0]), settings=UTC)
    )
    assert nobody == ()
    assert many.student_count == 6
    assert many.probabilities == pytest.approx(lessons.probabilities("neutral"))
    assert many.facing_share == 1.0
    few, nobody = summarise_report(make_report(session, (), lessons.aggregate([4] * 6), settings=UTC))
    assert nobody == ()
    assert (few.probabilities, few.facing_share, few.seen_share, few.closed_share) == (None,) * 4


def test_summarise_class_without_students():
    empty = summarise_class(3, [StudentSummary(1, 60.0, 0.0, 0.0, 0, 0.0, None, None, None)])
    assert (empty.student_count, empty.seen_share, empty.probabilities) == (0, None, None)


def test_away_share_is_summarised_with_enough_data(lessons):
    """Five minutes and four classmates are needed; two students are too few."""
    scripts = ["<" * 45 + "b" * 30, *["b" * 75] * 4]
    session = lessons.session(75, mode="behaviour")
    _, (one, *_) = summarise_report(
        make_report(session, lessons.students(5), lessons.bins(scripts), settings=UTC)
    )
    assert one.away is not None
    assert one.away.share == pytest.approx(45 / 75)
    assert one.away.low < one.away.share < one.away.high
    _, (alone, *_) = summarise_report(
        make_report(session, lessons.students(2), lessons.bins(scripts[:2]), settings=UTC)
    )
    assert alone.away is None
