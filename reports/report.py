"""What a report says, as data: the template, the JSON and the tests read nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from db.records import AnalysisMode, CorrectionRecord, EarlierShare, FlagRecord, MarkerRecord, SessionRecord
from reports.flags.attention import AttentionDecision, AttentionFlagSettings
from reports.flags.base import ATTENTION_KIND as ATTENTION
from reports.flags.base import SADNESS_KIND as SADNESS
from reports.flags.base import FlagOutcome
from reports.flags.sadness import FlagSettings, SadnessDecision
from reports.timeline.attention import AttentionSeries
from reports.timeline.change_points import ChangePoint, find_change_points
from reports.timeline.classroom import ClassTimeline
from reports.timeline.gaps import UnobservedInterval
from reports.timeline.student import StudentTimeline, overlap_s

_REVIEW_ORDER = ("open", "confirmed", "dismissed")


@dataclass(frozen=True, eq=False)
class ReportStudent:
    """One student of the report. ``seat`` names the seats that are not called as the student is. ``sadness_decision``,
    of sadness, is None where the mode computes no expression; ``attention_decision`` is there in every mode
    with people. ``flags`` are the stored flags with their reviews, by kind, where there are any;
    ``uncertain_reidentifications_s`` are the times (media seconds) of ``reports.timeline.uncertain_returns``; ``earlier_shares`` is what they showed in
    earlier sessions, the oldest first."""

    timeline: StudentTimeline
    attention: AttentionSeries
    seat: str | None
    sadness_decision: SadnessDecision | None
    attention_decision: AttentionDecision
    flags: Mapping[str, FlagRecord] = field(default_factory=dict)
    uncertain_reidentifications_s: tuple[float, ...] = ()
    earlier_shares: tuple[EarlierShare, ...] = ()

    @property
    def name(self) -> str:
        """The pseudonym."""
        return self.timeline.pseudonym

    @property
    def is_seen(self) -> bool:
        """Whether the student was seen at all."""
        return self.timeline.first_seen_s is not None

    @property
    def decisions(self) -> Mapping[str, SadnessDecision | AttentionDecision]:
        """The verdicts that there are, by kind of flag."""
        sadness = {} if self.sadness_decision is None else {SADNESS: self.sadness_decision}
        return {**sadness, ATTENTION: self.attention_decision}

    @property
    def flagged_decisions(self) -> tuple[SadnessDecision | AttentionDecision, ...]:
        """The verdicts that suggest a check-in."""
        return tuple(one for one in self.decisions.values() if one.outcome is FlagOutcome.FLAGGED)

    @property
    def within_baseline_decisions(self) -> tuple[SadnessDecision | AttentionDecision, ...]:
        """The verdicts that suggest none only because it is usual for the student."""
        return tuple(one for one in self.decisions.values() if one.within_baseline)

    @property
    def reviews(self) -> tuple[str, ...]:
        """What a person made of each of the raised: open, confirmed or dismissed."""
        return tuple(self.review_of(one.kind) for one in self.flagged_decisions)

    def review_of(self, kind: str) -> str:
        """What a teacher made of a flag: open, confirmed or dismissed."""
        return self.flags[kind].review if kind in self.flags else "open"

    def has_outcome(self, outcome: FlagOutcome, kind: str = SADNESS) -> bool:
        """Whether a rule came to this outcome."""
        verdict = self.decisions.get(kind)
        return verdict is not None and verdict.outcome is outcome


@dataclass(frozen=True, eq=False)
class Report:
    """Everything a report is made of. ``started_at`` is the session's start in the report's time zone.
    ``students`` is empty in ``mode: aggregate``, which keeps nothing about one student. ``markers`` come by
    time; ``corrections`` are those of who is who that were not taken back; ``masked_seats`` are those
    that were opted out; ``created_at`` is when the report was made, in its time zone, and the only thing that
    differs between two reports of one record. ``gaps`` are when nothing could be seen, by time."""

    session: SessionRecord
    mode: AnalysisMode
    started_at: datetime
    students: tuple[ReportStudent, ...]
    class_timeline: ClassTimeline
    flag_settings: FlagSettings
    attention_flag_settings: AttentionFlagSettings
    markers: tuple[MarkerRecord, ...] = ()
    corrections: tuple[CorrectionRecord, ...] = ()
    masked_seats: int = 0
    created_at: datetime | None = None
    gaps: tuple[UnobservedInterval, ...] = ()

    @cached_property
    def change_points(self) -> tuple[ChangePoint, ...]:
        """The moments at which the class changed most, by time; none in ``mode: aggregate``."""
        lines = [person.timeline for person in self.students]
        return find_change_points(lines, expressions=self.mode is AnalysisMode.EMOTION)

    @property
    def flagged_students(self) -> tuple[ReportStudent, ...]:
        """Those for whom a rule suggests a check-in: first whom nobody has reviewed, last the dismissed; the
        largest share before smaller ones."""
        return tuple(
            sorted((person for person in self.students if person.flagged_decisions), key=_check_in_order)
        )

    @property
    def insufficient_students(self) -> tuple[ReportStudent, ...]:
        """Those who were seen, but not enough to tell of sadness."""
        return tuple(p for p in self.students if p.is_seen and p.has_outcome(FlagOutcome.INSUFFICIENT_DATA))

    @property
    def seen_students(self) -> tuple[ReportStudent, ...]:
        """Those who were seen at all."""
        return tuple(person for person in self.students if person.is_seen)

    @property
    def watched_s(self) -> float:
        """Seconds covered by sampled frames."""
        return float(self.class_timeline.grid.watched_s.sum())

    @property
    def unwatched_s(self) -> float:
        """Seconds inside the session in whole bins without any frame."""
        return float((~self.class_timeline.grid.is_watched).sum() * self.session.bin_s)

    @property
    def unexplained_gap_s(self) -> float:
        """Of these, the seconds in which there was something to look at, as far as is known."""
        grid = self.class_timeline.grid
        gone_s = overlap_s(grid.unobserved_spans, grid.bin_s, len(grid.watched_s))
        return float((grid.bin_s - gone_s)[~grid.is_watched].sum())


def _check_in_order(student: ReportStudent) -> tuple[int, float]:
    shares = [one.interval.share for one in student.flagged_decisions if one.interval is not None]
    return min(map(_REVIEW_ORDER.index, student.reviews)), -max(shares)
