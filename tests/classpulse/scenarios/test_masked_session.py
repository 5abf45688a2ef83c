"""A session with a plan and somebody who opted out, from film to report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from classpulse.cli.main import cli
from classpulse.log_setup import LogSettings, log_to_file
from classpulse.services.roster import stored_student_names
from db import sessions as queries
from db.engine import open_database
from db.errors import DatabaseError
from db.seat_plans import list_opted_out_seats
from monitor.detection.small_faces import SmallFaceProbe
from monitor.types import Face, ImageBGR
from tests.helpers.halls import HEIGHT, SEATS, WIDTH, OvalDetector, camera, hall, people_in, room, seen
from tests.helpers.scripted import scripted_truth as truth_of
from tests.helpers.videos import write_video

CONSENT = {"A1": "yes", "A2": "no", "B1": "yes"}
"""B2 is nobody's of the roster."""

SAMPLES = 44


def head(label: str) -> np.ndarray:
    """(H, W) where the head on a seat is, in the room."""
    return people_in(hall({label: SEATS[label]}))


def lens(sample: int) -> np.ndarray:
    """A camera that drifts and zooms, and is knocked in the middle."""
    knock = 70.0 if sample >= SAMPLES // 2 else 0.0
    return camera(
        knock + 8 * np.sin(sample / 5), 5 * np.sin(sample / 7) - knock / 2, 1 + 0.03 * np.sin(sample / 9)
    )


