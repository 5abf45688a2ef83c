from __future__ import annotations

import pytest

from db.records import StudentSummary
from reports.flags import FlagSettings
from reports.report import ReportSettings, build_report
from reports.summaries import MADE_WITH, class_summary, summaries

UTC = ReportSettings("UTC")


@pytest.fixture(scope="module")
def summed(lessons):
    def make(*scripts, **changes):
        session = lessons.session(max(map(len, scripts)), **changes)
        students = lessons.students(len(scripts))
        bins = lessons.bins(scripts)
        return summaries(build_report(session, students, bins, settings=UTC, flag_settings=FlagSettings()))

    return make


def test_a_student_is_summed_up(summed, lessons):
    whole, (one, other) = summed("ssnn<<..", "........")
    assert (one.watched_s, one.seen_s, one.usable_s, one.usable_samples) == (40.0, 30.0, 20.0, 40)
    assert (one.posed_s, one.facing_share, one.closed_share) == (30.0, pytest.approx(4 / 6), None)
    assert one.probabilities == pytest.approx([0.05] * 4 + [0.375, 0.05, 0.375])
    assert one.sad is not None
    assert one.sad.share == 0.5
    assert one.sad.low < 0.5 < one.sad.high
    assert (other.seen_s, other.probabilities, other.sad, other.facing_share) == (0.0, None, None, None)
    # Who was never seen is not one of the people, and drags no mean down.
    assert (whole.session_id, whole.made_with, whole.people) == (7, MADE_WITH, 1)
    assert (whole.seen_share, whole.probabilities) == (0.75, one.probabilities)


def test_every_student_counts_once_in_the_class(summed):
    whole, _ = summed("ssssssss", "nnnnnnnn", "n.......")
    assert whole.people == 3
    assert whole.seen_share == pytest.approx((1 + 1 + 1 / 8) / 3)
    assert whole.probabilities is not None
    assert whole.probabilities[4] == pytest.approx((0.7 + 0.05 + 0.05) / 3)


def test_behaviour_has_no_expression(summed):
    whole, (one,) = summed("bbzz", mode="behaviour")
    assert (one.sad, one.probabilities, one.closed_share, one.facing_share) == (None, None, 0.5, 1.0)
    assert (whole.probabilities, whole.closed_share) == (None, 0.5)


def test_of_an_aggregate_nothing_is_kept_of_a_student_or_of_too_few(lessons):
    session = lessons.session(6, mode="aggregate")
    many, nobody = summaries(build_report(session, (), lessons.aggregate([6, 6, 6, 4, 0, 0]), settings=UTC))
    assert nobody == ()
    assert many.people == 6
    assert many.probabilities == pytest.approx(lessons.probabilities("neutral"))
    assert many.facing_share == 1.0
    few, nobody = summaries(build_report(session, (), lessons.aggregate([4] * 6), settings=UTC))
    assert nobody == ()
    assert (few.probabilities, few.facing_share, few.seen_share, few.closed_share) == (None,) * 4


def test_a_class_of_nobody():
    empty = class_summary(3, [StudentSummary(1, 60.0, 0.0, 0.0, 0, 0.0, None, None, None)])
    assert (empty.people, empty.seen_share, empty.probabilities) == (0, None, None)
