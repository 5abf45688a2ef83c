"""The second flag rule: away for most of the lesson while the class was not. Pure.

The time of each bin is divided into *not seen* (frames were processed, the student was in none), *turned
away* (head turned from the front), *eyes closed*, *facing the front*, and unknown (seen, but neither head
pose nor eyes could be measured). The first three are *away*; unwatched time is none of them. Turned-away and
closed-eyes samples of a bin are assumed to overlap as far as possible, so that no sample counts twice. The
class is the mean of the *other* students' shares in the same bin.

The rule, in order:

1. ``insufficient_data`` if the known time, the coverage, or the time with enough known classmates is below
   its minimum. A student that the detector rarely finds cannot be distinguished from an absent student.
2. ``flagged`` if the lower end of the interval of the away share lies above ``away_share``, that of the
   difference to the class above ``away_margin`` (a class turned to its neighbours flags no student), and, if
   the student has ``baseline_sessions`` earlier sessions, the first one also above the student's own
   baseline.
3. ``not_flagged`` otherwise.

The difference covers the whole compared time: facing the front while all others face each other compensates
time away, which errs towards not flagging. Away is not inattentive: a student with a bowed head may be taking
notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from reports.flags.base import (
    ATTENTION_KIND,
    FlagDecision,
    Verdict,
    coverage_reasons,
    insufficient_data,
    is_above,
    judge,
    threshold_reasons,
)
from reports.flags.baseline import Baseline, Baselines, require_sessions
from reports.flags.confidence import ShareInterval, difference_interval, share_interval
from reports.text.formatting import format_duration, format_percent, format_percent_range
from reports.text.i18n import N_, LazyText, lazy, lazy_plural
from reports.timeline.student import Floats, StudentTimeline


@dataclass(frozen=True)
class AttentionFlagSettings:
    """Thresholds of the rule; shares 0..1, times in seconds. All are heuristic, not tuned on data.

    ``away_share`` 0.4 and ``away_margin`` 0.2 apply to the lower ends of the intervals: in a lecture of fifty
    minutes, about half of the time and a third more than the class. ``min_known_s`` 300: in less, searching a
    bag once is a large share. ``min_coverage`` 0.3: below it, presence itself is uncertain.
    ``min_classmates`` 4: with the student five, as for every class figure. ``baseline_sessions`` and
    ``confidence`` as in the rule of sadness.
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
    """One student's seconds ``(B,)`` of each bin by state; the rest of the watched time is unknown."""

    not_seen_s: Floats
    turned_away_s: Floats
    eyes_closed_s: Floats
    facing_s: Floats

    @property
    def away_s(self) -> Floats:
        """``(B,)`` not seen, turned away or eyes closed."""
        return self.not_seen_s + self.turned_away_s + self.eyes_closed_s

    @property
    def known_s(self) -> Floats:
        """``(B,)`` away or facing the front."""
        return self.away_s + self.facing_s

    @property
    def away_share(self) -> Floats:
        """``(B,)`` away by known time, 0..1; 0 where nothing is known."""
        return np.divide(
            self.away_s, self.known_s, out=np.zeros_like(self.away_s), where=self.known_s > 0
        ).clip(0, 1)


@dataclass(frozen=True, kw_only=True)
class AttentionDecision(FlagDecision[AttentionFlagSettings]):
    """The decision on one student.

    ``interval``: share of the known time away. ``class_difference``: away share minus that of the class, over
    the ``compared_s`` seconds with enough known classmates; ``class_share``: of the class at that time. None
    without any such time.
    """

    kind: ClassVar[str] = ATTENTION_KIND
    share_name: ClassVar[str] = "away_share"

    known_s: float
    compared_s: float
    not_seen_s: float
    turned_away_s: float
    eyes_closed_s: float
    class_share: float | None
    class_difference: ShareInterval | None

    @property
    def away_share(self) -> float | None:
        """Share of the known time away, 0..1; None if nothing is known."""
        return self.share

    @property
    def away_s(self) -> float:
        """Seconds not seen, turned away or with closed eyes."""
        return self.not_seen_s + self.turned_away_s + self.eyes_closed_s

    @property
    def shares_by_cause(self) -> dict[str, float]:
        """Share of the known time, 0..1, by msgid of the cause; empty if nothing is known."""
        seconds = {
            N_("not seen"): self.not_seen_s,
            N_("turned away"): self.turned_away_s,
            N_("eyes closed"): self.eyes_closed_s,
        }
        return {name: part / self.known_s for name, part in seconds.items()} if self.known_s > 0 else {}

    def _measurements(self) -> dict[str, Any]:
        difference = self.class_difference
        return {
            "known_s": self.known_s,
            "compared_s": self.compared_s,
            "not_seen_s": self.not_seen_s,
            "turned_away_s": self.turned_away_s,
            "eyes_closed_s": self.eyes_closed_s,
            "away_s": self.away_s,
            "class_share": self.class_share,
            "class_difference": None if difference is None else difference.share,
            "class_difference_low": None if difference is None else difference.low,
            "class_difference_high": None if difference is None else difference.high,
        }


