"""The page of ``classpulse student``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from db.records import Level
from reports.charts.levels import Panel, Point, level_chart
from reports.charts.style import Chart
from reports.history.document import Document, Figure, Section, listed
from reports.history.labels import REVIEW_HEADINGS, review_cells
from reports.history.presence import Presence
from reports.history.sessions import moment
from reports.history.statistics import Trend
from reports.history.student import AWAY, FACING, HEADINGS, SADNESS, StudentHistory, StudentLine
from reports.text.formatting import capital, count
from reports.text.i18n import N_, _, ngettext, word
from reports.text.names import isolated

METHOD = (
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

Reading = Callable[[StudentLine], tuple[float, Level | None] | None]


def student_page(history: StudentHistory) -> Document:
    """Sessions, trends, flags and reviews of one student."""
    return Document(
        title=history.name,
        lead=_("History of a student") + f" · {_of(history)}",
        facts=(
            (_("Seen in"), count(history.count(Presence.SEEN), "session")),
            (_("Missed"), str(history.count(Presence.MISSED)) if history.person else _("not known")),
            (_("Flags"), str(len(history.flagged))),
        ),
        answer=sentences(history),
        sections=_sections(history),
        warning=history.warning,
    )


def sentences(history: StudentHistory) -> tuple[str, ...]:
    """The trends in words, and the flags."""
    if history.trends is None:
        told = [_("No trend is told: who is known by the seat is somebody of one session.")]
    else:
        told = [
            f"{capital(word(name))}: {trend.told}."
            for name, trend in history.trends.named()
            if _has(history, name)
        ]
    waiting = sum(flag.review == "open" for __, flag in history.flagged)
    flags = capital(count(len(history.flagged), "flag"))
    if waiting:
        flags = ngettext("%(flags)s, %(num)d open", "%(flags)s, %(num)d open", waiting, flags=flags)
    return (*told, f"{flags}.")


def _sections(history: StudentHistory) -> list[Section]:
    sections = [
        Section(
            _("Session by session"),
            figures=[Figure(chart)] if (chart := _chart(history)) else [],
            tables=[listed(HEADINGS, [line.cells for line in history.lines], _WORDS)],
        )
    ]
    if history.flagged:
        rows = [
            (str(line.session_id), moment(line.started_at), *review_cells(flag))
            for line, flag in history.flagged
        ]
        sections.append(
            Section(
                _("Flags and reviews"),
                tables=[listed(("no.", "started", *REVIEW_HEADINGS), rows, REVIEW_HEADINGS)],
            )
        )
    return [*sections, Section(_("What this cannot tell"), notes=[_(one) for one in METHOD])]


def own_lines(history: StudentHistory) -> list[StudentLine]:
    """The lines that are of the one person, where there is one; else all."""
    return [line for line in history.lines if history.person is None or line.student_id == history.person.id]


def student_panels(history: StudentHistory) -> list[Panel]:
    """A panel for each share that any session has."""
    own = own_lines(history)
    return [panel for name, reading in _READINGS if (panel := _panel(history, own, name, reading)).points]


def _chart(history: StudentHistory) -> Chart | None:
    own, panels = own_lines(history), student_panels(history)
    if not panels:
        return None
    missed = [line.started_at for line in own if line.presence is Presence.MISSED]
    told = " ".join(sentences(history))
    shown = _("Shares of %(name)s in each session, with intervals.", name=isolated(history.name))
    gone = ngettext("%(num)d lessons missed.", "%(num)d lessons missed.", len(missed))
    alt = f"{shown} {told} {gone}"
    return level_chart(panels, [line.started_at for line in own], alt, missed=missed)


def _panel(history: StudentHistory, lines: Sequence[StudentLine], name: str, reading: Reading) -> Panel:
    points = []
    for line in lines:
        if (found := reading(line)) is not None:
            value, level = found
            flagged = name in _KINDS and line.has_flag(_KINDS[name])
            points.append(
                Point(
                    line.started_at,
                    value,
                    level.low if level else None,
                    level.high if level else None,
                    flagged,
                )
            )
    trend = dict(history.trends.named()).get(name) if history.trends else None
    return Panel(name, points, line=_line(trend, points))


def _line(trend: Trend | None, points: Sequence[Point]) -> list[tuple[datetime, float]]:
    if trend is None or trend.per_week is None:
        return []
    return [(at, value) for at in (points[0].at, points[-1].at) if (value := trend.value(at)) is not None]


def _has(history: StudentHistory, name: str) -> bool:
    reading = dict(_READINGS)[name]
    return any(reading(line) is not None for line in history.lines)


def _of(history: StudentHistory) -> str:
    classes = sorted({line.class_name for line in history.lines})
    return ", ".join(classes)


_WORDS = ("class", "most resembling", "flags")
_KINDS = {SADNESS: "sad_share", AWAY: "attention"}
_READINGS: tuple[tuple[str, Reading], ...] = (
    (SADNESS, lambda line: (line.sad.share, line.sad) if line.sad else None),
    (FACING, lambda line: None if line.facing_share is None else (line.facing_share, None)),
    (AWAY, lambda line: (line.away.share, line.away) if line.away else None),
)
