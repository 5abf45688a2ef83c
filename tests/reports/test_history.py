from __future__ import annotations

import pytest

from db.records import FlagRecord, SessionStatus, StudentSession, StudentSummary
from model.emotions import Emotion
from reports.errors import ReportError
from reports.flags import FlagSettings, judge, to_record
from reports.history import SESSION_HEADINGS, STUDENT_HEADINGS, session_lines, student_lines
from reports.report import ReportSettings

UTC = ReportSettings("UTC")


def test_sessions_in_the_order_given(lessons):
    sessions = [lessons.session(600, id=9), lessons.session(id=3, status=SessionStatus.INTERRUPTED)]
    lines = session_lines(sessions, UTC)
    assert [line.session_id for line in lines] == [9, 3]
    cells = tuple(cell.replace("\N{NO-BREAK SPACE}", " ") for cell in lines[0].cells)
    assert cells == ("9", "Physics 10b", "2026-03-02 09:00", "50 min", "emotion", "finished")
    assert lines[1].cells[-1] == "interrupted"
    assert all(len(line.cells) == len(SESSION_HEADINGS) for line in lines)


def test_a_students_history(lessons):
    verdict = judge(lessons.timeline("ssssssnn"), FlagSettings(least_usable_s=20))
    summary = StudentSummary(1, 80.0, 40.0, 40.0, 80, 0.0, None, None, lessons.probabilities("sad", 0.5))
    part = StudentSession(lessons.session(16), lessons.students(1)[0], summary, (to_record(7, verdict),))
    (line,) = student_lines([part], UTC)
    assert line.coverage == 0.5  # of the session, although the student's own bins begin half way
    assert line.dominant is Emotion.SAD
    assert line.sad_share == pytest.approx(0.75)
    cells = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in line.cells]
    assert cells[3:6] == ["50 %", "sadness", "75 %"]
    assert cells[7:] == ["flagged", "open"]
    assert len(cells) == len(STUDENT_HEADINGS)


def test_a_session_without_expressions_has_no_numbers(lessons):
    other = FlagRecord(7, 1, "another_rule", "flagged", {"sad_share": 1.0})
    summary = StudentSummary(1, 0.0, 0.0, 0.0, 0, 0.0, None, None, None)
    part = StudentSession(lessons.session(0, watched_s=0.0), lessons.students(1)[0], summary, (other,))
    (line,) = student_lines([part], UTC)
    assert (line.coverage, line.dominant, line.sad_share, line.outcome) == (0, None, None, None)
    assert line.cells[3:] == ("0\N{NO-BREAK SPACE}%", "–", "–", "–", "–", "–")


def test_an_unknown_zone(lessons):
    with pytest.raises(ReportError):
        session_lines([lessons.session()], ReportSettings("Nowhere"))
