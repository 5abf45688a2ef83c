"""The history pages: structure, escaping, alternative texts and tables of charts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db.history import SessionCounts
from db.records import StudentSession
from reports.history.comparison import compare_sessions
from reports.history.document import Document, DocumentTable, Section, compact_table, render_document_html
from reports.history.pages.comparison import comparison_page
from reports.history.pages.sessions import sessions_page
from reports.history.pages.student import student_page
from reports.history.pages.term import term_page
from reports.history.pages.trends import trends_page
from reports.history.sessions import SessionFilters, session_lines
from reports.history.student import build_student_history
from reports.history.term import build_term_history
from reports.history.weeks import build_class_trends
from reports.text.dates import ReportSettings
from tests.helpers.pages import Page

ZONE = ReportSettings("UTC")
REVIEWED = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def term(terms, lessons):
    """Seven sessions: Student 1 looks more sad-like, Student 2 misses two, the sixth has class figures
    only."""
    class_sessions = []
    for number in range(1, 8):
        students = {1: number / 10, 2: 0.1} if number not in (3, 4) else {1: number / 10}
        flags = (
            terms.flag(number, 1, "confirmed", reviewed_by="Ms <b>", reviewed_at=REVIEWED, note="a & b"),
        )
        mode = "aggregate" if number == 6 else "emotion"
        lesson = terms.lesson(
            lessons, number, {} if number == 6 else students, flags if number == 7 else (), mode=mode
        )
        class_sessions.append(lesson)
    return terms.history(*class_sessions)


@pytest.fixture(scope="module")
def documents(term, terms, lessons):
    sessions = [lesson.session for lesson in term.sessions]
    lines = session_lines(sessions[::-1], {7: SessionCounts(2, 1, 1)}, ZONE)
    own = [
        StudentSession(lesson.session, term.students[1], lesson.students[0], lesson.flags)
        for lesson in term.sessions
        if lesson.students
    ]
    pair = type(term)((term.sessions[0], term.sessions[6]), term.students)
    return {
        "sessions": sessions_page(lines, SessionFilters()),
        "student": student_page(build_student_history("Student 1", own, term.sessions, ZONE)),
        "compare": comparison_page(compare_sessions(pair), ZONE),
        "trends": trends_page(build_class_trends("Physics 10b", term.sessions, ZONE)),
        "term": term_page(build_term_history("Physics 10b", term, ZONE)),
    }


NAMES = ["sessions", "student", "compare", "trends", "term"]


@pytest.mark.parametrize("name", NAMES)
def test_page_is_well_formed_and_self_contained(documents, name):
    html = render_document_html(documents[name])
    page = Page(html)
    assert page.problems == []
    assert page.headings.count(page.headings[0]) == 1
    assert "script" not in page.tags
    assert not [
        value for _, attribute, value in page.attributes if attribute in {"src", "href"} and "#" not in value
    ]
    assert render_document_html(documents[name]) == html


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_has_alt_text_and_table(documents, name):
    page = Page(render_document_html(documents[name]))
    labels = [value for tag, attribute, value in page.attributes if (tag, attribute) == ("svg", "aria-label")]
    assert labels
    assert all(len(label) > 20 for label in labels)
    assert page.tables
    assert all(len(row) == len(table[0]) for table in page.tables for row in table)


def test_names_are_escaped():
    table = compact_table(("student", "flags"), [("<script>alert(1)</script>", "a & b")])
    html = render_document_html(
        Document("<i>", "", (), ("<b>",), [Section("</h2>", ["<p>"], (), [table], ["&"])])
    )
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert Page(html).problems == []


def test_student_page(documents):
    page = Page(render_document_html(documents["student"]))
    assert page.headings == ["Student 1", "Session by session", "Flags and reviews", "Method and limits"]
    assert "points per week" in page.text
    assert "rising" in page.text
    assert "class figures only" in page.text
    assert "Ms <b>" in page.text
    assert "is sad" not in page.text


def test_term_page(documents):
    page = Page(render_document_html(documents["term"]))
    assert page.headings == [
        "Physics 10b",
        "Flags and reviews",
        "Student by student",
        "Week by week",
        "All students",
        "Lesson by lesson",
        "The shares of sadness, lesson by lesson",
        "Method and limits",
    ]
    everyone = next(table for table in page.tables if table[0][1] == "Seen in")
    assert [row[:3] for row in everyone[1:]] == [["Student 1", "6", "0"], ["Student 2", "4", "2"]]
    shares = page.tables[-1]
    cells = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in shares[2]]
    assert cells == ["Student 2", "10 %", "10 %", "missed", "missed", "10 %", "class only", "10 %"]
    assert shares[1][-1].endswith("*")
    assert "is sad" not in page.text


def test_term_without_roster_states_that(terms, lessons):
    history = terms.history(terms.lesson(lessons, 1, {1: 0.1}), by_seat=frozenset({1}))
    page = Page(render_document_html(term_page(build_term_history("Physics 10b", history, ZONE))))
    assert "No student is known over more than one lesson" in page.text
    assert "1 student known only by the seat in one lesson" in page.text
    assert "All students" not in page.headings


def test_term_with_several_models_states_that(terms, lessons):
    class_sessions = [
        terms.lesson(lessons, 1, {1: 0.1}),
        terms.lesson(lessons, 2, {1: 0.1}, versions={"model": "cnn 2"}),
    ]
    page = Page(
        render_document_html(
            term_page(build_term_history("Physics 10b", terms.history(*class_sessions), ZONE))
        )
    )
    assert "analysed by different models (cnn 1, cnn 2)" in page.text


def test_empty_pages_are_valid(terms):
    for document in (
        sessions_page([], SessionFilters(flagged=True)),
        trends_page(build_class_trends("7b", [], ZONE)),
        term_page(build_term_history("7b", terms.history(), ZONE)),
    ):
        assert Page(render_document_html(document)).problems == []


def test_cell_classes_of_numbers_and_texts():
    table = DocumentTable(
        ("student", "no.", "seen", "flags", "started"), [], text_columns=frozenset({"flags"})
    )
    assert [table.cell_class(heading) for heading in table.headings[1:]] == ["", "number", "", "whole"]
