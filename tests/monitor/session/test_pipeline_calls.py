"""The pipeline in rooms and in calls with fixed tiles: no layout note, no rejected frame, one student per
tile."""

from datetime import UTC, datetime, timedelta

import numpy as np

from monitor.faces.expression import NullExpressionEstimator
from monitor.registration.camera_motion import CameraMotionEstimator
from monitor.seating.assigner import SeatAssigner
from monitor.seating.call_grid import CallGridConfirmation
from monitor.seating.call_grid_detection import find_grid, shows_grid
from monitor.seating.layout_change import LayoutChangeDetector
from monitor.session.pipeline import Pipeline, build_pipeline
from monitor.session.stages.tile_layout import LAYOUT_NOTE
from monitor.tracking.patches import context_patch
from monitor.tracking.tracker import Tracker
from monitor.types import Box, Face, Frame, FrameResult, ImageBGR
from tests.helpers.faces import face
from tests.helpers.tiles_drawn import drawn_call, drawn_room

View = tuple[ImageBGR, list[Box]]


class GivenFaces:
    """A detector that returns faces at ``boxes``."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        return [face((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1) for x1, y1, x2, y2 in self.boxes]


def followed(views: list[View]) -> tuple[Pipeline, list[FrameResult]]:
    """The results of a pipeline with the real layout stage, two views a second."""
    detector, results = GivenFaces(), []
    layouts = LayoutChangeDetector(context_patch, CallGridConfirmation(find_grid, shows_grid=shows_grid))
    pipeline = build_pipeline(
        detector,
        NullExpressionEstimator(),
        Tracker(),
        SeatAssigner(),
        CameraMotionEstimator(),
        layout_detector=layouts,
    )
    start = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
    for number, (image, boxes) in enumerate(views):
        detector.boxes = boxes
        results.append(pipeline.process(Frame(image, start + timedelta(seconds=number / 2), number / 2)))
    return pipeline, results


def layout_notes(samples: list[FrameResult]) -> list[str]:
    return [item.note for item in samples if item.note and item.note.startswith(LAYOUT_NOTE.split(";")[0])]


def test_people_passing_in_front_of_a_class_change_no_layout() -> None:
    """The people occlude most of the room and several faces, and another face appears meanwhile."""
    room, faces = drawn_room("posters")
    views: list[View] = [(room, faces)] * 10
    rng = np.random.default_rng(5)
    for passer in range(4):
        for step in range(3):
            image, left = room.copy(), 80 + 420 * step
            image[:, max(0, left - 300) : left + 500] = rng.integers(0, 255, 3)
            image[60 + 30 * passer :: 90, max(0, left - 300) : left + 500] = 250
            image[:, :60] = rng.integers(0, 255, 3)
            views.append(
                (
                    image,
                    [
                        (x1 + 260 - 90 * step, y1 - 70, x2 + 260 - 90 * step, y2 - 70)
                        for x1, y1, x2, y2 in faces
                    ],
                )
            )
        views += [(room, faces)] * 3
    _, samples = followed(views)
    assert all(sample.analysed for sample in samples)
    assert not layout_notes(samples)


def test_room_with_a_panning_camera_is_no_call() -> None:
    room, faces = drawn_room("windows", size=(2200, 720))
    views: list[View] = []
    for sample in range(30):
        x = int(450 + 450 * np.sin(0.5 * sample))
        boxes = [(x1 - x, y1, x2 - x, y2) for x1, y1, x2, y2 in faces if x1 - x > 0 and x2 - x < 1280]
        views.append((np.ascontiguousarray(room[:, x : x + 1280]), boxes))
    _, samples = followed(views)
    assert all(sample.analysed for sample in samples)
    assert not layout_notes(samples)


def test_faces_replaced_within_tiles_stay_the_same_students() -> None:
    """Every few frames tiles show another person at another position and size."""
    rng = np.random.default_rng(7)
    people = list(range(6))
    views: list[View] = []
    for sample in range(50):
        if sample > 10 and sample % 4 == 0:
            for tile in rng.choice(6, 3, replace=False):
                people[tile] += 10
        image, tiles, faces = drawn_call(6, seed=sample, people=people)
        jumped = []
        for person, tile, (x1, y1, x2, _) in zip(people, tiles, faces, strict=True):
            side = (x2 - x1) * (1 + 0.9 * (person // 10 % 2))
            x = min(max(x1 + 90 * (person // 10 % 3 - 1), tile[0] + 2.0), tile[2] - side - 2)
            jumped.append((x, y1, x + side, y1 + side))
        views.append((image, jumped))
    pipeline, samples = followed(views)
    assert all(sample.analysed for sample in samples)
    assert not layout_notes(samples)
    assert pipeline.assigner.student_count == 6


def test_faces_replaced_before_the_grid_is_confirmed_stay_the_same_students() -> None:
    """After one and a half seconds all tiles show another person at another position and size."""
    people = list(range(6))
    views: list[View] = []
    for sample in range(16):
        if sample == 3:
            people = [person + 10 for person in people]
        image, tiles, faces = drawn_call(6, seed=sample, people=people)
        jumped = []
        for person, tile, (x1, y1, x2, _) in zip(people, tiles, faces, strict=True):
            side = (x2 - x1) * (1 + 0.9 * (person // 10 % 2))
            x = min(max(x1 + 110 * (person // 10 - 1), tile[0] + 2.0), tile[2] - side - 2)
            jumped.append((x, y1, x + side, y1 + side))
        views.append((image, jumped))
    pipeline, samples = followed(views)
    assert all(sample.analysed for sample in samples)
    assert not layout_notes(samples)
    assert pipeline.assigner.student_count == 6


def test_four_joining_a_call_are_noted_and_all_others_reidentified() -> None:
    before = [
        (image, faces)
        for image, _, faces in (drawn_call(5, seed=n, people=[0, 1, 2, 3, 4]) for n in range(12))
    ]
    after = [
        (image, faces) for image, _, faces in (drawn_call(9, seed=n, people=list(range(9))) for n in range(8))
    ]
    pipeline, samples = followed(before + after)
    assert layout_notes(samples) == [LAYOUT_NOTE.format(5, 9)]
    assert [item.analysed for item in samples].count(False) == 1, "the tiles might have been moving"
    assert pipeline.assigner.student_count == 9
    students = {item.student for item in samples[-1].tracked_faces}
    assert students == set(range(9))
