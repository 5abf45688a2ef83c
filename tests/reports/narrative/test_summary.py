from __future__ import annotations

import pytest

from db.records import EarlierShare, FlagRecord, SessionStatus, ShareEstimate
from model.emotions import Emotion
from reports.flags.sadness import FlagSettings
from reports.narrative.summary import (
    describe_change_point,
    masked_seats_notice,
    missing_curve_reason,
    missing_data_notice,
    summary_sentences,
    unreadable_sentence,
)
from reports.rendering.export import report_data
from reports.rendering.html import render_report_html
from reports.timeline.change_points import ChangeMeasure, ChangePoint
from tests.helpers.pages import Page
from tests.helpers.session_report import make_report

SHORT = FlagSettings(min_usable_s=20.0, sad_share=0.05)


NONE_COMPUTED = " No expression was computed in this mode."


def _plain(text):
    return None if text is None else text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def make(lessons):
    def _make(*scripts, flag_settings=SHORT, **changes):
        session = lessons.session(max(map(len, scripts), default=0), **changes)
        students = lessons.students(len(scripts))
        return make_report(session, students, lessons.bins(scripts), flag_settings=flag_settings)

    return _make


def test_summary_starts_with_check_ins(make):
    first, second, third = map(_plain, summary_sentences(make("ssssssnn", "nnnnnnnn")))
    assert first == "Suggested check-in: Student 1."
    assert second == "2 students were seen, on average for 100 % of the 40 s watched."
    assert third.startswith(
        "Averaged over the class, the readable faces resembled: neutral 46 %, sadness 29 %"
    )


def test_summary_without_flags(make):
    report = make("nnnnnn", "s.....")
    first, second, _ = map(_plain, summary_sentences(report))
    assert first.startswith("No check-in is suggested: of the students with enough data, none mostly looked")
    assert second.endswith("There was not enough data on Student 2.")


@pytest.mark.parametrize(
    ("scripts", "result"),
    [
        (["b" * 12, "<" * 12, "." * 12], "could be judged for 1 of the 2 students seen."),
        (["b" * 12], "could be judged for all students seen."),
        (
            ["<" * 12],
            "No student's eyes could be judged for a whole minute: they were too small, turned away or bowed "
            "down.",
        ),
    ],
)
def test_behaviour_summary_states_known_eye_states(make, scripts, result):
    assert (
        summary_sentences(make(*scripts, mode="behaviour"))[-1].removesuffix(NONE_COMPUTED).endswith(result)
    )


@pytest.mark.parametrize(
    ("reviews", "expected"),
    [
        (["open", "open"], "Suggested check-ins: Student 1 and Student 2 (2 of 2 students)."),
        (["confirmed", "open"], "Suggested check-in: Student 2. Confirmed on review: Student 1."),
        (["dismissed", "open"], "Suggested check-in: Student 2. Dismissed on review: Student 1."),
        (["dismissed", "dismissed"], "No check-in is open. Dismissed on review: Student 1 and Student 2."),
    ],
)
def test_dismissed_flag_is_not_suggested(lessons, reviews, expected):
    flags = [FlagRecord(7, n, "sadness", "flagged", {}, review) for n, review in enumerate(reviews, start=1)]
    bins = lessons.bins(["ssssss"] * 2)
    report = make_report(lessons.session(6), lessons.students(2), bins, flags=flags, flag_settings=SHORT)
    first = summary_sentences(report)[0]
    assert first.startswith(expected)
    assert ("Dismissed on review: Student 1" in first) == (reviews[0] == "dismissed")


def test_many_flagged_students_are_counted_and_cut(make):
    first = summary_sentences(make(*["ssssss"] * 12))[0]
    assert "Student 8 and 4 more (12 of 12 students)" in first
    assert "Student 9" not in first


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        (["s.....", "n....."], "No check-in is suggested: there was not enough data on any student."),
        (["??????", "<<<<<<"], "No check-in is suggested: there was not enough data on any student."),
        (["......"], "No student was seen in the 30 s watched."),
    ],
)
def test_summary_with_insufficient_data(make, scripts, expected):
    assert _plain(summary_sentences(make(*scripts))[0]) == expected


def test_summary_names_students_within_baseline(lessons):
    earlier = [
        EarlierShare(1, n, lessons.started_at, "sadness", ShareEstimate(0.9, 0.8, 1.0), "flagged")
        for n in range(3)
    ]
    args = lessons.session(6), lessons.students(2), lessons.bins(["ssssss", "nnnnnn"])
    report = make_report(*args, flag_settings=SHORT, earlier_shares=earlier)
    assert summary_sentences(report)[0] == (
        "No check-in is suggested. Not flagged, because usual for them: Student 1."
    )
    assert Page(render_report_html(report)).everyone[1][-1] == "as usual: sadness"


def test_summary_of_unreadable_faces(make):
    result = summary_sentences(make("??????", "<<<<<<"))[-1]
    assert result == "No face could be read, so the expressions are unknown."


def test_summary_of_one_student_is_singular(make):
    assert _plain(summary_sentences(make("nnnnnn"))[1]).startswith("1 student was seen")


def test_summary_of_unwatched_session(make):
    assert len(summary_sentences(make(watched_s=0.0))) == 1
    assert summary_sentences(make(watched_s=0.0))[0].startswith("Nothing was watched")


