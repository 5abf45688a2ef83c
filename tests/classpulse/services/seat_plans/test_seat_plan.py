"""The seat plan on the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from classpulse.services.seat_plans.csv_file import seat_iou
from classpulse.services.seat_plans.editor import propose_seats, row_name
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
    def test_rows_are_counted_from_the_front_or_the_back(self) -> None:
        boxes = [box(300, 100), box(100, 108), box(100, 400), box(500, 390), box(300, 250)]
        front = {seat.label: seat.box_xyxy for seat in propose_seats(boxes)}
        assert front == {"A1": boxes[2], "A2": boxes[3], "B1": boxes[4], "C1": boxes[1], "C2": boxes[0]}
        assert [seat.label for seat in propose_seats(boxes, from_back=True)] == ["A1", "A2", "B1", "C1", "C2"]
        assert propose_seats(boxes, from_back=True)[0].box_xyxy == boxes[1]
        assert propose_seats([]) == []

    @pytest.mark.parametrize(("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (27, "AB"), (52, "BA")])
    def test_there_are_more_rows_than_letters(self, index: int, name: str) -> None:
        assert row_name(index) == name


class TestLay:
    def test_a_seat_for_each_face_and_nothing_in_the_record(self, tmp_path: Path, shell, still: Path) -> None:
        answer = shell.json("seats", "lay", still, "--out", tmp_path / "plan")
        laid = {seat["label"]: seat["box_xyxy"] for seat in answer["seats"]}
        assert set(laid) == set(SEATS)
        for label, found in laid.items():
            assert seat_iou(tuple(found), SEATS[label]) > 0.9
        lines = (tmp_path / "plan" / "plan.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == "label,x1,y1,x2,y2"
        assert len(lines) == 5
        assert not (tmp_path / "classpulse-data").exists()

    def test_the_picture_shows_nobody(self, tmp_path: Path, shell, still: Path) -> None:
        shell.json("seats", "lay", still, "--out", tmp_path / "plan")
        picture = cv2.imread(str(tmp_path / "plan" / "plan.png"))
        assert picture.shape == (HEIGHT, WIDTH, 3)
        for x1, y1, x2, y2 in (tuple(map(round, seat)) for seat in SEATS.values()):
            inner = picture[y1 + 4 : y2 - 4, x1 + 4 : x2 - 4].reshape(-1, 3)
            assert len(np.unique(inner, axis=0)) == 1, "one colour, whatever was there"
        rest = picture[:100, :, :].astype(int)
        assert np.abs(np.diff(rest, axis=1)).any(axis=(0, 2)).mean() < 0.2, "the rest is in blocks"

    def test_one_of_a_film_at_a_time(self, tmp_path: Path, shell, ovals: OvalDetector) -> None:
        film = write_video(tmp_path / "film.mp4", steps(40), fps=10)
        for at_s, grey in ((None, 20), (2.0, 120)):
            at = [] if at_s is None else ["--at", str(at_s)]
            shell.json("seats", "lay", film, "--out", tmp_path / "plan", "--force", *at)
            assert ovals.pictures[-1].mean() == pytest.approx(grey, abs=6)
        assert "ends before 60 s" in shell.fails(
            2, "seats", "lay", film, "--out", tmp_path / "p", "--at", "60"
        )

    def test_an_edited_plan_is_not_overwritten(self, tmp_path: Path, shell, still: Path) -> None:
        plan_file(tmp_path)
        assert "--force" in shell.fails(2, "seats", "lay", still, "--out", tmp_path)
        assert plan_file(tmp_path).read_text(encoding="utf-8") == PLAN

    def test_faces_are_looked_for_only_with_a_policy(
        self, tmp_path: Path, shell, still: Path, ovals: OvalDetector
    ) -> None:
        (tmp_path / "config.yaml").write_text("class:\n  name: 5b\n")
        assert "no policy block" in shell.fails(2, "seats", "lay", still, "--out", tmp_path / "plan")
        assert ovals.pictures == []

    def test_who_opted_out_is_not_to_be_in_the_still(
        self, tmp_path: Path, shell, still: Path, ovals: OvalDetector
    ) -> None:
        roster = tmp_path / "roster.csv"
        roster.write_text("name,pseudonym,group,seat,consent\n,Fox,,A1,no\n")
        shell.json("students", "import", roster)
        line = shell.fails(2, "seats", "lay", still, "--out", tmp_path / "plan")
        assert "1 student opted out (Fox)" in line
        assert ovals.pictures == []
        assert shell.json("seats", "lay", still, "--out", tmp_path / "plan", "--stepped-aside")["seats"]

    def test_a_still_that_is_none(self, tmp_path: Path, shell) -> None:
        shell.fails(2, "seats", "lay", tmp_path / "gone.png", "--out", tmp_path / "plan")
        assert not (tmp_path / "plan").exists()


class TestUse:
    def test_the_plan_is_kept_and_no_picture(self, tmp_path: Path, shell, still: Path) -> None:
        answer = shell.json("seats", "use", plan_file(tmp_path), "--still", still)
        assert answer == {"class": "5b", "seats": 4, "remarks": []}
        shown = shell.json("seats", "show")
        assert {seat["seat"]: tuple(seat["box_xyxy"]) for seat in shown} == SEATS
        database = tmp_path / "classpulse-data" / "classpulse.db"
        with closing(sqlite3.connect(database)) as connection:
            ((landmarks,),) = connection.execute("SELECT reference_view FROM seat_plans").fetchall()
        assert len(landmarks) < 3000 * 40 + 20, "points and codes"
        assert b"\x89PNG\r\n" not in database.read_bytes()

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            ("C1,900,10,1000,60", "seat C1 lies outside the picture of 960 x 540 (900, 10, 1000, 60)"),
            ("C1,-1,10,40,60", "outside the picture"),
            ("C1,50,10,50,60", "the box of seat C1 is empty"),
            ("C1,50,60,90,10", "the box of seat C1 is empty"),
            ("C1,fifty,10,90,60", "x1 is 'fifty'; expected a number of pixels"),
            ("C1,nan,10,90,60", "x1 is 'nan'"),
            ("C1,,10,90,60", "x1 is ''"),
            (",50,10,90,60", "the label is ''"),
            ("a1,50,10,90,60", "seat a1 is on line 4 already"),
            ("C1,185,405,225,455", "seat C1 lies on seat A1 of line 4"),
            ("C1,50,10,90", "4 cells, expected 5"),
        ],
    )
    def test_a_wrong_row_is_told_by_line_and_nothing_is_stored(
        self, tmp_path: Path, shell, still: Path, line: str, told: str
    ) -> None:
        path = plan_file(tmp_path, PLAN + line + "\n")
        code, out, error = shell("seats", "use", path, "--still", still)
        assert (code, out) == (2, "")
        first, last = error.splitlines()
        assert first.startswith("plan.csv, line 6: ")
        assert told in first
        assert last.startswith("classpulse: plan.csv has 1 problem")
        assert "no seat plan" in shell.fails(2, "seats", "show")

    def test_an_empty_plan_and_an_empty_room(self, tmp_path: Path, shell, still: Path) -> None:
        assert "no seat" in shell.fails(
            2, "seats", "use", plan_file(tmp_path, "label,x1,y1,x2,y2\n"), "--still", still
        )
        wall = tmp_path / "wall.png"
        cv2.imwrite(str(wall), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
        assert "more of the room" in shell.fails(2, "seats", "use", plan_file(tmp_path), "--still", wall)

    def test_what_the_roster_does_not_fit_is_said(self, tmp_path: Path, shell, still: Path) -> None:
        roster = tmp_path / "roster.csv"
        roster.write_text("name,pseudonym,group,seat,consent\n,Fox,,Z9,yes\n,Owl,,,no\n")
        shell.json("students", "import", roster)
        fox, owl = shell.json("seats", "use", plan_file(tmp_path), "--still", still)["remarks"]
        assert "Fox of the roster is on seat Z9" in fox
        assert "(Owl)" in owl
        assert "cannot be masked" in owl
        roster.write_text("name,pseudonym,group,seat,consent\n,Fox,,,yes\n,Owl,,A1,no\n")
        shell.json("students", "import", roster)
        plan = plan_file(tmp_path, PLAN + "A9,200,330,240,380\n")
        (covered,) = shell.json("seats", "use", plan, "--still", still)["remarks"]
        assert covered.startswith("seat A9 is mostly covered by the mask")


class TestShow:
    @pytest.fixture(autouse=True)
    def used(self, tmp_path: Path, shell, still: Path) -> None:
        roster = tmp_path / "roster.csv"
        roster.write_text(
            "name,pseudonym,group,seat,consent\nAda L,Fox,,a1,yes\nBo L,Owl,,A2,no\n,Elk,,,yes\n"
        )
        shell.json("students", "import", roster)
        shell.json("seats", "use", plan_file(tmp_path), "--still", still)

    def test_who_sits_where(self, shell) -> None:
        code, out, error = shell("seats", "show")
        assert code == 0
        for part in ("Fox", "Owl", "no: masked"):
            assert part in out
        assert "not on the plan: Elk" in error
        assert {s["seat"]: (s["pseudonym"], s["consent"]) for s in shell.json("seats", "show")} == {
            "A1": ("Fox", True), "A2": ("Owl", False), "B1": (None, None), "B2": (None, None),
        }  # fmt: skip

    def test_it_is_drawn_without_a_picture(self, tmp_path: Path, shell) -> None:
        shell.json("seats", "show", "--out", tmp_path / "plan.svg")
        drawn = (tmp_path / "plan.svg").read_text(encoding="utf-8")
        assert all(word in drawn for word in ("A1", "Fox", "Owl"))
        assert "Ada" not in drawn
        assert "<image" not in drawn
        shell.json("seats", "show", "--out", tmp_path / "plan.png")
        picture = cv2.imread(str(tmp_path / "plan.png"))
        assert picture.mean() > 200
        assert ".svg nor .png" in shell.fails(2, "seats", "show", "--out", tmp_path / "plan.gif")


def test_the_room_of_these_tests_has_the_colour_of_people_nowhere_else() -> None:
    assert not people_in(hall({})).any()
    assert people_in(hall(SEATS)).sum() > 4 * 1000
    assert room().shape == (HEIGHT, WIDTH, 3)
