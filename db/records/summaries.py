"""Summaries of ended sessions: derived from the bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class ShareEstimate(NamedTuple):
    """A share of time, 0..1, with its confidence interval.

    A named tuple, as is ``StudentSummary``: 500 sessions of 30 students have 45,000 of them, and frozen
    dataclasses take more than twice as long to create.
    """

    share: float
    low: float
    high: float


class StudentSummary(NamedTuple):
    """The summary of one person in one session, after corrections.

    ``watched_s`` is that of the session, ``seen_s`` the part in which the student was seen, ``usable_s`` the
    part of that with an expression, ``head_pose_s`` with a head direction. ``probabilities`` is the mean
    over the usable samples (bin means weighted by ``usable_samples``), None without any. ``facing_share``
    refers to the samples with a head direction, ``closed_share`` to those with an eye state. ``sad`` and
    ``away`` are the shares that the flag decisions rest on, None with insufficient data or without such a
    decision.
    """

    student_id: int
    watched_s: float
    seen_s: float
    usable_s: float
    usable_samples: int
    head_pose_s: float
    facing_share: float | None
    closed_share: float | None
    probabilities: tuple[float, ...] | None
    sad: ShareEstimate | None = None
    away: ShareEstimate | None = None

    @property
    def coverage(self) -> float:
        """Seen time divided by watched time, 0..1; 0 if nothing was watched."""
        return min(1.0, self.seen_s / self.watched_s) if self.watched_s > 0 else 0.0


@dataclass(frozen=True)
class SessionSummary:
    """The summary of a class in one session. ``rules_version`` is the version of the rules that computed it.

    ``student_count`` is the number of students seen; in ``mode: aggregate``, the largest number seen at
    once. Shares are 0..1, means over the students seen with equal weight; in ``mode: aggregate`` means over
    time, None where the mode allows no value.
    """

    session_id: int
    rules_version: int
    student_count: int
    seen_share: float | None
    facing_share: float | None
    closed_share: float | None
    probabilities: tuple[float, ...] | None
