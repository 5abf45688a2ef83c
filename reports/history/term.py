"""A class over many lessons: what the term report says, as data. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from db.records import ClassHistory, FlagRecord, Lesson, Level, StudentRecord, StudentSummary
from reports.history.labels import Tally, tally
from reports.history.presence import Presence, presence
from reports.history.statistics import trend
from reports.history.student import StudentTrends, facing_level
from reports.history.weeks import ClassTrends, class_trends
from reports.text.dates import ReportSettings
from reports.text.formatting import reading_key


@dataclass(frozen=True)
class Cell:
    """One student in one lesson; ``sad`` and ``away`` are None where there was not enough to tell."""

    presence: Presence
    sad: Level | None = None
    away: Level | None = None
    facing_share: float | None = None
    flagged: bool = False


@dataclass(frozen=True)
class TermStudent:
    """Somebody of the roster over the lessons: a cell for each, the means of what is known, and the
    trends."""

    student_id: int
    name: str
    cells: tuple[Cell, ...]
    sad_share: float | None
    facing_share: float | None
    flags: Tally
    trends: StudentTrends

    def count(self, presence: Presence) -> int:
        """How many lessons were so."""
        return sum(cell.presence is presence for cell in self.cells)


@dataclass(frozen=True)
class TermFlag:
    """A flag, with the lesson and the name it is of."""

    lesson: Lesson
    name: str
    flag: FlagRecord


@dataclass(frozen=True)
class Term:
    """``students`` of the roster as people sort names; ``by_seat`` is how many were known by the seat in one
    lesson only, and so are in the figures of the class alone. ``flags`` are the newest first."""

    class_name: str
    lessons: tuple[Lesson, ...]
    trends: ClassTrends
    students: tuple[TermStudent, ...]
    by_seat: int
    flags: tuple[TermFlag, ...]

    @property
    def interrupted(self) -> int:
        """How many lessons broke off."""
        return sum(lesson.session.status == "interrupted" for lesson in self.lessons)

    @property
    def watched_s(self) -> float:
        """Seconds watched in all."""
        return sum(lesson.session.watched_s for lesson in self.lessons)


def class_term(class_name: str, history: ClassHistory, settings: ReportSettings) -> Term:
    """The term of a class, its lessons in the order of time. Raises ReportError for an unknown time zone."""
    lessons, people = history.lessons, history.people
    roster = [who for who in people.values() if who.session_id is None]
    summaries = [{one.student_id: one for one in lesson.students} for lesson in lessons]
    named = sorted(roster, key=lambda who: reading_key(who.pseudonym))
    flags = [
        TermFlag(lesson, people[flag.student_id].pseudonym, flag)
        for lesson in reversed(lessons)
        for flag in lesson.flags
        if flag.student_id in people
    ]
    trends = class_trends(class_name, lessons, settings)
    moments = [line.started_at for line in trends.lessons]
    return Term(
        class_name=class_name,
        lessons=lessons,
        trends=trends,
        students=tuple(_student(who, lessons, summaries, moments) for who in named),
        by_seat=len(people) - len(roster),
        flags=tuple(flags),
    )


def _student(
    who: StudentRecord,
    lessons: Sequence[Lesson],
    summaries: Sequence[Mapping[int, StudentSummary]],
    moments: Sequence[datetime],
) -> TermStudent:
    flags = [[flag for flag in lesson.flags if flag.student_id == who.id] for lesson in lessons]
    cells: list[Cell] = []
    known = False
    for lesson, of_lesson, own_flags in zip(lessons, summaries, flags, strict=True):
        cells.append(_cell(lesson, of_lesson.get(who.id), flagged=bool(own_flags), known_before=known))
        known = known or cells[-1].presence is Presence.SEEN
    at = list(zip(moments, cells, strict=True))
    return TermStudent(
        student_id=who.id,
        name=who.pseudonym,
        cells=tuple(cells),
        sad_share=_mean([cell.sad.share for cell in cells if cell.sad]),
        facing_share=_mean([cell.facing_share for cell in cells if cell.facing_share is not None]),
        flags=tally(flag for some in flags for flag in some),
        trends=StudentTrends(
            trend([(moment, cell.sad.share) for moment, cell in at if cell.sad]),
            trend([(moment, cell.facing_share) for moment, cell in at if cell.facing_share is not None]),
            trend([(moment, cell.away.share) for moment, cell in at if cell.away]),
        ),
    )


def _cell(lesson: Lesson, own: StudentSummary | None, *, flagged: bool, known_before: bool) -> Cell:
    here = presence(lesson, own, known_before=known_before)
    if here is not Presence.SEEN or own is None:
        return Cell(here)
    return Cell(here, own.sad, own.away, facing_level(own), flagged)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
