from __future__ import annotations

from dataclasses import replace

import pytest

from classpulse.evaluation.expressions import ExpressionScore, SegmentScore, score_expressions
from classpulse.evaluation.table import expression_table
from classpulse.simulation.ground_truth import DemoError, GroundTruth, GroundTruthSample, StudentGroundTruth
from db.records import FlagRecord, SeatRecord, StudentRecord, TimelineBin
from model.emotions import EMOTIONS
from monitor.types import Box

BIN_S = 5.0


def sample(
    t_s: float,
    resembles: str | None = "neutral",
    *,
    yaw_deg: float = 0.0,
    settled: bool = True,
    box_xyxy: Box = (10.0, 10.0, 50.0, 60.0),
) -> GroundTruthSample:
    if resembles is None:
        return GroundTruthSample(t_s, False, False, settled, None, None, None, None, None)
    facing = abs(yaw_deg) < 20
    return GroundTruthSample(t_s, True, True, settled, resembles, resembles, facing, yaw_deg, box_xyxy)


def truth() -> GroundTruth:
    """Twenty seconds: one student is sad from 5 s on and turned in the last bin, one is absent in the
    middle."""
    sad = [sample(t / 2, "neutral" if t < 10 else "sad", yaw_deg=50.0 if t >= 30 else 0.0) for t in range(40)]
    box_xyxy = (110.0, 10.0, 150.0, 60.0)
    absent = [sample(t / 2, None if 10 <= t < 20 else "neutral", box_xyxy=box_xyxy) for t in range(40)]
    return GroundTruth(
        20.0,
        12,
        200,
        100,
        0.5,
        (
            StudentGroundTruth(0, "Seat 1", (0, 0, 100, 100), True, tuple(sad)),
            StudentGroundTruth(1, "Seat 2", (100, 0, 200, 100), False, tuple(absent)),
        ),
    )


def stored(
    student: int, start_s: float, leading: str | None, *, seen: float = 5.0, facing: int = 10
) -> TimelineBin:
    probabilities = None if leading is None else tuple(0.7 if name == leading else 0.05 for name in EMOTIONS)
    samples = round(seen * 2)
    return TimelineBin(
        student, start_s, 5.0, seen, 10, samples, samples, probabilities, {}, min(10, samples), facing
    )


STUDENTS = [StudentRecord(7, "Student 1", "demo", 1), StudentRecord(8, "Student 2", "demo", 1)]
SEATS = [
    SeatRecord(8, "1", (20.0, 20.0, 60.0, 70.0), 200, 100),
    SeatRecord(7, "2", (120.0, 20.0, 160.0, 70.0), 200, 100),
]
"""The session numbered the students in reverse order."""


def perfect_bins() -> list[TimelineBin]:
    return [
        stored(8, 0.0, "neutral"),
        stored(8, 5.0, "sad"),
        stored(8, 10.0, "sad"),
        stored(8, 15.0, None, facing=0),
        stored(7, 0.0, "neutral"),
        stored(7, 10.0, "neutral"),
        stored(7, 15.0, "neutral"),
    ]


def flag(student: int, outcome: str) -> FlagRecord:
    return FlagRecord(1, student, "sadness", outcome, {})


def test_score_expressions_perfect_result() -> None:
    result = score_expressions(
        truth(), perfect_bins(), STUDENTS, SEATS, [flag(8, "flagged"), flag(7, "not_flagged")]
    )
    assert (result.found_students, result.unmatched, result.presence_error) == (2, (), 0.0)
    assert [student.pseudonym for student in result.students] == ["Student 2", "Student 1"]
    assert result.facing_accuracy == 1.0
    assert result.matching_segments == (4, 4)
    assert result.matching_flags == 2
    sad = result.students[0].segments[1]
    assert (sad.start_s, sad.end_s, sad.expected, sad.predicted, sad.bins) == (5.0, 15.0, "sad", "sad", 2)
    assert sad.probability == pytest.approx(0.7)


def test_score_expressions_missing_student_is_never_seen() -> None:
    result = score_expressions(truth(), perfect_bins(), STUDENTS, SEATS[1:])
    missing = result.students[0]
    assert (missing.pseudonym, missing.seen_share, missing.presence_error) == (None, 0.0, 1.0)
    assert missing.facing_accuracy is None
    assert [segment.is_match for segment in missing.segments] == [None, None]
    assert result.found_students == 1
    assert result.unmatched == ("Student 2",)


def test_score_expressions_two_students_in_a_tile_less_seen_is_unmatched() -> None:
    people = [*STUDENTS, StudentRecord(9, "Student 3", "demo", 1)]
    seats = [SeatRecord(9, "3", (22.0, 20.0, 62.0, 70.0), 200, 100), *SEATS]
    result = score_expressions(truth(), [*perfect_bins(), stored(9, 0.0, "happy", seen=1.0)], people, seats)
    assert result.students[0].pseudonym == "Student 2"
    assert result.unmatched == ("Student 3",)


