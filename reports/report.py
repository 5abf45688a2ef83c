"""What a report says, as data: the template, the JSON and the tests read nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from db.records import (
    CorrectionRecord,
    EarlierLevel,
    FlagRecord,
    MarkerRecord,
    SeatRecord,
    SessionRecord,
    StudentRecord,
    TimelineBin,
    TrackRecord,
)
from reports.arrivals import uncertain_arrivals
from reports.attention import Attention, attention
from reports.attention_flags import KIND as ATTENTION
from reports.attention_flags import AttentionFlagSettings, AttentionVerdict, judge_attention
from reports.changes import Change, changes
from reports.class_timeline import ClassTimeline, aggregate_timeline, class_timeline
from reports.confusion import read_confusion
from reports.errors import ReportError
from reports.flags import KIND as SADNESS
from reports.flags import FlagSettings, Outcome, Verdict, judge
from reports.timeline import StudentTimeline, session_grid, student_timelines
from reports.usual import UsualLevels, usual_levels
from reports.words import listing, reading_key

_REVIEWS = ("open", "confirmed", "dismissed")


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
    """One student of the report. ``seat`` names the seats that are not called as the student is. ``verdict``,
    of sadness, is None where the mode computes no expression; ``attention_verdict`` is there in every mode
    with people. ``flags`` are the stored flags with their reviews, by kind, where there are any;
    ``arrivals_s`` are the times (media seconds) of ``reports.arrivals``; ``earlier`` is what they showed in
    earlier sessions, the oldest first."""

    timeline: StudentTimeline
    attention: Attention
    seat: str | None
    verdict: Verdict | None
    attention_verdict: AttentionVerdict
    flags: Mapping[str, FlagRecord] = field(default_factory=dict)
    arrivals_s: tuple[float, ...] = ()
    earlier: tuple[EarlierLevel, ...] = ()

    @property
    def name(self) -> str:
        """The pseudonym."""
        return self.timeline.pseudonym

    @property
    def seen(self) -> bool:
        """Whether the student was seen at all."""
        return self.timeline.first_seen_s is not None

    @property
    def verdicts(self) -> Mapping[str, Verdict | AttentionVerdict]:
        """The verdicts that there are, by kind of flag."""
        sadness = {} if self.verdict is None else {SADNESS: self.verdict}
        return {**sadness, ATTENTION: self.attention_verdict}

    @property
    def raised(self) -> tuple[Verdict | AttentionVerdict, ...]:
        """The verdicts that suggest a check-in."""
        return tuple(one for one in self.verdicts.values() if one.outcome is Outcome.FLAGGED)

    @property
    def as_usual(self) -> tuple[Verdict | AttentionVerdict, ...]:
        """The verdicts that suggest none only because it is usual for the student."""
        return tuple(one for one in self.verdicts.values() if one.as_usual)

    @property
    def reviews(self) -> tuple[str, ...]:
        """What a person made of each of the raised: open, confirmed or dismissed."""
        return tuple(self.review_of(one.kind) for one in self.raised)

    def review_of(self, kind: str) -> str:
        """What a teacher made of a flag: open, confirmed or dismissed."""
        return self.flags[kind].review if kind in self.flags else "open"

    def is_(self, outcome: Outcome, kind: str = SADNESS) -> bool:
        """Whether a rule came to this outcome."""
        verdict = self.verdicts.get(kind)
        return verdict is not None and verdict.outcome is outcome


@dataclass(frozen=True, eq=False)
class Report:
    """Everything a report is made of. ``started_at`` is the session's start in the report's time zone.
    ``people`` is empty in ``mode: aggregate``, which keeps nothing about one student. ``markers`` come by
    time; ``corrections`` are those of who is who that were not taken back; ``masked_seats`` are those
    that were opted out; ``made_at`` is when the report was made, in its time zone, and the only thing that
    differs between two reports of one record."""

    session: SessionRecord
    mode: Mode
    started_at: datetime
    people: tuple[Person, ...]
    whole: ClassTimeline
    flag_settings: FlagSettings
    attention_flag_settings: AttentionFlagSettings
    markers: tuple[MarkerRecord, ...] = ()
    corrections: tuple[CorrectionRecord, ...] = ()
    masked_seats: int = 0
    made_at: datetime | None = None

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The moments at which the class changed most, by time; none in ``mode: aggregate``."""
        lines = [person.timeline for person in self.people]
        return changes(lines, expressions=self.mode is Mode.EMOTION)

    @property
    def check_ins(self) -> tuple[Person, ...]:
        """Those for whom a rule suggests a check-in: first whom nobody has reviewed, last the dismissed; the
        largest share before smaller ones."""
        return tuple(sorted((person for person in self.people if person.raised), key=_urgency))

    @property
    def insufficient(self) -> tuple[Person, ...]:
        """Those who were seen, but not enough to tell of sadness."""
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
    *,
    attention_flag_settings: AttentionFlagSettings | None = None,
    earlier: Iterable[EarlierLevel] = (),
    tracks: Iterable[TrackRecord] = (),
    markers: Iterable[MarkerRecord] = (),
    corrections: Iterable[CorrectionRecord] = (),
    masked_seats: int = 0,
    made_at: datetime | None = None,
) -> Report:
    """The report of one session from what is stored of it, as the reads of ``db.queries`` give it: of people
    as they are after the ``corrections``.

    Verdicts are made anew from the bins; of ``flags`` only the reviews are taken. ``earlier`` is what the
    students showed in earlier sessions, against which flags are held. ``made_at`` is an aware time; without
    it the report does not say when it was made. Raises ReportError for an unknown mode or time zone, and for
    bins of somebody not in ``students``.
    """
    settings = settings or ReportSettings()
    thresholds = flag_settings or FlagSettings(), attention_flag_settings or AttentionFlagSettings()
    mode, rows = _mode(session), list(bins)
    started_at = local_time(session.started_at, settings)
    made_at = None if made_at is None else local_time(made_at, settings)
    notes = tuple(markers), tuple(one for one in corrections if one.active())
    if mode is Mode.AGGREGATE:
        return Report(
            session,
            mode,
            started_at,
            (),
            aggregate_timeline(session, rows),
            *thresholds,
            *notes,
            masked_seats,
            made_at,
        )
    lines = _lines(session, students, rows)
    past = [replace(one, started_at=local_time(one.started_at, settings)) for one in earlier]
    flags = [_in_zone(flag, settings) for flag in flags if flag.session_id == session.id]
    verdicts = _verdicts(session, mode, lines, thresholds, usual_levels(past))
    people = _people(lines, verdicts, seats, flags, tracks, past)
    whole = class_timeline(lines, lines[0].grid if lines else session_grid(session, rows))
    return Report(session, mode, started_at, people, whole, *thresholds, *notes, masked_seats, made_at)


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


