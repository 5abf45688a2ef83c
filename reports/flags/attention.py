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
   the student has ``usual_sessions`` earlier sessions, the first also above their own usual level.
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
    Outcome,
    against_usual,
    in_english,
    not_surely_above,
    seen_seldom,
)
from reports.flags.baseline import Usual, UsualLevels, as_numbers, known
from reports.flags.confidence import ShareInterval, difference_interval, share_interval
from reports.text.formatting import length, percent, percent_range
from reports.text.i18n import N_, Message, nsaid, said
from reports.timeline.student import Floats, StudentTimeline

_ROUNDING = 1e-9


@dataclass(frozen=True)
class AttentionFlagSettings:
    """The thresholds of the rule; shares are 0..1. None is tuned: nobody measured what a teacher wants to
    know.

    ``away_share`` 0.4 and ``away_margin`` 0.2 are of the intervals' lower ends, so for a lecture of fifty
    minutes about half of the time, and a third more than the class. ``least_known_s`` 300: in less, one look
    into a bag is a large share. ``least_coverage`` 0.3: of whom the camera finds more seldom it is not known
    whether they were there. ``least_others`` 4: with the student five, as for any figure of a class.
    ``usual_sessions`` and ``confidence`` as for the other rule.
    """

    away_share: Annotated[float, Ge(0.05), Lt(1)] = 0.4
    away_margin: Annotated[float, Ge(0), Lt(1)] = 0.2
    least_known_s: Annotated[float, Ge(0), Le(7200)] = 300.0
    least_coverage: Annotated[float, Ge(0), Le(1)] = 0.3
    least_others: Annotated[int, Ge(1), Le(1000)] = 4
    usual_sessions: Annotated[int, Ge(1), Le(100)] = 3
    confidence: Annotated[float, Gt(0.5), Lt(1)] = 0.95


@dataclass(frozen=True, eq=False)
class Whereabouts:
    """Seconds of each bin ``(B,)`` in which one student was not seen, turned away, had shut eyes, or none of
    these (``front_s``). What is left of the watched time is unknown."""

    not_seen_s: Floats
    turned_s: Floats
    shut_s: Floats
    front_s: Floats

    @property
    def away_s(self) -> Floats:
        """``(B,)`` not seen, turned away or eyes shut."""
        return self.not_seen_s + self.turned_s + self.shut_s

    @property
    def known_s(self) -> Floats:
        """``(B,)`` away or to the front."""
        return self.away_s + self.front_s

    @property
    def away(self) -> Floats:
        """``(B,)`` share of the known time, 0..1; 0 where nothing is known."""
        return np.divide(
            self.away_s, self.known_s, out=np.zeros_like(self.away_s), where=self.known_s > 0
        ).clip(0, 1)


