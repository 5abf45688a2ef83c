"""The report of one session as data: the only input of templates and exports."""

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
    """One student. ``seat``: labels that differ from the pseudonym. ``sadness_decision``: None in modes
    without expressions. ``flags``: stored flags with their reviews, by kind.
    ``uncertain_reidentifications_s``: media seconds (``reports.timeline.uncertain_returns``).
    ``earlier_shares``: from earlier sessions, the oldest first."""

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
        """The decisions by flag kind."""
        sadness = {} if self.sadness_decision is None else {SADNESS: self.sadness_decision}
        return {**sadness, ATTENTION: self.attention_decision}

    @property
    def flagged_decisions(self) -> tuple[SadnessDecision | AttentionDecision, ...]:
        """The decisions that suggest a check-in."""
        return tuple(d for d in self.decisions.values() if d.outcome is FlagOutcome.FLAGGED)

    @property
    def within_baseline_decisions(self) -> tuple[SadnessDecision | AttentionDecision, ...]:
        """The decisions that suggest no check-in only because of the student's baseline."""
        return tuple(d for d in self.decisions.values() if d.within_baseline)

    @property
    def reviews(self) -> tuple[str, ...]:
        """The reviews of the flagged decisions: open, confirmed or dismissed."""
        return tuple(self.review_of(decision.kind) for decision in self.flagged_decisions)

    def review_of(self, kind: str) -> str:
        """The review of a flag: open, confirmed or dismissed."""
        return self.flags[kind].review if kind in self.flags else "open"

    def has_outcome(self, outcome: FlagOutcome, kind: str = SADNESS) -> bool:
        """Whether the rule of this kind has this outcome."""
        decision = self.decisions.get(kind)
        return decision is not None and decision.outcome is outcome


@dataclass(frozen=True, eq=False)
class Report:
    """The whole report. Times are in the report's time zone.

    ``students``: empty in ``mode: aggregate``. ``corrections``: those in effect. ``masked_seats``: number of
    opted-out seats. ``created_at``: the only difference between two reports of the same records. ``markers``
    and ``gaps`` are in time order.
    """

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
        """The change points of the class, by time; none in ``mode: aggregate``."""
        lines = [student.timeline for student in self.students]
        return find_change_points(lines, expressions=self.mode is AnalysisMode.EMOTION)

    @property
    def flagged_students(self) -> tuple[ReportStudent, ...]:
        """Students with a suggested check-in: unreviewed first, dismissed last, then by descending share."""
        return tuple(
            sorted((student for student in self.students if student.flagged_decisions), key=_check_in_order)
        )

    @property
    def insufficient_students(self) -> tuple[ReportStudent, ...]:
        """Students that were seen, with too little data for a decision on sadness."""
        return tuple(s for s in self.students if s.is_seen and s.has_outcome(FlagOutcome.INSUFFICIENT_DATA))

    @property
    def seen_students(self) -> tuple[ReportStudent, ...]:
        """Students that were seen at all."""
        return tuple(student for student in self.students if student.is_seen)

    @property
    def watched_s(self) -> float:
        """Seconds covered by sampled frames."""
        return float(self.class_timeline.grid.watched_s.sum())

    @property
    def unwatched_s(self) -> float:
        """Seconds of the session in bins without any frame."""
        return float((~self.class_timeline.grid.is_watched).sum() * self.session.bin_s)

    @property
    def unexplained_gap_s(self) -> float:
        """Of these, the seconds outside the recorded gaps."""
        grid = self.class_timeline.grid
        gap_s = overlap_s(grid.unobserved_spans, grid.bin_s, len(grid.watched_s))
        return float((grid.bin_s - gap_s)[~grid.is_watched].sum())


def _check_in_order(student: ReportStudent) -> tuple[int, float]:
    shares = [decision.share for decision in student.flagged_decisions if decision.share is not None]
    return min(map(_REVIEW_ORDER.index, student.reviews)), -max(shares)
