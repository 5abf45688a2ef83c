"""What a session holds, summed up from its report: the rows that the history reads. Pure.

A mean over the class counts every student once, however long they were readable; the sentences of a report
weight with that time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from db.records import Level, Mode, SessionSummary, StudentSummary
from model.emotions import EMOTIONS
from reports.flags.attention import AttentionVerdict
from reports.flags.base import Outcome
from reports.flags.sadness import Verdict
from reports.report import Person, Report
from reports.timeline.student import Floats, StudentTimeline

MADE_WITH = 1
"""The version of the rules behind verdicts and summaries. Raise it when they change: every session is then
summed up anew by the next command that reads the history."""


def summaries(report: Report) -> tuple[SessionSummary, tuple[StudentSummary, ...]]:
    """What is kept of the class and of each of its people; of nobody in ``mode: aggregate``."""
    students = tuple(student_summary(person) for person in report.people)
    if report.mode is Mode.AGGREGATE:
        return _aggregate(report), ()
    return class_summary(report.session.id, students), students


def student_summary(person: Person) -> StudentSummary:
    """One person of the report. Means are weighted with samples."""
    line = person.timeline
    return StudentSummary(
        student_id=line.student_id,
        watched_s=float(line.watched_s.sum()),
        seen_s=float(line.seen_s.sum()),
        usable_s=float(line.usable_s.sum()),
        usable_samples=int(line.usable_samples.sum()),
        posed_s=posed_s(line),
        facing_share=line.facing_share,
        closed_share=_closed_share(line),
        probabilities=_means(line),
        sad=_level(person.verdict),
        away=_level(person.attention_verdict),
    )


def class_summary(session_id: int, students: Sequence[StudentSummary]) -> SessionSummary:
    """The means over the students who were seen."""
    seen = [one for one in students if one.seen_s > 0]
    return SessionSummary(
        session_id=session_id,
        made_with=MADE_WITH,
        people=len(seen),
        seen_share=_mean([one.coverage for one in seen]),
        facing_share=_mean([one.facing_share for one in seen]),
        closed_share=_mean([one.closed_share for one in seen]),
        probabilities=mean_probabilities(seen),
    )


def mean_probabilities(students: Sequence[StudentSummary]) -> tuple[float, ...] | None:
    """The mean over students of each expression, summing to 1; None if nobody was readable."""
    known = [one.probabilities for one in students if one.probabilities is not None]
    return _normal(np.mean(known, axis=0)) if known else None


def posed_s(line: StudentTimeline) -> float:
    """Seconds seen with a direction of the head."""
    return float((line.seen_s * np.minimum(line.pose_samples / np.maximum(line.seen_samples, 1), 1.0)).sum())


def _aggregate(report: Report) -> SessionSummary:
    """The class's own means over time; its timeline is unknown wherever fewer were seen than may be shown."""
    shares = report.whole.expression_shares
    return SessionSummary(
        session_id=report.session.id,
        made_with=MADE_WITH,
        people=report.whole.people,
        seen_share=report.whole.mean_seen_share,
        facing_share=report.whole.mean_facing_share,
        closed_share=None,
        probabilities=_normal(np.array(list(shares.values()))) if shares else None,
    )


def _means(line: StudentTimeline) -> tuple[float, ...] | None:
    known = line.usable_samples > 0
    if not known.any():
        return None
    return _normal(np.average(line.probabilities[known], axis=0, weights=line.usable_samples[known]))


def _normal(means: Floats) -> tuple[float, ...]:
    assert len(means) == len(EMOTIONS)
    clipped = np.clip(means, 0.0, 1.0)  # a mean of float32 values may be 1 + 1e-7
    return tuple(float(value) for value in clipped)


def _closed_share(line: StudentTimeline) -> float | None:
    judged = int(line.eye_samples.sum())
    return int(line.closed_samples.sum()) / judged if judged else None


def _level(verdict: Verdict | AttentionVerdict | None) -> Level | None:
    """The share that was judged; None where there was not enough to tell."""
    if verdict is None or verdict.interval is None or verdict.outcome is Outcome.INSUFFICIENT_DATA:
        return None
    return Level(verdict.interval.share, verdict.interval.low, verdict.interval.high)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return min(1.0, float(np.mean(known))) if known else None
