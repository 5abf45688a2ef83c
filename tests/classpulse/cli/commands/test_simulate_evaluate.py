"""The commands ``classpulse simulate`` (videos) and ``classpulse evaluate video``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from classpulse.cli import optional_deps
from classpulse.errors import MissingExtra, PolicyMissing
from classpulse.simulation.demo.video import DemoClass, square_layout
from tests.helpers.made_up_faces import draw_faces, write_archive
from tests.helpers.rooms import write_photograph


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_photograph(tmp_path_factory.mktemp("class"), seats=3)


def test_evaluate_simulated_room(
    shell: Any, configured: Any, photograph: tuple[Path, Path], tmp_path: Path
) -> None:
    configured("behaviour")
    output = shell.json(
        "simulate", "room", *photograph, "--seconds", "24", "--events", "1", "--width", "640", "--out", "room"
    )
    assert output["students"] == 3
    assert sum(output["events"].values()) == 1
    result = shell.json("evaluate", "video", output["video"], output["ground_truth"])
    assert result["frames"] == 48
    sizes = result["detection"]["sizes"]
    assert sum(size["found"] for size in sizes) > 0.9 * sum(size["faces"] for size in sizes)
    assert result["identity"]["idf1"] > 0.9
    assert result["identity"]["students"] == 3
    assert result["expressions"] is None
    assert not (tmp_path / "classpulse-data").exists(), "evaluation must not write to the database"


def test_simulate_room_is_reproducible(shell: Any, photograph: tuple[Path, Path]) -> None:
    for folder in ("one", "other"):
        options = ("--seconds", "20", "--events", "0", "--width", "320", "--fps", "1", "--out", folder)
        code, out, error = shell("simulate", "room", *photograph, *options)
        assert code == 0, error
        assert f"VIDEO {folder}" in out
        assert "3 students; events: none" in error
    assert Path("one/truth.json").read_bytes() == Path("other/truth.json").read_bytes()
    assert Path("one/video.mp4").read_bytes() == Path("other/video.mp4").read_bytes()


def test_evaluate_counts_detected_posters(shell: Any, configured: Any, photograph: tuple[Path, Path]) -> None:
    configured("behaviour")
    options = ("--seconds", "20", "--events", "0", "--width", "1920", "--posters", "2", "--out", "room")
    code, _, error = shell("simulate", "room", *photograph, *options)
    assert code == 0, error
    assert "3 students; events: none; posters: 2" in error
    result = shell.json("evaluate", "video", "room/video.mp4", "room/truth.json")
    distractors = result["distractors"]
    assert (distractors["distractors"], distractors["appearances"]) == (2, 80)
    assert 0 < distractors["false_positives"] <= result["detection"]["false_positives"]
    assert distractors["students"] == result["identity"]["tracked"] - 3


def test_evaluate_simulated_call_with_head_poses(shell: Any, configured: Any) -> None:
    configured("emotion")
    options = ("--students", "7", "--seconds", "20", "--width", "1280", "--height", "720", "--out", "call")
    output = shell.json("simulate", "call", *options)
    flags = [
        line["expected_flag"]
        for line in json.loads(Path(output["ground_truth"]).read_text(encoding="utf-8"))["students"]
    ]
    assert (output["students"], output["to_be_flagged"]) == (len(flags), sum(flags))
    assert flags[5], "the sixth seat is mostly downcast; in a short video others may be, too"
    result = shell.json("evaluate", "video", output["video"], output["ground_truth"])
    assert result["identity"]["idf1"] > 0.95
    assert result["distractors"] is None
    assert sum(size["measured"] for size in result["head_poses"]) > 200
    assert all(size["yaw_facing_deg"] < 6 for size in result["head_poses"])
    assert len(result["expressions"]["students"]) == 7


def test_simulate_call_too_many_seats_fails(shell: Any) -> None:
    line = shell.fails(1, "simulate", "call", "--students", "60", "--width", "640", "--height", "360")
    assert "71 x 36 pixels" in line
    assert not Path("classpulse-call").exists()


def test_simulate_room_posters_without_a_wall_fail(shell: Any, photograph: tuple[Path, Path]) -> None:
    options = ("--seconds", "20", "--events", "0", "--width", "320", "--posters", "1")
    assert "no room for 1 posters: only 320 x " in shell.fails(1, "simulate", "room", *photograph, *options)


def test_evaluate_demo_video_with_expressions(
    shell: Any, configured: Any, demo_video: Path, tmp_path: Path
) -> None:
    configured("emotion")
    DemoClass(20.0).write_ground_truth(tmp_path / "truth.json")
    code, out, error = shell("evaluate", "video", demo_video, tmp_path / "truth.json")
    assert code == 0, error
    assert "students in the video: 6" in out
    assert "students found: 6 of 6" in out
    assert "expression as scripted" in out


def test_evaluate_invalid_ground_truth_fails(
    shell: Any, configured: Any, demo_video: Path, tmp_path: Path
) -> None:
    configured()
    (tmp_path / "truth.json").write_text(json.dumps({"version": 1}), encoding="utf-8")
    line = shell.fails(2, "evaluate", "video", demo_video, tmp_path / "truth.json")
    assert "is not the ground truth of a video" in line
    assert "cannot be read" in shell.fails(2, "evaluate", "video", demo_video, tmp_path / "none.json")


@pytest.mark.parametrize(
    ("demo_class", "message"),
    [
        (DemoClass(60.0), r"ends after 20\.0 s, .*truth\.json after 59\.5 s"),
        (
            DemoClass(20.0, layout=square_layout(6, 640, 360)),
            r"has 1280 x 720 pixels, but .*truth\.json is for 640 x 360",
        ),
    ],
)
def test_evaluate_ground_truth_of_another_video_fails(
    shell: Any, configured: Any, demo_video: Path, tmp_path: Path, demo_class: DemoClass, message: str
) -> None:
    configured("behaviour")
    demo_class.write_ground_truth(tmp_path / "truth.json")
    assert re.search(message, shell.fails(2, "evaluate", "video", demo_video, tmp_path / "truth.json"))


def test_evaluate_without_policy_fails(shell: Any, demo_video: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("class: {name: 7b}\n", encoding="utf-8")
    shell.raises(PolicyMissing, "evaluate", "video", demo_video, tmp_path / "truth.json")


def test_evaluate_without_the_extra_fails_with_a_hint(
    shell: Any, monkeypatch: pytest.MonkeyPatch, demo_video: Path
) -> None:
    monkeypatch.setattr(optional_deps, "find_spec", lambda name: None)
    error = shell.raises(MissingExtra, "evaluate", "video", demo_video, "truth.json")
    assert error.extra == "evaluate"
    assert "pip install '.[evaluate]'" in error.hint


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ({"size_wh": [768, 384], "faces_xywh": [[760, 10, 60, 60]]}, "is outside of the image"),
        ({"size_wh": [768, 384], "faces_xywh": [[10, 10, 60, 60], [12, 9, 60, 60]]}, "have the same place"),
    ],
)
def test_simulate_room_invalid_boxes_fail(
    shell: Any, photograph: tuple[Path, Path], tmp_path: Path, boxes: Any, message: str
) -> None:
    (tmp_path / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
    assert message in shell.fails(2, "simulate", "room", photograph[0], tmp_path / "boxes.json")


def test_simulate_room_too_many_events_fail(shell: Any, photograph: tuple[Path, Path]) -> None:
    line = shell.fails(1, "simulate", "room", *photograph, "--seconds", "30", "--events", "400")
    assert "400 events do not fit into 30 s" in line
    assert not Path("classpulse-room").exists()


def test_evaluate_simulated_faces_with_expressions(shell: Any, configured: Any, shared: Path) -> None:
    configured("emotion")
    options = ("--students", "4", "--seconds", "60", "--out", "faces")
    output = shell.json("simulate", "faces", shared / "data", *options)
    assert (output["students"], output["to_be_flagged"]) == (4, 1)
    result = shell.json("evaluate", "video", output["video"], output["ground_truth"])
    assert result["identity"]["students"] == 4
    segments = [one for student in result["expressions"]["students"] for one in student["segments"]]
    predicted = [segment for segment in segments if segment["predicted"] is not None]
    assert len(predicted) >= 8
    assert sum(one["predicted"] == one["expected"] for one in predicted) > len(predicted) / 2


def test_simulate_faces_without_votes_fails(shell: Any, tmp_path: Path) -> None:
    write_archive(tmp_path / "faces.npz", draw_faces(3))
    line = shell.fails(1, "simulate", "faces", tmp_path / "faces.npz", "--split", "all")
    assert "has no face that most raters call" in line
