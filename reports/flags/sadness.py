"""The first flag rule: whose face resembled sadness for most of the time that it could be read. Pure.

The rule, in order:

1. ``insufficient_data`` if the usable time, the usable samples, the coverage or the usable share is below its
   minimum.
2. ``flagged`` if all of these hold: the share of sadness, corrected for the model's known mistakes
   (``reports.flags.confusion``), is the largest of the seven; it exceeds that of neutral by more than
   ``sad_margin``; the lower end of its interval (``reports.flags.confidence``) lies above ``sad_share``; and, where
   the student has ``baseline_sessions`` earlier sessions, above their own usual level.
3. ``not_flagged`` otherwise.

The share is of what was usable, not of the lesson: unseen time is no evidence either way. A session that was
recorded with a model whose mistakes are not known is judged on the mean answer, and its reasons say so.

More sadness never unflags: in any bins, take probability from any other expressions and give it to sad, and
who was flagged still is. The lower end is monotone in the bins' scores (``reports.flags.confidence``), and the
corrected share, its lead and its margin grow wherever the row of sad in the inverse minus any other row is
largest at sad; the shipped model's is at every mixture of poses (a test holds it to that), and the mean
answer's always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from db.records import FlagRecord
from model.emotions import EMOTIONS, Emotion
from reports.flags.base import (
    _TOLERANCE,
    SADNESS_KIND,
    FlagOutcome,
    baseline_reasons,
    coverage_too_low,
    not_clearly_above,
    reasons_in_english,
)
from reports.flags.baseline import Baseline, baseline_numbers, require_sessions
from reports.flags.confidence import ShareInterval, share_interval
from reports.flags.confusion import ConfusionMatrix, project_to_simplex
from reports.text.formatting import format_duration, format_percent, format_percent_range
from reports.text.i18n import LazyText, lazy, lazy_plural
from reports.timeline.student import Floats, StudentTimeline


@dataclass(frozen=True)
class FlagSettings:
    """The thresholds of the rule. Shares are 0..1, times in seconds.

    ``sad_share`` 0.25, for the interval's *lower end*, and ``sad_margin`` 0.02 over neutral: with them,
    simulated students of faces of the choosing half, sad for 60 % of five minutes and neutral for the rest,
    are found in 97 of 100 cases; a share of 0.3 or a margin of 0.05 finds fewer than 95. docs/explanation/flags.md has
    what they do on the reporting half, and what larger ones cost. "Predominantly" is the lead over each other
    expression; the lower end says that it is no chance.
    ``min_usable_s`` 60: a minute of a person's own data is what Sümer et al. (arXiv 2101.04215) needed for
    a reading of that person to improve. ``min_usable_samples`` 30: fewer say nothing of a share (15 of 30
    would be 33 to 67 %, Wilson). ``min_coverage`` 0.2 of the watched time: ten minutes of a lecture of
    fifty; what a student did in less does not stand for the lecture. ``min_usable_share`` 0.1 of the
    watched time, too: five minutes of fifty; readable that seldom, the readable moments are a selection (the
    head up, the face to the camera). Both are of the watched time and not of the seen one, so that who is
    seen less has never more to go by. ``baseline_sessions`` 3: of fewer, the median is not what is usual.
    ``confidence`` is the level of the interval. The last five are judgements, not tuned.
    """

    sad_share: Annotated[float, Ge(0.05), Lt(1)] = 0.25
    sad_margin: Annotated[float, Ge(0), Lt(1)] = 0.02
    min_usable_s: Annotated[float, Ge(0), Le(7200)] = 60.0
    min_usable_samples: Annotated[int, Ge(0), Le(100_000)] = 30
    min_coverage: Annotated[float, Ge(0), Le(1)] = 0.2
    min_usable_share: Annotated[float, Ge(0), Le(1)] = 0.1
    baseline_sessions: Annotated[int, Ge(1), Le(100)] = 3
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95


@dataclass(frozen=True)
class SadnessDecision:
    """What the rule says of one student, with the numbers that decided it and why, in words.

    ``sad_s`` are the usable seconds in bins led by sad, and ``raw_share`` the mean probability of sad over
    the usable time: what was read. ``shares`` (7,) are what that means once ``corrected`` for the model's
    mistakes, summing to 1; ``interval`` is of the share of sadness. The last three are None where there was
    no usable time at all. ``baseline`` is None where the student has too few earlier
    sessions; ``within_baseline`` where it alone stood against a flag.
    """

    student_id: int
    outcome: FlagOutcome
    watched_s: float
    seen_s: float
    usable_s: float
    usable_samples: int
    sad_s: float
    coverage: float
    usable_share: float
    raw_share: float | None
    shares: tuple[float, ...] | None
    interval: ShareInterval | None
    corrected: bool
    baseline: Baseline | None
    within_baseline: bool
    reason_messages: tuple[LazyText, ...]
    settings: FlagSettings
    kind: str = SADNESS_KIND

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, in the language that is spoken."""
        return tuple(map(str, self.reason_messages))

    @property
    def sad_share(self) -> float | None:
        """The corrected share of usable time with an expression resembling sadness, 0..1; None if none was
        usable."""
        return None if self.interval is None else self.interval.share

    @property
    def neutral_share(self) -> float | None:
        """The same of neutral."""
        return None if self.shares is None else self.shares[Emotion.NEUTRAL]


