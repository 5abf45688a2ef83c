"""The report of a term."""

from __future__ import annotations

from datetime import datetime

from reports.charts.resampling import State
from reports.charts.term_grid import MISSED, NOT_KEPT, UNKNOWN, Row, lesson_maps
from reports.history.document import Document, Figure, Section, Table, listed
from reports.history.labels import REVIEW_HEADINGS, review_cells
from reports.history.pages.student import METHOD
from reports.history.pages.trends import NOTE, trend_sections
from reports.history.presence import Presence
from reports.history.sessions import moment
from reports.history.term import Cell, Term, TermStudent
from reports.text.dates import axis_day, day
from reports.text.formatting import NONE, capital, count, length, listing, percent
from reports.text.i18n import N_, _, ngettext, word
from reports.text.names import isolated

EVERYONE_HEADINGS = (
    N_("student"), N_("seen in"), N_("missed"), N_("sadness"), N_("trend a week"), N_("facing front"),
    N_("trend a week"), N_("flags"),
)  # fmt: skip
_LESSONS_A_TABLE = 12
_SHORT = {
    Presence.MISSED: N_("missed"),
    Presence.NOT_KEPT: N_("class only"),
    Presence.RUNNING: N_("running"),
    Presence.NOT_YET: "",
}


def term_page(term: Term) -> Document:
    """The whole report."""
    return Document(
        title=term.class_name,
        lead=_("Term report") + f" · {_span(term)}",
        facts=(
            (_("Lessons"), str(len(term.lessons))),
            (_("Interrupted"), str(term.interrupted)),
            (_("Watched"), length(term.watched_s)),
            (_("Students of the roster"), str(len(term.students))),
        ),
        answer=sentences(term),
        sections=_sections(term),
    )


def title(term: Term) -> str:
    """What its PDF is called."""
    return _("%(name)s: term report", name=term.class_name)


def sentences(term: Term) -> tuple[str, ...]:
    """What matters of the term, in a few sentences."""
    waiting = sum(one.flag.review == "open" for one in term.flags)
    flags = _(
        "%(check_ins)s in %(lessons)s",
        check_ins=capital(count(len(term.flags), "suggested check-in")),
        lessons=count(len(term.lessons), "lesson"),
    )
    still = ngettext(", %(num)d still open", ", %(num)d still open", waiting) if waiting else ""
    told = [f"{flags}{still}."]
    told += [_clear(term, "rising"), _clear(term, "falling")]
    if not term.students:
        told.append(
            _(
                "Nobody is known over more than one lesson, so nothing is told of single students; "
                "'classpulse seats name' or a roster tells who is who."
            )
        )
    return tuple(sentence for sentence in told if sentence)


def _clear(term: Term, direction: str) -> str:
    names = [isolated(one.name) for one in term.students if one.trends.sadness.direction == direction]
    if not names:
        return ""
    chance = round(len(term.students) * _ONE_SIDED)
    told = _(_MORE[direction], names=listing(names))
    if not chance:
        return told
    by_chance = _(
        "Of %(students)s students who do not change, about %(chance)s or more would seem to.",
        students=len(term.students),
        chance=chance,
    )
    return f"{told} {by_chance}"


_MORE = {
    "rising": N_("An expression resembling sadness took up more time from week to week: %(names)s."),
    "falling": N_("An expression resembling sadness took up less time from week to week: %(names)s."),
}
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
    alt = _(
        "The share of time with an expression resembling sadness, a row for each of %(students)s, a column "
        "for each of %(lessons)s. The same figures are in the tables at the end.",
        students=count(len(rows), "student"),
        lessons=count(len(term.lessons), "lesson"),
    )
    charts = lesson_maps(rows, _moments(term), alt, label=_("resembling sadness"))
    caption = _("Darker: a larger share of the readable time. White: before they were known. A dot: flagged.")
    return Section(_("Student by student"), figures=[Figure(chart, caption) for chart in charts])


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
    none = _("Nobody was flagged in these lessons.")
    return Section(_("Flags and reviews"), [] if rows else [none], tables=[table] if rows else [])


def _everyone(term: Term) -> Section | None:
    if not term.students:
        return None
    rows = [_everyone_cells(one) for one in term.students]
    note = _(
        "Sadness and facing front: means over the lessons in which there was enough to tell. Trend: points a "
        "week with its 95 %% interval; of %(students)s who do not change, about %(chance)s would have one "
        "that looks clear.",
        students=count(len(rows), "student"),
        chance=max(1, round(len(rows) / 20)),
    )
    return Section(_("Everyone"), tables=[Table(EVERYONE_HEADINGS, rows)], notes=[note])


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
        headings = (N_("student"), *(axis_day(at) for at in moments[some]))
        rows = [(one.name, *(_cell(cell) for cell in one.cells[some])) for one in term.students]
        tables.append(Table(headings, rows, dense=True))
    note = _("?: seen, and not enough to tell. *: flagged. Empty: before they were known.")
    return [Section(_("The shares of sadness, lesson by lesson"), tables=tables, notes=[note])]


def _cell(cell: Cell) -> str:
    if cell.presence is not Presence.SEEN:
        return word(_SHORT[cell.presence])
    return ("?" if cell.sad is None else percent(cell.sad.share)) + ("*" if cell.flagged else "")


def _limits(term: Term) -> Section:
    seats = (
        ngettext(
            "%(num)d student known by the seat in one lesson only are in the class's figures and not listed.",
            "%(num)d students known by the seat in one lesson only are in the class's figures and not "
            "listed.",
            term.by_seat,
        )
        if term.by_seat
        else ""
    )
    modes = sorted({lesson.session.mode for lesson in term.lessons})
    models = sorted({lesson.session.versions.get("model", "unknown") for lesson in term.lessons})
    mixed = (
        _(
            "The lessons were read by different models (%(models)s): changes between them may be the "
            "models'.",
            models=", ".join(models),
        )
        if len(models) > 1
        else ""
    )
    aggregate = (
        _("Of lessons in mode aggregate there are class figures only.") if "aggregate" in modes else ""
    )
    expression = _(
        "An expression is not a feeling. Take what is here as a reason to talk to somebody, never as a "
        "finding about them."
    )
    method = map(_, (*METHOD, NOTE))
    return Section(
        _("Method and limits"),
        notes=[note for note in (expression, *method, seats, aggregate, mixed) if note],
    )


def _moments(term: Term) -> list[datetime]:
    return [line.started_at for line in term.trends.lessons]


def _flag_moments(term: Term) -> list[datetime]:
    started = {line.session_id: line.started_at for line in term.trends.lessons}
    return [started[one.lesson.session.id] for one in term.flags]


def _span(term: Term) -> str:
    moments = _moments(term)
    if not moments:
        return _("no lesson")
    return _("%(first)s to %(last)s", first=day(moments[0]), last=day(moments[-1]))