def attention_breakdown(line: StudentTimeline) -> AttentionBreakdown:
    """The breakdown of one student's timeline."""
    turned = line.pose_samples - line.facing_samples
    closed = np.maximum(line.closed_samples - turned, 0)
    known = np.maximum(line.pose_samples, line.eye_samples)
    per_sample_s = line.seen_s / np.maximum(line.seen_samples, np.maximum(known, 1))
    return AttentionBreakdown(
        not_seen_s=np.maximum(line.watched_s - line.seen_s, 0),
        turned_away_s=turned * per_sample_s,
        eyes_closed_s=closed * per_sample_s,
        facing_s=np.maximum(known - turned - closed, 0) * per_sample_s,
    )


def decide_attention_flags(
    timelines: Sequence[StudentTimeline],
    settings: AttentionFlagSettings,
    baselines: Baselines | None = None,
) -> tuple[AttentionDecision, ...]:
    """One decision per student of a session, in the same order; each student is compared with the others."""
    if not timelines:
        return ()
    breakdowns = [attention_breakdown(line) for line in timelines]
    is_known = np.array([breakdown.known_s for breakdown in breakdowns]) > 0
    away = np.array([breakdown.away_share for breakdown in breakdowns]) * is_known
    classmates = is_known.sum(axis=0) - is_known
    class_away = np.divide(
        away.sum(axis=0) - away, classmates, out=np.zeros_like(away), where=classmates > 0
    ).clip(0, 1)
    is_compared = classmates >= settings.min_classmates
    baselines = baselines or {}
    return tuple(
        _decide_student(
            line,
            breakdowns[n],
            class_away[n],
            is_compared[n],
            settings,
            baselines.get(line.student_id, {}).get(ATTENTION_KIND),
        )
        for n, line in enumerate(timelines)
    )


def _decide_student(
    line: StudentTimeline,
    breakdown: AttentionBreakdown,
    class_away: Floats,
    is_compared: Floats,
    settings: AttentionFlagSettings,
    baseline: Baseline | None,
) -> AttentionDecision:
    baseline = require_sessions(baseline, settings.baseline_sessions)
    known_s = breakdown.known_s
    compared_s = known_s * is_compared
    interval = share_interval(breakdown.away_share, known_s, settings.confidence)
    difference = difference_interval(breakdown.away_share, class_away, compared_s, settings.confidence)
    missing = _missing_data(line.coverage, float(known_s.sum()), float(compared_s.sum()), settings)
    verdict = _verdict(interval, difference, missing, settings, baseline)
    return AttentionDecision(
        student_id=line.student_id,
        outcome=verdict.outcome,
        watched_s=float(line.watched_s.sum()),
        known_s=float(known_s.sum()),
        compared_s=float(compared_s.sum()),
        not_seen_s=float(breakdown.not_seen_s.sum()),
        turned_away_s=float(breakdown.turned_away_s.sum()),
        eyes_closed_s=float(breakdown.eyes_closed_s.sum()),
        coverage=line.coverage,
        interval=interval,
        class_share=None if difference is None else float(compared_s @ class_away / compared_s.sum()),
        class_difference=difference,
        baseline=baseline,
        within_baseline=verdict.within_baseline,
        reason_messages=verdict.reasons,
        settings=settings,
    )


def _missing_data(
    coverage: float, known_s: float, compared_s: float, settings: AttentionFlagSettings
) -> list[LazyText]:
    missing, needed = [lazy("never seen")] if coverage <= 0 else [], format_duration(settings.min_known_s)
    missing += coverage_reasons(coverage, settings.min_coverage)
    if known_s < settings.min_known_s:
        missing.append(
            lazy(
                "known for %(length)s of the %(needed)s needed",
                length=format_duration(known_s),
                needed=needed,
            )
        )
    if compared_s < settings.min_known_s:
        missing.append(
            lazy_plural(
                "%(num)d other student to compare with for %(length)s of the %(needed)s needed",
                "%(num)d other students to compare with for %(length)s of the %(needed)s needed",
                settings.min_classmates,
                length=format_duration(compared_s),
                needed=needed,
            )
        )
    return missing


def _verdict(
    interval: ShareInterval | None,
    difference: ShareInterval | None,
    missing: list[LazyText],
    settings: AttentionFlagSettings,
    baseline: Baseline | None,
) -> Verdict:
    if interval is None or difference is None or missing:
        return insufficient_data(missing or [lazy("nothing to compare with")])
    unmet = threshold_reasons(interval, settings.away_share)
    if not is_above(difference.low, settings.away_margin):
        unmet.append(
            lazy(
                "compared with the class at the same time it may be as little as %(low)s; more than "
                "%(needed)s is needed",
                low=describe_difference(difference.low),
                needed=describe_difference(settings.away_margin),
            )
        )
    finding = lazy(
        "not seen, turned away or eyes closed for %(share)s of the time (%(interval)s), %(difference)s "
        "than the class at that time",
        share=format_percent(interval.share),
        interval=format_percent_range(interval.low, interval.high),
        difference=describe_difference(difference.share),
    )
    return judge(interval, baseline, unmet, finding)


def describe_difference(difference: float) -> LazyText:
    """``0.25`` as ``25 points more``, ``-0.1`` as ``10 points less``."""
    points = round(difference * 100)
    if points < 0:
        return lazy_plural("%(num)d\u00a0points less", "%(num)d\u00a0points less", -points)
    return lazy_plural("%(num)d\u00a0points more", "%(num)d\u00a0points more", points)
