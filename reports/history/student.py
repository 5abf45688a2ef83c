"""One student over the sessions. Pure.

Roster students are tracked over the sessions of their class, missed ones included. A student known only by
the seat belongs to one session and has no trend.
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
"""Names of the trends; message IDs."""


@dataclass(frozen=True)
class StudentLine:
    """One session of one student; None for unknown values. ``coverage``: seen by watched time, 0..1.
    ``dominant_expression``: highest mean probability. ``sad`` and ``away``: shares of the flag decisions
    with enough data. ``facing_share``: None with less than ``MIN_MEDIAN_S`` of head poses."""

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
        """Whether the student was flagged by the rule of this kind."""
        return any(flag.kind == kind and flag.outcome == "flagged" for flag in self.flags)


@dataclass(frozen=True)
class StudentTrends:
    """The trends of the three shares, each over the sessions in which it is known."""

    sadness: Trend
    facing: Trend
    away: Trend

    def items(self) -> tuple[tuple[str, Trend], ...]:
        """The trends with their names."""
        return ((TREND_SADNESS, self.sadness), (TREND_FACING, self.facing), (TREND_AWAY, self.away))


@dataclass(frozen=True)
class StudentHistory:
    """``lines``, the oldest first. ``roster_student``: the only roster student of that name, to whom
    ``trends`` and missed sessions belong; without one, the lines may belong to different students."""

    name: str
    lines: tuple[StudentLine, ...]
    roster_student: StudentRecord | None = None
    trends: StudentTrends | None = None

    @property
    def student_count(self) -> int:
        """Number of students that the lines belong to."""
        return len({line.student_id for line in self.lines})

    @property
    def warning(self) -> str | None:
        """States that the lines may belong to different students; None if they do not."""
        if self.student_count < 2:
            return None
        if self.roster_student is None:
            return _(
                "%(name)s occurs in several lessons or classes; the lines may belong to different students",
                name=self.name,
            )
        return ngettext(
            "%(num)d students are named %(name)s; the trends are those of the roster student",
            "%(num)d students are named %(name)s; the trends are those of the roster student",
            self.student_count,
            name=self.name,
        )

    def count(self, presence: SessionPresence) -> int:
        """Number of lines with this presence."""
        return sum(line.presence is presence for line in self.lines)

    @property
    def flagged_lines(self) -> tuple[tuple[StudentLine, FlagRecord], ...]:
        """All flags with their lines, the newest first."""
        flagged = [(line, flag) for line in self.lines for flag in line.flags if flag.outcome == "flagged"]
        return tuple(reversed(flagged))


def build_student_history(
    name: str,
    history: Sequence[StudentSession],
    class_sessions: Sequence[ClassSession],
    settings: ReportSettings,
) -> StudentHistory:
    """The history of all students with this name. ``class_sessions``: of the roster student's class, for
    the missed ones. Raises ReportError for an unknown time zone."""
    lines = [_summary_line(part, settings) for part in history]
    student = find_roster_student(history)
    trends = None
    if student is not None:
        own = [line for line in lines if line.student_id == student.id]
        trends = compute_trends(own)
        lines += _missed_session_lines(student, own, class_sessions, settings)
    ordered = sorted(lines, key=lambda line: (line.started_at, line.session_id))
    return StudentHistory(name, tuple(ordered), student, trends)


def find_roster_student(history: Sequence[StudentSession]) -> StudentRecord | None:
    """The only roster student of the history; None with none or several."""
    students = {part.student.id: part.student for part in history if part.student.session_id is None}
    return next(iter(students.values())) if len(students) == 1 else None


def compute_trends(lines: Sequence[StudentLine]) -> StudentTrends:
    """The trends of one student's lines."""
    sad = [(line.started_at, line.sad.share) for line in lines if line.sad]
    away = [(line.started_at, line.away.share) for line in lines if line.away]
    facing = [(line.started_at, line.facing_share) for line in lines if line.facing_share is not None]
    return StudentTrends(compute_trend(sad), compute_trend(facing), compute_trend(away))


def facing_share_of(summary: StudentSummary) -> float | None:
    """The share of facing the front; None with less than ``MIN_MEDIAN_S`` of head poses."""
    return summary.facing_share if summary.head_pose_s >= MIN_MEDIAN_S else None


def describe_flags(flags: Sequence[FlagRecord]) -> str:
    """``sadness (open)``, ``none``, ``not enough data`` or, without any decision, a dash."""
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
    return _("not enough data") if outcomes else NO_VALUE


def student_session_line(
    session: SessionRecord, summary: StudentSummary, flags: tuple[FlagRecord, ...], settings: ReportSettings
) -> StudentLine:
    """The line of one student's summary of a session."""
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
    """The sessions of the class without the student, after the student's first one."""
    seen_in = {line.session_id for line in own}
    first = min(line.started_at for line in own)
    return [
        _empty_line(
            class_session.session,
            student.id,
            session_presence(class_session, None, known_before=True),
            settings,
        )
        for class_session in class_sessions
        if class_session.session.id not in seen_in and class_session.session.started_at > first
    ]


def _empty_line(
    session: SessionRecord, student_id: int, presence: SessionPresence, settings: ReportSettings
) -> StudentLine:
    return StudentLine(
        session_id=session.id,
        class_name=session.class_name,
        student_id=student_id,
        started_at=local_time(session.started_at, settings),
        mode=session.mode,
        status=session.status.value,
        presence=presence,
    )
