from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from classpulse.simulation.errors import TruthError
from classpulse.simulation.truth import Event, Sample, StudentTruth, Truth, read_truth


def truth() -> Truth:
    there = Sample(0.0, True, True, True, "smile", "happy", True, 3.0, (10.0, 10.0, 40.0, 50.0))
    gone = Sample(0.5, False, False, True, None, None, None, None, None)
    line = StudentTruth(0, "Seat 1", (10.0, 10.0, 40.0, 50.0), True, (there, gone))
    return Truth(1.0, 4, 640, 360, 0.5, (line,), (Event("leave", 0.4, 1.0, (0,)),))


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(truth().to_json(), encoding="utf-8")
    assert read_truth(tmp_path / "truth.json") == truth()


def changed(**change: Any) -> str:
    document = json.loads(truth().to_json())
    for path, value in change.items():
        *way, last = path.split("__")
        place = document
        for step in way:
            place = place[int(step) if step.isdecimal() else step]
        place[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Invalid JSON"),
        ("{}", "length_s: Field required"),
        (changed(version=1), "version: Input should be 2"),
        (changed(width=0), "width: Input should be greater than 0"),
        (changed(students__0__student=3), "students are numbered from 0"),
        (changed(students__0__samples__1__t_s=0.0), "not in order of time"),
        (changed(students__0__samples__0__present=False), "exactly a student who is present has a box_xyxy"),
        (changed(students__0__samples__1__visible=True), "not present is not visible"),
        (changed(students__0__samples__0__box_xyxy=[5, 5, 5, 9]), "is empty; expected x2 > x1"),
        (changed(students__0__seat_xyxy=[700, 10, 740, 50]), r"Seat 1 is at \(700, .* outside the picture"),
        (changed(students__0__samples__0__box_xyxy="here"), "students.0.samples.0.box_xyxy: "),
    ],
)
def test_a_file_that_is_no_truth_gets_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "truth.json").write_text(text, encoding="utf-8")
    with pytest.raises(TruthError, match=message) as caught:
        read_truth(tmp_path / "truth.json")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match=r"nowhere\.json cannot be read"):
        read_truth(tmp_path / "nowhere.json")


def test_students_have_samples_at_the_same_times() -> None:
    line = truth().students[0]
    with pytest.raises(ValueError, match="at the same times"):
        Truth(1.0, 4, 640, 360, 0.5, (line, StudentTruth(1, "Seat 2", None, False, line.samples[:1])))
