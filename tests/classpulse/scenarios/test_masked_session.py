"""A session with a seat plan and an opted-out student, from video to report."""

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
from monitor.seating.classroom import CannotMaskError, MaskObstacle
from monitor.types import Face, ImageBGR
from tests.helpers.halls import HEIGHT, SEATS, WIDTH, OvalDetector, camera, hall, people_in, room, seen
from tests.helpers.scripted import scripted_truth as truth_of
from tests.helpers.videos import write_video

CONSENT = {"A1": "yes", "A2": "no", "B1": "yes"}
"""B2 has no student of the roster."""

SAMPLES = 44


def head(label: str) -> np.ndarray:
    """Mask (H, W) of the head on a seat, in the reference frame of the room."""
    return people_in(hall({label: SEATS[label]}))


def lens(sample: int) -> np.ndarray:
    """A camera that drifts and zooms, and is knocked halfway."""
    knock = 70.0 if sample >= SAMPLES // 2 else 0.0
    return camera(
        knock + 8 * np.sin(sample / 5), 5 * np.sin(sample / 7) - knock / 2, 1 + 0.03 * np.sin(sample / 9)
    )


def save_video(path: Path, frames: Iterable[ImageBGR]) -> Path:
    return write_video(path, frames, fps=2, codec="ffv1", pix_fmt="bgr0")


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of four students, 22 seconds."""
    path = tmp_path_factory.mktemp("videos") / "lecture.mkv"
    return save_video(path, (seen(lens(sample), hall(SEATS, sample)) for sample in range(SAMPLES)))


@pytest.fixture
def ovals(monkeypatch: pytest.MonkeyPatch) -> OvalDetector:
    detector = OvalDetector()
    monkeypatch.setattr("monitor.session.builder.load_detector", lambda settings: detector)
    return detector


@pytest.fixture
def classroom(tmp_path: Path, configured, shell) -> Callable[..., None]:
    """A function that imports the roster of class 5b and stores its plan."""

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
            shell.json("seats", "apply", boxes, "--still", still)

    return make


def record(tmp_path: Path):
    return open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}", create=False)


def test_masked_session_opted_out_student_is_neither_seen_nor_stored(
    tmp_path: Path, shell, classroom, ovals: OvalDetector, lecture: Path
) -> None:
    classroom()
    answer = shell.json("analyze", lecture)
    assert (answer["status"], answer["frames_sampled"], answer["students"]) == ("finished", SAMPLES, 3)
    assert len(ovals.pictures) == SAMPLES
    hidden = seen_heads = 0
    for sample, image in enumerate(ovals.pictures):
        warp = [lens(sample), (WIDTH, HEIGHT)]
        masked = cv2.warpAffine(head("A2").astype(np.uint8), *warp) > 0
        other = cv2.warpAffine(head("A1").astype(np.uint8), *warp) > 0
        hidden += int((image[masked] == 128).all(axis=1).sum())
        assert (image[masked] == 128).all(), f"sample {sample}"
        seen_heads += int(people_in(image)[other].sum())
    assert hidden > 1000 * SAMPLES
    assert seen_heads > 1000 * SAMPLES, "the other students are not masked"
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


def test_small_face_probe_gets_masked_frames_only(
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
    for (image, face_count), detected in zip(offered, ovals.pictures, strict=True):
        assert np.array_equal(image, detected)
        assert face_count == 3
    assert answer["small_faces"] is not None
    assert not answer["small_faces"]["warning"]


def test_roster_student_is_the_same_in_the_next_session(
    tmp_path: Path, shell, classroom, ovals: OvalDetector, lecture: Path
) -> None:
    classroom({"A1": "yes"})
    for _ in range(2):
        shell.json("analyze", lecture, "--no-report")
    lectures = shell.json("student", "Fox of A1")["sessions"]
    assert len(lectures) == 2
    assert len({line["student_id"] for line in lectures}) == 1


def test_aggregate_mode_masks_opted_out_seats(
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


def test_unknown_view_during_a_session_is_a_gap_without_detection(
    tmp_path: Path, shell, classroom, ovals: OvalDetector
) -> None:
    classroom()
    other = room(seed=9)
    frames = [other if 10 <= sample < 22 else seen(camera(), hall(SEATS, sample)) for sample in range(32)]
    answer = shell.json("analyze", save_video(tmp_path / "covered.mkv", frames), "--no-report")
    assert (answer["frames_sampled"], answer["frames_dropped"]) == (20, 12)
    assert answer["watched_s"] == pytest.approx(10.0)
    assert len(ovals.pictures) == 20
    engine = record(tmp_path)
    bins = queries.load_bins(engine, 1)
    engine.dispose()
    assert all(b.unreadable_reasons.get("absent", 0) == 0 for b in bins), "a gap is not absence"


class TestUnmaskable:
    def error(self, shell, ovals: OvalDetector, video: Path) -> CannotMaskError:
        """The error of an analysis that starts no session and detects no face."""
        error = shell.raises(CannotMaskError, "analyze", video)
        assert ovals.pictures == []
        assert shell.json("sessions") == []
        return error

    def test_without_plan_fails(
        self, shell, classroom, ovals: OvalDetector, lecture: Path, monkeypatch
    ) -> None:
        classroom(plan=False)
        monkeypatch.setattr("monitor.session.builder.open_source", lambda *_, **__: pytest.fail("opened"))
        error = self.error(shell, ovals, lecture)
        assert (error.class_name, len(error.pseudonyms)) == ("5b", 1)
        assert error.obstacle is MaskObstacle.NO_PLAN

    def test_without_seat_on_the_plan_fails(
        self, shell, classroom, ovals: OvalDetector, lecture: Path
    ) -> None:
        classroom({"A1": "yes", "": "no", "Z9": "no"})
        error = self.error(shell, ovals, lecture)
        assert error.pseudonyms == ("Fox of", "Fox of Z9")
        assert error.obstacle is MaskObstacle.NO_SEAT

    def test_other_view_fails(self, tmp_path: Path, shell, classroom, ovals: OvalDetector) -> None:
        classroom()
        elsewhere = save_video(tmp_path / "elsewhere.mkv", [room(seed=9)] * 4)
        assert self.error(shell, ovals, elsewhere).obstacle is MaskObstacle.VIEW_MISMATCH

    def test_check_reports_unmaskable_students(self, tmp_path: Path, shell, classroom) -> None:
        def roster_line(code: int) -> dict:
            import json

            exit_code, out, _ = shell("check", "--no-source", "--json")
            assert exit_code == code
            return next(f for f in json.loads(out) if f["check"] == "roster")

        classroom(plan=False)
        assert (roster_line(1)["ready"], "no seat plan" in roster_line(1)["detail"]) == (False, True)
        classroom()
        assert roster_line(0)["detail"] == (
            "class 5b: 3 students, 1 opted out, all to be masked; a plan of 4 seats"
        )

    def test_evaluate_video_without_plan_fails(
        self, tmp_path: Path, shell, classroom, ovals: OvalDetector, lecture: Path
    ) -> None:
        pytest.importorskip("motmetrics")
        classroom(plan=False)
        (tmp_path / "truth.json").write_text(truth_of("1111").to_json())
        shell.raises(CannotMaskError, "evaluate", "video", lecture, tmp_path / "truth.json")
        assert ovals.pictures == []


def test_other_view_without_opt_outs_adds_a_marker(
    tmp_path: Path, shell, classroom, ovals: OvalDetector
) -> None:
    classroom({"A1": "yes"})
    scene = np.where(people_in(hall(SEATS))[..., None], hall(SEATS), room(seed=9) // 3 + 80).astype(np.uint8)
    shell.json("analyze", save_video(tmp_path / "elsewhere.mkv", [scene] * 8), "--no-report")
    engine = record(tmp_path)
    (marker,) = queries.list_markers(engine, 1)
    assert (marker.at_s, "does not match the seat plan" in marker.text) == (0.0, True)
    assert all(student.pseudonym.startswith("Student") for student in queries.list_students(engine, 1))
    assert list_opted_out_seats(engine, 1) == ()
    engine.dispose()


def test_log_never_contains_student_names(
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
    for log_name, arguments in (("import", ("students", "import", more)), ("analyze", ("analyze", lecture))):
        with pytest.raises(DatabaseError), log_to_file(tmp_path, log_name, LogSettings()) as file:
            cli.main([str(argument) for argument in arguments], standalone_mode=False)
        text = file.path.read_text(encoding="utf-8")
        assert "refused" in text
        assert "Traceback" in text
        assert "Ann" not in text
