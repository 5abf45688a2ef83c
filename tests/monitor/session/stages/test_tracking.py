from __future__ import annotations

import numpy as np

from monitor.seating.layout_change import LayoutMatch
from monitor.session.stages.tracking import TrackingStage
from monitor.tracking.appearance import AppearanceExtractor
from monitor.tracking.id_switch import IdSwitchCorrector
from monitor.tracking.tracker import Tracker
from tests.helpers.faces import face
from tests.helpers.frames import context_at

RED = np.array([1.0, 0.0], np.float32)
SHIFT = np.array([[1.0, 0.0, 30.0], [0.0, 1.0, 0.0]])


def stage_of(describe=None) -> TrackingStage:
    return TrackingStage(Tracker(), AppearanceExtractor(describe), IdSwitchCorrector())


def test_tracks_lie_in_the_reference_frame_and_visible_faces_in_the_frame() -> None:
    stage = stage_of()
    for media_s, x, to_reference in ((0.0, 130, np.eye(2, 3)), (0.5, 100, SHIFT)):
        context = context_at(media_s, faces=[face(x, 100)], to_reference=to_reference)
        stage.process(context)
    ((track, seen),) = context.visible
    assert (track.track_id, track.hits) == (1, 2)
    assert track.box_xyxy == face(130, 100).box_xyxy
    assert seen is context.faces[0]


def test_lost_track_is_live_and_not_visible() -> None:
    stage = stage_of()
    stage.process(context_at(0.0, faces=[face(100, 100)]))
    context = context_at(0.5)
    stage.process(context)
    assert (context.live_track_ids, context.visible) == ({1}, [])


def test_descriptors_are_measured_below_the_faces_of_the_frame() -> None:
    asked = []
    stage = stage_of(lambda image_bgr, item: asked.append(item) or RED)
    context = context_at(faces=[face(100, 100)], to_reference=SHIFT)
    stage.process(context)
    assert asked == context.faces
    assert list(context.descriptors) == [1]


def test_layout_match_moves_the_tracks_to_their_new_faces() -> None:
    stage = stage_of()
    stage.process(context_at(0.0, faces=[face(100, 100), face(300, 100)]))
    context = context_at(
        0.5, faces=[face(700, 400, 80), face(40, 40, 80)], layout_match=LayoutMatch({1: 0, 2: 1}, {})
    )
    stage.process(context)
    assert {track.track_id: seen for track, seen in context.visible} == {
        1: context.faces[0],
        2: context.faces[1],
    }


def test_tile_lookup_keeps_tracks_within_their_tiles() -> None:
    stage = stage_of()
    lookup = lambda box: int((box[0] + box[2]) / 2 > 200)  # noqa: E731
    stage.process(context_at(0.0, faces=[face(190, 100)], tile_of=lookup))
    context = context_at(0.5, faces=[face(210, 100)], tile_of=lookup)
    stage.process(context)
    assert [track.track_id for track, _ in context.visible] == [2]
