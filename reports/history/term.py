"""A class over many lessons: what the term report says, as data. Pure."""

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
    """One student in one lesson; ``sad`` and ``away`` are None where there was not enough to tell."""

    presence: SessionPresence
    sad: ShareEstimate | None = None
    away: ShareEstimate | None = None
    facing_share: float | None = None
    flagged: bool = False


@dataclass(frozen=True)
class TermStudent:
    """Somebody of the roster over the lessons: a cell for each, the means of what is known, and the
    trends."""

    student_id: int
    name: str
    cells: tuple[TermCell, ...]
    sad_share: float | None
    facing_share: float | None
    flags: ReviewCounts
    trends: StudentTrends

    def count(self, presence: SessionPresence) -> int:
        """How many lessons were so."""
        return sum(cell.presence is presence for cell in self.cells)


@dataclass(frozen=True)
class TermFlag:
    """A flag, with the lesson and the name it is of."""

    class_session: ClassSession
    name: str
    flag: FlagRecord


@dataclass(frozen=True)
class TermHistory:
    """``students`` of the roster as people sort names; ``seat_only_count`` is how many were known by the seat in one
    lesson only, and so are in the figures of the class alone. ``flags`` are the newest first."""

    class_name: str
    sessions: tuple[ClassSession, ...]
    trends: ClassTrends
    students: tuple[TermStudent, ...]
    seat_only_count: int
    flags: tuple[TermFlag, ...]

    @property
    def interrupted(self) -> int:
        """How many lessons broke off."""
        return sum(lesson.session.status == "interrupted" for lesson in self.sessions)

    @property
    def watched_s(self) -> float:
        """Seconds watched in all."""
        return sum(lesson.session.watched_s for lesson in self.sessions)


def build_term_history(class_name: str, history: ClassHistory, settings: ReportSettings) -> TermHistory:
    """The term of a class, its lessons in the order of time. Raises ReportError for an unknown time zone."""
    lessons, people = history.sessions, history.students
    roster = [who for who in people.values() if who.session_id is None]
    summaries = [{one.student_id: one for one in lesson.students} for lesson in lessons]
    named = sorted(roster, key=lambda who: natural_sort_key(who.pseudonym))
    flags = [
        TermFlag(lesson, people[flag.student_id].pseudonym, flag)
        for lesson in reversed(lessons)
        for flag in lesson.flags
        if flag.student_id in people
    ]
    trends = build_class_trends(class_name, lessons, settings)
    moments = [line.started_at for line in trends.sessions]
    return TermHistory(
        class_name=class_name,
        sessions=lessons,
        trends=trends,
        students=tuple(_build_term_student(who, lessons, summaries, moments) for who in named),
        seat_only_count=len(people) - len(roster),
        flags=tuple(flags),
    )


def _build_term_student(
    who: StudentRecord,
    class_sessions: Sequence[ClassSession],
    summaries: Sequence[Mapping[int, StudentSummary]],
    times: Sequence[datetime],
) -> TermStudent:
    flags = [[flag for flag in lesson.flags if flag.student_id == who.id] for lesson in class_sessions]
    cells: list[TermCell] = []
    known = False
    for lesson, of_lesson, own_flags in zip(class_sessions, summaries, flags, strict=True):
        cells.append(_build_cell(lesson, of_lesson.get(who.id), flagged=bool(own_flags), known_before=known))
        known = known or cells[-1].presence is SessionPresence.SEEN
    at = list(zip(times, cells, strict=True))
    return TermStudent(
        student_id=who.id,
        name=who.pseudonym,
        cells=tuple(cells),
        sad_share=_mean([cell.sad.share for cell in cells if cell.sad]),
        facing_share=_mean([cell.facing_share for cell in cells if cell.facing_share is not None]),
        flags=count_reviews(flag for some in flags for flag in some),
        trends=StudentTrends(
            compute_trend([(moment, cell.sad.share) for moment, cell in at if cell.sad]),
            compute_trend(
                [(moment, cell.facing_share) for moment, cell in at if cell.facing_share is not None]
            ),
            compute_trend([(moment, cell.away.share) for moment, cell in at if cell.away]),
        ),
    )


def _build_cell(
    class_session: ClassSession, own: StudentSummary | None, *, flagged: bool, known_before: bool
) -> TermCell:
    here = session_presence(class_session, own, known_before=known_before)
    if here is not SessionPresence.SEEN or own is None:
        return TermCell(here)
    return TermCell(here, own.sad, own.away, facing_share_of(own), flagged)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
