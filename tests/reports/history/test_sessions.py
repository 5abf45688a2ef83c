from __future__ import annotations

import pytest

from db.history import SessionCounts
from db.records import SessionStatus
from reports.errors import ReportError
from reports.history.sessions import SESSION_HEADINGS, session_lines
from reports.text.dates import ReportSettings

UTC = ReportSettings("UTC")


def test_session_lines_keep_order(lessons):
    sessions = [
        lessons.session(600, id=9, room="B 12"),
        lessons.session(id=3, status=SessionStatus.INTERRUPTED),
        lessons.session(id=2, mode="aggregate"),
    ]
    lines = session_lines(sessions, {9: SessionCounts(30, 2, 1)}, UTC)
    assert [line.session_id for line in lines] == [9, 3, 2]
    cells = tuple(cell.replace("\N{NO-BREAK SPACE}", " ") for cell in lines[0].cells)
    assert cells == (
        "9", "Physics 10b", "B 12", "2026-03-02 09:00", "50 min", "emotion", "finished", "30", "2", "1",
    )  # fmt: skip
    assert lines[1].cells[6:] == ("interrupted", "0", "0", "0")
    assert lines[2].cells[7:] == ("–", "–", "–")  # nothing is kept about a student
    assert all(len(line.cells) == len(SESSION_HEADINGS) for line in lines)


def test_session_lines_with_unknown_zone_raise(lessons):
    with pytest.raises(ReportError):
        session_lines([lessons.session()], {}, ReportSettings("Nowhere"))
