"""How far a session's stored result agrees with a demo film's known truth.

Only what cannot be argued about is compared: bins that lie wholly in a spell without a change. A student is
matched to the seat whose middle lies in her tile, so nothing depends on how the session numbered people.
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
    """A spell of one student against the bins inside it: ``expected`` the label that its drawing resembles,
    ``predicted`` the label with the largest stored mean probability (``probability``) in the ``bins`` that have
    one, None where there is no reading."""

    start_s: float
    end_s: float
    expected: str
    predicted: str | None
    probability: float | None
    bins: int

    @property
    def is_match(self) -> bool | None:
        """Whether the reading is the expected one; None without a reading."""
        return None if self.predicted is None else self.predicted == self.expected


@dataclass(frozen=True)
class DemoStudentScore:
    """One student of the film. ``pseudonym`` is None if no stored seat lies in her tile. Shares are of the
    film; ``presence_error`` is the mean over the bins of the difference between the share of time that she
    was there and that she was seen; ``facing_accuracy`` the share of comparable bins whose direction
    agrees, None without any."""

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
    """The whole film. ``unmatched`` are stored people who match no student: found twice, or not there."""

    students: tuple[DemoStudentScore, ...]
    unmatched: tuple[str, ...]

    @property
    def found_students(self) -> int:
        """How many of the students were found."""
        return sum(student.pseudonym is not None for student in self.students)

    @property
    def presence_error(self) -> float:
        """The mean over the students."""
        return float(np.mean([student.presence_error for student in self.students]))

    @property
    def facing_accuracy(self) -> float | None:
        """The share of all comparable bins whose direction agrees; None without any."""
        bins = sum(student.facing_bins for student in self.students)
        agreeing = sum((student.facing_accuracy or 0.0) * student.facing_bins for student in self.students)
        return agreeing / bins if bins else None

    @property
    def matching_segments(self) -> tuple[int, int]:
        """How many spells' leading expression is the expected one, of how many with a reading."""
        answers = [spell.is_match for student in self.students for spell in student.segments]
        return answers.count(True), answers.count(True) + answers.count(False)

    @property
    def flag_precision(self) -> float | None:
        """The share of flagged students who should be; None where nobody was flagged."""
        return self._flag_share([s for s in self.students if s.outcome == FLAGGED_OUTCOME])

    @property
    def flag_recall(self) -> float | None:
        """The share of the students who should be flagged that were; None where nobody should be."""
        return self._flag_share([s for s in self.students if s.expected_flag])

    def _flag_share(self, among: Sequence[DemoStudentScore]) -> float | None:
        right = sum(s.outcome == FLAGGED_OUTCOME and s.expected_flag for s in among)
        return right / len(among) if among else None

    @property
    def matching_flags(self) -> int:
        """How many students are flagged exactly if they should be."""
        return sum((s.outcome == FLAGGED_OUTCOME) == s.expected_flag for s in self.students)


def score_expressions(
    ground_truth: GroundTruth,
    bins: Sequence[TimelineBin],
    students: Sequence[StudentRecord],
    seats: Sequence[SeatRecord],
    flags: Sequence[FlagRecord] = (),
    bin_s: float = 5.0,
) -> ExpressionScore:
    """Compare one stored session of a demo film with the film's truth.

    ``bins`` and ``flags`` are all of the session, ``bin_s`` the length of its bins. Raises ``DemoError`` if a
    seat belongs to nobody in ``students``.
    """
    pseudonyms = {student.id: student.pseudonym for student in students}
    for seat in seats:
        if seat.student_id not in pseudonyms:
            raise DemoError(
                f"seat {seat.label!r} is of student {seat.student_id}; expected one of the students"
            )
    by_student: dict[int, list[TimelineBin]] = {student.id: [] for student in students}
    for stored in bins:
        if stored.student_id in by_student:
            by_student[stored.student_id].append(stored)
    seen_s = {student: sum(stored.seen_s for stored in theirs) for student, theirs in by_student.items()}
    outcomes = {flag.student_id: flag.outcome for flag in flags}
    scores, matched = [], set[int]()
    for known in ground_truth.students:
        here = [seat.student_id for seat in seats if _is_in_seat(seat, known, ground_truth)]
        best = max(here, key=lambda student: seen_s[student], default=None)
        matched.add(-1 if best is None else best)
        theirs = {} if best is None else {stored.start_s: stored for stored in by_student[best]}
        name, outcome = (None, None) if best is None else (pseudonyms[best], outcomes.get(best))
        scores.append(_score_student(known, ground_truth, theirs, bin_s, name, outcome))
    return ExpressionScore(
        tuple(scores), tuple(name for student, name in pseudonyms.items() if student not in matched)
    )


def score_stored_session(engine: Engine, session_id: int, ground_truth: GroundTruth) -> ExpressionScore:
    """``score_expressions`` of a session as the database has it."""
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
    there = [[s for s in known.samples if start <= s.t_s < start + bin_s] for start in starts]
    present = [
        float(np.mean([sample.present for sample in samples])) if samples else 0.0 for samples in there
    ]
    seen = [_seen_share(stored.get(start)) for start in starts]
    facing = [
        answer
        for start, samples in zip(starts, there, strict=True)
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
        tuple(_score_segment(spell, truth.step_s, stored, bin_s) for spell in _segments(known)),
        known.expected_flag,
        outcome,
    )


def _seen_share(stored: TimelineBin | None) -> float:
    return stored.seen_s / stored.watched_s if stored is not None and stored.watched_s > 0 else 0.0


def _facing_agrees(samples: Sequence[GroundTruthSample], stored: TimelineBin | None) -> bool | None:
    """None if the truth changes within the bin, or no direction was read in it."""
    directions = {sample.facing if sample.settled else None for sample in samples}
    if stored is None or stored.pose_samples == 0 or len(directions) != 1 or None in directions:
        return None
    return (stored.facing_samples * 2 >= stored.pose_samples) == directions.pop()


def _segments(known: StudentGroundTruth) -> list[list[GroundTruthSample]]:
    """Runs of settled samples with one expression, in sight and not turned away."""
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
