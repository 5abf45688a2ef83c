"""Which tracks become students: unconfirmed ones at the end, with moving cameras, objects, posters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from monitor.faces.expression import NullExpressionEstimator
from monitor.registration.camera_motion import CAMERA_MOVED, CameraMotionEstimator
from monitor.seating.assigner import SeatAssigner
from monitor.session.pipeline import MIN_FOLLOWED_S, Pipeline, build_pipeline
from monitor.tracking.patches import sample_patch
from monitor.tracking.track_verification import WINDOW_SAMPLES
from monitor.tracking.tracker import Tracker
from monitor.types import Box, Face, Frame, FrameResult, HeadEstimate, HeadPose, ImageBGR
from tests.helpers.drawn_objects import textured
from tests.helpers.faces import face
from tests.helpers.handheld import filmed, hand_path, through
from tests.helpers.pictures import pasted, pasted_box

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
BLANK = np.zeros((400, 1200, 3), np.uint8)
RNG = np.random.default_rng(1)
FACE, OTHER = (RNG.uniform(0, 255, (24, 24)).astype(np.float32) for _ in range(2))


class Script:
    """A detector that returns scripted faces, frame by frame."""

    def __init__(self, faces: list[list[Face]]) -> None:
        self._faces = iter(faces)

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        return next(self._faces)


class Meshes:
    """A head estimator whose mesh fits by ``fits``."""

    def __init__(self, fits: Callable[[Face], bool | None]) -> None:
        self._fits = fits

    def estimate(self, image_bgr: ImageBGR, faces: list[Face]) -> list[HeadEstimate]:
        return [HeadEstimate(HeadPose(0.0, 0.0), None, self._fits(item)) for item in faces]


def still(image_bgr, to_room, box_xyxy, margin_px=0) -> np.ndarray:
    """A patch sampler that always returns the same patch."""
    return np.pad(FACE, margin_px, mode="edge")


def run(p: Pipeline, images: list[ImageBGR]) -> list[FrameResult]:
    frames = [Frame(image, START + timedelta(seconds=i / 2), i / 2) for i, image in enumerate(images)]
    return [p.process(item) for item in frames]


SEVEN = [face(100 + 150 * index, 100) for index in range(7)]


class TestFinish:
    def finished(self, scripts: list[list[Face]], **parts) -> tuple[Pipeline, FrameResult | None]:
        p = build_pipeline(
            Script(scripts), NullExpressionEstimator(), Tracker(), SeatAssigner(), sample_patch=still, **parts
        )
        run(p, [BLANK] * len(scripts))
        return p, p.finish()

    def test_face_that_is_not_visible_in_the_last_frame_counts(self) -> None:
        """Seven people for ten seconds, none of them confirmed yet; two look down at the end."""
        p, last = self.finished([SEVEN] * 16 + [SEVEN[:5]] * 4)
        assert p.assigner.student_count == 7
        assert last is not None
        counts = [sum(o.student == student for o in last.observations) for student in range(7)]
        assert sorted(counts) == [16, 16, 20, 20, 20, 20, 20]

    def test_short_track_that_is_not_visible_does_not_count(self) -> None:
        samples = int(2 * MIN_FOLLOWED_S) - 1
        p, _ = self.finished([SEVEN] * samples + [SEVEN[:5]] * 5)
        assert p.assigner.student_count == 5

    def test_static_face_does_not_count_visible_or_not(self) -> None:
        p, last = self.finished([SEVEN] * 50 + [SEVEN[:3]])
        assert (p.assigner.student_count, last) == (0, None)

    def test_two_successive_tracks_at_one_seat_are_one_student(self) -> None:
        """The face returns outside the gate of the tracker, but within the distance of the seat."""
        there = [[face(100, 100)]] * 6 + [[]] * 3 + [[face(146, 100)]] * 6
        p, last = self.finished(there)
        assert len({o.student for o in last.observations}) == p.assigner.student_count == 1  # type: ignore[union-attr]
        assert len(last.observations) == 12  # type: ignore[union-attr]

    def test_two_neighbours_visible_together_are_two_students(self) -> None:
        p, _ = self.finished([[face(100, 100), face(146, 100)]] * 8 + [[]])
        assert p.assigner.student_count == 2

    def test_unverified_face_does_not_count(self) -> None:
        p, last = self.finished([SEVEN] * 10, head_estimator=Meshes(lambda item: item.centre[0] < 400))
        assert p.assigner.student_count == 2
        assert last is not None

    @pytest.mark.parametrize("samples", [1, WINDOW_SAMPLES - 1])
    def test_in_a_photograph_or_a_short_clip_all_faces_count(self, samples: int) -> None:
        p, _ = self.finished([SEVEN] * samples, head_estimator=Meshes(lambda item: False))
        assert p.assigner.student_count == 7


def nodding(samples: list[int]) -> Callable[..., np.ndarray]:
    """A patch sampler whose patches change for half of each five seconds."""

    def sample(image_bgr, to_room, box_xyxy, margin_px=0) -> np.ndarray:
        shown = FACE + (OTHER if samples[0] % 10 < 5 else 0)
        return np.asarray(np.pad(shown, margin_px, mode="edge"), np.float32)

    return sample


class Jerking:
    """A camera that turns by a tenth of the frame every second."""

    def __init__(self) -> None:
        self.samples = -1

    def to_reference(self, image_bgr: ImageBGR) -> np.ndarray:
        self.samples += 1
        return np.array([[1.0, 0.0, 120.0 * (self.samples // 2 % 2)], [0.0, 1.0, 0.0]])

    def restart(self) -> None:
        raise AssertionError("the room stays the same")


def test_camera_moves_do_not_restart_confirmation() -> None:
    samples, seats = [0], [face(400 + 150 * index, 100) for index in range(4)]
    scripts = [[face(f.centre[0] - 120 * (i // 2 % 2), 100) for f in seats] for i in range(40)]
    p = build_pipeline(
        Script(scripts),
        NullExpressionEstimator(),
        Tracker(),
        SeatAssigner(),
        Jerking(),
        sample_patch=nodding(samples),
    )
    results = []
    for index in range(40):
        samples[0] = index
        results.append(p.process(Frame(BLANK, START + timedelta(seconds=index / 2), index / 2)))
    assert sum(sample.note == CAMERA_MOVED for sample in results) > 15
    assert p.assigner.student_count == 4
    assert {o.media_s for s in results for o in s.observations if o.seen} == {i / 2 for i in range(40)}


class TestObjects:
    """A pencil case that the detector reports as a face in every frame."""

    def analysed(
        self, detector_verified: bool | None, fits: bool | None
    ) -> tuple[Pipeline, list[FrameResult]]:
        samples = [0]
        case = replace(face(400, 100), verified=detector_verified)
        heads = Meshes(lambda item: fits if item.centre[0] > 300 else True)
        p = build_pipeline(
            Script([[face(100, 100), case]] * 60),
            NullExpressionEstimator(),
            Tracker(),
            SeatAssigner(),
            sample_patch=nodding(samples),
            head_estimator=heads,
        )
        results = []
        for index in range(60):
            samples[0] = index
            results.append(p.process(Frame(BLANK, START + timedelta(seconds=index / 2), index / 2)))
        return p, results

    @pytest.mark.parametrize("detector_verified", [False, None])
    def test_moving_object_is_not_a_student(self, detector_verified: bool | None) -> None:
        p, results = self.analysed(detector_verified, fits=False)
        assert p.finish() is None
        assert p.assigner.student_count == 1
        assert [s.face_count for s in results[WINDOW_SAMPLES:]] == [1] * (60 - WINDOW_SAMPLES), (
            "the object is dropped from the count"
        )
        assert {item.student for item in results[-1].tracked_faces} == {0}

    @pytest.mark.parametrize(("detector_verified", "fits"), [(True, False), (False, True), (None, None)])
    def test_face_verified_by_either_check_is_a_student(
        self, detector_verified: bool | None, fits: bool | None
    ) -> None:
        p, results = self.analysed(detector_verified, fits)
        assert p.assigner.student_count == 2
        assert len(results[-1].tracked_faces) == 2


SIZE_WH = (640, 480)
BOXES: tuple[Box, Box] = tuple(  # type: ignore[assignment]
    (x1, y1, x2, y2) for x1, y1, x2, y2 in (pasted_box(36, x, 160) for x in (120, 380))
)


def scene(seed: int, media_s: float) -> ImageBGR:
    """A wall with a framed portrait on the left, and on the right a head that sways by 0.06 of its width."""
    wall = textured(*SIZE_WH, seed)
    printed, person = (pasted(*SIZE_WH, 36, [(x, 160)]) for x in (120, 380))
    x1, y1, x2, y2 = (round(edge) for edge in BOXES[0])
    wall[y1 - 16 : y2 + 16, x1 - 16 : x2 + 16] = printed[y1 - 16 : y2 + 16, x1 - 16 : x2 + 16]
    cv2.rectangle(wall, (x1 - 18, y1 - 18), (x2 + 18, y2 + 18), (40, 60, 80), 3)
    mask = np.zeros(SIZE_WH[::-1], np.float32)
    middle = (round((BOXES[1][0] + BOXES[1][2]) / 2), round((BOXES[1][1] + BOXES[1][3]) / 2))
    cv2.ellipse(mask, middle, (22, 27), 0, 0, 360, 1.0, -1)
    sway = 36 * (0.06 * np.sin(0.9 * media_s) + 0.03 * np.sin(2.1 * media_s + 1))
    move = np.array([[1.0, 0.0, sway], [0.0, 1.0, 0.3 * sway]])
    share = cv2.warpAffine(mask, move, SIZE_WH)[..., None]
    head = cv2.warpAffine(person, move, SIZE_WH).astype(np.float32)
    return np.asarray(wall * (1 - share) + head * share, np.uint8)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_poster_seen_by_a_hand_held_camera_is_not_a_student_but_a_person_is(seed: int) -> None:
    samples = 80
    rng, matrices = np.random.default_rng(seed), hand_path(seed, samples, *SIZE_WH)
    images = [filmed(scene(seed, i / 2), matrix, rng) for i, matrix in enumerate(matrices)]
    boxes = [[through(matrix, box) for box in BOXES] for matrix in matrices]
    scripts = [[replace(face(0, 0), box_xyxy=box) for box in both] for both in boxes]
    p = build_pipeline(
        Script(scripts),
        NullExpressionEstimator(),
        Tracker(),
        SeatAssigner(),
        CameraMotionEstimator(),
        sample_patch=sample_patch,
    )
    results = run(p, images)
    p.finish()
    assert p.assigner.student_count == 1
    (seat,) = p.assigner.seats
    assert seat.box_xyxy[0] > SIZE_WH[0] / 2, "the person, not the poster"
    assert any(sample.observations for sample in results[:40]), "confirmed within 20 seconds"
