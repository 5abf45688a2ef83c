"""What a report says, as data: the template, the JSON and the tests read nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from db.records import FlagRecord, SeatRecord, SessionRecord, StudentRecord, TimelineBin
from reports.class_timeline import ClassTimeline, aggregate_timeline, class_timeline
from reports.errors import ReportError
from reports.flags import FlagSettings, Outcome, Verdict, judge
from reports.timeline import StudentTimeline, session_grid, student_timelines


class Mode(StrEnum):
    """What a session was allowed to compute (``SessionRecord.mode``)."""

    EMOTION = "emotion"
    BEHAVIOUR = "behaviour"
    AGGREGATE = "aggregate"


@dataclass(frozen=True)
class ReportSettings:
    """``timezone`` is the IANA name ("Europe/Madrid") in which times are printed. None is the time zone of
    the computer that makes the report: nearly always the school's, and a wrong name would be worse."""

    timezone: str | None = None


@dataclass(frozen=True, eq=False)
class Person:
    """One student of the report. ``verdict`` is None where the mode computes no expression;
    ``flag`` is the stored flag with its review, if there is one."""

    timeline: StudentTimeline
    seat: str | None
    verdict: Verdict | None
    flag: FlagRecord | None

    @property
    def name(self) -> str:
        """The pseudonym."""
        return self.timeline.pseudonym

    @property
    def seen(self) -> bool:
        """Whether the student was seen at all."""
        return self.timeline.first_seen_s is not None

    @property
    def review(self) -> str:
        """What a teacher made of the flag: open, confirmed or dismissed."""
        return self.flag.review if self.flag else "open"

    @property
    def dismissed(self) -> bool:
        """Whether a teacher dismissed the flag."""
        return self.review == "dismissed"

    def is_(self, outcome: Outcome) -> bool:
        """Whether the rule came to this outcome."""
        return self.verdict is not None and self.verdict.outcome is outcome


@dataclass(frozen=True, eq=False)
class Report:
    """Everything a report is made of. ``started_at`` is the session's start in the report's time zone.
    ``people`` is empty in ``mode: aggregate``, which keeps nothing about one student. ``masked_seats`` are
    those that were opted out."""

    session: SessionRecord
    mode: Mode
    started_at: datetime
    people: tuple[Person, ...]
    whole: ClassTimeline
    flag_settings: FlagSettings
    masked_seats: int = 0

    @property
    def flagged(self) -> tuple[Person, ...]:
        """Those for whom a check-in is suggested, the largest share first, dismissed ones last."""
        found = [person for person in self.people if person.is_(Outcome.FLAGGED)]
        return tuple(sorted(found, key=lambda person: (person.dismissed, -_share(person))))

    @property
    def insufficient(self) -> tuple[Person, ...]:
        """Those who were seen, but not enough to tell."""
        return tuple(p for p in self.people if p.seen and p.is_(Outcome.INSUFFICIENT_DATA))

    @property
    def seen(self) -> tuple[Person, ...]:
        """Those who were seen at all."""
        return tuple(person for person in self.people if person.seen)

    @property
    def watched_s(self) -> float:
        """Seconds covered by sampled frames."""
        return float(self.whole.grid.watched_s.sum())

    @property
    def unwatched_s(self) -> float:
        """Seconds inside the session in whole bins without any frame."""
        return float((~self.whole.grid.watched).sum() * self.session.bin_s)


def build_report(
    session: SessionRecord,
    students: Sequence[StudentRecord],
    bins: Iterable[TimelineBin],
    seats: Iterable[SeatRecord] = (),
    flags: Iterable[FlagRecord] = (),
    settings: ReportSettings | None = None,
    flag_settings: FlagSettings | None = None,
    masked_seats: int = 0,
) -> Report:
    """The report of one session from what is stored of it.

    Verdicts are made anew from the bins; of ``flags`` only the reviews are taken. Raises
    ReportError for an unknown mode or time zone, and for bins of somebody not in ``students``.
    """
    settings, flag_settings = settings or ReportSettings(), flag_settings or FlagSettings()
    mode, rows = _mode(session), list(bins)
    started_at = local_time(session.started_at, settings)
    if mode is Mode.AGGREGATE:
        whole = aggregate_timeline(session, rows)
        return Report(session, mode, started_at, (), whole, flag_settings, masked_seats)
    people = _people(session, students, rows, seats, flags, flag_settings if mode is Mode.EMOTION else None)
    lines = [person.timeline for person in people]
    whole = class_timeline(lines, lines[0].grid if lines else session_grid(session, rows))
    return Report(session, mode, started_at, people, whole, flag_settings, masked_seats)


def local_time(moment: datetime, settings: ReportSettings) -> datetime:
    """An aware time in the report's time zone. Raises ReportError if that is unknown."""
    if settings.timezone is None:
        return moment.astimezone()
    try:
        return moment.astimezone(ZoneInfo(settings.timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ReportError(
            f"the time zone {settings.timezone!r} is not known here; expected a name such as "
            "'Europe/London'; correct it, or leave it out for the computer's own "
            "(Windows knows the names after `pip install tzdata`)"
        ) from error


def _mode(session: SessionRecord) -> Mode:
    try:
        return Mode(session.mode)
    except ValueError as error:
        raise ReportError(
            f"session {session.id} has the mode {session.mode!r}; expected one of {', '.join(Mode)}; "
            "was it recorded by a newer version of classpulse?"
        ) from error


def _people(
    session: SessionRecord,
    students: Sequence[StudentRecord],
    rows: Sequence[TimelineBin],
    seats: Iterable[SeatRecord],
    flags: Iterable[FlagRecord],
    flag_settings: FlagSettings | None,
) -> tuple[Person, ...]:
    try:
        lines = student_timelines(session, students, rows)
    except ValueError as error:
        raise ReportError(f"session {session.id} cannot be reported: {error}; check the database") from error
    labels = {seat.student_id: seat.label for seat in seats}
    reviews = {flag.student_id: flag for flag in flags if flag.session_id == session.id}
    return tuple(
        Person(
            timeline=line,
            # People known by their seat alone are called as it is; once is enough.
            seat=label if (label := labels.get(line.student_id)) != line.pseudonym else None,
            verdict=judge(line, flag_settings) if flag_settings else None,
            flag=reviews.get(line.student_id) if flag_settings else None,
        )
        for line in lines
    )


def _share(person: Person) -> float:
    share = person.verdict.sad_share if person.verdict else None
    return share or 0.0
