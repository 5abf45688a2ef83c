"""The first flag rule: who showed an expression resembling sadness for most of the time they could be read.

Pure. The rule, in order:

1. ``insufficient_data`` if the usable time, the coverage or the usable share is below its minimum.
2. ``flagged`` if the share of usable time in bins led by *sad* is more than ``sad_share``.
3. ``not_flagged`` otherwise.

The share is of what was usable, not of the lesson: unseen time is no evidence either way. The
interval does not decide (a later rule may let it); it says how much the share is worth, and a flag
whose interval reaches down to the threshold says so in its reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from db.records import FlagRecord
from model.emotions import Emotion
from reports.intervals import ShareInterval, share_interval
from reports.timeline import StudentTimeline
from reports.words import length, percent

KIND = "sad_share"
"""``FlagRecord.kind`` of this rule."""


class Outcome(StrEnum):
    """What the rule says of one student."""

    FLAGGED = "flagged"
    NOT_FLAGGED = "not_flagged"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True)
class FlagSettings:
    """The thresholds of the rule. Shares are 0..1, times in seconds.

    ``sad_share`` 0.5: "predominantly" is read as *more than half*. ``least_usable_s`` 60: a minute of
    a person's own data is what Sümer et al. (arXiv 2101.04215) needed for a reading of that person
    to improve; below it the interval spans half the scale anyway. ``least_coverage`` 0.2 of the
    watched time, the relative minimum: ten minutes of a lecture of fifty; what a student did in less
    does not stand for the lecture. ``least_usable_share`` 0.2 of the seen time: readable that seldom,
    the readable moments are a selection (the head up, the face to the camera). The last two are
    judgements, not measurements. ``confidence`` is the level of the interval.
    """

    sad_share: Annotated[float, Ge(0.05), Lt(1)] = 0.5
    least_usable_s: Annotated[float, Ge(0), Le(7200)] = 60.0
    least_coverage: Annotated[float, Ge(0), Le(1)] = 0.2
    least_usable_share: Annotated[float, Ge(0), Le(1)] = 0.2
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95


@dataclass(frozen=True)
class Verdict:
    """What the rule says of one student, with the numbers that decided it and why, in words.

    ``interval`` is None where there was no usable time at all.
    """

    student_id: int
    outcome: Outcome
    watched_s: float
    seen_s: float
    usable_s: float
    sad_s: float
    coverage: float
    usable_share: float
    interval: ShareInterval | None
    reasons: tuple[str, ...]
    settings: FlagSettings
    kind: str = KIND

    @property
    def sad_share(self) -> float | None:
        """Share of usable time led by an expression resembling sadness, 0..1; None if none was usable."""
        return None if self.interval is None else self.interval.share


def judge(timeline: StudentTimeline, settings: FlagSettings) -> Verdict:
    """Apply the rule to one student."""
    interval = share_interval(timeline.leading == Emotion.SAD, timeline.usable_s, settings.confidence)
    lacking = _lacking(timeline, settings)
    outcome, reasons = _decide(interval, lacking, settings)
    return Verdict(
        student_id=timeline.student_id,
        outcome=outcome,
        watched_s=float(timeline.grid.watched_s.sum()),
        seen_s=float(timeline.seen_s.sum()),
        usable_s=float(timeline.usable_s.sum()),
        sad_s=timeline.led_s(Emotion.SAD),
        coverage=timeline.coverage,
        usable_share=timeline.usable_share,
        interval=interval,
        reasons=reasons,
        settings=settings,
    )


def judge_all(timelines: Sequence[StudentTimeline], settings: FlagSettings) -> tuple[Verdict, ...]:
    """One verdict per student, in their order."""
    return tuple(judge(timeline, settings) for timeline in timelines)


def to_record(session_id: int, verdict: Verdict) -> FlagRecord:
    """The verdict as the database keeps it; ``numbers`` is ready for JSON and names the thresholds."""
    interval = verdict.interval
    numbers = {
        "watched_s": verdict.watched_s,
        "seen_s": verdict.seen_s,
        "usable_s": verdict.usable_s,
        "sad_s": verdict.sad_s,
        "coverage": verdict.coverage,
        "usable_share": verdict.usable_share,
        "sad_share": verdict.sad_share,
        "sad_share_low": None if interval is None else interval.low,
        "sad_share_high": None if interval is None else interval.high,
        "effective_bins": None if interval is None else interval.effective_bins,
        "reasons": list(verdict.reasons),
        "settings": asdict(verdict.settings),
    }
    return FlagRecord(session_id, verdict.student_id, verdict.kind, verdict.outcome.value, numbers)


def _lacking(timeline: StudentTimeline, settings: FlagSettings) -> list[str]:
    usable_s = float(timeline.usable_s.sum())
    # A never-seen student fails the coverage even where all minima are set to 0.
    lacking = [] if usable_s > 0 else ["never readable"]
    if usable_s < settings.least_usable_s:
        lacking.append(f"readable for {length(usable_s)} of the {length(settings.least_usable_s)} needed")
    if timeline.coverage < settings.least_coverage:
        lacking.append(_too_small("seen for", timeline.coverage, "the watched time", settings.least_coverage))
    if timeline.usable_share < settings.least_usable_share:
        lacking.append(
            _too_small("readable for", timeline.usable_share, "the seen time", settings.least_usable_share)
        )
    return lacking


def _decide(
    interval: ShareInterval | None, lacking: Sequence[str], settings: FlagSettings
) -> tuple[Outcome, tuple[str, ...]]:
    if interval is None or lacking:
        return Outcome.INSUFFICIENT_DATA, tuple(lacking)
    led = f"led for {percent(interval.share)} of the readable time"
    # Exactly half must not become more than half by the rounding of a sum.
    if interval.share <= settings.sad_share + 1e-9:
        reasons = [f"{led}, not more than {percent(settings.sad_share)}"]
        if interval.high > settings.sad_share:
            reasons.append(f"the interval reaches up to {percent(interval.high)}: a flag cannot be ruled out")
        return Outcome.NOT_FLAGGED, tuple(reasons)
    reasons = [f"{led}, more than {percent(settings.sad_share)}"]
    if interval.low <= settings.sad_share:
        reasons.append(f"the interval reaches down to {percent(interval.low)}: this may be chance")
    return Outcome.FLAGGED, tuple(reasons)


def _too_small(what: str, share: float, whole: str, least: float) -> str:
    return f"{what} {percent(share)} of {whole}, {percent(least)} needed"
