"""The page of ``classpulse term``."""

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
    """The term report of a class."""
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
    """The title of the PDF."""
    return _("%(name)s: term report", name=history.class_name)


def term_sentences(history: TermHistory) -> tuple[str, ...]:
    """The key sentences."""
    unreviewed = sum(flag.flag.review == "open" for flag in history.flags)
    flags = _(
        "%(check_ins)s in %(lessons)s",
        check_ins=capitalise_first(format_count(len(history.flags), "suggested check-in")),
        lessons=format_count(len(history.sessions), "lesson"),
    )
    still = ngettext(", %(num)d still open", ", %(num)d still open", unreviewed) if unreviewed else ""
    sentences = [f"{flags}{still}."]
    sentences += [_direction_sentence(history, "rising"), _direction_sentence(history, "falling")]
    if not history.students:
        sentences.append(
            _(
                "No student is known over more than one lesson, so there is nothing about single students. "
                "Name them with 'classpulse seats assign' or a roster."
            )
        )
    return tuple(sentence for sentence in sentences if sentence)


def _direction_sentence(history: TermHistory, direction: str) -> str:
    names = [
        isolate(student.name) for student in history.students if student.trends.sadness.direction == direction
    ]
    if not names:
        return ""
    by_chance = round(len(history.students) * _ONE_SIDED_ALPHA)
    sentence = _(_DIRECTION_SENTENCES[direction], names=join_items(names))
    if not by_chance:
        return sentence
    caution = _(
        "Of %(students)s students without any change, about %(chance)s or more would appear here by chance.",
        students=len(history.students),
        chance=by_chance,
    )
    return f"{sentence} {caution}"


_DIRECTION_SENTENCES = {
    "rising": N_("Looked sad-like for more time from week to week: %(names)s."),
    "falling": N_("Looked sad-like for less time from week to week: %(names)s."),
}
_ONE_SIDED_ALPHA = 0.025
"""Probability that a 95 % interval lies above zero (or below) without any change."""


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
    rows = [_grid_row(student) for student in history.students]
    alt = _(
        "The share of time that looked sad-like: a row for each of %(students)s, a column for each of "
        "%(lessons)s. The same figures are in the tables at the end.",
        students=format_count(len(rows), "student"),
        lessons=format_count(len(history.sessions), "lesson"),
    )
    charts = term_grid_charts(rows, _session_times(history), alt, label=_("resembling sadness"))
    caption = _("Darker: a larger share of the readable time. White: not yet known. Dot: flagged.")
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
        (flag.name, str(flag.class_session.session.id), format_started_at(at), *review_cells(flag.flag))
        for flag, at in zip(history.flags, _flag_times(history), strict=True)
    ]
    table = compact_table(("student", "no.", "started", *REVIEW_HEADINGS), rows, REVIEW_HEADINGS)
    none = _("No student was flagged in these lessons.")
    return Section(_("Flags and reviews"), [] if rows else [none], tables=[table] if rows else [])


def _student_table_section(history: TermHistory) -> Section | None:
    if not history.students:
        return None
    rows = [_student_table_cells(student) for student in history.students]
    note = _(
        "Sadness and facing front: means over the lessons with enough data. Trend: points per week with its "
        "95 %% interval; of %(students)s without any change, about %(chance)s would have a trend that looks "
        "clear.",
        students=format_count(len(rows), "student"),
        chance=max(1, round(len(rows) / 20)),
    )
    return Section(_("All students"), tables=[DocumentTable(STUDENT_TABLE_HEADINGS, rows)], notes=[note])


def _student_table_cells(student: TermStudent) -> tuple[str, ...]:
    return (
        student.name,
        str(student.count(SessionPresence.SEEN)),
        str(student.count(SessionPresence.MISSED)),
        format_percent(student.sad_share),
        student.trends.sadness.short_text,
        format_percent(student.facing_share),
        student.trends.facing.short_text,
        student.flags.short_text if student.flags.total else NO_VALUE,
    )


def _figures_sections(history: TermHistory) -> list[Section]:
    """The numbers of the term grid, in tables of a few sessions each."""
    if not history.students:
        return []
    times = _session_times(history)
    tables = []
    for start in range(0, len(times), _SESSIONS_PER_TABLE):
        columns = slice(start, start + _SESSIONS_PER_TABLE)
        headings = (N_("student"), *(format_axis_day(at) for at in times[columns]))
        rows = [
            (student.name, *(_format_cell(cell) for cell in student.cells[columns]))
            for student in history.students
        ]
        tables.append(DocumentTable(headings, rows, is_dense=True))
    note = _("?: seen, not enough data. *: flagged. Empty: not yet known.")
    return [Section(_("The shares of sadness, lesson by lesson"), tables=tables, notes=[note])]


def _format_cell(cell: TermCell) -> str:
    if cell.presence is not SessionPresence.SEEN:
        return translate_word(_PRESENCE_TEXTS[cell.presence])
    return ("?" if cell.sad is None else format_percent(cell.sad.share)) + ("*" if cell.flagged else "")


def _limits_section(history: TermHistory) -> Section:
    seats = (
        ngettext(
            "%(num)d student known only by the seat in one lesson is in the class's figures, but not listed.",
            "%(num)d students known only by the seat in one lesson are in the class's figures, but not "
            "listed.",
            history.seat_only_count,
        )
        if history.seat_only_count
        else ""
    )
    modes = {class_session.session.mode for class_session in history.sessions}
    models = sorted(
        {class_session.session.versions.get("model", "unknown") for class_session in history.sessions}
    )
    mixed = (
        _(
            "The lessons were analysed by different models (%(models)s), which may cause changes between "
            "them.",
            models=", ".join(models),
        )
        if len(models) > 1
        else ""
    )
    aggregate = (
        _("For lessons in mode aggregate there are class figures only.") if "aggregate" in modes else ""
    )
    expression = _(
        "An expression is not a feeling. Take this report as a reason to talk to a student, never as a "
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
    return [started[flag.class_session.session.id] for flag in history.flags]


def _format_span(history: TermHistory) -> str:
    times = _session_times(history)
    if not times:
        return _("no lesson")
    return _("%(first)s to %(last)s", first=format_day(times[0]), last=format_day(times[-1]))
