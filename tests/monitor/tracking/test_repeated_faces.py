"""A large face that is a copy of a smaller one of the same frame is repeated; no other face is."""

from __future__ import annotations

import pytest

from monitor.tracking.patches import surroundings_patch
from monitor.tracking.repeated_faces import MIN_COPIES, WINDOW_SAMPLES, RepeatedFaceFilter, RepeatedFaces
from monitor.types import Box
from tests.helpers.speaker_view_drawn import SIDES, speaker_view

LARGE = 99


def judged(
    repeated_faces: RepeatedFaceFilter, side: str, strip: list[int], speakers: list[int], jitter: float = 0.0
) -> list[RepeatedFaces]:
    """The results for one frame per speaker, half a second apart. ``jitter`` moves the box of the large face,
    share of its width."""
    results = []
    for sample, speaker in enumerate(speakers):
        image, faces, (x1, y1, x2, y2) = speaker_view(side, strip, speaker, sample / 2)
        shift = jitter * (x2 - x1) * (-1) ** sample
        boxes: dict[int, Box] = dict(enumerate(faces)) | {LARGE: (x1 + shift, y1, x2 + shift, y2 + shift)}
        results.append(repeated_faces.update(image, boxes, set(boxes)))
    return results


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("jitter", [0.0, 0.08])
def test_copy_is_held_at_once_and_repeated_after_three_comparisons(side: str, jitter: float) -> None:
    results = judged(RepeatedFaceFilter(surroundings_patch), side, [1, 2, 3, 4, 5], [3] * 6, jitter)
    for result in results[: MIN_COPIES - 1]:
        assert (result.held, result.repeated) == ({LARGE}, frozenset())
    for result in results[MIN_COPIES - 1 :]:
        assert (result.held, result.repeated) == (frozenset(), {LARGE})


def test_tile_that_shows_one_participant_after_another_stays_repeated() -> None:
    results = judged(
        RepeatedFaceFilter(surroundings_patch), "above", [1, 2, 3, 4], [1, 1, 1, 4, 4, 2, 2, 2, 3, 3, 1, 4]
    )
    assert all(LARGE in result.repeated for result in results[MIN_COPIES - 1 :])


def test_speaker_outside_the_strip_is_not_repeated() -> None:
    results = judged(RepeatedFaceFilter(surroundings_patch), "left", [1, 2, 3, 4], [7] * (WINDOW_SAMPLES + 2))
    assert all(result == RepeatedFaces() for result in results)


def test_tile_that_shows_a_participant_outside_the_strip_from_now_on_is_no_longer_repeated() -> None:
    results = judged(
        RepeatedFaceFilter(surroundings_patch), "above", [1, 2, 3], [2] * 4 + [8] * WINDOW_SAMPLES
    )
    assert LARGE in results[3].repeated
    assert results[-1] == RepeatedFaces()


def test_same_image_in_tiles_of_one_size_is_not_compared() -> None:
    image, faces, _ = speaker_view("above", [1, 1, 1, 1], 2)
    boxes = dict(enumerate(faces))
    repeated_faces = RepeatedFaceFilter(surroundings_patch)
    assert all(
        repeated_faces.update(image, boxes, set(boxes)) == RepeatedFaces() for _ in range(WINDOW_SAMPLES)
    )


def test_similar_but_not_equal_face_is_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.tracking.repeated_faces.content_similarity", lambda first, second: 0.84)
    results = judged(RepeatedFaceFilter(surroundings_patch), "above", [1, 2, 3], [2] * WINDOW_SAMPLES)
    assert all(not result.repeated | result.held for result in results)
    assert results[-1].uncertain == {LARGE}


def test_ended_track_is_forgotten() -> None:
    repeated_faces = RepeatedFaceFilter(surroundings_patch)
    judged(repeated_faces, "above", [1, 2, 3], [2] * 4)
    image, faces, _ = speaker_view("above", [1, 2, 3], 2)
    assert repeated_faces.update(image, dict(enumerate(faces)), {0, 1, 2}) == RepeatedFaces()
