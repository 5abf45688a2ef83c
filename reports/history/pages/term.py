"""The report of a term."""

from __future__ import annotations

from datetime import datetime

from reports.charts.resampling import ColumnState
from reports.charts.term_grid import (
    STATE_MISSED,
    STATE_NOT_KEPT,
    STATE_UNKNOWN,
    TermGridRow,
    term_grid_charts,
)
from reports.history.document import Document, DocumentFigure, DocumentTable, Section, compact_table
from reports.history.labels import REVIEW_HEADINGS, review_cells
from reports.history.pages.student import METHOD_SENTENCES
from reports.history.pages.trends import METHOD_NOTE, trend_sections
from reports.history.presence import SessionPresence
from reports.history.sessions import format_started_at
from reports.history.term import TermCell, TermHistory, TermStudent
from reports.text.dates import format_axis_day, format_day
from reports.text.formatting import (
    NO_VALUE,
    capitalise_first,
    format_count,
    format_duration,
    format_percent,
    join_items,
)
from reports.text.i18n import N_, _, ngettext, translate_word
from reports.text.names import isolate

STUDENT_TABLE_HEADINGS = (
    N_("student"), N_("seen in"), N_("missed"), N_("sadness"), N_("trend a week"), N_("facing front"),
    N_("trend a week"), N_("flags"),
)  # fmt: skip
_SESSIONS_PER_TABLE = 12
_PRESENCE_TEXTS = {
    SessionPresence.MISSED: N_("missed"),
    SessionPresence.NOT_KEPT: N_("class only"),
    SessionPresence.RUNNING: N_("running"),
    SessionPresence.NOT_YET: "",
}


def term_page(history: TermHistory) -> Document:
    """The whole report."""
    return Document(
        title=history.class_name,
        subtitle=_("Term report") + f" · {_format_span(history)}",
        facts=(
            (_("Lessons"), str(len(history.sessions))),
            (_("Interrupted"), str(history.interrupted)),
            (_("Watched"), format_duration(history.watched_s)),
            (_("Students of the roster"), str(len(history.students))),
        ),
        key_sentences=term_sentences(history),
        sections=_sections(history),
    )


def term_title(history: TermHistory) -> str:
    """What its PDF is called."""
    return _("%(name)s: term report", name=history.class_name)


def term_sentences(history: TermHistory) -> tuple[str, ...]:
    """What matters of the term, in a few sentences."""
    waiting = sum(one.flag.review == "open" for one in history.flags)
    flags = _(
        "%(check_ins)s in %(lessons)s",
        check_ins=capitalise_first(format_count(len(history.flags), "suggested check-in")),
        lessons=format_count(len(history.sessions), "lesson"),
    )
    still = ngettext(", %(num)d still open", ", %(num)d still open", waiting) if waiting else ""
    told = [f"{flags}{still}."]
    told += [_direction_sentence(history, "rising"), _direction_sentence(history, "falling")]
    if not history.students:
        told.append(
            _(
                "Nobody is known over more than one lesson, so nothing is told of single students; "
                "'classpulse seats name' or a roster tells who is who."
            )
        )
    return tuple(sentence for sentence in told if sentence)


def _direction_sentence(history: TermHistory, direction: str) -> str:
    names = [isolate(one.name) for one in history.students if one.trends.sadness.direction == direction]
    if not names:
        return ""
    chance = round(len(history.students) * _ONE_SIDED_ALPHA)
    told = _(_DIRECTION_SENTENCES[direction], names=join_items(names))
    if not chance:
        return told
    by_chance = _(
        "Of %(students)s students who do not change, about %(chance)s or more would seem to.",
        students=len(history.students),
        chance=chance,
    )
    return f"{told} {by_chance}"


_DIRECTION_SENTENCES = {
    "rising": N_("An expression resembling sadness took up more time from week to week: %(names)s."),
    "falling": N_("An expression resembling sadness took up less time from week to week: %(names)s."),
}
_ONE_SIDED_ALPHA = 0.025
"""How often an interval of 95 % lies above zero, or below, where nothing changes."""


def _sections(history: TermHistory) -> list[Section]:
    if not history.sessions:
        return []
    weeks, lessons = trend_sections(history.trends)
    sections = [
        _flags_section(history),
        _students_section(history),
        weeks,
        _student_table_section(history),
        lessons,
        *_figures_sections(history),
    ]
    return [*(section for section in sections if section is not None), _limits_section(history)]


def _students_section(history: TermHistory) -> Section | None:
    if not history.students:
        return None
    rows = [_grid_row(one) for one in history.students]
    alt = _(
        "The share of time with an expression resembling sadness, a row for each of %(students)s, a column "
        "for each of %(lessons)s. The same figures are in the tables at the end.",
        students=format_count(len(rows), "student"),
        lessons=format_count(len(history.sessions), "lesson"),
    )
    charts = term_grid_charts(rows, _session_times(history), alt, label=_("resembling sadness"))
    caption = _("Darker: a larger share of the readable time. White: before they were known. A dot: flagged.")
    return Section(_("Student by student"), figures=[DocumentFigure(chart, caption) for chart in charts])


