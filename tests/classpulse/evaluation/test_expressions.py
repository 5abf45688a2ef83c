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
    """Twenty seconds: one student sad from 5 s on and turned for the last bin, one away in the middle."""
    sad = [sample(t / 2, "neutral" if t < 10 else "sad", yaw_deg=50.0 if t >= 30 else 0.0) for t in range(40)]
    beside = (110.0, 10.0, 150.0, 60.0)
    away = [sample(t / 2, None if 10 <= t < 20 else "neutral", box_xyxy=beside) for t in range(40)]
    return GroundTruth(
        20.0,
        12,
        200,
        100,
        0.5,
        (
            StudentGroundTruth(0, "Seat 1", (0, 0, 100, 100), True, tuple(sad)),
            StudentGroundTruth(1, "Seat 2", (100, 0, 200, 100), False, tuple(away)),
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
"""The session numbered its people the other way round."""


def perfect() -> list[TimelineBin]:
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


def test_a_perfect_result_agrees_in_everything() -> None:
    result = score_expressions(
        truth(), perfect(), STUDENTS, SEATS, [flag(8, "flagged"), flag(7, "not_flagged")]
    )
    assert (result.found_students, result.unmatched, result.presence_error) == (2, (), 0.0)
    assert [student.pseudonym for student in result.students] == ["Student 2", "Student 1"]
    assert result.facing_accuracy == 1.0
    assert result.matching_segments == (4, 4)
    assert result.matching_flags == 2
    sad = result.students[0].segments[1]
    assert (sad.start_s, sad.end_s, sad.expected, sad.predicted, sad.bins) == (5.0, 15.0, "sad", "sad", 2)
    assert sad.probability == pytest.approx(0.7)


def test_a_student_who_was_not_found_counts_as_never_seen() -> None:
    result = score_expressions(truth(), perfect(), STUDENTS, SEATS[1:])
    missing = result.students[0]
    assert (missing.pseudonym, missing.seen_share, missing.presence_error) == (None, 0.0, 1.0)
    assert missing.facing_accuracy is None
    assert [spell.is_match for spell in missing.segments] == [None, None]
    assert result.found_students == 1
    assert result.unmatched == ("Student 2",)


def test_of_two_people_in_one_tile_the_more_seen_counts_and_the_other_is_a_stray() -> None:
    people = [*STUDENTS, StudentRecord(9, "Student 3", "demo", 1)]
    seats = [SeatRecord(9, "3", (22.0, 20.0, 62.0, 70.0), 200, 100), *SEATS]
    result = score_expressions(truth(), [*perfect(), stored(9, 0.0, "happy", seen=1.0)], people, seats)
    assert result.students[0].pseudonym == "Student 2"
    assert result.unmatched == ("Student 3",)


def test_seats_of_a_frame_of_another_size_are_scaled() -> None:
    large = [
        replace(seat, box_xyxy=tuple(3 * v for v in seat.box_xyxy), frame_width=600, frame_height=300)  # type: ignore[arg-type]
        for seat in SEATS
    ]
    assert score_expressions(truth(), perfect(), STUDENTS, large).found_students == 2


def test_presence_is_compared_bin_by_bin() -> None:
    # Seen while she was away, not seen while she was there: the sums agree, the bins do not.
    bins = [b for b in perfect() if (b.student_id, b.start_s) != (7, 10.0)] + [stored(7, 5.0, "neutral")]
    student = score_expressions(truth(), bins, STUDENTS, SEATS).students[1]
    assert student.present_share == student.seen_share == 0.75
    assert student.presence_error == 0.5


def test_a_wrong_direction_and_a_wrong_expression_are_counted() -> None:
    bins = [b for b in perfect() if (b.student_id, b.start_s) not in {(8, 15.0), (8, 5.0)}]
    bins += [stored(8, 15.0, "sad", facing=10), stored(8, 5.0, "happy", facing=2)]
    result = score_expressions(truth(), bins, STUDENTS, SEATS)
    assert result.students[0].facing_accuracy == 0.5
    assert result.students[0].facing_bins == 4
    assert result.facing_accuracy == pytest.approx(5 / 7)


def test_the_leading_expression_weighs_bins_by_their_readings() -> None:
    bins = [b for b in perfect() if (b.student_id, b.start_s) != (8, 5.0)]
    result = score_expressions(truth(), [*bins, stored(8, 5.0, "happy", seen=0.5)], STUDENTS, SEATS)
    assert result.students[0].segments[1].predicted == "sad"
    result = score_expressions(
        truth(), [b for b in bins if b.start_s != 10.0] + [stored(8, 5.0, "happy")], STUDENTS, SEATS
    )
    assert result.students[0].segments[1].is_match is False
    assert result.matching_segments[0] < result.matching_segments[1]


def test_bins_with_a_change_are_not_compared() -> None:
    changing = tuple(replace(s, settled=s.t_s != 7.0) for s in truth().students[0].samples)
    known = replace(truth(), students=(replace(truth().students[0], samples=changing), truth().students[1]))
    student = score_expressions(known, perfect(), STUDENTS, SEATS).students[0]
    assert student.facing_bins == 3
    assert [(spell.start_s, spell.end_s, spell.bins) for spell in student.segments] == [
        (0.0, 5.0, 1),
        (5.0, 7.0, 0),
        (7.5, 15.0, 1),
    ]


@pytest.mark.parametrize(
    ("flags", "agreeing"),
    [([], 1), ([flag(8, "flagged")], 2), ([flag(7, "flagged")], 0), ([flag(8, "insufficient_data")], 1)],
)
def test_flags_are_right_if_those_and_only_those_are_flagged(flags: list[FlagRecord], agreeing: int) -> None:
    assert score_expressions(truth(), perfect(), STUDENTS, SEATS, flags).matching_flags == agreeing


def test_a_seat_of_nobody_is_refused() -> None:
    with pytest.raises(DemoError, match="seat '1' is of student 8"):
        score_expressions(truth(), perfect(), STUDENTS[:1], SEATS)


def test_nothing_stored_is_a_score_too() -> None:
    result = score_expressions(truth(), [], [], [])
    assert (result.found_students, result.facing_accuracy, result.matching_segments) == (0, None, (0, 0))


def test_the_table_tells_what_differs() -> None:
    bins = [b for b in perfect() if (b.student_id, b.start_s) != (7, 0.0)] + [stored(7, 0.0, "happy")]
    text = expression_table(score_expressions(truth(), bins, STUDENTS, SEATS, [flag(7, "flagged")]))
    lines = text.splitlines()
    assert any(line.startswith("Seat 1  Student 2") and "(not as scripted)" in line for line in lines)
    assert any("neutral" in line and "happy 0.70  (differs)" in line for line in lines)
    assert "students found: 2 of 2; stored people who are nobody: 0" in lines
    assert "leading expression as drawn: 3 of 4 spells with a reading" in lines
    assert "flags as scripted: 0 of 2 (precision 0 %, recall 0 %)" in lines
    assert max(len(line) for line in lines) <= 100


def test_the_table_says_where_there_is_no_reading() -> None:
    text = expression_table(score_expressions(truth(), [], [], []))
    assert "not found" in text
    assert "no whole bin with a reading" in text
    assert "direction agrees: no direction read" in text


def test_a_spell_without_a_reading_neither_agrees_nor_differs() -> None:
    assert SegmentScore(0.0, 5.0, "sad", None, None, 0).is_match is None
    assert ExpressionScore((), ()).matching_flags == 0
