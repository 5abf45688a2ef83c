"""``simulate`` and ``evaluate`` as a user calls them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from classpulse.cli import optional_deps
from classpulse.simulation.demo.video import DemoClass, square_layout
from tests.helpers.made_up_faces import draw_faces, write_archive
from tests.helpers.rooms import photographed


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return photographed(tmp_path_factory.mktemp("class"), seats=3)


def test_a_simulated_room_is_evaluated(
    shell: Any, configured: Any, photograph: tuple[Path, Path], tmp_path: Path
) -> None:
    configured("behaviour")
    made = shell.json(
        "simulate", "room", *photograph, "--seconds", "24", "--events", "1", "--width", "640", "--out", "room"
    )
    assert made["students"] == 3
    assert sum(made["events"].values()) == 1
    result = shell.json("evaluate", made["video"], made["ground_truth"])
    assert result["frames"] == 48
    sizes = result["detection"]["sizes"]
    assert sum(size["found"] for size in sizes) > 0.9 * sum(size["faces"] for size in sizes)
    assert result["identity"]["idf1"] > 0.9
    assert result["identity"]["students"] == 3
    assert result["expressions"] is None
    assert not (tmp_path / "classpulse-data").exists(), "nothing is added to the record"


def test_the_same_room_can_be_made_again(shell: Any, photograph: tuple[Path, Path]) -> None:
    for folder in ("one", "other"):
        options = ("--seconds", "20", "--events", "0", "--width", "320", "--fps", "1", "--out", folder)
        code, out, error = shell("simulate", "room", *photograph, *options)
        assert code == 0, error
        assert f"VIDEO {folder}" in out
        assert "3 students; events: none" in error
    assert Path("one/truth.json").read_bytes() == Path("other/truth.json").read_bytes()
    assert Path("one/video.mp4").read_bytes() == Path("other/video.mp4").read_bytes()


def test_posters_that_were_taken_for_students_are_counted(
    shell: Any, configured: Any, photograph: tuple[Path, Path]
) -> None:
    configured("behaviour")
    options = ("--seconds", "20", "--events", "0", "--width", "1920", "--posters", "2", "--out", "room")
    code, _, error = shell("simulate", "room", *photograph, *options)
    assert code == 0, error
    assert "3 students; events: none; posters: 2" in error
    result = shell.json("evaluate", "room/video.mp4", "room/truth.json")
    distractors = result["distractors"]
    assert (distractors["distractors"], distractors["appearances"]) == (2, 80)
    assert 0 < distractors["false_positives"] <= result["detection"]["false_positives"]
    assert distractors["students"] == result["identity"]["tracked"] - 3


def test_a_drawn_call_is_evaluated_with_its_directions(shell: Any, configured: Any) -> None:
    configured("emotion")
    options = ("--seats", "7", "--seconds", "20", "--width", "1280", "--height", "720", "--out", "call")
    made = shell.json("simulate", "call", *options)
    flags = [line["expected_flag"] for line in json.loads(Path(made["ground_truth"]).read_text(encoding="utf-8"))["students"]]
    assert (made["students"], made["to_be_flagged"]) == (len(flags), sum(flags))
    assert flags[5], "the sixth seat is downcast for most of the time, others may be in so short a film"
    result = shell.json("evaluate", made["video"], made["ground_truth"])
    assert result["identity"]["idf1"] > 0.95
    assert result["distractors"] is None
    assert sum(size["measured"] for size in result["head_poses"]) > 200
    assert all(size["yaw_facing_deg"] < 6 for size in result["head_poses"])
    assert len(result["expressions"]["students"]) == 7


def test_seats_that_do_not_fit_get_one_line(shell: Any) -> None:
    line = shell.fails(1, "simulate", "call", "--seats", "60", "--width", "640", "--height", "360")
    assert "fewer seats or a larger picture" in line
    assert not Path("classpulse-call").exists()


def test_posters_without_a_wall_get_one_line(shell: Any, photograph: tuple[Path, Path]) -> None:
    options = ("--seconds", "20", "--events", "0", "--width", "320", "--posters", "1")
    assert "no room for posters (1): 320 x " in shell.fails(1, "simulate", "room", *photograph, *options)


def test_the_demo_s_film_is_evaluated_with_its_expressions(
    shell: Any, configured: Any, demo_video: Path, tmp_path: Path
) -> None:
    configured("emotion")
    DemoClass(20.0).write_ground_truth(tmp_path / "truth.json")
    code, out, error = shell("evaluate", demo_video, tmp_path / "truth.json")
    assert code == 0, error
    assert "people in the film: 6" in out
    assert "students found: 6 of 6" in out
    assert "leading expression as drawn" in out


def test_a_wrong_truth_gets_one_line(shell: Any, configured: Any, demo_video: Path, tmp_path: Path) -> None:
    configured()
    (tmp_path / "truth.json").write_text(json.dumps({"version": 1}), encoding="utf-8")
    line = shell.fails(2, "evaluate", demo_video, tmp_path / "truth.json")
    assert "is not the truth of a film" in line
    assert "cannot be read" in shell.fails(2, "evaluate", demo_video, tmp_path / "none.json")


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (DemoClass(60.0), r"ends after 20\.0 s and .*truth\.json tells of 59\.5 s; expected the film"),
        (
            DemoClass(20.0, layout=square_layout(6, 640, 360)),
            r"has 1280 x 720 pixels and .*truth\.json tells of 640 x 360; expected the film",
        ),
    ],
)
def test_a_truth_of_another_film_gets_one_line(
    shell: Any, configured: Any, demo_video: Path, tmp_path: Path, told: DemoClass, message: str
) -> None:
    configured("behaviour")
    told.write_ground_truth(tmp_path / "truth.json")
    assert re.search(message, shell.fails(2, "evaluate", demo_video, tmp_path / "truth.json"))


def test_real_people_need_a_policy_here_too(shell: Any, demo_video: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("class: {name: 7b}\n", encoding="utf-8")
    assert "policy" in shell.fails(2, "evaluate", demo_video, tmp_path / "truth.json")


def test_without_the_extra_one_line_says_what_to_install(
    shell: Any, monkeypatch: pytest.MonkeyPatch, demo_video: Path
) -> None:
    monkeypatch.setattr(optional_deps, "find_spec", lambda name: None)
    assert "pip install '.[evaluate]'" in shell.fails(2, "evaluate", demo_video, "truth.json")


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ({"size_wh": [768, 384], "faces_xywh": [[760, 10, 60, 60]]}, "does not lie in the picture"),
        ({"size_wh": [768, 384], "faces_xywh": [[10, 10, 60, 60], [12, 9, 60, 60]]}, "lie on one another"),
    ],
)
def test_wrong_boxes_get_one_line(
    shell: Any, photograph: tuple[Path, Path], tmp_path: Path, boxes: Any, message: str
) -> None:
    (tmp_path / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
    assert message in shell.fails(2, "simulate", "room", photograph[0], tmp_path / "boxes.json")


def test_too_many_events_get_one_line(shell: Any, photograph: tuple[Path, Path]) -> None:
    line = shell.fails(1, "simulate", "room", *photograph, "--seconds", "30", "--events", "400")
    assert "400 events do not fit into 30 s" in line
    assert not Path("classpulse-room").exists()


def test_faces_with_known_expressions_are_evaluated(shell: Any, configured: Any, shared: Path) -> None:
    configured("emotion")
    options = ("--seats", "4", "--seconds", "60", "--out", "faces")
    made = shell.json("simulate", "faces", shared / "data", *options)
    assert (made["students"], made["to_be_flagged"]) == (4, 1)
    result = shell.json("evaluate", made["video"], made["ground_truth"])
    assert result["identity"]["students"] == 4
    spells = [spell for student in result["expressions"]["students"] for spell in student["segments"]]
    read = [spell for spell in spells if spell["predicted"] is not None]
    assert len(read) >= 8
    assert sum(spell["predicted"] == spell["expected"] for spell in read) > len(read) / 2


def test_faces_without_votes_get_one_line(shell: Any, tmp_path: Path) -> None:
    write_archive(tmp_path / "faces.npz", draw_faces(3))
    line = shell.fails(1, "simulate", "faces", tmp_path / "faces.npz", "--split", "all")
    assert "expected faces of every expression, with FER+'s votes" in line
