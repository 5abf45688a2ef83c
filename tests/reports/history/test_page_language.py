"""Pages of the history in another language."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from db.history import SessionCounts
from db.records import SessionStatus, StudentSession
from reports.history.comparison import compare_sessions
from reports.history.data import comparison_data, student_data
from reports.history.document import render_document_html
from reports.history.pages.comparison import comparison_page
from reports.history.pages.sessions import sessions_page
from reports.history.pages.student import student_page
from reports.history.pages.term import term_page
from reports.history.pages.trends import trends_page
from reports.history.sessions import SessionFilters, session_lines
from reports.history.student import build_student_history
from reports.history.term import build_term_history
from reports.history.weeks import build_class_trends
from reports.text import i18n as language
from reports.text.dates import ReportSettings
from reports.text.i18n import use_language
from tests.helpers.bracketed import Bracketed, untranslated_words
from tests.helpers.pages import Page

ZONE = ReportSettings("UTC")
REVIEWED = datetime(2026, 3, 9, 12, tzinfo=UTC)
FILTERS = SessionFilters("Physics 10b", "Room 4", REVIEWED, REVIEWED, "interrupted", flagged=True)
DATA = (
    "Physics 10b", "Room 4", "Student", "Ms <b>", "a & b", "emotion", "aggregate", "March 2026", "April 2026",
    "Mar", "Apr",
)  # fmt: skip


@pytest.fixture(scope="module")
def lines(terms, lessons):
    """Sessions of all kinds: missed, aggregate, interrupted, running; and one of another class."""
    lessons_of_class = []
    for number in range(1, 9):
        students = {1: number / 11, 2: 0.1, 3: None} if number not in (3, 4) else {1: number / 10}
        review = "confirmed" if number == 7 else "open"
        by = {"reviewed_by": "Ms <b>", "reviewed_at": REVIEWED, "note": "a & b"} if number == 7 else {}
        flags = (terms.flag(number, 1, review, **by),) if number > 5 else ()
        ended = {"status": SessionStatus.INTERRUPTED} if number == 2 else {}
        mode = "aggregate" if number == 6 else "emotion"
        week = number if number < 8 else 10  # a week without one
        lessons_of_class.append(
            terms.lesson(lessons, number, {} if number == 6 else students, flags, week, mode=mode, **ended)
        )
    return terms.history(*lessons_of_class)


def _documents(found):
    sessions = [lesson.session for lesson in found.sessions]
    counts = {7: SessionCounts(2, 1, 1)}
    own = [
        StudentSession(session.session, found.students[1], session.students[0], session.flags)
        for session in found.sessions
        if session.students
    ]
    pair = type(found)((found.sessions[0], found.sessions[6]), found.students)
    apart = type(found)((found.sessions[1], found.sessions[5]), found.students)
    return {
        "sessions": sessions_page(session_lines(sessions[::-1], counts, ZONE), FILTERS),
        "no sessions": sessions_page([], SessionFilters()),
        "student": student_page(build_student_history("Student 1", own, found.sessions, ZONE)),
        "nobody": student_page(build_student_history("Student 1", [], [], ZONE)),
        "compare": comparison_page(compare_sessions(pair), ZONE),
        "compare apart": comparison_page(compare_sessions(apart), ZONE),
        "trends": trends_page(build_class_trends("Physics 10b", found.sessions, ZONE)),
        "no trends": trends_page(build_class_trends("Physics 10b", [], ZONE)),
        "term": term_page(build_term_history("Physics 10b", found, ZONE)),
        "no term": term_page(build_term_history("Physics 10b", type(found)((), {}), ZONE)),
    }


def test_all_texts_are_translatable(lines, monkeypatch):
    monkeypatch.setattr(language, "load_catalogue", lambda _: Bracketed())
    for name, document in _documents(lines).items():
        assert (name, untranslated_words(render_document_html(document), DATA)) == (name, set())


def test_german_pages_have_no_english_words(lines):
    with use_language("de"):
        pages = {name: render_document_html(document) for name, document in _documents(lines).items()}
    for html in pages.values():
        assert '<html lang="de">' in html
        assert not re.search(r"\b(the|of|with|seen|lesson|students?|flags?)\b", Page(html).text)
    assert re.search(r"[+−]\d+,\d Prozentpunkte pro Woche", pages["student"].replace("\u00a0", " "))
    assert "02.03.2026 09:00" in pages["sessions"] or "09.03.2026 09:00" in pages["sessions"]
    assert "Lektion 2 wurde unterbrochen." in pages["compare apart"]


def test_json_stays_english(lines):
    pair = type(lines)((lines.sessions[1], lines.sessions[6]), lines.students)
    own = [StudentSession(lines.sessions[0].session, lines.students[1], lines.sessions[0].students[0], ())]
    english = (
        comparison_data(compare_sessions(pair)),
        student_data(build_student_history("Student 1", own, [], ZONE)),
    )
    assert english[0]["not_comparable"][0] == "Session 2 was interrupted."
    with use_language("de"):
        german = (
            comparison_data(compare_sessions(pair)),
            student_data(build_student_history("Student 1", own, [], ZONE)),
        )
    assert german == english
