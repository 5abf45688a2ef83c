from __future__ import annotations

import numpy as np
import pytest

from monitor.session.stages.liveness import LivenessStage
from monitor.tracking.liveness import STATIC_AFTER_S, LivenessFilter
from monitor.tracking.relative_motion import MARGIN_PX
from monitor.tracking.track_verification import MIN_MESH_FITS, WINDOW_SAMPLES, TrackVerifier
from monitor.types import HeadEstimate
from tests.helpers.faces import face
from tests.helpers.frames import context_at, track_of

FACE = face(100, 100)
STILL, OTHER = np.random.default_rng(1).uniform(0, 255, (2, 24, 24)).astype(np.float32)


def visible(media_s: float, *, mesh_fits: bool | None = None, track_id: int = 1, **fields: object):
    track = track_of(track_id, FACE)
    return context_at(
        media_s,
        tracks=[track],
        visible=[(track, FACE)],
        heads=[HeadEstimate(None, None, mesh_fits)],
        **fields,
    )


def stage_of(sample_patch=None) -> LivenessStage:
    return LivenessStage(LivenessFilter(), TrackVerifier(), sample_patch)


def test_face_that_never_moves_is_static_after_a_while() -> None:
    stage = stage_of(lambda *arguments: STILL)
    contexts = [visible(n / 2) for n in range(int(2 * STATIC_AFTER_S) + 1)]
    for context in contexts:
        stage.process(context)
    assert contexts[-1].static_faces == {1}
    assert contexts[-2].static_faces == set()
    assert all(context.unconfirmed == {1} for context in contexts)
    assert stage.not_people(STATIC_AFTER_S, with_unverified=False) == {1}


def test_without_patches_no_face_is_static() -> None:
    stage = stage_of()
    for n in range(100):
        context = visible(n / 2)
        stage.process(context)
    assert (context.static_faces, context.unconfirmed, context.departed) == (set(), set(), [])


def test_unverified_track_is_unconfirmed_and_later_rejected() -> None:
    stage = stage_of()
    contexts = [visible(n / 2, mesh_fits=False) for n in range(WINDOW_SAMPLES)]
    for context in contexts:
        stage.process(context)
    assert all(context.unconfirmed == {1} for context in contexts)
    assert [context.rejected for context in contexts[-2:]] == [set(), {1}]
    assert stage.not_people(5.0, with_unverified=True) == {1}
    assert stage.not_people(5.0, with_unverified=False) == set()


def test_track_that_continues_keeps_its_verification() -> None:
    stage = stage_of()
    for n in range(MIN_MESH_FITS):
        stage.process(visible(n / 2, mesh_fits=True))
    context = visible(5.0, mesh_fits=False, track_id=8, continued=[(1, 8)])
    stage.process(context)
    assert context.unconfirmed == set()


def test_confirmed_track_without_a_face_has_departed() -> None:
    stage = stage_of(lambda *arguments: None)  # nothing to compare: the face is confirmed at once
    stage.process(visible(0.0))
    gone = track_of(1, FACE, visible=False)
    context = context_at(0.5, tracks=[gone])
    stage.process(context)
    assert context.departed == [gone]


def test_new_coordinates_forget_the_patches() -> None:
    """With the old patches the face is confirmed, because each place looks different again and again."""
    for has_new_coordinates, unconfirmed in ((True, {1}), (False, set())):
        shown = [STILL]
        stage = stage_of(lambda image, to_reference, box, shown=shown: shown[0])
        for n in range(30):
            shown[0] = OTHER if n % 10 < 5 else STILL
            context = visible(n / 2, has_new_coordinates=has_new_coordinates)
            stage.process(context)
        assert context.unconfirmed == unconfirmed


@pytest.mark.parametrize(("is_measured", "margins"), [(False, [()]), (True, [(), (MARGIN_PX,)])])
def test_surroundings_are_sampled_only_with_measured_motion(is_measured: bool, margins: list) -> None:
    asked = []

    def sample(image_bgr, to_reference, box_xyxy, *margin):
        asked.append(margin)
        return STILL

    stage_of(sample).process(visible(0.0, is_motion_measured=is_measured, is_motion_known=True))
    assert asked == margins