@dataclass(frozen=True)
class _SadnessEstimate:
    """The shares of one student: as read, corrected, and the interval of sadness."""

    raw_share: float
    shares: tuple[float, ...]
    interval: ShareInterval


def decide_sadness_flag(
    timeline: StudentTimeline,
    settings: FlagSettings,
    confusion: ConfusionMatrix | None = None,
    baseline: Baseline | None = None,
) -> SadnessDecision:
    """Apply the rule to one student. ``confusion``: the mistakes of the model that read the faces; ``baseline``:
    the student's own level of earlier sessions."""
    reading = _estimate_sadness(timeline, confusion, settings.confidence)
    baseline = require_sessions(baseline, settings.baseline_sessions)
    outcome, as_usual, why = _sadness_outcome(
        reading, _missing_sadness_data(timeline, settings), settings, baseline
    )
    if reading is not None and confusion is None:
        why = (*why, lazy("not corrected: how the model errs was not recorded with the session"))
    return SadnessDecision(
        student_id=timeline.student_id,
        outcome=outcome,
        watched_s=float(timeline.watched_s.sum()),
        seen_s=float(timeline.seen_s.sum()),
        usable_s=float(timeline.usable_s.sum()),
        usable_samples=int(timeline.usable_samples.sum()),
        sad_s=timeline.leading_s(Emotion.SAD),
        coverage=timeline.coverage,
        usable_share=timeline.usable_share,
        raw_share=None if reading is None else reading.raw_share,
        shares=None if reading is None else reading.shares,
        interval=None if reading is None else reading.interval,
        corrected=confusion is not None,
        baseline=baseline,
        within_baseline=as_usual,
        reason_messages=why,
        settings=settings,
    )


def sadness_flag_record(session_id: int, decision: SadnessDecision) -> FlagRecord:
    """The verdict as the database keeps it; ``numbers`` is ready for JSON and names the thresholds."""
    interval, shares = decision.interval, decision.shares
    numbers = {
        "watched_s": decision.watched_s,
        "seen_s": decision.seen_s,
        "usable_s": decision.usable_s,
        "usable_samples": decision.usable_samples,
        "sad_s": decision.sad_s,
        "coverage": decision.coverage,
        "usable_share": decision.usable_share,
        "raw_share": decision.raw_share,
        "corrected": decision.corrected,
        "shares": None if shares is None else dict(zip(EMOTIONS, shares, strict=True)),
        "sad_share": decision.sad_share,
        "sad_share_low": None if interval is None else interval.low,
        "sad_share_high": None if interval is None else interval.high,
        "effective_bins": None if interval is None else interval.effective_bins,
        **baseline_numbers(decision.baseline),
        "within_baseline": decision.within_baseline,
        "reasons": reasons_in_english(decision.reason_messages),
        "settings": asdict(decision.settings),
    }
    return FlagRecord(session_id, decision.student_id, decision.kind, decision.outcome.value, numbers)


