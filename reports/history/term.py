"""A class over many lessons: what the term report says, as data. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.records import ClassHistory, FlagRecord, Lesson, Level, StudentRecord, StudentSummary
from reports.history.kinds import Tally, tally
from reports.history.presence import Presence, presence
from reports.history.student import StudentLine, StudentTrends, student_line, trends_of
from reports.history.weeks import ClassTrends, class_trends
from reports.report import ReportSettings
from reports.words import reading_key


@dataclass(frozen=True)
class Cell:
    """One student in one lesson; ``sad`` is None where there was not enough to tell."""

    presence: Presence
    sad: Level | None = None
    facing_share: float | None = None
    flagged: bool = False


@dataclass(frozen=True)
class TermStudent:
    """Somebody of the roster over the lessons: a cell for each, the means of what is known, and the
    trends."""

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
    return Term(
        class_name=class_name,
        lessons=lessons,
        trends=class_trends(class_name, lessons, settings),
        students=tuple(_student(who, lessons, summaries, settings) for who in named),
        by_seat=len(people) - len(roster),
        flags=tuple(flags),
    )


def _student(
    who: StudentRecord,
    lessons: Sequence[Lesson],
    summaries: Sequence[Mapping[int, StudentSummary]],
    settings: ReportSettings,
) -> TermStudent:
    cells: list[Cell] = []
    lines: list[StudentLine] = []
    flags: list[FlagRecord] = []
    known = False
    for lesson, of_lesson in zip(lessons, summaries, strict=True):
        own = of_lesson.get(who.id)
        here = presence(lesson, own, known_before=known)
        known = known or here is Presence.SEEN
        mine = tuple(flag for flag in lesson.flags if flag.student_id == who.id)
        flags += mine
        if here is Presence.SEEN and own is not None:
            line = student_line(lesson.session, own, mine, settings)
            lines.append(line)
            cells.append(Cell(here, line.sad, line.facing_share, bool(mine)))
        else:
            cells.append(Cell(here))
    return TermStudent(
        name=who.pseudonym,
        cells=tuple(cells),
        sad_share=_mean([line.sad.share for line in lines if line.sad]),
        facing_share=_mean([line.facing_share for line in lines if line.facing_share is not None]),
        flags=tally(flags),
        trends=trends_of(lines),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