def films(path: Path, pictures: Iterable[ImageBGR]) -> Path:
    return write_video(path, pictures, fps=2, codec="ffv1", pix_fmt="bgr0")


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people for 22 seconds."""
    path = tmp_path_factory.mktemp("films") / "lecture.mkv"
    return films(path, (seen(lens(sample), hall(SEATS, sample)) for sample in range(SAMPLES)))


@pytest.fixture
def ovals(monkeypatch: pytest.MonkeyPatch) -> OvalDetector:
    detector = OvalDetector()
    monkeypatch.setattr("monitor.session.builder.load_detector", lambda settings: detector)
    return detector


@pytest.fixture
def classroom(tmp_path: Path, configured, shell) -> Callable[..., None]:
    """Lays the plan of class 5b and imports its roster."""

    def make(consent: dict[str, str] = CONSENT, *, mode: str = "behaviour", plan: bool = True) -> None:
        configured(mode, more="class:\n  name: 5b\n")
        roster = [f",Fox of {label},,{label},{word}" for label, word in consent.items()]
        (tmp_path / "roster.csv").write_text("\n".join(["name,pseudonym,group,seat,consent", *roster]))
        shell.json("students", "import", tmp_path / "roster.csv")
        if plan:
            still, boxes = tmp_path / "still.png", tmp_path / "plan.csv"
            cv2.imwrite(str(still), seen(camera(-20, 8), hall({"A2": SEATS["B1"]})))
            moved = {label: np.add(box, (-20, 8, -20, 8)) for label, box in SEATS.items()}
            lines = [f"{label},{','.join(f'{edge:g}' for edge in box)}" for label, box in moved.items()]
            boxes.write_text("\n".join(["label,x1,y1,x2,y2", *lines]))
            shell.json("seats", "use", boxes, "--still", still)

    return make


def record(tmp_path: Path):
    return open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}", create=False)


def test_of_who_opted_out_nothing_is_seen_or_kept(
    tmp_path: Path, shell, classroom, ovals: OvalDetector, lecture: Path
) -> None:
    classroom()
    answer = shell.json("analyze", lecture)
    assert (answer["status"], answer["frames_sampled"], answer["students"]) == ("finished", SAMPLES, 3)
    assert len(ovals.pictures) == SAMPLES
    hidden = seen_heads = 0
    for sample, picture in enumerate(ovals.pictures):
        warp = [lens(sample), (WIDTH, HEIGHT)]
        masked = cv2.warpAffine(head("A2").astype(np.uint8), *warp) > 0
        other = cv2.warpAffine(head("A1").astype(np.uint8), *warp) > 0
        hidden += int((picture[masked] == 128).all(axis=1).sum())
        assert (picture[masked] == 128).all(), f"sample {sample}"
        seen_heads += int(people_in(picture)[other].sum())
    assert hidden > 1000 * SAMPLES
    assert seen_heads > 1000 * SAMPLES, "the others are seen as they are"
    engine = record(tmp_path)
    names = {student.id: student.pseudonym for student in queries.list_students(engine, 1)}
    assert sorted(names.values()) == ["Fox of A1", "Fox of B1", "Student 1"]
    assert list_opted_out_seats(engine, 1) == ("A2",)
    bins = queries.load_bins(engine, 1)
    assert {names[b.student_id] for b in bins} == set(names.values())
    assert sum(b.seen_samples for b in bins) == 3 * SAMPLES
    labels = {names[seat.student_id]: seat.label for seat in queries.list_seats(engine, 1)}
    assert labels == {"Fox of A1": "A1", "Fox of B1": "B1", "Student 1": "Student 1"}
    assert not any("Fox of A2" in marker.text for marker in queries.list_markers(engine, 1))
    engine.dispose()
    page = Path(answer["report"]["html"]).read_text(encoding="utf-8")
    assert "1 seat is opted out and was masked" in page
    assert "Fox of A2" not in page


def test_the_search_for_missed_faces_gets_the_masked_frames_alone(
    shell, classroom, ovals: OvalDetector, lecture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[tuple[ImageBGR, int]] = []

    class Spy(SmallFaceProbe):
        def submit(self, image_bgr: ImageBGR, faces: Sequence[Face], media_s: float) -> None:
            offered.append((image_bgr, len(faces)))
            super().submit(image_bgr, faces, media_s)

    monkeypatch.setattr("monitor.detection.small_faces.SmallFaceProbe", Spy)
    classroom()
    answer = shell.json("analyze", lecture, "--no-report")
    assert len(offered) == SAMPLES
    for (picture, found), detected in zip(offered, ovals.pictures, strict=True):
        assert np.array_equal(picture, detected)
        assert found == 3
    assert answer["small_faces"] is not None
    assert not answer["small_faces"]["warning"]


def test_who_is_of_the_roster_is_the_same_in_the_next_session(
    tmp_path: Path, shell, classroom, ovals: OvalDetector, lecture: Path
) -> None:
    classroom({"A1": "yes"})
    for _ in range(2):
        shell.json("analyze", lecture, "--no-report")
    lectures = shell.json("student", "Fox of A1")["sessions"]
    assert len(lectures) == 2
    assert len({line["student_id"] for line in lectures}) == 1


def test_aggregate_mode_masks_as_well(
    tmp_path: Path, shell, classroom, ovals: OvalDetector, lecture: Path
) -> None:
    classroom(mode="aggregate")
    shell.json("analyze", lecture, "--no-report")
    engine = record(tmp_path)
    assert max(b.student_count for b in queries.load_bins(engine, 1)) == 3
    assert queries.list_students(engine, 1) == []
    assert list_opted_out_seats(engine, 1) == ("A2",)
    engine.dispose()
    assert "1 seat is opted out" in Path(shell.json("report", "1")["report"]["html"]).read_text(
        encoding="utf-8"
    )


def test_while_the_camera_sees_nothing_it_knows_nobody_is_looked_for(
    tmp_path: Path, shell, classroom, ovals: OvalDetector
) -> None:
    classroom()
    other = room(seed=9)
    pictures = [other if 10 <= sample < 22 else seen(camera(), hall(SEATS, sample)) for sample in range(32)]
    answer = shell.json("analyze", films(tmp_path / "covered.mkv", pictures), "--no-report")
    assert (answer["frames_sampled"], answer["frames_dropped"]) == (20, 12)
    assert answer["watched_s"] == pytest.approx(10.0)
    assert len(ovals.pictures) == 20
    engine = record(tmp_path)
    bins = queries.load_bins(engine, 1)
    engine.dispose()
    assert all(b.unreadable_reasons.get("absent", 0) == 0 for b in bins), "a gap is not absence"


class TestNothingIsLookedAt:
    def refused(self, shell, ovals: OvalDetector, video: Path) -> str:
        line = shell.fails(2, "analyze", video)
        assert ovals.pictures == []
        assert shell.json("sessions") == []
        return line

    def test_without_a_plan(self, shell, classroom, ovals: OvalDetector, lecture: Path, monkeypatch) -> None:
        classroom(plan=False)
        monkeypatch.setattr("monitor.session.builder.open_source", lambda *_, **__: pytest.fail("opened"))
        assert "1 student of class '5b' opted out and the class has no seat plan" in self.refused(
            shell, ovals, lecture
        )

    def test_without_a_seat_on_the_plan(self, shell, classroom, ovals: OvalDetector, lecture: Path) -> None:
        classroom({"A1": "yes", "": "no", "Z9": "no"})
        line = self.refused(shell, ovals, lecture)
        assert "2 students of class '5b' opted out without a seat on the plan (Fox of, Fox of Z9)" in line

    def test_where_the_view_is_not_the_plan_s(
        self, tmp_path: Path, shell, classroom, ovals: OvalDetector
    ) -> None:
        classroom()
        elsewhere = films(tmp_path / "elsewhere.mkv", [room(seed=9)] * 4)
        assert "does not match the seat plan" in self.refused(shell, ovals, elsewhere)

    def test_check_says_so_before(self, tmp_path: Path, shell, classroom) -> None:
        def roster_line(code: int) -> dict:
            import json

            got, out, _ = shell("check", "--no-source", "--json")
            assert got == code
            return next(f for f in json.loads(out) if f["what"] == "roster")

        classroom(plan=False)
        assert (roster_line(1)["ready"], "no seat plan" in roster_line(1)["detail"]) == (False, True)
        classroom()
        assert roster_line(0)["detail"] == (
            "class 5b: 3 students, 1 opted out, all to be masked; a plan of 4 seats"
        )

    def test_evaluate_is_no_way_around(
        self, tmp_path: Path, shell, classroom, ovals: OvalDetector, lecture: Path
    ) -> None:
        pytest.importorskip("motmetrics")
        classroom(plan=False)
        (tmp_path / "truth.json").write_text(truth_of("1111").to_json())
        assert "opted out" in shell.fails(2, "evaluate", lecture, tmp_path / "truth.json")
        assert ovals.pictures == []


def test_with_everybody_s_consent_another_view_is_a_note(
    tmp_path: Path, shell, classroom, ovals: OvalDetector
) -> None:
    classroom({"A1": "yes"})
    scene = np.where(people_in(hall(SEATS))[..., None], hall(SEATS), room(seed=9) // 3 + 80).astype(np.uint8)
    shell.json("analyze", films(tmp_path / "elsewhere.mkv", [scene] * 8), "--no-report")
    engine = record(tmp_path)
    (marker,) = queries.list_markers(engine, 1)
    assert (marker.at_s, "does not match the seat plan" in marker.text) == (0.0, True)
    assert all(student.pseudonym.startswith("Student") for student in queries.list_students(engine, 1))
    assert list_opted_out_seats(engine, 1) == ()
    engine.dispose()


def test_no_name_of_a_student_comes_into_the_log_even_when_all_goes_wrong(
    tmp_path: Path, shell, classroom, ovals: OvalDetector, lecture: Path
) -> None:
    classroom()
    named = [f"Ann of {label} Lee,Fox of {label},5b,{label},{word}" for label, word in CONSENT.items()]
    roster, more = tmp_path / "named.csv", tmp_path / "more.csv"
    roster.write_text("\n".join(["name,pseudonym,group,seat,consent", *named]))
    more.write_text("name,pseudonym,group,seat,consent\nAnn of C1 Lee,Fox of C1,5b,C1,yes")
    shell.json("students", "import", roster)
    engine = record(tmp_path)
    assert len(stored_student_names(engine, "5b")) == 3
    refuse = "CREATE TRIGGER {0} BEFORE INSERT ON {0} BEGIN SELECT RAISE(ABORT, 'refused'); END"
    with engine.begin() as connection:
        for table in ("timeline_bins", "student_names"):
            connection.exec_driver_sql(refuse.format(table))
    engine.dispose()
    for what, arguments in (("import", ("students", "import", more)), ("analyze", ("analyze", lecture))):
        with pytest.raises(DatabaseError), log_to_file(tmp_path, what, LogSettings()) as file:
            cli.main([str(argument) for argument in arguments], standalone_mode=False)
        text = file.path.read_text(encoding="utf-8")
        assert "refused" in text
        assert "Traceback" in text
        assert "Ann" not in text
