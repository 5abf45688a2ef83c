"""The second flag rule: who was away for most of the lecture while the class was not. Pure.

Of each bin, time is *not seen* (pictures were taken, the student was in none), *turned away* (the head away
from the front), *eyes shut*, *to the front*, or unknown (seen, but neither head nor eyes could be read). The
first three are *away*. Time without pictures is none of them. Where the head was turned in some samples and
the eyes shut in some, they are taken to be the same samples as far as they can be: less is away, and nobody
is flagged by counting twice. The class at that time is the mean of the *other* students' shares in the same
bin.

The rule, in order:

1. ``insufficient_data`` if the known time, the coverage, or the time in which enough others were known is
   below its minimum. Whom the camera hardly finds cannot be told from whom it does not see.
2. ``flagged`` if the lower end of the interval of the share away lies above ``away_share``, that of the
   difference to the class above ``away_margin`` (a class turned to its neighbours flags nobody), and, where
   the student has ``baseline_sessions`` earlier sessions, the first also above their own usual level.
3. ``not_flagged`` otherwise.

The difference is of the whole time compared: who faces the front while all others are turned to each other
makes up for time away. That errs towards flagging nobody. Away is not inattentive: a head down may be taking
notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from db.records import FlagRecord
from reports.flags.base import (
    ATTENTION_KIND,
    FlagOutcome,
    baseline_reasons,
    coverage_too_low,
    not_clearly_above,
    reasons_in_english,
)
from reports.flags.baseline import Baseline, Baselines, baseline_numbers, require_sessions
from reports.flags.confidence import ShareInterval, difference_interval, share_interval
from reports.text.formatting import format_duration, format_percent, format_percent_range
from reports.text.i18n import N_, LazyText, lazy, lazy_plural
from reports.timeline.student import Floats, StudentTimeline

_ATTENTION_TOLERANCE = 1e-9


@dataclass(frozen=True)
class AttentionFlagSettings:
    """The thresholds of the rule; shares are 0..1. None is tuned: nobody measured what a teacher wants to
    know.

    ``away_share`` 0.4 and ``away_margin`` 0.2 are of the intervals' lower ends, so for a lecture of fifty
    minutes about half of the time, and a third more than the class. ``min_known_s`` 300: in less, one look
    into a bag is a large share. ``min_coverage`` 0.3: of whom the camera finds more seldom it is not known
    whether they were there. ``min_classmates`` 4: with the student five, as for any figure of a class.
    ``baseline_sessions`` and ``confidence`` as for the other rule.
    """

    away_share: Annotated[float, Ge(0.05), Lt(1)] = 0.4
    away_margin: Annotated[float, Ge(0), Lt(1)] = 0.2
    min_known_s: Annotated[float, Ge(0), Le(7200)] = 300.0
    min_coverage: Annotated[float, Ge(0), Le(1)] = 0.3
    min_classmates: Annotated[int, Ge(1), Le(1000)] = 4
    baseline_sessions: Annotated[int, Ge(1), Le(100)] = 3
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95


@dataclass(frozen=True, eq=False)
class AttentionBreakdown:
    """Seconds of each bin ``(B,)`` in which one student was not seen, turned away, had shut eyes, or none of
    these (``facing_s``). What is left of the watched time is unknown."""

    not_seen_s: Floats
    turned_away_s: Floats
    eyes_closed_s: Floats
    facing_s: Floats

    @property
    def away_s(self) -> Floats:
        """``(B,)`` not seen, turned away or eyes shut."""
        return self.not_seen_s + self.turned_away_s + self.eyes_closed_s

    @property
    def known_s(self) -> Floats:
        """``(B,)`` away or to the front."""
        return self.away_s + self.facing_s

    @property
    def away_share(self) -> Floats:
        """``(B,)`` share of the known time, 0..1; 0 where nothing is known."""
        return np.divide(
            self.away_s, self.known_s, out=np.zeros_like(self.away_s), where=self.known_s > 0
        ).clip(0, 1)


@dataclass(frozen=True)
class AttentionDecision:
    """What the rule says of one student, with the numbers that decided it and why, in words.

    ``interval`` is of the share away over the known time; ``class_difference`` of how much that is more than the
    class, over the ``compared_s`` seconds in which enough others were known, and ``class_share`` what the
    class was away then. They are None where there was no such time. ``baseline`` and ``within_baseline`` as in
    ``reports.flags.sadness.SadnessDecision``.
    """

    student_id: int
    outcome: FlagOutcome
    watched_s: float
    known_s: float
    compared_s: float
    not_seen_s: float
    turned_away_s: float
    eyes_closed_s: float
    coverage: float
    interval: ShareInterval | None
    class_share: float | None
    class_difference: ShareInterval | None
    baseline: Baseline | None
    within_baseline: bool
    reason_messages: tuple[LazyText, ...]
    settings: AttentionFlagSettings
    kind: str = ATTENTION_KIND

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, in the language that is spoken."""
        return tuple(map(str, self.reason_messages))

    @property
    def away_share(self) -> float | None:
        """Share of the known time away, 0..1; None if nothing is known."""
        return None if self.interval is None else self.interval.share

    @property
    def away_s(self) -> float:
        """Seconds not seen, turned away or with shut eyes."""
        return self.not_seen_s + self.turned_away_s + self.eyes_closed_s

    @property
    def shares_by_cause(self) -> dict[str, float]:
        """Share of the known time, 0..1, by what it was; empty if nothing is known."""
        seconds = {
            N_("not seen"): self.not_seen_s,
            N_("turned away"): self.turned_away_s,
            N_("eyes shut"): self.eyes_closed_s,
        }
        return {name: part / self.known_s for name, part in seconds.items()} if self.known_s > 0 else {}