def test_summary_names_students_with_low_coverage(make):
    result = _plain(summary_sentences(make("nnnnnn", "nn....", "nnn..."))[1])
    assert result.startswith(
        "3 students were seen, on average for 61 % of the 30 s watched; less than half of it: Student 2."
    )
    assert "less than half" not in _plain(summary_sentences(make("nn....", "n....."))[1])  # all students were


@pytest.mark.parametrize(
    ("measure", "before", "after", "result"),
    [
        (ChangeMeasure.FACING, 0.81, 0.43, "At 23:10 heads facing the front fell from 81 % to 43 %."),
        (ChangeMeasure.SEEN, 0.2, 0.9, "At 23:10 the share of students seen rose from 20 % to 90 %."),
        (ChangeMeasure.EYES_CLOSED, 0.0, 0.4, "At 23:10 closed eyes rose from 0 % to 40 %."),
        (Emotion.SAD, 0.1, 0.3, "At 23:10 expressions resembling sadness rose from 10 % to 30 %."),
        (Emotion.NEUTRAL, 0.7, 0.5, "At 23:10 neutral expressions fell from 70 % to 50 %."),
    ],
)
def test_describe_change_point(measure, before, after, result):
    assert _plain(describe_change_point(ChangePoint(1390.0, measure, before, after, 20, 0.01))) == result


def test_behaviour_summary_has_no_expressions(make):
    result = " ".join(summary_sentences(make("bb<b", "b.bb", mode="behaviour")))
    assert "Heads faced the front in 8" in result
    assert "sadness" not in result
    assert "No expression was computed in this mode." in result


def test_aggregate_summary(lessons):
    report = make_report(lessons.session(4, mode="aggregate"), [], lessons.aggregate([6, 8, 7, 3]))
    result = " ".join(summary_sentences(report))
    assert "Up to 8 students were seen at a time." in result
    assert missing_curve_reason(report) is None


def test_aggregate_of_four_students_has_no_curve(lessons):
    report = make_report(lessons.session(4, mode="aggregate"), [], lessons.aggregate([4, 4, 3, 0]))
    assert "at most 4 students could be seen at a time" in missing_curve_reason(report)
    assert not any("resembled" in sentence for sentence in summary_sentences(report))


@pytest.mark.parametrize(
    ("scripts", "changes", "expected"),
    [
        (["nn"], {}, None),
        ([".."], {}, "no student was seen"),
        (["??"], {}, "neither expressions nor head directions could be read"),
        (["b<"], {"mode": "behaviour"}, None),
        (["??"], {"mode": "behaviour"}, "no head direction could be read"),
    ],
)
def test_missing_curve_reason(make, scripts, changes, expected):
    reason = missing_curve_reason(make(*scripts, **changes))
    assert reason is None if expected is None else expected in reason


def test_complete_session_has_no_missing_data_notice(make):
    assert missing_data_notice(make("nnnn")) is None
    assert missing_data_notice(make("nnnn", expected_s=20.3)) is None  # a container's rounding
    assert missing_data_notice(make("nnnn", expected_s=None)) is None


def test_interrupted_session_states_what_is_missing(make):
    result = _plain(
        missing_data_notice(
            make(
                "nnnn",
                expected_s=3000.0,
                status=SessionStatus.INTERRUPTED,
                status_reason="the disk was full.",
            )
        )
    )
    assert result == (
        "This lesson was interrupted: the disk was full. The report contains everything recorded before. "
        "The last 49 min 40 s of 50 min are missing."
    )


def test_interrupted_live_session_states_unknown_length(make):
    result = missing_data_notice(make("nnnn", expected_s=None, status=SessionStatus.INTERRUPTED))
    assert result.startswith("This lesson was interrupted. The report")
    assert "How much is missing is unknown" in result


def test_short_finished_session_states_missing_end(make):
    assert "The last 20" in missing_data_notice(make("nnnn", expected_s=40.0))


def test_running_session_notice(make):
    assert "still running" in missing_data_notice(make("nnnn", status=SessionStatus.RUNNING))


def test_unwatched_time_notice(make):
    result = _plain(missing_data_notice(make("nn   nn", watched_s=20.0)))
    assert result == "Nothing was watched for 15 s in between; the charts show when."


def test_unreadable_sentence(make):
    result = _plain(unreadable_sentence(make("nn??<<", "n?....")))
    assert result == "Where a face was seen but not readable, it was too small (60 %) and turned away (40 %)."
    assert unreadable_sentence(make("nnnn", "n...")) is None
    assert unreadable_sentence(make("b?", mode="behaviour")) is None


@pytest.mark.parametrize(
    ("seats", "begins"),
    [(0, None), (1, "1 seat is opted out and was masked"), (2, "2 seats are opted out and were")],
)
def test_masked_seats_notice(lessons, seats, begins):
    report = make_report(lessons.session(2), lessons.students(1), lessons.bins(["nn"]), masked_seats=seats)
    result = masked_seats_notice(report)
    assert result is None if begins is None else str(result).startswith(begins)
    assert report_data(report)["masked_seats"] == seats
    assert ("opted out" in render_report_html(report)) == bool(seats)
