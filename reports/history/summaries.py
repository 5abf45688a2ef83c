"""What a session holds, summed up from its report: the rows that the history reads. Pure.

A mean over the class counts every student once, however long they were readable; the sentences of a report
weight with that time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from db.records import AnalysisMode, SessionSummary, ShareEstimate, StudentSummary
from model.emotions import EMOTIONS
from reports.flags.attention import AttentionDecision
from reports.flags.base import FlagOutcome
from reports.flags.sadness import SadnessDecision
from reports.report import Report, ReportStudent
from reports.timeline.student import Floats, StudentTimeline

RULES_VERSION = 1
"""The version of the rules behind verdicts and summaries. Raise it when they change: every session is then
summed up anew by the next command that reads the history."""


def summarise_report(report: Report) -> tuple[SessionSummary, tuple[StudentSummary, ...]]:
    """What is kept of the class and of each of its people; of nobody in ``mode: aggregate``."""
    students = tuple(summarise_student(person) for person in report.students)
    if report.mode is AnalysisMode.AGGREGATE:
        return _summarise_aggregate(report), ()
    return summarise_class(report.session.id, students), students


def summarise_student(student: ReportStudent) -> StudentSummary:
    """One person of the report. Means are weighted with samples."""
    line = student.timeline
    return StudentSummary(
        student_id=line.student_id,
        watched_s=float(line.watched_s.sum()),
        seen_s=float(line.seen_s.sum()),
        usable_s=float(line.usable_s.sum()),
        usable_samples=int(line.usable_samples.sum()),
        head_pose_s=head_pose_seconds(line),
        facing_share=line.facing_share,
        closed_share=_closed_share(line),
        probabilities=_mean_probabilities(line),
        sad=_share_estimate(student.sadness_decision),
        away=_share_estimate(student.attention_decision),
    )


def summarise_class(session_id: int, students: Sequence[StudentSummary]) -> SessionSummary:
    """The means over the students who were seen."""
    seen = [one for one in students if one.seen_s > 0]
    return SessionSummary(
        session_id=session_id,
        rules_version=RULES_VERSION,
        student_count=len(seen),
        seen_share=_mean([one.coverage for one in seen]),
        facing_share=_mean([one.facing_share for one in seen]),
        closed_share=_mean([one.closed_share for one in seen]),
        probabilities=mean_probabilities(seen),
    )


def mean_probabilities(students: Sequence[StudentSummary]) -> tuple[float, ...] | None:
    """The mean over students of each expression, summing to 1; None if nobody was readable."""
    known = [one.probabilities for one in students if one.probabilities is not None]
    return _clip_probabilities(np.mean(known, axis=0)) if known else None


def head_pose_seconds(line: StudentTimeline) -> float:
    """Seconds seen with a direction of the head."""
    return float((line.seen_s * np.minimum(line.pose_samples / np.maximum(line.seen_samples, 1), 1.0)).sum())


def _summarise_aggregate(report: Report) -> SessionSummary:
    """The class's own means over time; its timeline is unknown wherever fewer were seen than may be shown."""
    shares = report.class_timeline.expression_shares
    return SessionSummary(
        session_id=report.session.id,
        rules_version=RULES_VERSION,
        student_count=report.class_timeline.student_count,
        seen_share=report.class_timeline.mean_seen_share,
        facing_share=report.class_timeline.mean_facing_share,
        closed_share=None,
        probabilities=_clip_probabilities(np.array(list(shares.values()))) if shares else None,
    )


def _mean_probabilities(line: StudentTimeline) -> tuple[float, ...] | None:
    known = line.usable_samples > 0
    if not known.any():
        return None
    return _clip_probabilities(
        np.average(line.probabilities[known], axis=0, weights=line.usable_samples[known])
    )


def _clip_probabilities(means: Floats) -> tuple[float, ...]:
    assert len(means) == len(EMOTIONS)
    clipped = np.clip(means, 0.0, 1.0)  # a mean of float32 values may be 1 + 1e-7
    return tuple(float(value) for value in clipped)


def _closed_share(line: StudentTimeline) -> float | None:
    judged = int(line.eye_samples.sum())
    return int(line.closed_samples.sum()) / judged if judged else None


def _share_estimate(decision: SadnessDecision | AttentionDecision | None) -> ShareEstimate | None:
    """The share that was judged; None where there was not enough to tell."""
    if decision is None or decision.interval is None or decision.outcome is FlagOutcome.INSUFFICIENT_DATA:
        return None
    return ShareEstimate(decision.interval.share, decision.interval.low, decision.interval.high)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return min(1.0, float(np.mean(known))) if known else None
