"""The first flag rule: a facial expression resembling sadness for most of the readable time. Pure.

The rule, in order:

1. ``insufficient_data`` if the usable time, the usable samples, the coverage or the usable share is below its
   minimum.
2. ``flagged`` if all of these hold: the share of sadness, corrected for the model's known confusions
   (``reports.flags.confusion``), is the largest of the seven; it exceeds the share of neutral by more than
   ``sad_margin``; the lower end of its interval (``reports.flags.confidence``) lies above ``sad_share`` and,
   if the student has ``baseline_sessions`` earlier sessions, above the student's own baseline.
3. ``not_flagged`` otherwise.

The share refers to the usable time, not to the lesson: unobserved time is no evidence. A session without a
stored confusion matrix is decided on the mean probabilities, and its reasons state that.

The rule is monotone: moving probability from other expressions to sad, in any bins, never removes a flag. The
lower end is monotone in the bins' scores (``reports.flags.confidence``). The corrected share, its lead and
its margin grow if the row of sad in the inverse minus any other row is largest at sad, which a test checks
for the shipped model at every mixture of poses; for uncorrected means it always holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from model.emotions import EMOTIONS, Emotion
from reports.flags.base import (
    SADNESS_KIND,
    FlagDecision,
    Verdict,
    coverage_reasons,
    insufficient_data,
    is_above,
    judge,
    threshold_reasons,
)
from reports.flags.baseline import Baseline, require_sessions
from reports.flags.confidence import ShareInterval, share_interval
from reports.flags.confusion import ConfusionMatrix, project_to_simplex
from reports.text.formatting import format_duration, format_percent, format_percent_range
from reports.text.i18n import LazyText, lazy, lazy_plural
from reports.timeline.student import StudentTimeline


@dataclass(frozen=True)
class FlagSettings:
    """Thresholds of the rule; shares 0..1, times in seconds.

    ``sad_share`` 0.25 (for the *lower end* of the interval) and ``sad_margin`` 0.02 over neutral: with these,
    97 % of simulated students that look sad for 60 % of five minutes and neutral for the rest are flagged
    (faces of the choosing half); a share of 0.3 or a margin of 0.05 flags fewer than 95 %.
    docs/explanation/flags.md has the results on the reporting half. ``min_usable_s`` 60: Sümer et al. (arXiv
    2101.04215) needed a minute of a student's own data to improve predictions. ``min_usable_samples`` 30:
    with fewer, a share is unknown (15 of 30 would be 33 to 67 %, Wilson). ``min_coverage`` 0.2 and
    ``min_usable_share`` 0.1 of the watched time: ten and five minutes of a lecture of fifty; less does not
    represent the lecture. Both refer to the watched time, not to the seen time, so that a student who is seen
    less never passes more easily. ``baseline_sessions`` 3: a median of fewer is no baseline. ``confidence``:
    level of the interval. The last five are heuristic, not tuned on data.
    """

    sad_share: Annotated[float, Ge(0.05), Lt(1)] = 0.25
    sad_margin: Annotated[float, Ge(0), Lt(1)] = 0.02
    min_usable_s: Annotated[float, Ge(0), Le(7200)] = 60.0
    min_usable_samples: Annotated[int, Ge(0), Le(100_000)] = 30
    min_coverage: Annotated[float, Ge(0), Le(1)] = 0.2
    min_usable_share: Annotated[float, Ge(0), Le(1)] = 0.1
    baseline_sessions: Annotated[int, Ge(1), Le(100)] = 3
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95


@dataclass(frozen=True, kw_only=True)
class SadnessDecision(FlagDecision[FlagSettings]):
    """The decision on one student.

    ``sad_s``: usable seconds in bins led by sad. ``raw_share``: mean probability of sad over the usable time.
    ``shares`` (7,): estimated shares of the usable time, summing to 1, if ``corrected`` for the model's known
    confusions. ``interval``: the share of sadness. None without any usable time.
    """

    kind: ClassVar[str] = SADNESS_KIND
    share_name: ClassVar[str] = "sad_share"

    seen_s: float
    usable_s: float
    usable_samples: int
    sad_s: float
    usable_share: float
    raw_share: float | None
    shares: tuple[float, ...] | None
    corrected: bool

    @property
    def sad_share(self) -> float | None:
        """Estimated share of the usable time with an expression resembling sadness, 0..1; None without
        any."""
        return self.share

    @property
    def neutral_share(self) -> float | None:
        """The same for neutral."""
        return None if self.shares is None else self.shares[Emotion.NEUTRAL]

    def _measurements(self) -> dict[str, Any]:
        return {
            "seen_s": self.seen_s,
            "usable_s": self.usable_s,
            "usable_samples": self.usable_samples,
            "sad_s": self.sad_s,
            "usable_share": self.usable_share,
            "raw_share": self.raw_share,
            "corrected": self.corrected,
            "shares": None if self.shares is None else dict(zip(EMOTIONS, self.shares, strict=True)),
        }


@dataclass(frozen=True)
class _Estimate:
    """``raw_share``: mean probability of sad; ``shares`` (7,) and ``interval`` (of sadness): after
    correction."""

    raw_share: float
    shares: tuple[float, ...]
    interval: ShareInterval


def decide_sadness_flag(
    timeline: StudentTimeline,
    settings: FlagSettings,
    confusion: ConfusionMatrix | None = None,
    baseline: Baseline | None = None,
) -> SadnessDecision:
    """Apply the rule to one student. ``confusion``: of the model that classified the faces; ``baseline``:
    from the student's earlier sessions."""
    estimate = _estimate_shares(timeline, confusion, settings.confidence)
    baseline = require_sessions(baseline, settings.baseline_sessions)
    verdict = _verdict(estimate, _missing_data(timeline, settings), settings, baseline)
    reasons = verdict.reasons
    if estimate is not None and confusion is None:
        reasons += (lazy("not corrected: how the model errs was not recorded with the session"),)
    return SadnessDecision(
        student_id=timeline.student_id,
        outcome=verdict.outcome,
        watched_s=float(timeline.watched_s.sum()),
        seen_s=float(timeline.seen_s.sum()),
        usable_s=float(timeline.usable_s.sum()),
        usable_samples=int(timeline.usable_samples.sum()),
        sad_s=timeline.leading_s(Emotion.SAD),
        coverage=timeline.coverage,
        usable_share=timeline.usable_share,
        raw_share=None if estimate is None else estimate.raw_share,
        shares=None if estimate is None else estimate.shares,
        interval=None if estimate is None else estimate.interval,
        corrected=confusion is not None,
        baseline=baseline,
        within_baseline=verdict.within_baseline,
        reason_messages=reasons,
        settings=settings,
    )