def _grid_row(student: TermStudent) -> TermGridRow:
    flagged = frozenset(number for number, cell in enumerate(student.cells) if cell.flagged)
    return TermGridRow(student.name, [_grid_cell(cell) for cell in student.cells], flagged)


def _grid_cell(cell: TermCell) -> float | ColumnState | None:
    if cell.presence is SessionPresence.SEEN:
        return STATE_UNKNOWN if cell.sad is None else cell.sad.share
    return {
        SessionPresence.MISSED: STATE_MISSED,
        SessionPresence.NOT_KEPT: STATE_NOT_KEPT,
        SessionPresence.RUNNING: STATE_NOT_KEPT,
    }.get(cell.presence)


def _flags_section(history: TermHistory) -> Section:
    rows = [
        (one.name, str(one.class_session.session.id), format_started_at(at), *review_cells(one.flag))
        for one, at in zip(history.flags, _flag_times(history), strict=True)
    ]
    table = compact_table(("student", "no.", "started", *REVIEW_HEADINGS), rows, REVIEW_HEADINGS)
    none = _("Nobody was flagged in these lessons.")
    return Section(_("Flags and reviews"), [] if rows else [none], tables=[table] if rows else [])


def _student_table_section(history: TermHistory) -> Section | None:
    if not history.students:
        return None
    rows = [_student_table_cells(one) for one in history.students]
    note = _(
        "Sadness and facing front: means over the lessons in which there was enough to tell. Trend: points a "
        "week with its 95 %% interval; of %(students)s who do not change, about %(chance)s would have one "
        "that looks clear.",
        students=format_count(len(rows), "student"),
        chance=max(1, round(len(rows) / 20)),
    )
    return Section(_("Everyone"), tables=[DocumentTable(STUDENT_TABLE_HEADINGS, rows)], notes=[note])


def _student_table_cells(one: TermStudent) -> tuple[str, ...]:
    return (
        one.name,
        str(one.count(SessionPresence.SEEN)),
        str(one.count(SessionPresence.MISSED)),
        format_percent(one.sad_share),
        one.trends.sadness.short_text,
        format_percent(one.facing_share),
        one.trends.facing.short_text,
        one.flags.short_text if one.flags.total else NO_VALUE,
    )


def _figures_sections(history: TermHistory) -> list[Section]:
    """What the map shows, as tables of a few lessons each."""
    if not history.students:
        return []
    moments = _session_times(history)
    tables = []
    for start in range(0, len(moments), _SESSIONS_PER_TABLE):
        some = slice(start, start + _SESSIONS_PER_TABLE)
        headings = (N_("student"), *(format_axis_day(at) for at in moments[some]))
        rows = [(one.name, *(_format_cell(cell) for cell in one.cells[some])) for one in history.students]
        tables.append(DocumentTable(headings, rows, is_dense=True))
    note = _("?: seen, and not enough to tell. *: flagged. Empty: before they were known.")
    return [Section(_("The shares of sadness, lesson by lesson"), tables=tables, notes=[note])]


def _format_cell(cell: TermCell) -> str:
    if cell.presence is not SessionPresence.SEEN:
        return translate_word(_PRESENCE_TEXTS[cell.presence])
    return ("?" if cell.sad is None else format_percent(cell.sad.share)) + ("*" if cell.flagged else "")


def _limits_section(history: TermHistory) -> Section:
    seats = (
        ngettext(
            "%(num)d student known by the seat in one lesson only are in the class's figures and not listed.",
            "%(num)d students known by the seat in one lesson only are in the class's figures and not "
            "listed.",
            history.seat_only_count,
        )
        if history.seat_only_count
        else ""
    )
    modes = sorted({lesson.session.mode for lesson in history.sessions})
    models = sorted({lesson.session.versions.get("model", "unknown") for lesson in history.sessions})
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
    method = map(_, (*METHOD_SENTENCES, METHOD_NOTE))
    return Section(
        _("Method and limits"),
        notes=[note for note in (expression, *method, seats, aggregate, mixed) if note],
    )


def _session_times(history: TermHistory) -> list[datetime]:
    return [line.started_at for line in history.trends.sessions]


def _flag_times(history: TermHistory) -> list[datetime]:
    started = {line.session_id: line.started_at for line in history.trends.sessions}
    return [started[one.class_session.session.id] for one in history.flags]


def _format_span(history: TermHistory) -> str:
    moments = _session_times(history)
    if not moments:
        return _("no lesson")
    return _("%(first)s to %(last)s", first=format_day(moments[0]), last=format_day(moments[-1]))