def _estimate_sadness(
    timeline: StudentTimeline, confusion: ConfusionMatrix | None, confidence: float
) -> _SadnessEstimate | None:
    weights = timeline.usable_s
    if weights.sum() <= 0:
        return None
    answers = np.nan_to_num(timeline.probabilities)
    scores = answers if confusion is None else confusion.correct(answers, timeline.pose_counts)
    parts = weights / weights.sum()
    shares = project_to_simplex(parts @ scores)
    interval = share_interval(scores[:, Emotion.SAD], weights, confidence)
    assert interval is not None  # some weight is above zero
    sad = float(shares[Emotion.SAD])
    # The seven projected together are what is reported; the ends stay those of sad alone.
    around = ShareInterval(sad, min(interval.low, sad), max(interval.high, sad), interval.effective_bins)
    return _SadnessEstimate(float(parts @ answers[:, Emotion.SAD]), _floats(shares), around)


def _missing_sadness_data(timeline: StudentTimeline, settings: FlagSettings) -> list[LazyText]:
    usable_s, samples = float(timeline.usable_s.sum()), int(timeline.usable_samples.sum())
    # A never-seen student fails the coverage even where all minima are set to 0.
    lacking = [] if usable_s > 0 else [lazy("never readable")]
    if usable_s < settings.min_usable_s:
        needed = format_duration(settings.min_usable_s)
        lacking.append(
            lazy(
                "readable for %(length)s of the %(needed)s needed",
                length=format_duration(usable_s),
                needed=needed,
            )
        )
    if samples < settings.min_usable_samples:
        lacking.append(_too_few_samples(samples, settings.min_usable_samples))
    if timeline.coverage < settings.min_coverage:
        lacking.append(coverage_too_low(timeline.coverage, settings.min_coverage))
    watched_s = float(timeline.watched_s.sum())
    usable = usable_s / watched_s if watched_s > 0 else 0.0
    if usable < settings.min_usable_share:
        needed = format_percent(settings.min_usable_share)
        lacking.append(
            lazy(
                "readable for %(share)s of the watched time, %(needed)s needed",
                share=format_percent(usable),
                needed=needed,
            )
        )
    return lacking


def _too_few_samples(samples: int, needed: int) -> LazyText:
    if not samples:
        return lazy("readable in no pictures of the %(needed)s needed", needed=needed)
    return lazy_plural(
        "readable in %(num)d picture of the %(needed)s needed",
        "readable in %(num)d pictures of the %(needed)s needed",
        samples,
        needed=needed,
    )


def _sadness_outcome(
    estimate: _SadnessEstimate | None,
    missing: Sequence[LazyText],
    settings: FlagSettings,
    baseline: Baseline | None,
) -> tuple[FlagOutcome, bool, tuple[LazyText, ...]]:
    """The outcome, whether the own usual level alone stood against a flag, and the reasons."""
    if estimate is None or missing:
        return FlagOutcome.INSUFFICIENT_DATA, False, tuple(missing)
    against, own = _share_reasons(estimate, settings), baseline_reasons(estimate.interval, baseline)
    share, interval = format_percent(estimate.interval.share), _format_interval(estimate.interval)
    if against or own:
        found = lazy(
            "estimated at %(share)s of the readable time (%(interval)s)", share=share, interval=interval
        )
        return FlagOutcome.NOT_FLAGGED, not against, (found, *against, *own)
    found = lazy(
        "estimated at %(share)s of the readable time (%(interval)s), more than any other expression",
        share=share,
        interval=interval,
    )
    return FlagOutcome.FLAGGED, False, (found,)


def _format_interval(interval: ShareInterval) -> str:
    return format_percent_range(interval.low, interval.high)


def _share_reasons(estimate: _SadnessEstimate, settings: FlagSettings) -> list[LazyText]:
    """Why the share is not enough, in words; empty if it is."""
    sad, neutral = estimate.shares[Emotion.SAD], estimate.shares[Emotion.NEUTRAL]
    other = max(share for emotion, share in enumerate(estimate.shares) if emotion != Emotion.SAD)
    against = []
    if sad <= other + _TOLERANCE:
        against.append(lazy("another expression reached %(share)s", share=format_percent(other)))
    elif sad <= neutral + settings.sad_margin + _TOLERANCE:
        against.append(
            lazy(
                "neutral reached %(share)s, less than %(margin)s behind",
                share=format_percent(neutral),
                margin=format_percent(settings.sad_margin),
            )
        )
    if estimate.interval.low <= settings.sad_share + _TOLERANCE:
        against.append(not_clearly_above(estimate.interval, settings.sad_share))
    return against


def _floats(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
