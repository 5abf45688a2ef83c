from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monitor.detection.nms import Candidates, concat_candidates
from monitor.detection.verification import CandidateVerifier, _crop_square

FRAME = np.zeros((400, 600, 3), dtype=np.uint8)


class Looker:
    """A model that sees, in each look in turn, one face of the given score, shifted from the cutting's
    middle by a share of the face; ``looks`` remembers how large a share of the cutting a face took."""

    def __init__(self, input_px: int, *seen: tuple[float, float]) -> None:
        self.input_px = input_px
        self.seen = list(seen)
        self.looks = 0

    def candidates(self, tile_bgr: Any, min_score: float) -> Candidates:
        assert tile_bgr.shape == (self.input_px, self.input_px, 3)
        self.looks += 1
        score, shift = self.seen.pop(0)
        # The face that is looked at takes a quarter, a sixth, a ninth or two fifths of the cutting.
        share = {0: 2.5} if self.input_px == 128 else {0: 4, 1: 6, 2: 9}
        side = self.input_px / share[(self.looks - 1) % len(share)]
        left = self.input_px / 2 - side / 2 + shift * side
        return (
            face(left, self.input_px / 2 - side / 2, side, score)
            if score >= min_score
            else concat_candidates([])
        )


def face(x: float, y: float, side: float, score: float) -> Candidates:
    box = np.array([[x, y, x + side, y + side]], dtype=np.float32)
    points = np.full((1, 6, 2), (x, y), dtype=np.float32)
    return Candidates(box, np.array([score], dtype=np.float32), points)


def judged(first: float, *second: tuple[float, float], close: tuple[float, float] = (0, 0)):
    """The face that one candidate is, or none, what was refused, and how often each model looked."""
    full, short = Looker(192, *second), Looker(128, close)
    faces, refused = CandidateVerifier(full, short, 0.5).verify(FRAME, face(280, 180, 40, first))  # type: ignore[arg-type]
    assert len(faces) + len(refused) == 1
    return faces, refused, full.looks, short.looks


@pytest.mark.parametrize(
    ("first", "second", "score", "looks"),
    [
        (0.9, [], 0.9, 0),
        (0.7, [(0.8, 0)], 0.75, 1),
        (0.4, [(0.7, 0), (0.73, 0)], 0.61, 2),
        (0.4, [(0.7, 0), (0.5, 0), (0.6, 0)], 0.55, 3),
        (0.4, [(0.7, 0), (0.5, 0), (0.3, 0)], None, 3),
        (0.4, [(0, 0), (0.4, 0)], None, 2),
        (0.7, [(0, 0), (0.7, 0), (0.7, 0)], 0.525, 3),
        # Something that the look sees elsewhere does not speak for the candidate.
        (0.4, [(0.9, 0.8), (0.5, 0)], None, 2),
    ],
    ids=["sure", "second", "third", "fourth", "fails the fourth", "hopeless", "outvoted", "elsewhere"],
)
def test_verify_doubtful_face_needs_mean_of_all_passes(first, second, score, looks):
    faces, _, full_looks, short_looks = judged(first, *second)
    assert full_looks == looks
    assert short_looks == len(faces) == (score is not None)
    assert faces.scores.tolist() == pytest.approx([] if score is None else [score], abs=1e-3)


@pytest.mark.parametrize(
    ("first", "second", "score"),
    [
        (0.4, [(0.7, 0), (0.5, 0), (0.3, 0)], 0.475),
        # The looks that were spared count as nothing seen.
        (0.4, [(0, 0), (0.4, 0)], 0.2),
        (0.3, [(0, 0), (0, 0)], 0.075),
    ],
    ids=["nearly", "half", "hopeless"],
)
def test_verify_returns_rejected_candidates_with_mean(first, second, score):
    _, refused, _, _ = judged(first, *second)
    assert refused.scores.tolist() == pytest.approx([score], abs=1e-3)


def test_verify_first_pass_corrects_box():
    result, _, _, _ = judged(0.7, (0.9, 0.25))
    assert result.boxes_xyxy[0].tolist() == pytest.approx([290, 180, 330, 220], abs=1)


