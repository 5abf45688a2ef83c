from __future__ import annotations

import numpy as np

from monitor.faces.expression import FaceAttributes
from monitor.seating.assigner import SeatAssigner
from monitor.seating.layout_change import LayoutMatch
from monitor.session.readings import PendingReadings
from monitor.session.stages.seating import SeatingStage
from monitor.tracking.appearance import AppearanceExtractor
from monitor.types import HeadEstimate, UnreadableReason
from tests.helpers.faces import face
from tests.helpers.frames import context_at, track_of

LEFT, RIGHT = face(100, 100), face(300, 100)
RED = np.array([1.0, 0.0], np.float32)


class Layout:
    """A layout detector that knows the students of some tracks by their tiles, and of others by their
    context."""

    def __init__(
        self,
        by_tile: dict[int, int] | None = None,
        known: dict[int, int] | None = None,
        expected: tuple[int, ...] = (),
    ) -> None:
        self._by_tile, self._known, self.expected = by_tile or {}, known or {}, expected
        self.stored: list[tuple] = []

    def students_by_tile(self, boxes_xyxy, seats_xyxy):
        return {track: student for track, student in self._by_tile.items() if track in boxes_xyxy}

    def tracks_in_expected_tiles(self, boxes_xyxy, seats_xyxy):
        return frozenset(track for track in self.expected if track in boxes_xyxy)

    def reidentify(self, image_bgr, unassigned_xyxy):
        return {track: student for track, student in self._known.items() if track in unassigned_xyxy}

    def store_reference(self, image_bgr, boxes, students, to_reference) -> None:
        self.stored.append((boxes, students))


def stage_of(describe=None, layout: Layout | None = None, readings: PendingReadings | None = None):
    assigner = SeatAssigner()
    appearance = AppearanceExtractor(describe)
    return SeatingStage(assigner, appearance, readings or PendingReadings(), layout), assigner  # type: ignore[arg-type]


def with_faces(media_s: float, *faces, first_id: int = 1, **fields):
    tracks = [track_of(first_id + n, item) for n, item in enumerate(faces)]
    return context_at(media_s, tracks=tracks, visible=list(zip(tracks, faces, strict=True)), **fields)


def test_tracks_get_students_and_unconfirmed_ones_do_not() -> None:
    stage, assigner = stage_of()
    context = with_faces(0.0, LEFT, RIGHT, unconfirmed={2})
    stage.process(context)
    assert (context.students, context.observed_students) == ({1: 0}, None)
    assert assigner.student_count == 1


def test_departed_track_with_readings_is_assigned_late() -> None:
    readings = PendingReadings()
    stage, _ = stage_of(readings=readings)
    readings.add(1, FaceAttributes(0.0, UnreadableReason.BLURRED, HeadEstimate(None)))
    gone = [track_of(1, LEFT, visible=False), track_of(2, RIGHT, visible=False)]
    context = context_at(0.5, tracks=gone, departed=gone)
    stage.process(context)
    assert context.late_assignments == {1: 0}, "track 2 has no readings"


def test_background_is_measured_only_at_seats_that_were_empty_in_the_last_frame() -> None:
    asked: list[float] = []
    stage, _ = stage_of(lambda image_bgr, item: asked.append(item.centre[0]) or RED)
    for n, faces in enumerate([(LEFT, RIGHT), (LEFT,), (LEFT,)]):
        stage.process(with_faces(n / 2, *faces))
    assert asked == [300.0]


def test_layout_match_moves_the_seats() -> None:
    stage, assigner = stage_of(layout=Layout())
    stage.process(with_faces(0.0, LEFT))
    there = face(700, 400, 80)
    stage.process(with_faces(0.5, there, faces=[there], layout_match=LayoutMatch({1: 0}, {0: 0})))
    assert assigner.seat_of(0).box_xyxy == there.box_xyxy


def test_tile_decides_before_context() -> None:
    layout = Layout(by_tile={5: 0}, known={5: 1, 6: 1})
    stage, _ = stage_of(layout=layout)
    stage.process(with_faces(0.0, LEFT, RIGHT))
    far = face(900, 600), face(1200, 600)
    context = with_faces(0.5, *far, first_id=5)
    stage.process(context)
    assert context.students == {5: 0, 6: 1}
    assert layout.stored[-1] == ({5: far[0].box_xyxy, 6: far[1].box_xyxy}, {5: 0, 6: 1})


def test_assign_late_in_a_tile_of_a_known_student_is_that_student() -> None:
    stage, assigner = stage_of(layout=Layout(by_tile={9: 0}))
    stage.process(with_faces(0.0, LEFT))
    assert stage.assign_late([track_of(9, face(900, 600), visible=False)]) == {9: 0}
    assert assigner.student_count == 1


def test_track_in_an_expected_tile_waits_until_the_grid_is_certain() -> None:
    """Neither while it is visible nor after it has left does it become a new student."""
    readings, layout = PendingReadings(), Layout()
    stage, assigner = stage_of(layout=layout, readings=readings)
    stage.process(with_faces(0.0, LEFT))
    layout.expected = (5,)
    waiting = with_faces(0.5, face(900, 600), first_id=5)
    stage.process(waiting)
    readings.add(5, FaceAttributes(0.5, UnreadableReason.BLURRED, HeadEstimate(None)))
    gone = [track_of(5, face(900, 600), visible=False)]
    left = context_at(1.0, tracks=gone, departed=gone)
    stage.process(left)
    assert (waiting.students, left.late_assignments, assigner.student_count) == ({}, {}, 1)
    layout.expected = ()
    certain = context_at(1.5, tracks=gone, departed=gone)
    stage.process(certain)
    assert (certain.late_assignments, assigner.student_count) == ({5: 1}, 2)