@dataclass(frozen=True)
class AttentionVerdict:
    """What the rule says of one student, with the numbers that decided it and why, in words.

    ``interval`` is of the share away over the known time; ``difference`` of how much that is more than the
    class, over the ``compared_s`` seconds in which enough others were known, and ``class_share`` what the
    class was away then. They are None where there was no such time. ``usual`` and ``as_usual`` as in
    ``reports.flags.sadness.Verdict``.
    """

    student_id: int
    outcome: Outcome
    watched_s: float
    known_s: float
    compared_s: float
    not_seen_s: float
    turned_s: float
    shut_s: float
    coverage: float
    interval: ShareInterval | None
    class_share: float | None
    difference: ShareInterval | None
    usual: Usual | None
    as_usual: bool
    why: tuple[Message, ...]
    settings: AttentionFlagSettings
    kind: str = ATTENTION_KIND

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, in the language that is spoken."""
        return tuple(map(str, self.why))

    @property
    def away_share(self) -> float | None:
        """Share of the known time away, 0..1; None if nothing is known."""
        return None if self.interval is None else self.interval.share

    @property
    def away_s(self) -> float:
        """Seconds not seen, turned away or with shut eyes."""
        return self.not_seen_s + self.turned_s + self.shut_s

    @property
    def parts(self) -> dict[str, float]:
        """Share of the known time, 0..1, by what it was; empty if nothing is known."""
        seconds = {
            N_("not seen"): self.not_seen_s,
            N_("turned away"): self.turned_s,
            N_("eyes shut"): self.shut_s,
        }
        return {name: part / self.known_s for name, part in seconds.items()} if self.known_s > 0 else {}


def whereabouts(line: StudentTimeline) -> Whereabouts:
    """Where one student was in each bin."""
    turned = line.pose_samples - line.facing_samples
    shut = np.maximum(line.closed_samples - turned, 0)
    told = np.maximum(line.pose_samples, line.eye_samples)
    per_sample_s = line.seen_s / np.maximum(line.seen_samples, np.maximum(told, 1))
    return Whereabouts(
        not_seen_s=np.maximum(line.watched_s - line.seen_s, 0),
        turned_s=turned * per_sample_s,
        shut_s=shut * per_sample_s,
        front_s=np.maximum(told - turned - shut, 0) * per_sample_s,
    )


def judge_attention(
    timelines: Sequence[StudentTimeline],
    settings: AttentionFlagSettings,
    usual: UsualLevels | None = None,
) -> tuple[AttentionVerdict, ...]:
    """One verdict per student of a session, in their order; each is held against the others."""
    where = [whereabouts(line) for line in timelines]
    if not where:
        return ()
    known_s = np.array([one.known_s for one in where])
    away = np.array([one.away for one in where]) * (known_s > 0)
    others = (known_s > 0).sum(axis=0) - (known_s > 0)
    beside = np.divide(away.sum(axis=0) - away, others, out=np.zeros_like(away), where=others > 0).clip(0, 1)
    enough = others >= settings.least_others
    levels: UsualLevels = usual or {}
    return tuple(
        _judge(line, where[n], beside[n], enough[n], settings, levels.get(line.student_id, {}))
        for n, line in enumerate(timelines)
    )


def to_attention_record(session_id: int, verdict: AttentionVerdict) -> FlagRecord:
    """The verdict as the database keeps it; ``numbers`` is ready for JSON and names the thresholds."""
    interval, apart = verdict.interval, verdict.difference
    numbers = {
        "watched_s": verdict.watched_s,
        "known_s": verdict.known_s,
        "compared_s": verdict.compared_s,
        "not_seen_s": verdict.not_seen_s,
        "turned_s": verdict.turned_s,
        "shut_s": verdict.shut_s,
        "away_s": verdict.away_s,
        "coverage": verdict.coverage,
        "away_share": verdict.away_share,
        "away_share_low": None if interval is None else interval.low,
        "away_share_high": None if interval is None else interval.high,
        "effective_bins": None if interval is None else interval.effective_bins,
        "class_share": verdict.class_share,
        "difference": None if apart is None else apart.share,
        "difference_low": None if apart is None else apart.low,
        "difference_high": None if apart is None else apart.high,
        **as_numbers(verdict.usual),
        "as_usual": verdict.as_usual,
        "reasons": in_english(verdict.why),
        "settings": asdict(verdict.settings),
    }
    return FlagRecord(session_id, verdict.student_id, verdict.kind, verdict.outcome.value, numbers)


def _judge(
    line: StudentTimeline,
    where: Whereabouts,
    beside: Floats,
    enough: Floats,
    settings: AttentionFlagSettings,
    usual: Mapping[str, Usual],
) -> AttentionVerdict:
    known_s, level = where.known_s, known(usual.get(ATTENTION_KIND), settings.usual_sessions)
    compared_s = known_s * enough
    interval = share_interval(where.away, known_s, settings.confidence)
    apart = difference_interval(where.away, beside, compared_s, settings.confidence)
    lacking = _lacking(line.coverage, float(known_s.sum()), float(compared_s.sum()), settings)
    outcome, as_usual, why = _decide(interval, apart, lacking, settings, level)
    return AttentionVerdict(
        student_id=line.student_id,
        outcome=outcome,
        watched_s=float(line.watched_s.sum()),
        known_s=float(known_s.sum()),
        compared_s=float(compared_s.sum()),
        not_seen_s=float(where.not_seen_s.sum()),
        turned_s=float(where.turned_s.sum()),
        shut_s=float(where.shut_s.sum()),
        coverage=line.coverage,
        interval=interval,
        class_share=None if apart is None else float(compared_s @ beside / compared_s.sum()),
        difference=apart,
        usual=level,
        as_usual=as_usual,
        why=why,
        settings=settings,
    )


def _lacking(
    coverage: float, known_s: float, compared_s: float, settings: AttentionFlagSettings
) -> list[Message]:
    lacking, needed = [], length(settings.least_known_s)
    if coverage <= 0:
        lacking.append(said("never seen"))
    if coverage < settings.least_coverage:
        lacking.append(seen_seldom(coverage, settings.least_coverage))
    if known_s < settings.least_known_s:
        lacking.append(
            said("known for %(length)s of the %(needed)s needed", length=length(known_s), needed=needed)
        )
    if compared_s < settings.least_known_s:
        lacking.append(
            nsaid(
                "%(num)d other to compare with for %(length)s of the %(needed)s needed",
                "%(num)d others to compare with for %(length)s of the %(needed)s needed",
                settings.least_others,
                length=length(compared_s),
                needed=needed,
            )
        )
    return lacking


def _decide(
    interval: ShareInterval | None,
    apart: ShareInterval | None,
    lacking: Sequence[Message],
    settings: AttentionFlagSettings,
    usual: Usual | None,
) -> tuple[Outcome, bool, tuple[Message, ...]]:
    """The outcome, whether the own usual level alone stood against a flag, and the reasons."""
    if interval is None or apart is None or lacking:
        return Outcome.INSUFFICIENT_DATA, False, tuple(lacking) or (said("nothing to compare with"),)
    against = []
    if interval.low <= settings.away_share + _ROUNDING:
        against.append(not_surely_above(interval, settings.away_share))
    if apart.low <= settings.away_margin + _ROUNDING:
        against.append(
            said(
                "compared with the class at the same time it may be as little as %(low)s; more than "
                "%(needed)s is needed",
                low=points_more(apart.low),
                needed=points_more(settings.away_margin),
            )
        )
    own = against_usual(interval, usual)
    found = said(
        "not seen, turned away or with shut eyes for %(share)s of the time (%(interval)s), %(difference)s "
        "than the class at that time",
        share=percent(interval.share),
        interval=percent_range(interval.low, interval.high),
        difference=points_more(apart.share),
    )
    if against or own:
        return Outcome.NOT_FLAGGED, not against, (found, *against, *own)
    return Outcome.FLAGGED, False, (found,)


def points_more(difference: float) -> Message:
    """``0.25`` as ``25 points more``, ``-0.1`` as ``10 points less``."""
    whole = round(difference * 100)
    if whole < 0:
        return nsaid("%(num)d\u00a0points less", "%(num)d\u00a0points less", -whole)
    return nsaid("%(num)d\u00a0points more", "%(num)d\u00a0points more", whole)
