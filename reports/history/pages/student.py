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
        "Sadness is the share of readable time with an expression resembling sadness, away the share of the "
        "known time in which somebody was not seen, turned away or had shut eyes, both as the verdicts have "
        "them; where there was not enough to tell there is none."
    ),
    N_(
        "A trend is the median slope over all pairs of sessions (Theil and Sen) with its 95 %% interval; "
        "each session counts once and stands for itself. Of twenty students who do not change, one has a "
        "trend that looks clear; where what somebody shows lasts from one session to the next, up to "
        "four or five have."
    ),
    N_(
        "A lesson in which somebody was not seen is missed and never counted as zero. Whether they were away "
        "or out of the picture is not known."
    ),
)
"""How it was made and what it cannot tell; told by ``reports.text.i18n``."""

ShareReader = Callable[[StudentLine], tuple[float, ShareEstimate | None] | None]


def student_page(history: StudentHistory) -> Document:
    """Sessions, trends, flags and reviews of one student."""
    return Document(
        title=history.name,
        subtitle=_("History of a student") + f" · {_trend_of(history)}",
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
    """The trends in words, and the flags."""
    if history.trends is None:
        told = [_("No trend is told: who is known by the seat is somebody of one session.")]
    else:
        told = [
            f"{capitalise_first(translate_word(name))}: {trend.text}."
            for name, trend in history.trends.items()
            if _has_trend(history, name)
        ]
    waiting = sum(flag.review == "open" for __, flag in history.flagged_lines)
    flags = capitalise_first(format_count(len(history.flagged_lines), "flag"))
    if waiting:
        flags = ngettext("%(flags)s, %(num)d open", "%(flags)s, %(num)d open", waiting, flags=flags)
    return (*told, f"{flags}.")


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
    return [*sections, Section(_("What this cannot tell"), notes=[_(one) for one in METHOD_SENTENCES])]


def roster_student_lines(history: StudentHistory) -> list[StudentLine]:
    """The lines that are of the one person, where there is one; else all."""
    return [
        line
        for line in history.lines
        if history.roster_student is None or line.student_id == history.roster_student.id
    ]


def student_panels(history: StudentHistory) -> list[SharePanel]:
    """A panel for each share that any session has."""
    own = roster_student_lines(history)
    return [
        panel for name, reading in _SHARE_READERS if (panel := _panel(history, own, name, reading)).points
    ]


def _chart(history: StudentHistory) -> FigureWithAlt | None:
    own, panels = roster_student_lines(history), student_panels(history)
    if not panels:
        return None
    missed = [line.started_at for line in own if line.presence is SessionPresence.MISSED]
    told = " ".join(student_sentences(history))
    shown = _("Shares of %(name)s in each session, with intervals.", name=isolate(history.name))
    gone = ngettext("%(num)d lessons missed.", "%(num)d lessons missed.", len(missed))
    alt = f"{shown} {told} {gone}"
    return share_chart(panels, [line.started_at for line in own], alt, missed=missed)


def _panel(
    history: StudentHistory, lines: Sequence[StudentLine], name: str, read_share: ShareReader
) -> SharePanel:
    points = []
    for line in lines:
        if (found := read_share(line)) is not None:
            value, level = found
            flagged = name in _FLAG_KINDS and line.has_flag(_FLAG_KINDS[name])
            points.append(
                SharePoint(
                    line.started_at,
                    value,
                    level.low if level else None,
                    level.high if level else None,
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
    reading = dict(_SHARE_READERS)[name]
    return any(reading(line) is not None for line in history.lines)


def _trend_of(history: StudentHistory) -> str:
    classes = sorted({line.class_name for line in history.lines})
    return ", ".join(classes)


_TEXT_HEADINGS = ("class", "most resembling", "flags")
_FLAG_KINDS = {TREND_SADNESS: "sadness", TREND_AWAY: "attention"}
_SHARE_READERS: tuple[tuple[str, ShareReader], ...] = (
    (TREND_SADNESS, lambda line: (line.sad.share, line.sad) if line.sad else None),
    (TREND_FACING, lambda line: None if line.facing_share is None else (line.facing_share, None)),
    (TREND_AWAY, lambda line: (line.away.share, line.away) if line.away else None),
)