@pytest.mark.parametrize(
    ("close", "left"),
    [((0.9, 0.1), 284), ((0.4, 0.1), 280), ((0.9, 0.5), 280)],
    ids=["sees the same face", "sees too little", "sees a neighbour"],
)
def test_verify_refinement_replaces_box_and_keypoints_of_same_face(close, left):
    result, _, _, _ = judged(0.9, close=close)
    assert result.boxes_xyxy[0, 0] == pytest.approx(left, abs=1)
    assert result.keypoints[0, 0, 0] == pytest.approx(left, abs=1)


def test_verify_without_candidates_returns_none():
    faces, refused = CandidateVerifier(Looker(192), Looker(128), 0.5).verify(FRAME, concat_candidates([]))  # type: ignore[arg-type]
    assert (len(faces), len(refused)) == (0, 0)


@pytest.mark.parametrize(
    ("x", "y", "filled"),
    [(0, 0, 1.0), (50, 30, 1.0), (-20, 0, 0.5), (0, 80, 0.5), (80, 80, 0.25), (-40, 0, 0), (200, 0, 0)],
)
def test_crop_is_black_beyond_frame(x, y, filled):
    image = np.full((100, 100, 3), 255, dtype=np.uint8)
    square = _crop_square(image, x, y, 40, 64)
    assert square.shape == (64, 64, 3)
    assert (square == 255).mean() == pytest.approx(filled, abs=0.01)


@pytest.mark.parametrize(
    ("close", "wider", "found"),
    [
        ((0.9, 0), [], True),
        ((0.2, 0), [(0.6, 0)], True),
        ((0.2, 0), [(0.1, 0), (0.2, 0), (0.6, 0)], True),
        ((0.2, 0), [(0.4, 0), (0.4, 0), (0.4, 0)], False),
        ((0.9, 0.8), [(0.6, 0.8), (0.6, 0.8), (0.6, 0.8)], False),
    ],
    ids=["close look", "second look", "fourth look", "nowhere sure", "somebody beside"],
)
def test_find_again_accepts_any_pass(close, wider, found) -> None:
    full, short = Looker(192, *wider), Looker(128, close)
    again = CandidateVerifier(full, short, 0.5).find_again(FRAME, face(280, 180, 40, 0.9))  # type: ignore[arg-type]
    assert len(again) == found
    assert (full.looks, short.looks) == (len(wider), 1)


class Sizes(Looker):
    """Sees a face only where it takes a sixth of the cutting, as in the second of the second looks."""

    def candidates(self, tile_bgr: Any, min_score: float) -> Candidates:
        self.looks += 1
        side = self.input_px / 6
        white = float((tile_bgr == 255).any(axis=2).mean()) ** 0.5
        middle = (self.input_px - side) / 2
        return face(middle, middle, side, 0.9) if abs(white - 1 / 6) < 0.02 else concat_candidates([])


@pytest.mark.parametrize(("look", "found"), [(0, False), (1, True), (2, False), (3, False), (4, True)])
def test_find_again_with_scale_index_runs_one_pass(look, found) -> None:
    full, short, frame = Sizes(192), Looker(128, (0.0, 0)), FRAME.copy()
    frame[180:220, 280:320] = 255
    again = CandidateVerifier(full, short, 0.5).find_again(frame, face(280, 180, 40, 0.9), look)  # type: ignore[arg-type]
    assert (len(again), full.looks) == (found, 1)


@pytest.mark.parametrize(
    ("looks", "score"),
    [
        ([(0.9, 0), (0.6, 0), (0.3, 0)], 0.6),
        ([(0.9, 0), (0, 0), (0, 0)], 0.3),
        # Less than a glimpse, or a face beside the place, is nothing.
        ([(0.1, 0), (0.9, 0.8), (0.6, 0)], 0.2),
    ],
)
def test_verification_score_is_mean_of_all_passes(looks, score) -> None:
    full, short = Looker(192, *looks), Looker(128)
    careful = CandidateVerifier(full, short, 0.5).verification_score(FRAME, face(280, 180, 40, 0.9))  # type: ignore[arg-type]
    assert careful == pytest.approx(score, abs=1e-3)
    assert (full.looks, short.looks) == (3, 0)
