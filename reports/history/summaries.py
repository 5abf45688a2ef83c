"""Summaries of a session for the history, computed from its report. Pure.

Class means count every student once, regardless of the readable time, unlike the sentences of a report.
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
"""Version of the rules behind flags and summaries. Increase it with every change: the next command that
reads the history then summarises every session again."""


def summarise_report(report: Report) -> tuple[SessionSummary, tuple[StudentSummary, ...]]:
    """The summaries of the class and of each student; in ``mode: aggregate`` of the class only."""
    if report.mode is AnalysisMode.AGGREGATE:
        return _summarise_aggregate(report), ()
    students = tuple(summarise_student(student) for student in report.students)
    return summarise_class(report.session.id, students), students


def summarise_student(student: ReportStudent) -> StudentSummary:
    """One student of the report; means are weighted by samples."""
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
    """Means over the students that were seen."""
    seen = [student for student in students if student.seen_s > 0]
    return SessionSummary(
        session_id=session_id,
        rules_version=RULES_VERSION,
        student_count=len(seen),
        seen_share=_mean([student.coverage for student in seen]),
        facing_share=_mean([student.facing_share for student in seen]),
        closed_share=_mean([student.closed_share for student in seen]),
        probabilities=mean_probabilities(seen),
    )


def mean_probabilities(students: Sequence[StudentSummary]) -> tuple[float, ...] | None:
    """Mean over students of each expression's probability, summing to 1; None if all are unknown."""
    known = [student.probabilities for student in students if student.probabilities is not None]
    return _clip_probabilities(np.mean(known, axis=0)) if known else None


def head_pose_seconds(line: StudentTimeline) -> float:
    """Seconds with a head pose."""
    return float((line.seen_s * np.minimum(line.pose_samples / np.maximum(line.seen_samples, 1), 1.0)).sum())


def _summarise_aggregate(report: Report) -> SessionSummary:
    """Means of the class timeline over time, which is unknown with fewer than ``MIN_CLASS_SIZE`` students."""
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
    eye_samples = int(line.eye_samples.sum())
    return int(line.closed_samples.sum()) / eye_samples if eye_samples else None


def _share_estimate(decision: SadnessDecision | AttentionDecision | None) -> ShareEstimate | None:
    """The share of a decision; None with insufficient data."""
    if decision is None or decision.interval is None or decision.outcome is FlagOutcome.INSUFFICIENT_DATA:
        return None
    return ShareEstimate(decision.interval.share, decision.interval.low, decision.interval.high)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return min(1.0, float(np.mean(known))) if known else None
