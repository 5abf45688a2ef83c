"""The report of a term."""

from __future__ import annotations

from datetime import datetime

from reports.charts.columns import State
from reports.charts.lessons import MISSED, NOT_KEPT, UNKNOWN, Row, lesson_maps
from reports.history.document import Document, Figure, Section, Table, listed
from reports.history.pages.student import METHOD
from reports.history.pages.trends import NOTE, trend_sections
from reports.history.presence import Presence
from reports.history.reviews import REVIEW_HEADINGS, review_cells
from reports.history.sessions import moment
from reports.history.term import Cell, Term, TermStudent
from reports.names import isolated
from reports.words import NONE, count, length, listing, percent

EVERYONE_HEADINGS = (
    "student", "seen in", "missed", "sadness", "trend a week", "facing front", "trend a week", "flags",
)  # fmt: skip
_LESSONS_A_TABLE = 12
_SHORT = {
    Presence.MISSED: "missed",
    Presence.NOT_KEPT: "class only",
    Presence.RUNNING: "running",
    Presence.NOT_YET: "",
}


def term_page(term: Term) -> Document:
    """The whole report."""
    return Document(
        title=term.class_name,
        lead=f"Term report · {_span(term)}",
        facts=(
            ("Lessons", str(len(term.lessons))),
            ("Interrupted", str(term.interrupted)),
            ("Watched", length(term.watched_s)),
            ("Students of the roster", str(len(term.students))),
        ),
        answer=sentences(term),
        sections=_sections(term),
    )


def sentences(term: Term) -> tuple[str, ...]:
    """What matters of the term, in a few sentences."""
    waiting = sum(one.flag.review == "open" for one in term.flags)
    flags = count(len(term.flags), "suggested check-in").capitalize()
    told = [
        f"{flags} in {count(len(term.lessons), 'lesson')}" + (f", {waiting} still open." if waiting else ".")
    ]
    told += [_clear(term, "rising"), _clear(term, "falling")]
    if not term.students:
        told.append(
            "Nobody is known over more than one lesson, so nothing is told of single students; "
            "'classpulse seats name' or a roster tells who is who."
        )
    return tuple(sentence for sentence in told if sentence)


def _clear(term: Term, direction: str) -> str:
    names = [isolated(one.name) for one in term.students if one.trends.sadness.direction == direction]
    if not names:
        return ""
    chance = round(len(term.students) * _ONE_SIDED)
    by_chance = (
        f" Of {len(term.students)} students who do not change, about {chance} or more would seem to."
        if chance
        else ""
    )
    told = f"An expression resembling sadness took up {_MORE[direction]} time from week to week"
    return f"{told}: {listing(names)}.{by_chance}"


_MORE = {"rising": "more", "falling": "less"}
_ONE_SIDED = 0.025
"""How often an interval of 95 % lies above zero, or below, where nothing changes."""


def _sections(term: Term) -> list[Section]:
    if not term.lessons:
        return []
    weeks, lessons = trend_sections(term.trends)
    sections = [_flags(term), _students(term), weeks, _everyone(term), lessons, *_figures(term)]
    return [*(section for section in sections if section is not None), _limits(term)]


def _students(term: Term) -> Section | None:
    if not term.students:
        return None
    rows = [_row(one) for one in term.students]
    alt = (
        "The share of time with an expression resembling sadness, a row for each of "
        f"{count(len(rows), 'student')}, a "
        f"column for each of {count(len(term.lessons), 'lesson')}. The same figures are in the tables at "
        "the end."
    )
    charts = lesson_maps(rows, _moments(term), alt, label="resembling sadness")
    caption = "Darker: a larger share of the readable time. White: before they were known. A dot: flagged."
    return Section("Student by student", figures=[Figure(chart, caption) for chart in charts])


def _row(student: TermStudent) -> Row:
    flagged = frozenset(number for number, cell in enumerate(student.cells) if cell.flagged)
    return Row(student.name, [_drawn(cell) for cell in student.cells], flagged)


