from __future__ import annotations

from reports.history.presence import SessionPresence
from reports.history.term import build_term_history
from reports.text.dates import ReportSettings

UTC = ReportSettings("UTC")


def test_term_students_have_one_cell_per_session(terms, lessons):
    """Cells: seen, not enough data, missed, class figures only, and before the first session."""
    history = terms.history(
        terms.lesson(lessons, 1, {1: 0.1}),
        terms.lesson(lessons, 2, {1: None, 2: 0.4}),
        terms.lesson(lessons, 3, {2: 0.5}, (terms.flag(3, 2, "confirmed"),)),
        terms.lesson(lessons, 4, {}, mode="aggregate"),
    )
    term = build_term_history("Physics 10b", history, UTC)
    one, other = term.students
    assert [cell.presence for cell in one.cells] == [
        SessionPresence.SEEN,
        SessionPresence.SEEN,
        SessionPresence.MISSED,
        SessionPresence.NOT_KEPT,
    ]
    assert [cell.sad is None for cell in one.cells] == [False, True, True, True]
    assert other.cells[0].presence is SessionPresence.NOT_YET
    assert (other.sad_share, other.count(SessionPresence.MISSED)) == (0.45, 0)
    assert one.sad_share == 0.1  # missed and unknown sessions are not zero
    assert [cell.flagged for cell in other.cells] == [False, False, True, False]
    assert (other.flags.confirmed, other.flags.open) == (1, 0)
    assert [(flag.name, flag.class_session.session.id) for flag in term.flags] == [("Student 2", 3)]
    assert one.trends.sadness.text.endswith("(1 of 5)")


def test_seat_only_students_are_counted_not_listed(terms, lessons):
    history = terms.history(terms.lesson(lessons, 1, {1: 0.1, 2: 0.2}), by_seat=frozenset({2}))
    term = build_term_history("Physics 10b", history, UTC)
    assert ([student.name for student in term.students], term.seat_only_count) == (["Student 1"], 1)
    assert term.trends.sessions[0].student_count == 2


def test_term_students_are_in_natural_order(terms, lessons):
    history = terms.history(terms.lesson(lessons, 1, {10: 0.1, 9: 0.1, 2: 0.1}))
    term = build_term_history("Physics 10b", history, UTC)
    assert [student.name for student in term.students] == ["Student 2", "Student 9", "Student 10"]


def test_term_without_sessions(terms):
    term = build_term_history("Physics 10b", terms.history(), UTC)
    assert (term.sessions, term.students, term.flags, term.watched_s) == ((), (), (), 0)
