"""The pipeline when the tiles of a video call are rearranged: tracks, students and seats move with them."""

from datetime import UTC, datetime, timedelta

import numpy as np

from monitor.faces.expression import NullExpressionEstimator
from monitor.registration.camera_motion import CAMERA_MOVED
from monitor.seating.assigner import SeatAssigner
from monitor.seating.call_grid import CallGridConfirmation, FrameKind
from monitor.seating.layout_change import LayoutChangeDetector
from monitor.session.pipeline import Pipeline, build_pipeline
from monitor.session.stages.tile_layout import LAYOUT_NOTE
from monitor.tracking.tracker import Tracker
from monitor.types import Box, Face, Frame, FrameResult, ImageBGR
from tests.helpers.faces import face

WIDTH, HEIGHT = 1200, 800
FOUR = [(300, 200), (900, 200), (300, 600), (900, 600)]
NINE = [(200 + 400 * column, 133 + 267 * row) for row in range(3) for column in range(3)]


class Misled:
    """A motion estimator that takes a new layout for camera motion, as the real one does."""

    def __init__(self) -> None:
        self.first: ImageBGR | None = None

    def to_reference(self, image_bgr: ImageBGR) -> np.ndarray:
        if self.first is None:
            self.first = image_bgr
        same = self.first[0, 0, 0] == image_bgr[0, 0, 0]
        return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]) if same else np.array([[1.5, 0, 0], [0, 1.5, 0]])

    def restart(self) -> None:
        self.first = None


class Scripted:
    """A detector of drawn people: a pixel at the centre of each face has the person's number."""

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        places = np.argwhere((image_bgr[..., 0] > 0) & (image_bgr[..., 0] < 100))
        return [face(float(x), float(y), float(image_bgr[y, x, 1])) for y, x in places]


def around(image_bgr: ImageBGR, box_xyxy: Box) -> np.ndarray | None:
    x, y = round((box_xyxy[0] + box_xyxy[2]) / 2), round((box_xyxy[1] + box_xyxy[3]) / 2)
    seen = int(image_bgr[y, x, 0])
    return np.random.default_rng(seen).normal(size=(24, 24)).astype(np.float32) if seen else None


def picture(people: list[int], places: list[tuple[int, int]], width: int) -> ImageBGR:
    """A frame whose background depends on the layout, so that no camera motion explains a change."""
    image = np.full((HEIGHT, WIDTH, 3), 100 + len(places), np.uint8)
    for person, (x, y) in zip(people, places, strict=False):
        if person:
            image[y, x] = (person, width, 0)
    return image


def watched(*parts: tuple[ImageBGR, int]) -> tuple[Pipeline, list[FrameResult]]:
    p = build_pipeline(
        Scripted(),
        NullExpressionEstimator(),
        Tracker(),
        SeatAssigner(),
        motion_estimator=Misled(),
        layout_detector=LayoutChangeDetector(around, CallGridConfirmation(None, FrameKind.CALL)),
    )
    images = [image for image, samples in parts for _ in range(samples)]
    start = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
    frames = [Frame(image, start + timedelta(seconds=i / 2), i / 2) for i, image in enumerate(images)]
    return p, [p.process(item) for item in frames]


def people_of(sample: FrameResult) -> dict[tuple[int, int], int | None]:
    middles = {
        s: (round((s.box_xyxy[0] + s.box_xyxy[2]) / 2), round((s.box_xyxy[1] + s.box_xyxy[3]) / 2))
        for s in sample.tracked_faces
    }
    return {middles[s]: s.student for s in sample.tracked_faces}


def test_layout_change_keeps_known_students_and_adds_new_ones() -> None:
    few, many = picture([1, 2, 3, 4], FOUR, 100), picture([1, 2, 3, 4, 5, 6], NINE, 60)
    p, samples = watched((few, 6), (many, 6))
    assert people_of(samples[5]) == dict(zip(FOUR, range(4), strict=True))
    assert not samples[6].analysed, "the tiles may be moving"
    assert people_of(samples[7]) == dict(zip(NINE[:6], [0, 1, 2, 3, None, None], strict=True))
    assert people_of(samples[-1]) == dict(zip(NINE[:6], range(6), strict=True))
    assert [s.note for s in samples if s.note] == [LAYOUT_NOTE.format(4, 6)]
    assert CAMERA_MOVED not in [s.note for s in samples]
    tracks = [{s.student: s.track_id for s in sample.tracked_faces} for sample in (samples[5], samples[7])]
    assert all(tracks[1][student] == track for student, track in tracks[0].items())
    (x1, y1, x2, y2) = p.assigner.seat_of(2).box_xyxy
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == NINE[2]


def test_displaced_student_is_reidentified_and_the_old_seat_stays_free() -> None:
    p, samples = watched(
        (picture([1, 2, 3, 4], FOUR, 100), 6),
        (picture([1, 0, 3, 4], FOUR, 100), 4),
        (picture([1, 0, 3, 4, 5, 6], NINE, 60), 6),
        (picture([1, 2, 3, 4, 5, 6], NINE, 60), 6),
    )
    assert people_of(samples[-1]) == dict(zip(NINE[:6], [0, 1, 2, 3, 4, 5], strict=True))
    assert p.assigner.student_count == 6


def test_two_layout_changes_in_one_video() -> None:
    p, samples = watched(
        (picture([1, 2, 3, 4], FOUR, 100), 6),
        (picture([1, 2, 3, 4, 5, 6], NINE, 60), 6),
        (picture([1, 3, 4, 6], FOUR, 100), 6),
    )
    assert people_of(samples[-1]) == dict(zip(FOUR, [0, 2, 3, 5], strict=True))
    assert p.assigner.student_count == 6
