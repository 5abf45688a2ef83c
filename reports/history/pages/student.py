"""The page of ``classpulse student``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from db.records import ShareEstimate
from reports.charts.levels import SharePanel, SharePoint, share_chart
from reports.charts.style import FigureWithAlt
from reports.history.document import Document, DocumentFigure, Section, compact_table
from reports.history.labels import REVIEW_HEADINGS, review_cells
from reports.history.presence import SessionPresence
from reports.history.sessions import format_started_at
from reports.history.statistics import Trend
from reports.history.student import (
    STUDENT_HEADINGS,
    TREND_AWAY,
    TREND_FACING,
    TREND_SADNESS,
    StudentHistory,
    StudentLine,
)
from reports.text.formatting import capitalise_first, format_count
from reports.text.i18n import N_, _, ngettext, translate_word
from reports.text.names import isolate

METHOD_SENTENCES = (
    N_(
        "Sadness: share of the readable time in which the student looked sad-like. Away: share of the known "
        "time in which the student was not seen, turned away or had closed eyes. Both are those of the "
        "lesson's flags; without enough data there is no share."
    ),
    N_(
        "A trend is the median slope over all pairs of lessons (Theil and Sen) with its 95 %% interval; "
        "each lesson counts once and as independent. Of twenty students without any change, one has a "
        "trend that looks clear; if a student's state persists from one lesson to the next, up to four or "
        "five have."
    ),
    N_(
        "A lesson in which the student was not seen is missed and never counts as zero. Whether the student "
        "was absent or outside the image is not known."
    ),
)
"""Method and limits; message IDs."""

ShareReader = Callable[[StudentLine], tuple[float, ShareEstimate | None] | None]


def student_page(history: StudentHistory) -> Document:
    """Sessions, trends, flags and reviews of one student."""
    return Document(
        title=history.name,
        subtitle=_("History of a student") + f" · {_class_names(history)}",
        facts=(
            (_("Seen in"), format_count(history.count(SessionPresence.SEEN), "session")),
            (
                _("Missed"),
                str(history.count(SessionPresence.MISSED)) if history.roster_student else _("not known"),
            ),
            (_("Flags"), str(len(history.flagged_lines))),
        ),
        key_sentences=student_sentences(history),
        sections=_sections(history),
        warning=history.warning,
    )


def student_sentences(history: StudentHistory) -> tuple[str, ...]:
    """The trends and the number of flags, in words."""
    if history.trends is None:
        trends = [_("There is no trend: students known only by their seat belong to one lesson.")]
    else:
        trends = [
            f"{capitalise_first(translate_word(name))}: {trend.text}."
            for name, trend in history.trends.items()
            if _has_trend(history, name)
        ]
    unreviewed = sum(flag.review == "open" for __, flag in history.flagged_lines)
    flags = capitalise_first(format_count(len(history.flagged_lines), "flag"))
    if unreviewed:
        flags = ngettext("%(flags)s, %(num)d open", "%(flags)s, %(num)d open", unreviewed, flags=flags)
    return (*trends, f"{flags}.")


def _sections(history: StudentHistory) -> list[Section]:
    sections = [
        Section(
            _("Session by session"),
            figures=[DocumentFigure(chart)] if (chart := _chart(history)) else [],
            tables=[compact_table(STUDENT_HEADINGS, [line.cells for line in history.lines], _TEXT_HEADINGS)],
        )
    ]
    if history.flagged_lines:
        rows = [
            (str(line.session_id), format_started_at(line.started_at), *review_cells(flag))
            for line, flag in history.flagged_lines
        ]
        sections.append(
            Section(
                _("Flags and reviews"),
                tables=[compact_table(("no.", "started", *REVIEW_HEADINGS), rows, REVIEW_HEADINGS)],
            )
        )
    return [*sections, Section(_("Method and limits"), notes=[_(text) for text in METHOD_SENTENCES])]


def roster_student_lines(history: StudentHistory) -> list[StudentLine]:
    """The lines of the roster student; all lines if there is none."""
    return [
        line
        for line in history.lines
        if history.roster_student is None or line.student_id == history.roster_student.id
    ]


def student_panels(history: StudentHistory) -> list[SharePanel]:
    """A panel for each share that any session has."""
    own = roster_student_lines(history)
    return [
        panel
        for name, read_share in _SHARE_READERS
        if (panel := _panel(history, own, name, read_share)).points
    ]


def _chart(history: StudentHistory) -> FigureWithAlt | None:
    own, panels = roster_student_lines(history), student_panels(history)
    if not panels:
        return None
    missed = [line.started_at for line in own if line.presence is SessionPresence.MISSED]
    title = _("Shares of %(name)s in each lesson, with intervals.", name=isolate(history.name))
    missed_text = ngettext("%(num)d lesson missed.", "%(num)d lessons missed.", len(missed))
    alt = " ".join((title, *student_sentences(history), missed_text))
    return share_chart(panels, [line.started_at for line in own], alt, missed=missed)


def _panel(
    history: StudentHistory, lines: Sequence[StudentLine], name: str, read_share: ShareReader
) -> SharePanel:
    points = []
    for line in lines:
        if (reading := read_share(line)) is not None:
            value, estimate = reading
            flagged = name in _FLAG_KINDS and line.has_flag(_FLAG_KINDS[name])
            points.append(
                SharePoint(
                    line.started_at,
                    value,
                    estimate.low if estimate else None,
                    estimate.high if estimate else None,
                    flagged,
                )
            )
    trend = dict(history.trends.items()).get(name) if history.trends else None
    return SharePanel(name, points, line=_line(trend, points))


def _line(trend: Trend | None, points: Sequence[SharePoint]) -> list[tuple[datetime, float]]:
    if trend is None or trend.slope_per_week is None:
        return []
    return [(at, value) for at in (points[0].at, points[-1].at) if (value := trend.value_at(at)) is not None]


def _has_trend(history: StudentHistory, name: str) -> bool:
    read_share = dict(_SHARE_READERS)[name]
    return any(read_share(line) is not None for line in history.lines)


def _class_names(history: StudentHistory) -> str:
    return ", ".join(sorted({line.class_name for line in history.lines}))


_TEXT_HEADINGS = ("class", "most resembling", "flags")
_FLAG_KINDS = {TREND_SADNESS: "sadness", TREND_AWAY: "attention"}
_SHARE_READERS: tuple[tuple[str, ShareReader], ...] = (
    (TREND_SADNESS, lambda line: (line.sad.share, line.sad) if line.sad else None),
    (TREND_FACING, lambda line: None if line.facing_share is None else (line.facing_share, None)),
    (TREND_AWAY, lambda line: (line.away.share, line.away) if line.away else None),
)