def attention_breakdown(line: StudentTimeline) -> AttentionBreakdown:
    """Where one student was in each bin."""
    turned = line.pose_samples - line.facing_samples
    shut = np.maximum(line.closed_samples - turned, 0)
    told = np.maximum(line.pose_samples, line.eye_samples)
    per_sample_s = line.seen_s / np.maximum(line.seen_samples, np.maximum(told, 1))
    return AttentionBreakdown(
        not_seen_s=np.maximum(line.watched_s - line.seen_s, 0),
        turned_away_s=turned * per_sample_s,
        eyes_closed_s=shut * per_sample_s,
        facing_s=np.maximum(told - turned - shut, 0) * per_sample_s,
    )


def decide_attention_flags(
    timelines: Sequence[StudentTimeline],
    settings: AttentionFlagSettings,
    baselines: Baselines | None = None,
) -> tuple[AttentionDecision, ...]:
    """One verdict per student of a session, in their order; each is held against the others."""
    where = [attention_breakdown(line) for line in timelines]
    if not where:
        return ()
    known_s = np.array([one.known_s for one in where])
    away = np.array([one.away_share for one in where]) * (known_s > 0)
    others = (known_s > 0).sum(axis=0) - (known_s > 0)
    beside = np.divide(away.sum(axis=0) - away, others, out=np.zeros_like(away), where=others > 0).clip(0, 1)
    enough = others >= settings.min_classmates
    levels: Baselines = baselines or {}
    return tuple(
        _decide_student(line, where[n], beside[n], enough[n], settings, levels.get(line.student_id, {}))
        for n, line in enumerate(timelines)
    )


def attention_flag_record(session_id: int, decision: AttentionDecision) -> FlagRecord:
    """The verdict as the database keeps it; ``numbers`` is ready for JSON and names the thresholds."""
    interval, apart = decision.interval, decision.class_difference
    numbers = {
        "watched_s": decision.watched_s,
        "known_s": decision.known_s,
        "compared_s": decision.compared_s,
        "not_seen_s": decision.not_seen_s,
        "turned_away_s": decision.turned_away_s,
        "eyes_closed_s": decision.eyes_closed_s,
        "away_s": decision.away_s,
        "coverage": decision.coverage,
        "away_share": decision.away_share,
        "away_share_low": None if interval is None else interval.low,
        "away_share_high": None if interval is None else interval.high,
        "effective_bins": None if interval is None else interval.effective_bins,
        "class_share": decision.class_share,
        "class_difference": None if apart is None else apart.share,
        "class_difference_low": None if apart is None else apart.low,
        "class_difference_high": None if apart is None else apart.high,
        **baseline_numbers(decision.baseline),
        "within_baseline": decision.within_baseline,
        "reasons": reasons_in_english(decision.reason_messages),
        "settings": asdict(decision.settings),
    }
    return FlagRecord(session_id, decision.student_id, decision.kind, decision.outcome.value, numbers)