def _estimate_shares(
    timeline: StudentTimeline, confusion: ConfusionMatrix | None, confidence: float
) -> _Estimate | None:
    usable_s = timeline.usable_s
    if usable_s.sum() <= 0:
        return None
    probabilities = np.nan_to_num(timeline.probabilities)
    scores = probabilities if confusion is None else confusion.correct(probabilities, timeline.pose_counts)
    weights = usable_s / usable_s.sum()
    shares = project_to_simplex(weights @ scores)
    interval = share_interval(scores[:, Emotion.SAD], usable_s, confidence)
    assert interval is not None  # some weight is above zero
    sad = float(shares[Emotion.SAD])
    # The reported share comes from the joint projection of all seven; the ends are those of sad alone.
    interval = ShareInterval(sad, min(interval.low, sad), max(interval.high, sad), interval.effective_bins)
    return _Estimate(
        float(weights @ probabilities[:, Emotion.SAD]), tuple(float(share) for share in shares), interval
    )


def _missing_data(timeline: StudentTimeline, settings: FlagSettings) -> list[LazyText]:
    usable_s, samples = float(timeline.usable_s.sum()), int(timeline.usable_samples.sum())
    watched_s = float(timeline.watched_s.sum())
    usable_share = usable_s / watched_s if watched_s > 0 else 0.0
    # Without usable time there is no share, even if all minima are 0.
    missing = [] if usable_s > 0 else [lazy("never readable")]
    if usable_s < settings.min_usable_s:
        missing.append(
            lazy(
                "readable for %(length)s of the %(needed)s needed",
                length=format_duration(usable_s),
                needed=format_duration(settings.min_usable_s),
            )
        )
    if samples < settings.min_usable_samples:
        missing.append(_too_few_samples(samples, settings.min_usable_samples))
    missing += coverage_reasons(timeline.coverage, settings.min_coverage)
    if usable_share < settings.min_usable_share:
        missing.append(
            lazy(
                "readable for %(share)s of the watched time, %(needed)s needed",
                share=format_percent(usable_share),
                needed=format_percent(settings.min_usable_share),
            )
        )
    return missing


def _too_few_samples(samples: int, needed: int) -> LazyText:
    if not samples:
        return lazy("readable in none of the %(needed)s frames needed", needed=needed)
    return lazy_plural(
        "readable in %(num)d of the %(needed)s frames needed",
        "readable in %(num)d of the %(needed)s frames needed",
        samples,
        needed=needed,
    )


def _verdict(
    estimate: _Estimate | None, missing: list[LazyText], settings: FlagSettings, baseline: Baseline | None
) -> Verdict:
    if estimate is None or missing:
        return insufficient_data(missing)
    interval = estimate.interval
    values = {
        "share": format_percent(interval.share),
        "interval": format_percent_range(interval.low, interval.high),
    }
    return judge(
        interval,
        baseline,
        _unmet_conditions(estimate, settings),
        lazy("estimated at %(share)s of the readable time (%(interval)s)", **values),
        lazy(
            "estimated at %(share)s of the readable time (%(interval)s), more than any other expression",
            **values,
        ),
    )


def _unmet_conditions(estimate: _Estimate, settings: FlagSettings) -> list[LazyText]:
    sad, neutral = estimate.shares[Emotion.SAD], estimate.shares[Emotion.NEUTRAL]
    other = max(share for emotion, share in enumerate(estimate.shares) if emotion != Emotion.SAD)
    unmet = []
    if not is_above(sad, other):
        unmet.append(lazy("another expression reached %(share)s", share=format_percent(other)))
    elif not is_above(sad, neutral + settings.sad_margin):
        unmet.append(
            lazy(
                "neutral reached %(share)s, less than %(margin)s behind",
                share=format_percent(neutral),
                margin=format_percent(settings.sad_margin),
            )
        )
    return unmet + threshold_reasons(estimate.interval, settings.sad_share)
