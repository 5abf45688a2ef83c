"""One student over the sessions. Pure.

People of the roster are followed over the lessons of their class, and the lessons that they missed are among
their lines. Whoever is known by the seat is somebody of one session: their lines have no trend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from db.records import (
    ClassSession,
    FlagRecord,
    SessionRecord,
    ShareEstimate,
    StudentRecord,
    StudentSession,
    StudentSummary,
)
from model.emotions import Emotion
from reports.history.presence import SessionPresence, session_presence
from reports.history.sessions import format_started_at
from reports.history.statistics import Trend, compute_trend
from reports.text.dates import ReportSettings, local_time
from reports.text.formatting import (
    NO_VALUE,
    RESEMBLANCE_TEXTS,
    emotion_noun,
    flag_kind_name,
    format_percent,
    format_percent_range,
)
from reports.text.i18n import N_, _, ngettext, translate_word
from reports.timeline.attention import MIN_MEDIAN_S

STUDENT_HEADINGS = (
    N_("no."),
    N_("class"),
    N_("started"),
    N_("seen"),
    N_("most resembling"),
    N_("sadness"),
    N_("interval"),
    N_("facing"),
    N_("away"),
    N_("flags"),
)

TREND_SADNESS, TREND_FACING, TREND_AWAY = RESEMBLANCE_TEXTS[Emotion.SAD], N_("facing the front"), N_("away")
"""What there are trends of."""


@dataclass(frozen=True)
class StudentLine:
    """One session of one student. ``coverage`` is seen by watched time, 0..1; ``dominant_expression`` the expression
    with the highest mean probability; ``sad`` and ``away`` are the shares of the verdicts, where there was
    enough to tell. What was never computed is None. ``facing_share`` is None of too short a time to be
    somebody's level."""

    session_id: int
    class_name: str
    student_id: int
    started_at: datetime
    mode: str
    status: str
    presence: SessionPresence
    coverage: float | None = None
    dominant_expression: Emotion | None = None
    sad: ShareEstimate | None = None
    away: ShareEstimate | None = None
    facing_share: float | None = None
    flags: tuple[FlagRecord, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``STUDENT_HEADINGS``."""
        return (
            str(self.session_id),
            self.class_name,
            format_started_at(self.started_at),
            format_percent(self.coverage)
            if self.presence is SessionPresence.SEEN
            else translate_word(self.presence.value),
            NO_VALUE if self.dominant_expression is None else emotion_noun(self.dominant_expression),
            NO_VALUE if self.sad is None else format_percent(self.sad.share),
            NO_VALUE if self.sad is None else format_percent_range(self.sad.low, self.sad.high),
            format_percent(self.facing_share),
            NO_VALUE if self.away is None else format_percent(self.away.share),
            describe_flags(self.flags),
        )

    def has_flag(self, kind: str) -> bool:
        """Whether there is a flag of that kind."""
        return any(flag.kind == kind and flag.outcome == "flagged" for flag in self.flags)


@dataclass(frozen=True)
class StudentTrends:
    """``sadness`` over the sessions with enough to tell, ``facing`` over those with a level of it, ``away``
    over those with enough to tell."""

    sadness: Trend
    facing: Trend
    away: Trend

    def items(self) -> tuple[tuple[str, Trend], ...]:
        """With what each is of."""
        return ((TREND_SADNESS, self.sadness), (TREND_FACING, self.facing), (TREND_AWAY, self.away))


@dataclass(frozen=True)
class StudentHistory:
    """Lines, the oldest first. ``roster_student`` is who of the roster has that name, if it is one: theirs are the
    ``trends`` and the missed lessons. Without one the lines may be of different people."""

    name: str
    lines: tuple[StudentLine, ...]
    roster_student: StudentRecord | None = None
    trends: StudentTrends | None = None

    @property
    def student_count(self) -> int:
        """How many people the lines are of."""
        return len({line.student_id for line in self.lines})

    @property
    def warning(self) -> str | None:
        """That the lines may be of different people, if they may."""
        if self.student_count < 2:
            return None
        if self.roster_student is None:
            return _(
                "%(name)s is of several sessions or classes: the lines may be of different people",
                name=self.name,
            )
        return ngettext(
            "%(num)d students are called %(name)s; the trends are of the one on the roster",
            "%(num)d students are called %(name)s; the trends are of the one on the roster",
            self.student_count,
            name=self.name,
        )

    def count(self, presence: SessionPresence) -> int:
        """How many lines are so."""
        return sum(line.presence is presence for line in self.lines)

    @property
    def flagged_lines(self) -> tuple[tuple[StudentLine, FlagRecord], ...]:
        """Every flag with the line it is of, the newest first."""
        found = [(line, flag) for line in self.lines for flag in line.flags if flag.outcome == "flagged"]
        return tuple(reversed(found))


def build_student_history(
    name: str,
    history: Sequence[StudentSession],
    class_sessions: Sequence[ClassSession],
    settings: ReportSettings,
) -> StudentHistory:
    """The history of whoever has that name; ``class_sessions`` are those of their class, of which the missed ones
    are taken. Raises ReportError for an unknown time zone."""
    lines = [_summary_line(part, settings) for part in history]
    person = find_roster_student(history)
    trends = None
    if person is not None:
        own = [line for line in lines if line.student_id == person.id]
        trends = compute_trends(own)
        lines += _missed_session_lines(person, own, class_sessions, settings)
    ordered = sorted(lines, key=lambda line: (line.started_at, line.session_id))
    return StudentHistory(name, tuple(ordered), person, trends)


def find_roster_student(history: Sequence[StudentSession]) -> StudentRecord | None:
    """Who of the roster the history is of; None where it is nobody, or of several classes."""
    found = {part.student.id: part.student for part in history if part.student.session_id is None}
    return next(iter(found.values())) if len(found) == 1 else None


def compute_trends(lines: Sequence[StudentLine]) -> StudentTrends:
    """The trends of lines that are of one person."""
    sad = [(one.started_at, one.sad.share) for one in lines if one.sad]
    away = [(one.started_at, one.away.share) for one in lines if one.away]
    facing = [(one.started_at, one.facing_share) for one in lines if one.facing_share is not None]
    return StudentTrends(compute_trend(sad), compute_trend(facing), compute_trend(away))


def facing_share_of(summary: StudentSummary) -> float | None:
    """The share of facing the front, where it rests on enough of a person's own data."""
    return summary.facing_share if summary.head_pose_s >= MIN_MEDIAN_S else None


def describe_flags(flags: Sequence[FlagRecord]) -> str:
    """``sadness (open)``, ``none``, ``not enough to tell`` or, without a verdict, a dash."""
    flagged = [
        f"{flag_kind_name(flag.kind)} ({translate_word(flag.review)})"
        for flag in flags
        if flag.outcome == "flagged"
    ]
    if flagged:
        return ", ".join(flagged)
    outcomes = {flag.outcome for flag in flags}
    if "not_flagged" in outcomes:
        return _("none")
    return _("not enough to tell") if outcomes else NO_VALUE


def student_session_line(
    session: SessionRecord, summary: StudentSummary, flags: tuple[FlagRecord, ...], settings: ReportSettings
) -> StudentLine:
    """The line of what was summed up of one student in a session."""
    means = summary.probabilities
    return replace(
        _empty_line(session, summary.student_id, SessionPresence.RUNNING, settings),
        presence=SessionPresence.SEEN if summary.seen_s > 0 else SessionPresence.MISSED,
        coverage=summary.coverage,
        dominant_expression=None if means is None else max(Emotion, key=lambda emotion: means[emotion]),
        sad=summary.sad,
        away=summary.away,
        facing_share=facing_share_of(summary),
        flags=flags,
    )


def _summary_line(part: StudentSession, settings: ReportSettings) -> StudentLine:
    if part.summary is None:
        return _empty_line(part.session, part.student.id, SessionPresence.RUNNING, settings)
    return student_session_line(part.session, part.summary, part.flags, settings)


def _missed_session_lines(
    student: StudentRecord,
    own: Sequence[StudentLine],
    class_sessions: Sequence[ClassSession],
    settings: ReportSettings,
) -> list[StudentLine]:
    """The lessons of the class in which there is nothing of the person, from the first on in which there
    is."""
    there = {line.session_id for line in own}
    first = min(line.started_at for line in own)
    rest = [one for one in class_sessions if one.session.id not in there and one.session.started_at > first]
    return [
        _empty_line(one.session, student.id, session_presence(one, None, known_before=True), settings)
        for one in rest
    ]


def _empty_line(
    session: SessionRecord, student_id: int, here: SessionPresence, settings: ReportSettings
) -> StudentLine:
    return StudentLine(
        session_id=session.id,
        class_name=session.class_name,
        student_id=student_id,
        started_at=local_time(session.started_at, settings),
        mode=session.mode,
        status=session.status.value,
        presence=here,
    )
