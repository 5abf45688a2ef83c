"""What a report says, as data: the template, the JSON and the tests read nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from db.records import CorrectionRecord, EarlierLevel, FlagRecord, MarkerRecord, Mode, SessionRecord
from reports.flags.attention import AttentionFlagSettings, AttentionVerdict
from reports.flags.base import ATTENTION_KIND as ATTENTION
from reports.flags.base import SADNESS_KIND as SADNESS
from reports.flags.base import Outcome
from reports.flags.sadness import FlagSettings, Verdict
from reports.timeline.attention import Attention
from reports.timeline.change_points import Change, changes
from reports.timeline.classroom import ClassTimeline
from reports.timeline.gaps import Unseen
from reports.timeline.student import StudentTimeline, overlap_s

_REVIEWS = ("open", "confirmed", "dismissed")


@dataclass(frozen=True, eq=False)
class Person:
    """One student of the report. ``seat`` names the seats that are not called as the student is. ``verdict``,
    of sadness, is None where the mode computes no expression; ``attention_verdict`` is there in every mode
    with people. ``flags`` are the stored flags with their reviews, by kind, where there are any;
    ``arrivals_s`` are the times (media seconds) of ``reports.timeline.uncertain_returns``; ``earlier`` is what they showed in
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
    differs between two reports of one record. ``gaps`` are when nothing could be seen, by time."""

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
    gaps: tuple[Unseen, ...] = ()

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

    @property
    def unexplained_s(self) -> float:
        """Of these, the seconds in which there was something to look at, as far as is known."""
        grid = self.whole.grid
        gone_s = overlap_s(grid.unseen_s, grid.bin_s, len(grid.watched_s))
        return float((grid.bin_s - gone_s)[~grid.watched].sum())


def _urgency(person: Person) -> tuple[int, float]:
    shares = [one.interval.share for one in person.raised if one.interval is not None]
    return min(map(_REVIEWS.index, person.reviews)), -max(shares)