def _in_zone(flag: FlagRecord, settings: ReportSettings) -> FlagRecord:
    at = flag.reviewed_at
    return flag if at is None else replace(flag, reviewed_at=local_time(at, settings))


def _mode(session: SessionRecord) -> Mode:
    try:
        return Mode(session.mode)
    except ValueError as error:
        raise ReportError(
            f"session {session.id} has the mode {session.mode!r}; expected one of {', '.join(Mode)}; "
            "was it recorded by a newer version of classpulse?"
        ) from error


def _lines(
    session: SessionRecord, students: Sequence[StudentRecord], rows: Sequence[TimelineBin]
) -> tuple[StudentTimeline, ...]:
    try:
        in_order = sorted(students, key=lambda student: reading_key(student.pseudonym))
        return student_timelines(session, in_order, rows)
    except ValueError as error:
        raise ReportError(f"session {session.id} cannot be reported: {error}; check the database") from error


def _verdicts(
    session: SessionRecord,
    mode: Mode,
    lines: Sequence[StudentTimeline],
    thresholds: tuple[FlagSettings, AttentionFlagSettings],
    usual: UsualLevels,
) -> list[tuple[Verdict | None, AttentionVerdict]]:
    """Of sadness, where the mode computes expressions, and of attention, for each student."""
    confusion = read_confusion(session.settings)
    sadness = [
        judge(line, thresholds[0], confusion, usual.get(line.student_id, {}).get(SADNESS))
        if mode is Mode.EMOTION
        else None
        for line in lines
    ]
    return list(zip(sadness, judge_attention(lines, thresholds[1], usual), strict=True))


def _people(
    lines: Sequence[StudentTimeline],
    verdicts: Sequence[tuple[Verdict | None, AttentionVerdict]],
    seats: Iterable[SeatRecord],
    flags: Iterable[FlagRecord],
    tracks: Iterable[TrackRecord],
    earlier: Sequence[EarlierLevel],
) -> tuple[Person, ...]:
    labels = _seat_labels(seats)
    reviews: dict[int, dict[str, FlagRecord]] = defaultdict(dict)
    for flag in flags:
        reviews[flag.student_id][flag.kind] = flag
    arrivals = uncertain_arrivals(tracks)
    return tuple(
        Person(
            timeline=line,
            attention=attention(line),
            # People known by their seat alone are called as it is; once is enough.
            seat=listing([label for label in labels.get(line.student_id, ()) if label != line.pseudonym])
            or None,
            verdict=sadness,
            attention_verdict=away,
            flags={
                kind: flag
                for kind, flag in reviews.get(line.student_id, {}).items()
                if sadness is not None or kind != SADNESS
            },
            arrivals_s=arrivals.get(line.student_id, ()),
            earlier=tuple(one for one in earlier if one.student_id == line.student_id),
        )
        for line, (sadness, away) in zip(lines, verdicts, strict=True)
    )


def _seat_labels(seats: Iterable[SeatRecord]) -> Mapping[int, list[str]]:
    labels: dict[int, list[str]] = defaultdict(list)
    for seat in seats:
        labels[seat.student_id].append(seat.label)
    return labels


def _urgency(person: Person) -> tuple[int, float]:
    shares = [one.interval.share for one in person.raised if one.interval is not None]
    return min(map(_REVIEWS.index, person.reviews)), -max(shares)
