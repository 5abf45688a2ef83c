from __future__ import annotations

import pytest

from db.records import FlagRecord, StudentSession
from model.emotions import Emotion
from reports.history.presence import SessionPresence
from reports.history.student import STUDENT_HEADINGS, build_student_history, compute_trends
from reports.text.dates import ReportSettings

UTC = ReportSettings("UTC")


def parts(terms, lessons, *shares, by_seat=False):
    """Student 1 in one session each: a share, None for not enough data, or "absent"."""
    found = []
    for number, share in enumerate(shares, start=1):
        lesson = terms.lesson(lessons, number, {})
        summary = terms.absent(1) if share == "absent" else terms.summary(1, share)
        student = terms.person(number if by_seat else 1, number if by_seat else None)
        if by_seat:
            summary = summary._replace(student_id=number)
        found.append(StudentSession(lesson.session, student, summary, ()))
    return found


def test_student_line_values(terms, lessons):
    (part,) = parts(terms, lessons, 0.6)
    flags = (terms.flag(1, 1, "confirmed"), FlagRecord(1, 1, "attention", "not_flagged", {}))
    part = StudentSession(part.session, part.student, part.summary, flags)
    (line,) = build_student_history("Student 1", [part], [], UTC).lines
    assert (line.presence, line.coverage, line.dominant_expression) == (
        SessionPresence.SEEN,
        0.9,
        Emotion.SAD,
    )
    cells = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in line.cells]
    assert cells == [
        "1", "Physics 10b", "2026-03-02 09:00", "90 %", "sadness", "60 %", "55–65 %", "75 %", "–",
        "sadness (confirmed)",
    ]  # fmt: skip
    assert len(cells) == len(STUDENT_HEADINGS)


def test_missed_sessions_are_listed_without_shares(terms, lessons):
    """Five lessons of the class; the student is in three, and first in the second."""
    own = parts(terms, lessons, "absent", 0.2, 0.3)[1:] + parts(terms, lessons, *["absent"] * 5)[4:]
    whole = [terms.lesson(lessons, number, {2: 0.1}) for number in range(1, 6)]
    history = build_student_history("Student 1", own, whole, UTC)
    assert [(line.session_id, line.presence) for line in history.lines] == [
        (2, SessionPresence.SEEN),
        (3, SessionPresence.SEEN),
        (4, SessionPresence.MISSED),
        (5, SessionPresence.MISSED),
    ]
    assert history.count(SessionPresence.MISSED) == 2
    assert history.lines[2].cells[3:] == ("missed", "–", "–", "–", "–", "–", "–")
    assert history.trends is not None
    assert history.trends.sadness.sessions == 2


def test_aggregate_and_running_sessions_are_not_missed(terms, lessons):
    own = parts(terms, lessons, 0.2)
    running = terms.lesson(lessons, 3, {})
    whole = [terms.lesson(lessons, 2, {}, mode="aggregate"), type(running)(running.session, None)]
    history = build_student_history("Student 1", own, whole, UTC)
    assert [line.presence for line in history.lines[1:]] == [
        SessionPresence.NOT_KEPT,
        SessionPresence.RUNNING,
    ]
    assert history.count(SessionPresence.MISSED) == 0


def test_trend_uses_sessions_with_enough_data(terms, lessons):
    history = build_student_history(
        "Student 1", parts(terms, lessons, 0.1, None, 0.2, 0.3, 0.4, 0.5), [], UTC
    )
    assert history.trends is not None
    assert (history.trends.sadness.sessions, history.trends.sadness.direction) == (5, "rising")
    assert history.trends.facing.sessions == 6
    short = [line for line in history.lines if line.sad][:4]
    assert compute_trends(short).sadness.slope_per_week is None


def test_seat_only_student_has_no_trend(terms, lessons):
    history = build_student_history("Student 1", parts(terms, lessons, 0.1, 0.2, by_seat=True), [], UTC)
    assert (history.roster_student, history.trends, history.student_count) == (None, None, 2)
    assert history.warning is not None
    assert "may belong to different students" in history.warning


def test_two_roster_students_with_same_name_have_no_trend(terms, lessons):
    one, other = parts(terms, lessons, 0.1, 0.2)
    other = StudentSession(other.session, terms.person(2), other.summary._replace(student_id=2), ())
    history = build_student_history("Student 1", [one, other], [], UTC)
    assert (history.roster_student, history.trends) == (None, None)


def test_short_head_pose_time_has_no_facing_share(terms, lessons):
    (part,) = parts(terms, lessons, 0.1)
    short = StudentSession(part.session, part.student, part.summary._replace(head_pose_s=30.0), ())
    (line,) = build_student_history("Student 1", [short], [], UTC).lines
    assert line.facing_share is None


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([], "–"),
        (["insufficient_data"], "not enough data"),
        (["insufficient_data", "not_flagged"], "none"),
    ],
)
def test_describe_flags(terms, lessons, outcomes, told):
    (part,) = parts(terms, lessons, 0.1)
    flags = tuple(FlagRecord(1, 1, f"kind {n}", outcome, {}) for n, outcome in enumerate(outcomes))
    (line,) = build_student_history(
        "S", [StudentSession(part.session, part.student, part.summary, flags)], [], UTC
    ).lines
    assert line.cells[-1] == told