def test_score_expressions_scales_seats_of_another_frame_size() -> None:
    large = [
        replace(seat, box_xyxy=tuple(3 * v for v in seat.box_xyxy), frame_width=600, frame_height=300)  # type: ignore[arg-type]
        for seat in SEATS
    ]
    assert score_expressions(truth(), perfect_bins(), STUDENTS, large).found_students == 2


def test_score_expressions_presence_error_is_per_bin() -> None:
    # Seen while absent, not seen while present: the sums are equal, the bins differ.
    bins = [b for b in perfect_bins() if (b.student_id, b.start_s) != (7, 10.0)] + [stored(7, 5.0, "neutral")]
    student = score_expressions(truth(), bins, STUDENTS, SEATS).students[1]
    assert student.present_share == student.seen_share == 0.75
    assert student.presence_error == 0.5


def test_score_expressions_counts_wrong_directions() -> None:
    bins = [b for b in perfect_bins() if (b.student_id, b.start_s) not in {(8, 15.0), (8, 5.0)}]
    bins += [stored(8, 15.0, "sad", facing=10), stored(8, 5.0, "happy", facing=2)]
    result = score_expressions(truth(), bins, STUDENTS, SEATS)
    assert result.students[0].facing_accuracy == 0.5
    assert result.students[0].facing_bins == 4
    assert result.facing_accuracy == pytest.approx(5 / 7)


def test_score_expressions_weights_bins_by_usable_samples() -> None:
    bins = [b for b in perfect_bins() if (b.student_id, b.start_s) != (8, 5.0)]
    result = score_expressions(truth(), [*bins, stored(8, 5.0, "happy", seen=0.5)], STUDENTS, SEATS)
    assert result.students[0].segments[1].predicted == "sad"
    result = score_expressions(
        truth(), [b for b in bins if b.start_s != 10.0] + [stored(8, 5.0, "happy")], STUDENTS, SEATS
    )
    assert result.students[0].segments[1].is_match is False
    assert result.matching_segments[0] < result.matching_segments[1]


def test_score_expressions_ignores_bins_with_a_change() -> None:
    changing = tuple(replace(s, settled=s.t_s != 7.0) for s in truth().students[0].samples)
    known = replace(truth(), students=(replace(truth().students[0], samples=changing), truth().students[1]))
    student = score_expressions(known, perfect_bins(), STUDENTS, SEATS).students[0]
    assert student.facing_bins == 3
    assert [(segment.start_s, segment.end_s, segment.bins) for segment in student.segments] == [
        (0.0, 5.0, 1),
        (5.0, 7.0, 0),
        (7.5, 15.0, 1),
    ]


@pytest.mark.parametrize(
    ("flags", "matching"),
    [([], 1), ([flag(8, "flagged")], 2), ([flag(7, "flagged")], 0), ([flag(8, "insufficient_data")], 1)],
)
def test_matching_flags_counts_exact_flags(flags: list[FlagRecord], matching: int) -> None:
    assert score_expressions(truth(), perfect_bins(), STUDENTS, SEATS, flags).matching_flags == matching


def test_score_expressions_seat_of_unknown_student_raises() -> None:
    with pytest.raises(DemoError, match="Seat '1' belongs to student 8"):
        score_expressions(truth(), perfect_bins(), STUDENTS[:1], SEATS)


def test_score_expressions_empty_session() -> None:
    result = score_expressions(truth(), [], [], [])
    assert (result.found_students, result.facing_accuracy, result.matching_segments) == (0, None, (0, 0))


def test_expression_table_marks_differences() -> None:
    bins = [b for b in perfect_bins() if (b.student_id, b.start_s) != (7, 0.0)] + [stored(7, 0.0, "happy")]
    text = expression_table(score_expressions(truth(), bins, STUDENTS, SEATS, [flag(7, "flagged")]))
    lines = text.splitlines()
    assert any(line.startswith("Seat 1  Student 2") and "(not as scripted)" in line for line in lines)
    assert any("neutral" in line and "happy 0.70  (differs)" in line for line in lines)
    assert "students found: 2 of 2; unmatched stored students: 0" in lines
    assert "expression as scripted: 3 of 4 segments with a prediction" in lines
    assert "flags as scripted: 0 of 2 (precision 0 %, recall 0 %)" in lines
    assert max(len(line) for line in lines) <= 100


def test_expression_table_without_predictions() -> None:
    text = expression_table(score_expressions(truth(), [], [], []))
    assert "not found" in text
    assert "no complete bin with a prediction" in text
    assert "direction right: -" in text


def test_segment_without_prediction_has_no_match() -> None:
    assert SegmentScore(0.0, 5.0, "sad", None, None, 0).is_match is None
    assert ExpressionScore((), ()).matching_flags == 0
