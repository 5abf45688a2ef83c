from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from db.records import AnalysisMode, EarlierShare, FlagRecord, ShareEstimate
from reports.errors import ReportError
from reports.flags.base import FlagOutcome
from reports.flags.baseline import Baseline
from reports.flags.sadness import FlagSettings
from reports.text.dates import ReportSettings, local_time
from tests.helpers.session_report import make_report

SHORT = FlagSettings(min_usable_s=20.0, sad_share=0.05)


def test_report_lists_students_in_order(lessons):
    scripts = ["ssssssnn", "nnnnnnnn", "ssssssss", "s.......", "........"]
    report = make_report(
        lessons.session(8),
        lessons.students(5),
        lessons.bins(scripts),
        lessons.seats(4),
        flag_settings=SHORT,
    )
    assert report.mode is AnalysisMode.EMOTION
    assert [person.name for person in report.flagged_students] == [
        "Student 3",
        "Student 1",
    ]  # the larger share first
    assert [person.name for person in report.insufficient_students] == ["Student 4"]
    assert [person.is_seen for person in report.students] == [True] * 4 + [False]
    assert [person.seat for person in report.students] == ["seat 1", "seat 2", "seat 3", "seat 4", None]
    assert report.class_timeline.student_count == 5
    assert report.watched_s == 40


def test_seat_equal_to_pseudonym_is_omitted(lessons):
    seat = replace(lessons.seats(1)[0], label="Student 1")
    report = make_report(lessons.session(1), lessons.students(1), lessons.bins(["n"]), [seat])
    assert report.students[0].seat is None


def test_report_uses_stored_reviews_and_new_decisions(lessons):
    stored = [
        FlagRecord(7, 1, "sadness", "not_flagged", {}, "dismissed", "the form teacher"),
        FlagRecord(8, 2, "sadness", "flagged", {}, "confirmed"),
    ]
    report = make_report(
        lessons.session(6),
        lessons.students(2),
        lessons.bins(["ssssss", "nnnnnn"]),
        flags=stored,
        flag_settings=SHORT,
    )
    first, second = report.students
    assert first.has_outcome(FlagOutcome.FLAGGED)
    assert first.review_of("sadness") == "dismissed"
    assert second.flags == {}  # that review belongs to another session


def test_behaviour_has_no_sadness_decisions(lessons):
    bins = lessons.bins(["ssssss", "bbbbbb"])  # even if probabilities were stored
    flags = [FlagRecord(7, 1, "sadness", "flagged", {})]
    report = make_report(lessons.session(6, mode="behaviour"), lessons.students(2), bins, flags=flags)
    assert [(person.sadness_decision, dict(person.flags)) for person in report.students] == [(None, {})] * 2
    assert report.flagged_students == report.insufficient_students == ()


def test_aggregate_has_no_students(lessons):
    bins = lessons.aggregate([6] * 4)
    report = make_report(lessons.session(4, mode="aggregate"), lessons.students(6), bins)
    assert report.students == ()
    assert report.class_timeline.student_count == 6


def test_report_of_empty_session(lessons):
    report = make_report(lessons.session(0, watched_s=0.0), [], [])
    assert report.students == report.flagged_students == report.seen_students == ()
    assert report.watched_s == report.unwatched_s == 0


def test_report_counts_unwatched_bins(lessons):
    session = lessons.session(8, watched_s=30.0)
    report = make_report(session, lessons.students(1), lessons.bins(["nnn  nnn"]))
    assert (report.watched_s, report.unwatched_s) == (30, 10)


def test_report_times_are_in_the_configured_zone(lessons):
    session = lessons.session(started_at=lessons.started_at + timedelta(days=120))
    report = make_report(session, [], [], settings=ReportSettings("Europe/Madrid"))
    assert report.started_at.hour == 11  # summer time
    assert report.started_at == session.started_at


def test_local_time_without_zone_is_the_computers(lessons):
    own = lessons.started_at.astimezone()
    assert local_time(lessons.started_at, ReportSettings()).utcoffset() == own.utcoffset()


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", ""])
def test_unknown_zone_raises(lessons, zone):
    with pytest.raises(ReportError, match="time zone") as raised:
        make_report(lessons.session(), [], [], settings=ReportSettings(zone))
    assert "\n" not in str(raised.value)


