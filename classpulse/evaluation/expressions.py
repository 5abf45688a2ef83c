"""Scores of a stored session against the ground truth of a video: presence, direction, expressions, flags.

Only unambiguous bins are compared: those that lie completely in a segment without a change. A student is
matched to the stored seat whose centre lies in the student's tile, so the numbering of the session does not
matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Engine

from classpulse.simulation.ground_truth import DemoError, GroundTruth, GroundTruthSample, StudentGroundTruth
from db import sessions as queries
from db.records import FlagRecord, SeatRecord, StudentRecord, TimelineBin
from model.emotions import EMOTIONS

FLAGGED_OUTCOME = "flagged"


@dataclass(frozen=True)
class SegmentScore:
    """A segment of one student compared with the bins inside it: ``expected``, the label that the drawing
    resembles; ``predicted``, the label with the largest mean stored ``probability`` in the ``bins`` that have
    one, None without any."""

    start_s: float
    end_s: float
    expected: str
    predicted: str | None
    probability: float | None
    bins: int

    @property
    def is_match(self) -> bool | None:
        """Whether the predicted label is the expected one; None without a prediction."""
        return None if self.predicted is None else self.predicted == self.expected


@dataclass(frozen=True)
class DemoStudentScore:
    """One student of the video.

    ``pseudonym`` is None if no stored seat lies in the student's tile. Shares are of the video's length.
    ``presence_error`` is the mean over the bins of the difference between the present and the seen share;
    ``facing_accuracy`` the share of comparable bins whose direction is right, None without any.
    """

    seat: str
    pseudonym: str | None
    present_share: float
    seen_share: float
    presence_error: float
    facing_accuracy: float | None
    facing_bins: int
    segments: tuple[SegmentScore, ...]
    expected_flag: bool
    outcome: str | None


@dataclass(frozen=True)
class ExpressionScore:
    """All students; ``unmatched`` are stored students that match no student of the video."""

    students: tuple[DemoStudentScore, ...]
    unmatched: tuple[str, ...]

    @property
    def found_students(self) -> int:
        """The number of students found."""
        return sum(student.pseudonym is not None for student in self.students)

    @property
    def presence_error(self) -> float:
        """The mean over the students."""
        return float(np.mean([student.presence_error for student in self.students]))

    @property
    def facing_accuracy(self) -> float | None:
        """The share of all comparable bins whose direction is right; None without any."""
        bins = sum(student.facing_bins for student in self.students)
        agreeing = sum((student.facing_accuracy or 0.0) * student.facing_bins for student in self.students)
        return agreeing / bins if bins else None

    @property
    def matching_segments(self) -> tuple[int, int]:
        """The number of segments predicted as expected, and of all segments with a prediction."""
        matches = [segment.is_match for student in self.students for segment in student.segments]
        return matches.count(True), matches.count(True) + matches.count(False)

    @property
    def flag_precision(self) -> float | None:
        """The share of flagged students that should be flagged; None without flagged students."""
        return self._flag_share([s for s in self.students if s.outcome == FLAGGED_OUTCOME])

    @property
    def flag_recall(self) -> float | None:
        """The flagged share of the students that should be flagged; None if none should be."""
        return self._flag_share([s for s in self.students if s.expected_flag])

    def _flag_share(self, among: Sequence[DemoStudentScore]) -> float | None:
        right = sum(s.outcome == FLAGGED_OUTCOME and s.expected_flag for s in among)
        return right / len(among) if among else None

    @property
    def matching_flags(self) -> int:
        """The number of students that are flagged exactly if they should be."""
        return sum((s.outcome == FLAGGED_OUTCOME) == s.expected_flag for s in self.students)


def score_expressions(
    ground_truth: GroundTruth,
    bins: Sequence[TimelineBin],
    students: Sequence[StudentRecord],
    seats: Sequence[SeatRecord],
    flags: Sequence[FlagRecord] = (),
    bin_s: float = 5.0,
) -> ExpressionScore:
    """Compare a stored session with the ground truth of its video.

    ``bins`` and ``flags`` are all of the session, ``bin_s`` the length of its bins. Raises ``DemoError`` if
    the student of a seat is not in ``students``.
    """
    pseudonyms = {student.id: student.pseudonym for student in students}
    for seat in seats:
        if seat.student_id not in pseudonyms:
            raise DemoError(
                f"Seat {seat.label!r} belongs to student {seat.student_id}, which is not in the session."
            )
    by_student: dict[int, list[TimelineBin]] = {student.id: [] for student in students}
    for stored in bins:
        if stored.student_id in by_student:
            by_student[stored.student_id].append(stored)
    seen_s = {student: sum(b.seen_s for b in own_bins) for student, own_bins in by_student.items()}
    outcomes = {flag.student_id: flag.outcome for flag in flags}
    scores, matched = [], set[int]()
    for known in ground_truth.students:
        candidates = [seat.student_id for seat in seats if _is_in_seat(seat, known, ground_truth)]
        best = max(candidates, key=lambda student: seen_s[student], default=None)
        matched.add(-1 if best is None else best)
        by_start = {} if best is None else {stored.start_s: stored for stored in by_student[best]}
        name, outcome = (None, None) if best is None else (pseudonyms[best], outcomes.get(best))
        scores.append(_score_student(known, ground_truth, by_start, bin_s, name, outcome))
    return ExpressionScore(
        tuple(scores), tuple(name for student, name in pseudonyms.items() if student not in matched)
    )


def score_stored_session(engine: Engine, session_id: int, ground_truth: GroundTruth) -> ExpressionScore:
    """``score_expressions`` of a session in the database."""
    return score_expressions(
        ground_truth,
        queries.load_bins(engine, session_id),
        queries.list_students(engine, session_id),
        queries.list_seats(engine, session_id),
        queries.list_flags(engine, session_id),
        queries.get_session(engine, session_id).bin_s,
    )


def _is_in_seat(seat: SeatRecord, known: StudentGroundTruth, truth: GroundTruth) -> bool:
    x1, y1, x2, y2 = seat.box_xyxy
    x = (x1 + x2) / 2 * truth.width / seat.frame_width
    y = (y1 + y2) / 2 * truth.height / seat.frame_height
    if known.seat_xyxy is None:
        return False
    left, top, right, bottom = known.seat_xyxy
    return left <= x < right and top <= y < bottom


def _score_student(
    known: StudentGroundTruth,
    truth: GroundTruth,
    stored: dict[float, TimelineBin],
    bin_s: float,
    pseudonym: str | None,
    outcome: str | None,
) -> DemoStudentScore:
    starts = np.arange(0.0, truth.length_s, bin_s).tolist()
    by_bin = [[s for s in known.samples if start <= s.t_s < start + bin_s] for start in starts]
    present = [
        float(np.mean([sample.present for sample in samples])) if samples else 0.0 for samples in by_bin
    ]
    seen = [_seen_share(stored.get(start)) for start in starts]
    facing = [
        answer
        for start, samples in zip(starts, by_bin, strict=True)
        if (answer := _facing_agrees(samples, stored.get(start))) is not None
    ]
    return DemoStudentScore(
        known.seat,
        pseudonym,
        float(np.mean(present)),
        float(np.mean(seen)),
        float(np.mean(np.abs(np.subtract(present, seen)))),
        float(np.mean(facing)) if facing else None,
        len(facing),
        tuple(_score_segment(segment, truth.step_s, stored, bin_s) for segment in _segments(known)),
        known.expected_flag,
        outcome,
    )


def _seen_share(stored: TimelineBin | None) -> float:
    return stored.seen_s / stored.watched_s if stored is not None and stored.watched_s > 0 else 0.0


def _facing_agrees(samples: Sequence[GroundTruthSample], stored: TimelineBin | None) -> bool | None:
    """Whether the direction is right; None if the truth changes within the bin or the bin has no head
    pose."""
    directions = {sample.facing if sample.settled else None for sample in samples}
    if stored is None or stored.pose_samples == 0 or len(directions) != 1 or None in directions:
        return None
    return (stored.facing_samples * 2 >= stored.pose_samples) == directions.pop()


def _segments(known: StudentGroundTruth) -> list[list[GroundTruthSample]]:
    """Runs of settled samples with one expression, visible and not turned away."""
    runs: list[list[GroundTruthSample]] = []
    last: str | None = None
    for sample in known.samples:
        resembles = sample.resembles if sample.settled and sample.facing is not False else None
        if resembles is not None:
            if resembles != last:
                runs.append([])
            runs[-1].append(sample)
        last = resembles
    return runs


def _score_segment(
    segment: Sequence[GroundTruthSample], step_s: float, stored: dict[float, TimelineBin], bin_s: float
) -> SegmentScore:
    start_s, end_s = segment[0].t_s, segment[-1].t_s + step_s
    inside = [
        (one.probabilities, one.usable_samples)
        for start, one in stored.items()
        if start >= start_s and start + bin_s <= end_s + 1e-6 and one.probabilities is not None
    ]
    expected = segment[0].resembles or ""
    if not inside:
        return SegmentScore(start_s, end_s, expected, None, None, 0)
    means, weights = zip(*inside, strict=True)
    mean = np.average(means, axis=0, weights=weights)
    best = int(np.argmax(mean))
    return SegmentScore(start_s, end_s, expected, EMOTIONS[best], float(mean[best]), len(inside))