def _drawn(cell: Cell) -> float | State | None:
    if cell.presence is Presence.SEEN:
        return UNKNOWN if cell.sad is None else cell.sad.share
    return {Presence.MISSED: MISSED, Presence.NOT_KEPT: NOT_KEPT, Presence.RUNNING: NOT_KEPT}.get(
        cell.presence
    )


def _flags(term: Term) -> Section:
    rows = [
        (one.name, str(one.lesson.session.id), moment(at), *review_cells(one.flag))
        for one, at in zip(term.flags, _flag_moments(term), strict=True)
    ]
    table = listed(("student", "no.", "started", *REVIEW_HEADINGS), rows, REVIEW_HEADINGS)
    none = "Nobody was flagged in these lessons."
    return Section("Flags and reviews", [] if rows else [none], tables=[table] if rows else [])


def _everyone(term: Term) -> Section | None:
    if not term.students:
        return None
    rows = [_everyone_cells(one) for one in term.students]
    note = (
        "Sadness and facing front: means over the lessons in which there was enough to tell. Trend: points "
        "a week with its "
        f"95 % interval; of {count(len(rows), 'student')} who do not change, about "
        f"{max(1, round(len(rows) / 20))} "
        "would have one that looks clear."
    )
    return Section("Everyone", tables=[Table(EVERYONE_HEADINGS, rows)], notes=[note])


def _everyone_cells(one: TermStudent) -> tuple[str, ...]:
    return (
        one.name,
        str(one.count(Presence.SEEN)),
        str(one.count(Presence.MISSED)),
        percent(one.sad_share),
        one.trends.sadness.short,
        percent(one.facing_share),
        one.trends.facing.short,
        one.flags.short if one.flags.all else NONE,
    )


def _figures(term: Term) -> list[Section]:
    """What the map shows, as tables of a few lessons each."""
    if not term.students:
        return []
    moments = _moments(term)
    tables = []
    for start in range(0, len(moments), _LESSONS_A_TABLE):
        some = slice(start, start + _LESSONS_A_TABLE)
        headings = ("student", *(f"{at.day} {at:%b}" for at in moments[some]))
        rows = [(one.name, *(_cell(cell) for cell in one.cells[some])) for one in term.students]
        tables.append(Table(headings, rows, dense=True))
    note = "?: seen, and not enough to tell. *: flagged. Empty: before they were known."
    return [Section("The shares of sadness, lesson by lesson", tables=tables, notes=[note])]


def _cell(cell: Cell) -> str:
    if cell.presence is not Presence.SEEN:
        return _SHORT[cell.presence]
    return ("?" if cell.sad is None else percent(cell.sad.share)) + ("*" if cell.flagged else "")


def _limits(term: Term) -> Section:
    seats = (
        f"{count(term.by_seat, 'student')} known by the seat in one lesson only are in the class's figures "
        "and not listed."
        if term.by_seat
        else ""
    )
    modes = sorted({lesson.session.mode for lesson in term.lessons})
    models = sorted({lesson.session.versions.get("model", "unknown") for lesson in term.lessons})
    mixed = (
        f"The lessons were read by different models ({', '.join(models)}): changes between them may be the "
        "models'."
        if len(models) > 1
        else ""
    )
    aggregate = "Of lessons in mode aggregate there are class figures only." if "aggregate" in modes else ""
    expression = (
        "An expression is not a feeling. Take what is here as a reason to talk to somebody, never as a "
        "finding about "
        "them."
    )
    return Section(
        "Method and limits",
        notes=[note for note in (expression, *METHOD, NOTE, seats, aggregate, mixed) if note],
    )


def _moments(term: Term) -> list[datetime]:
    return [line.started_at for line in term.trends.lessons]


def _flag_moments(term: Term) -> list[datetime]:
    started = {line.session_id: line.started_at for line in term.trends.lessons}
    return [started[one.lesson.session.id] for one in term.flags]


def _span(term: Term) -> str:
    moments = _moments(term)
    return f"{_day(moments[0])} to {_day(moments[-1])}" if moments else "no lesson"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"
