"""``classpulse seats create``, ``apply`` and ``show``."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from classpulse.errors import (
    FileAlreadyExists,
    InvalidFile,
    InvalidOption,
    OptOutUnmasked,
    PolicyMissing,
    UserError,
)
from classpulse.services.seat_plans.csv_file import seat_iou
from classpulse.services.seat_plans.editor import propose_seats, row_name
from monitor.errors import PlanError
from monitor.types import Box
from tests.helpers.halls import HEIGHT, SEATS, WIDTH, OvalDetector, hall, people_in, room
from tests.helpers.videos import steps, write_video


def box(x: float, y: float, width: float = 40.0) -> Box:
    return (x, y, x + width, y + 50.0)


PLAN = "label,x1,y1,x2,y2\n" + "".join(
    f"{label},{','.join(f'{edge:g}' for edge in box)}\n" for label, box in SEATS.items()
)


@pytest.fixture
def still(tmp_path: Path) -> Path:
    path = tmp_path / "still.png"
    cv2.imwrite(str(path), hall(SEATS))
    return path


@pytest.fixture(autouse=True)
def ovals(configured, monkeypatch: pytest.MonkeyPatch) -> OvalDetector:
    configured(more="class:\n  name: 5b\n")
    detector = OvalDetector()
    monkeypatch.setattr("classpulse.services.seat_plans.editor.load_detector", lambda settings: detector)
    return detector


def plan_file(folder: Path, text: str = PLAN) -> Path:
    path = folder / "plan.csv"
    path.write_text(text, encoding="utf-8")
    return path


class TestProposal:
    def test_propose_seats_counts_rows_from_the_front_or_the_back(self) -> None:
        boxes = [box(300, 100), box(100, 108), box(100, 400), box(500, 390), box(300, 250)]
        front = {seat.label: seat.box_xyxy for seat in propose_seats(boxes)}
        assert front == {"A1": boxes[2], "A2": boxes[3], "B1": boxes[4], "C1": boxes[1], "C2": boxes[0]}
        assert [seat.label for seat in propose_seats(boxes, from_back=True)] == ["A1", "A2", "B1", "C1", "C2"]
        assert propose_seats(boxes, from_back=True)[0].box_xyxy == boxes[1]
        assert propose_seats([]) == []

    @pytest.mark.parametrize(("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (27, "AB"), (52, "BA")])
    def test_row_name_after_z_has_two_letters(self, index: int, name: str) -> None:
        assert row_name(index) == name


class TestCreate:
    def test_create_proposes_a_seat_per_face_and_stores_nothing(
        self, tmp_path: Path, shell, still: Path
    ) -> None:
        answer = shell.json("seats", "create", still, "--out", tmp_path / "plan")
        laid = {seat["label"]: seat["box_xyxy"] for seat in answer["seats"]}
        assert set(laid) == set(SEATS)
        for label, found in laid.items():
            assert seat_iou(tuple(found), SEATS[label]) > 0.9
        lines = (tmp_path / "plan" / "plan.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == "label,x1,y1,x2,y2"
        assert len(lines) == 5
        assert not (tmp_path / "classpulse-data").exists()

    def test_create_image_is_anonymised(self, tmp_path: Path, shell, still: Path) -> None:
        shell.json("seats", "create", still, "--out", tmp_path / "plan")
        picture = cv2.imread(str(tmp_path / "plan" / "plan.png"))
        assert picture.shape == (HEIGHT, WIDTH, 3)
        for x1, y1, x2, y2 in (tuple(map(round, seat)) for seat in SEATS.values()):
            inner = picture[y1 + 4 : y2 - 4, x1 + 4 : x2 - 4].reshape(-1, 3)
            assert len(np.unique(inner, axis=0)) == 1, "one colour, whatever was there"
        rest = picture[:100, :, :].astype(int)
        assert np.abs(np.diff(rest, axis=1)).any(axis=(0, 2)).mean() < 0.2, "the rest is in blocks"

    def test_create_uses_the_frame_at_the_given_time(
        self, tmp_path: Path, shell, ovals: OvalDetector
    ) -> None:
        video = write_video(tmp_path / "video.mp4", steps(40), fps=10)
        for at_s, grey in ((None, 20), (2.0, 120)):
            at = [] if at_s is None else ["--at", str(at_s)]
            shell.json("seats", "create", video, "--out", tmp_path / "plan", "--force", *at)
            assert ovals.pictures[-1].mean() == pytest.approx(grey, abs=6)
        late = ["seats", "create", video, "--out", tmp_path / "p", "--at", "60"]
        assert shell.raises(InvalidOption, *late).option == "--at"

    def test_create_existing_plan_needs_force(self, tmp_path: Path, shell, still: Path) -> None:
        plan_file(tmp_path)
        error = shell.raises(FileAlreadyExists, "seats", "create", still, "--out", tmp_path)
        assert error.path == tmp_path / "plan.csv"
        assert plan_file(tmp_path).read_text(encoding="utf-8") == PLAN

    def test_create_without_policy_fails_before_detection(
        self, tmp_path: Path, shell, still: Path, ovals: OvalDetector
    ) -> None:
        (tmp_path / "config.yaml").write_text("class:\n  name: 5b\n")
        shell.raises(PolicyMissing, "seats", "create", still, "--out", tmp_path / "plan")
        assert ovals.pictures == []

    def test_create_with_opted_out_students_needs_confirmation(
        self, tmp_path: Path, shell, still: Path, ovals: OvalDetector
    ) -> None:
        roster = tmp_path / "roster.csv"
        roster.write_text("name,pseudonym,group,seat,consent\n,Fox,,A1,no\n")
        shell.json("students", "import", roster)
        error = shell.raises(OptOutUnmasked, "seats", "create", still, "--out", tmp_path / "plan")
        assert error.pseudonyms == ("Fox",)
        assert ovals.pictures == []
        assert shell.json("seats", "create", still, "--out", tmp_path / "plan", "--opted-out-absent")["seats"]

    def test_create_missing_still_fails(self, tmp_path: Path, shell) -> None:
        shell.fails(2, "seats", "create", tmp_path / "gone.png", "--out", tmp_path / "plan")
        assert not (tmp_path / "plan").exists()


class TestApply:
    def test_apply_stores_keypoints_and_no_image(self, tmp_path: Path, shell, still: Path) -> None:
        answer = shell.json("seats", "apply", plan_file(tmp_path), "--still", still)
        assert answer == {"class": "5b", "seats": 4, "remarks": []}
        shown = shell.json("seats", "show")
        assert {seat["seat"]: tuple(seat["box_xyxy"]) for seat in shown} == SEATS
        database = tmp_path / "classpulse-data" / "classpulse.db"
        with closing(sqlite3.connect(database)) as connection:
            ((landmarks,),) = connection.execute("SELECT reference_view FROM seat_plans").fetchall()
        assert len(landmarks) < 3000 * 40 + 20, "points and codes"
        assert b"\x89PNG\r\n" not in database.read_bytes()

    @pytest.mark.parametrize(
        ("line", "part"),
        [
            ("C1,900,10,1000,60", "seat C1 lies outside the image of 960 x 540 pixels (900, 10, 1000, 60)"),
            ("C1,-1,10,40,60", "outside the image"),
            ("C1,50,10,50,60", "the box of seat C1 is empty"),
            ("C1,50,60,90,10", "the box of seat C1 is empty"),
            ("C1,fifty,10,90,60", "x1 is 'fifty'"),
            ("C1,nan,10,90,60", "x1 is 'nan'"),
            ("C1,,10,90,60", "x1 is ''"),
            (",50,10,90,60", "the label is ''"),
            ("a1,50,10,90,60", "seat a1 is already on line 4"),
            ("C1,185,405,225,455", "seat C1 overlaps seat A1 of line 4"),
            ("C1,50,10,90", "y2 is ''"),
        ],
    )
    def test_apply_invalid_row_fails_and_stores_nothing(
        self, tmp_path: Path, shell, still: Path, line: str, part: str
    ) -> None:
        path = plan_file(tmp_path, PLAN + line + "\n")
        error = shell.raises(InvalidFile, "seats", "apply", path, "--still", still)
        (row_error,) = error.row_errors
        assert row_error.line == 6
        assert part in row_error
        shell.raises(UserError, "seats", "show")

    def test_apply_empty_plan_or_bare_wall_fails(self, tmp_path: Path, shell, still: Path) -> None:
        empty = plan_file(tmp_path, "label,x1,y1,x2,y2\n")
        assert shell.raises(InvalidFile, "seats", "apply", empty, "--still", still).row_errors == ()
        wall = tmp_path / "wall.png"
        cv2.imwrite(str(wall), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
        shell.raises(PlanError, "seats", "apply", plan_file(tmp_path), "--still", wall)

    def test_apply_remarks_on_the_roster(self, tmp_path: Path, shell, still: Path) -> None:
        roster = tmp_path / "roster.csv"
        roster.write_text("name,pseudonym,group,seat,consent\n,Fox,,Z9,yes\n,Owl,,,no\n")
        shell.json("students", "import", roster)
        fox, owl = shell.json("seats", "apply", plan_file(tmp_path), "--still", still)["remarks"]
        assert "Fox of the roster has seat Z9" in fox
        assert "(Owl)" in owl
        assert "cannot be masked" in owl
        roster.write_text("name,pseudonym,group,seat,consent\n,Fox,,,yes\n,Owl,,A1,no\n")
        shell.json("students", "import", roster)
        plan = plan_file(tmp_path, PLAN + "A9,200,330,240,380\n")
        (covered,) = shell.json("seats", "apply", plan, "--still", still)["remarks"]
        assert covered.startswith("seat A9 is mostly covered by the mask")


class TestShow:
    @pytest.fixture(autouse=True)
    def used(self, tmp_path: Path, shell, still: Path) -> None:
        roster = tmp_path / "roster.csv"
        roster.write_text(
            "name,pseudonym,group,seat,consent\nAda L,Fox,,a1,yes\nBo L,Owl,,A2,no\n,Elk,,,yes\n"
        )
        shell.json("students", "import", roster)
        shell.json("seats", "apply", plan_file(tmp_path), "--still", still)

    def test_show_lists_seats_with_students_and_consent(self, shell) -> None:
        code, out, error = shell("seats", "show")
        assert code == 0
        for part in ("Fox", "Owl", "no: masked"):
            assert part in out
        assert "but not on the plan: Elk" in error
        assert {s["seat"]: (s["pseudonym"], s["consent"]) for s in shell.json("seats", "show")} == {
            "A1": ("Fox", True), "A2": ("Owl", False), "B1": (None, None), "B2": (None, None),
        }  # fmt: skip

    def test_show_out_draws_the_plan_without_an_image(self, tmp_path: Path, shell) -> None:
        shell.json("seats", "show", "--out", tmp_path / "plan.svg")
        drawn = (tmp_path / "plan.svg").read_text(encoding="utf-8")
        assert all(word in drawn for word in ("A1", "Fox", "Owl"))
        assert "Ada" not in drawn
        assert "<image" not in drawn
        shell.json("seats", "show", "--out", tmp_path / "plan.png")
        picture = cv2.imread(str(tmp_path / "plan.png"))
        assert picture.mean() > 200
        error = shell.raises(InvalidOption, "seats", "show", "--out", tmp_path / "plan.gif")
        assert error.option == "--out"


def test_fixture_hall_has_the_colour_of_people_only_on_seats() -> None:
    assert not people_in(hall({})).any()
    assert people_in(hall(SEATS)).sum() > 4 * 1000
    assert room().shape == (HEIGHT, WIDTH, 3)
