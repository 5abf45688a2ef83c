"""A class over a term, as data. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from db.records import ClassHistory, ClassSession, FlagRecord, ShareEstimate, StudentRecord, StudentSummary
from reports.history.labels import ReviewCounts, count_reviews
from reports.history.presence import SessionPresence, session_presence
from reports.history.statistics import compute_trend
from reports.history.student import StudentTrends, facing_share_of
from reports.history.weeks import ClassTrends, build_class_trends
from reports.text.dates import ReportSettings
from reports.text.formatting import natural_sort_key


@dataclass(frozen=True)
class TermCell:
    """One student in one session; ``sad`` and ``away`` are None without enough data."""

    presence: SessionPresence
    sad: ShareEstimate | None = None
    away: ShareEstimate | None = None
    facing_share: float | None = None
    flagged: bool = False


@dataclass(frozen=True)
class TermStudent:
    """A roster student: one cell per session, means over known shares, and trends."""

    student_id: int
    name: str
    cells: tuple[TermCell, ...]
    sad_share: float | None
    facing_share: float | None
    flags: ReviewCounts
    trends: StudentTrends

    def count(self, presence: SessionPresence) -> int:
        """Number of sessions with this presence."""
        return sum(cell.presence is presence for cell in self.cells)


@dataclass(frozen=True)
class TermFlag:
    """A flag with its session and the student's name."""

    class_session: ClassSession
    name: str
    flag: FlagRecord


@dataclass(frozen=True)
class TermHistory:
    """``students``: of the roster, in natural order. ``seat_only_count``: students known only by the seat
    in one session, which are in the class figures only. ``flags``: the newest first."""

    class_name: str
    sessions: tuple[ClassSession, ...]
    trends: ClassTrends
    students: tuple[TermStudent, ...]
    seat_only_count: int
    flags: tuple[TermFlag, ...]

    @property
    def interrupted(self) -> int:
        """Number of interrupted sessions."""
        return sum(class_session.session.status == "interrupted" for class_session in self.sessions)

    @property
    def watched_s(self) -> float:
        """Total watched seconds."""
        return sum(class_session.session.watched_s for class_session in self.sessions)


def build_term_history(class_name: str, history: ClassHistory, settings: ReportSettings) -> TermHistory:
    """The term of a class, its sessions in time order. Raises ReportError for an unknown time zone."""
    sessions, students = history.sessions, history.students
    roster = sorted(
        (student for student in students.values() if student.session_id is None),
        key=lambda student: natural_sort_key(student.pseudonym),
    )
    summaries = [{summary.student_id: summary for summary in session.students} for session in sessions]
    flags = [
        TermFlag(class_session, students[flag.student_id].pseudonym, flag)
        for class_session in reversed(sessions)
        for flag in class_session.flags
        if flag.student_id in students
    ]
    trends = build_class_trends(class_name, sessions, settings)
    times = [line.started_at for line in trends.sessions]
    return TermHistory(
        class_name=class_name,
        sessions=sessions,
        trends=trends,
        students=tuple(_build_term_student(student, sessions, summaries, times) for student in roster),
        seat_only_count=len(students) - len(roster),
        flags=tuple(flags),
    )


def _build_term_student(
    student: StudentRecord,
    class_sessions: Sequence[ClassSession],
    summaries: Sequence[Mapping[int, StudentSummary]],
    times: Sequence[datetime],
) -> TermStudent:
    flags = [
        [flag for flag in class_session.flags if flag.student_id == student.id]
        for class_session in class_sessions
    ]
    cells: list[TermCell] = []
    known = False
    for class_session, by_student, own_flags in zip(class_sessions, summaries, flags, strict=True):
        summary = by_student.get(student.id)
        cells.append(_build_cell(class_session, summary, flagged=bool(own_flags), known_before=known))
        known = known or cells[-1].presence is SessionPresence.SEEN
    dated = list(zip(times, cells, strict=True))
    return TermStudent(
        student_id=student.id,
        name=student.pseudonym,
        cells=tuple(cells),
        sad_share=_mean([cell.sad.share for cell in cells if cell.sad]),
        facing_share=_mean([cell.facing_share for cell in cells if cell.facing_share is not None]),
        flags=count_reviews(flag for own_flags in flags for flag in own_flags),
        trends=StudentTrends(
            compute_trend([(at, cell.sad.share) for at, cell in dated if cell.sad]),
            compute_trend([(at, cell.facing_share) for at, cell in dated if cell.facing_share is not None]),
            compute_trend([(at, cell.away.share) for at, cell in dated if cell.away]),
        ),
    )


def _build_cell(
    class_session: ClassSession, summary: StudentSummary | None, *, flagged: bool, known_before: bool
) -> TermCell:
    presence = session_presence(class_session, summary, known_before=known_before)
    if presence is not SessionPresence.SEEN or summary is None:
        return TermCell(presence)
    return TermCell(presence, summary.sad, summary.away, facing_share_of(summary), flagged)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