def _decide_student(
    line: StudentTimeline,
    breakdown: AttentionBreakdown,
    class_away: Floats,
    has_classmates: Floats,
    settings: AttentionFlagSettings,
    baselines: Mapping[str, Baseline],
) -> AttentionDecision:
    known_s, level = (
        breakdown.known_s,
        require_sessions(baselines.get(ATTENTION_KIND), settings.baseline_sessions),
    )
    compared_s = known_s * has_classmates
    interval = share_interval(breakdown.away_share, known_s, settings.confidence)
    apart = difference_interval(breakdown.away_share, class_away, compared_s, settings.confidence)
    lacking = _missing_attention_data(line.coverage, float(known_s.sum()), float(compared_s.sum()), settings)
    outcome, as_usual, why = _attention_outcome(interval, apart, lacking, settings, level)
    return AttentionDecision(
        student_id=line.student_id,
        outcome=outcome,
        watched_s=float(line.watched_s.sum()),
        known_s=float(known_s.sum()),
        compared_s=float(compared_s.sum()),
        not_seen_s=float(breakdown.not_seen_s.sum()),
        turned_away_s=float(breakdown.turned_away_s.sum()),
        eyes_closed_s=float(breakdown.eyes_closed_s.sum()),
        coverage=line.coverage,
        interval=interval,
        class_share=None if apart is None else float(compared_s @ class_away / compared_s.sum()),
        class_difference=apart,
        baseline=level,
        within_baseline=as_usual,
        reason_messages=why,
        settings=settings,
    )


def _missing_attention_data(
    coverage: float, known_s: float, compared_s: float, settings: AttentionFlagSettings
) -> list[LazyText]:
    lacking, needed = [], format_duration(settings.min_known_s)
    if coverage <= 0:
        lacking.append(lazy("never seen"))
    if coverage < settings.min_coverage:
        lacking.append(coverage_too_low(coverage, settings.min_coverage))
    if known_s < settings.min_known_s:
        lacking.append(
            lazy(
                "known for %(length)s of the %(needed)s needed",
                length=format_duration(known_s),
                needed=needed,
            )
        )
    if compared_s < settings.min_known_s:
        lacking.append(
            lazy_plural(
                "%(num)d other to compare with for %(length)s of the %(needed)s needed",
                "%(num)d others to compare with for %(length)s of the %(needed)s needed",
                settings.min_classmates,
                length=format_duration(compared_s),
                needed=needed,
            )
        )
    return lacking


def _attention_outcome(
    interval: ShareInterval | None,
    class_difference: ShareInterval | None,
    missing: Sequence[LazyText],
    settings: AttentionFlagSettings,
    baseline: Baseline | None,
) -> tuple[FlagOutcome, bool, tuple[LazyText, ...]]:
    """The outcome, whether the own usual level alone stood against a flag, and the reasons."""
    if interval is None or class_difference is None or missing:
        return FlagOutcome.INSUFFICIENT_DATA, False, tuple(missing) or (lazy("nothing to compare with"),)
    against = []
    if interval.low <= settings.away_share + _ATTENTION_TOLERANCE:
        against.append(not_clearly_above(interval, settings.away_share))
    if class_difference.low <= settings.away_margin + _ATTENTION_TOLERANCE:
        against.append(
            lazy(
                "compared with the class at the same time it may be as little as %(low)s; more than "
                "%(needed)s is needed",
                low=describe_difference(class_difference.low),
                needed=describe_difference(settings.away_margin),
            )
        )
    own = baseline_reasons(interval, baseline)
    found = lazy(
        "not seen, turned away or with shut eyes for %(share)s of the time (%(interval)s), %(difference)s "
        "than the class at that time",
        share=format_percent(interval.share),
        interval=format_percent_range(interval.low, interval.high),
        difference=describe_difference(class_difference.share),
    )
    if against or own:
        return FlagOutcome.NOT_FLAGGED, not against, (found, *against, *own)
    return FlagOutcome.FLAGGED, False, (found,)


def describe_difference(difference: float) -> LazyText:
    """``0.25`` as ``25 points more``, ``-0.1`` as ``10 points less``."""
    whole = round(difference * 100)
    if whole < 0:
        return lazy_plural("%(num)d\u00a0points less", "%(num)d\u00a0points less", -whole)
    return lazy_plural("%(num)d\u00a0points more", "%(num)d\u00a0points more", whole)
