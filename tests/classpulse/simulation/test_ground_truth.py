from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classpulse.simulation.ground_truth import (
    Distractor,
    GroundTruth,
    GroundTruthError,
    GroundTruthEvent,
    GroundTruthSample,
    StudentGroundTruth,
    read_ground_truth,
)
from monitor.types import Box

POSTER = Distractor("poster", ((100.0, 10.0, 130.0, 50.0), None))


def truth() -> GroundTruth:
    present = GroundTruthSample(
        0.0, True, True, True, "smile", "happy", True, 3.0, (10.0, 10.0, 40.0, 50.0), -2.0
    )
    absent = GroundTruthSample(0.5, False, False, True, None, None, None, None, None)
    line = StudentGroundTruth(0, "Seat 1", (10.0, 10.0, 40.0, 50.0), True, (present, absent))
    return GroundTruth(
        1.0, 4, 640, 360, 0.5, (line,), (GroundTruthEvent("leave", 0.4, 1.0, (0,)),), (POSTER,)
    )


def test_read_ground_truth_round_trip(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(truth().to_json(), encoding="utf-8")
    assert read_ground_truth(tmp_path / "truth.json") == truth()


def changed(**change: Any) -> str:
    """The document with values replaced; ``a__0__b`` is the path a, 0, b."""
    document = json.loads(truth().to_json())
    for path, value in change.items():
        *parents, last = path.split("__")
        node = document
        for step in parents:
            node = node[int(step) if step.isdecimal() else step]
        node[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Invalid JSON"),
        ("{}", "length_s: Field required"),
        ("\xff", "Invalid JSON"),
        ("[]", "Input should be an object"),
        (changed(version=1), "version: Input should be 2 or 3"),
        (changed(length_s=float("nan")), "length_s: Input should be a finite number"),
        (changed(students__0__samples__0__t_s=float("nan")), "t_s: Input should be a finite number"),
        (changed(students__0__samples__0__yaw_deg=float("inf")), "yaw_deg: Input should be a finite number"),
        (changed(students__0__samples__0__box_xyxy=[1, 2, float("nan"), 4]), "should be a finite number"),
        (changed(students__0__samples__0__t_s=-1.0), "greater than or equal to 0"),
        (changed(students__0__samples__1__t_s=1.5), "a sample at 1.5 s is after the end at 1 s"),
        (changed(students__0__samples__0__resembles="glad"), "resembles 'glad' .expected one of angry"),
        (changed(students=[]), "no student with samples"),
        (changed(students__0__samples=[]), "no student with samples"),
        (changed(events__0__students=[4]), r"event \(leave\) has an unknown student"),
        (changed(events__0__end_s=0.1), r"event \(leave\) ends before it starts"),
        (changed(distractors__0__boxes_xyxy=[None]), "a poster has 1 boxes for 2 samples"),
        (changed(distractors__0__boxes_xyxy=[None, [5, 5, 4, 9]]), "of a poster is empty"),
        (
            changed(distractors__0__boxes_xyxy=[None, [5, 400, 9, 500]]),
            "a poster is at .* outside of the frame",
        ),
        (changed(students__0__seat_xyxy=[10, 10, 10, 50]), "of Seat 1 is empty"),
        (changed(width=0), "width: Input should be greater than 0"),
        (changed(students__0__student=3), "students are not numbered from 0"),
        (changed(students__0__samples__1__t_s=0.0), "not in order of time"),
        (changed(students__0__samples__0__present=False), "has a box_xyxy exactly if present"),
        (changed(students__0__samples__1__visible=True), "an absent student cannot be visible"),
        (changed(students__0__samples__0__box_xyxy=[5, 5, 5, 9]), "is empty .expected x2 > x1"),
        (changed(students__0__seat_xyxy=[700, 10, 740, 50]), r"Seat 1 is at \(700, .* outside of the frame"),
        (changed(students__0__samples__0__box_xyxy="here"), "students.0.samples.0.box_xyxy: "),
    ],
)
def test_read_ground_truth_invalid_file_raises(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "truth.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(GroundTruthError, match=message) as caught:
        read_ground_truth(tmp_path / "truth.json")
    assert "\n" not in str(caught.value)


def test_read_ground_truth_version_2_has_no_pitch_or_distractors(tmp_path: Path) -> None:
    document = json.loads(changed(version=2))
    del document["distractors"]
    for sample in document["students"][0]["samples"]:
        del sample["pitch_deg"]
    (tmp_path / "truth.json").write_text(json.dumps(document), encoding="utf-8")
    old = read_ground_truth(tmp_path / "truth.json")
    assert old.distractors == ()
    assert [sample.pitch_deg for sample in old.students[0].samples] == [None, None]
    assert old.times == truth().times


def with_neighbour(seat: str, seat_xyxy: Box | None, box_xyxy: Box) -> GroundTruth:
    """The ground truth with a second student."""
    student = truth().students[0]
    sample = replace(student.samples[0], box_xyxy=box_xyxy)
    other = replace(student, student=1, seat=seat, seat_xyxy=seat_xyxy, samples=(sample, student.samples[1]))
    return replace(truth(), students=(student, other))


@pytest.mark.parametrize(
    ("seat", "seat_xyxy", "box_xyxy", "message"),
    [
        ("Seat 1", (60, 10, 90, 50), (60, 10, 90, 50), "two students have the same seat name"),
        ("Seat 2", (10, 10, 40, 51), (60, 10, 90, 50), "Seat 1 and Seat 2 have the same place as seat"),
        ("Seat 2", None, (10, 10, 40, 51), "Seat 1 and Seat 2 have the same place at 0 s"),
    ],
)
def test_ground_truth_same_place_raises(
    seat: str, seat_xyxy: Box | None, box_xyxy: Box, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        with_neighbour(seat, seat_xyxy, box_xyxy)


def test_ground_truth_overlapping_neighbours_are_valid() -> None:
    close = with_neighbour("Seat 2", (15, 10, 45, 50), (12, 10, 42, 50))
    assert len(close.students) == 2


def test_read_ground_truth_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(GroundTruthError, match=r"nowhere\.json cannot be read"):
        read_ground_truth(tmp_path / "nowhere.json")


def test_ground_truth_different_sample_times_raises() -> None:
    line = truth().students[0]
    with pytest.raises(ValueError, match="not at the same times"):
        GroundTruth(
            1.0, 4, 640, 360, 0.5, (line, StudentGroundTruth(1, "Seat 2", None, False, line.samples[:1]))
        )