def test_unknown_mode_raises(lessons):
    with pytest.raises(ReportError) as raised:
        make_report(lessons.session(mode="telepathy"), [], [])
    assert "'telepathy', not emotion, behaviour, aggregate" in raised.value.problem
    assert raised.value.hint


def test_bins_of_unknown_student_raise(lessons):
    with pytest.raises(ReportError) as raised:
        make_report(lessons.session(), lessons.students(1), lessons.bins(["n", "n"]))
    assert "unknown student 2" in raised.value.problem
    assert raised.value.hint


def test_flag_settings_affect_decisions(lessons):
    args = lessons.session(6), lessons.students(1), lessons.bins(["sssssn"])
    assert len(make_report(*args, flag_settings=SHORT).flagged_students) == 1
    strict = make_report(*args, flag_settings=replace(SHORT, sad_share=0.6))
    assert strict.flagged_students == ()
    assert strict.flag_settings.sad_share == 0.6


def test_sad_share_is_corrected_only_if_session_stores_confusion(lessons):
    args = lessons.students(1), lessons.bins(["ssssssnn"])
    known, unknown = lessons.session(8), lessons.session(8, settings={})
    (with_it,) = make_report(known, *args).students
    (without,) = make_report(unknown, *args).students
    assert (with_it.sadness_decision.corrected, without.sadness_decision.corrected) == (True, False)
    assert (
        with_it.sadness_decision.sad_share
        > without.sadness_decision.sad_share
        == without.sadness_decision.raw_share
    )


def test_each_flag_kind_has_decision_and_review(lessons):
    scripts = ["s" * 72, *["b" * 72] * 4, "b" * 22 + "<" * 50]
    stored = [FlagRecord(7, 6, "attention", "flagged", {}, "confirmed", "the form teacher")]
    report = make_report(lessons.session(72), lessons.students(6), lessons.bins(scripts), flags=stored)
    sad, away = report.flagged_students  # unreviewed students come first
    assert (sad.name, sad.reviews, [decision.kind for decision in sad.flagged_decisions]) == (
        "Student 1",
        ("open",),
        ["sadness"],
    )
    assert (away.name, away.reviews, [decision.kind for decision in away.flagged_decisions]) == (
        "Student 6",
        ("confirmed",),
        ["attention"],
    )
    assert set(away.decisions) == {"sadness", "attention"}
    behaviour = make_report(lessons.session(72, mode="behaviour"), lessons.students(6), lessons.bins(scripts))
    assert [person.name for person in behaviour.flagged_students] == ["Student 6"]
    assert set(behaviour.students[0].decisions) == {"attention"}


def test_baseline_affects_decisions(lessons):
    args = lessons.session(6), lessons.students(1), lessons.bins(["ssssss"])
    levels = {"sadness": (0.8, 1.0, 0.9), "attention": (0.2, 0.1, 0.3)}
    earlier = [
        EarlierShare(1, number, lessons.started_at, kind, ShareEstimate(share, 0.0, 1.0), "not_flagged")
        for kind, shares in levels.items()
        for number, share in enumerate(shares)
    ]
    (person,) = make_report(*args, flag_settings=SHORT, earlier_shares=earlier).students
    assert len(person.earlier_shares) == 6
    assert person.has_outcome(FlagOutcome.NOT_FLAGGED)
    assert (person.sadness_decision.baseline, person.attention_decision.baseline) == (
        Baseline(0.9, 3),
        Baseline(0.2, 3),
    )
    assert [decision.kind for decision in person.within_baseline_decisions] == ["sadness"]
    (other,) = make_report(
        *args, flag_settings=replace(SHORT, sad_share=0.9), earlier_shares=earlier
    ).students
    assert other.within_baseline_decisions == ()  # it would not be flagged anyway


def test_second_seat_of_student_is_listed(lessons):
    own, other = lessons.seats(2)
    seats = [replace(own, label="Student 1"), replace(other, student_id=1, label="Student 2")]
    report = make_report(lessons.session(1), lessons.students(1), lessons.bins(["n"]), seats)
    assert report.students[0].seat == "Student 2"
