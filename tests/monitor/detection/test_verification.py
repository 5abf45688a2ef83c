from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from monitor.detection.nms import Candidates, concat_candidates
from monitor.detection.verification import CandidateVerifier, _crop_square

FRAME = np.zeros((400, 600, 3), dtype=np.uint8)


class FakeModel:
    """A model that returns one face per run: its score, and its shift from the centre of the crop as a share
    of the face. ``runs`` counts the runs."""

    def __init__(self, input_px: int, *faces: tuple[float, float]) -> None:
        self.input_px = input_px
        self.faces = list(faces)
        self.runs = 0

    def candidates(self, tile_bgr: Any, min_score: float) -> Candidates:
        assert tile_bgr.shape == (self.input_px, self.input_px, 3)
        self.runs += 1
        score, shift = self.faces.pop(0)
        # The verified face takes a quarter, a sixth, a ninth or two fifths of the crop.
        share = {0: 2.5} if self.input_px == 128 else {0: 4, 1: 6, 2: 9}
        side = self.input_px / share[(self.runs - 1) % len(share)]
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


def verify(score: float, *passes: tuple[float, float], refined: tuple[float, float] = (0, 0)):
    """Verify one candidate: the faces, the rejected candidates, and the number of runs of each model."""
    full, short = FakeModel(192, *passes), FakeModel(128, refined)
    faces, rejected = CandidateVerifier(full, short, 0.5).verify(FRAME, face(280, 180, 40, score))  # type: ignore[arg-type]
    assert len(faces) + len(rejected) == 1
    return faces, rejected, full.runs, short.runs


@pytest.mark.parametrize(
    ("first", "passes", "score", "runs"),
    [
        (0.9, [], 0.9, 0),
        (0.7, [(0.8, 0)], 0.75, 1),
        (0.4, [(0.7, 0), (0.73, 0)], 0.61, 2),
        (0.4, [(0.7, 0), (0.5, 0), (0.6, 0)], 0.55, 3),
        (0.4, [(0.7, 0), (0.5, 0), (0.3, 0)], None, 3),
        (0.4, [(0, 0), (0.4, 0)], None, 2),
        (0.7, [(0, 0), (0.7, 0), (0.7, 0)], 0.525, 3),
        # A face elsewhere in the crop does not count for the candidate.
        (0.4, [(0.9, 0.8), (0.5, 0)], None, 2),
    ],
    ids=["sure", "second", "third", "fourth", "fails the fourth", "hopeless", "outvoted", "elsewhere"],
)
def test_verify_doubtful_face_needs_mean_of_all_passes(first, passes, score, runs):
    faces, _, full_runs, short_runs = verify(first, *passes)
    assert full_runs == runs
    assert short_runs == len(faces) == (score is not None)
    assert faces.scores.tolist() == pytest.approx([] if score is None else [score], abs=1e-3)


@pytest.mark.parametrize(
    ("first", "passes", "score"),
    [
        (0.4, [(0.7, 0), (0.5, 0), (0.3, 0)], 0.475),
        # Skipped passes count as 0.
        (0.4, [(0, 0), (0.4, 0)], 0.2),
        (0.3, [(0, 0), (0, 0)], 0.075),
    ],
    ids=["nearly", "half", "hopeless"],
)
def test_verify_returns_rejected_candidates_with_mean(first, passes, score):
    _, rejected, _, _ = verify(first, *passes)
    assert rejected.scores.tolist() == pytest.approx([score], abs=1e-3)


def test_verify_first_pass_corrects_box():
    result, _, _, _ = verify(0.7, (0.9, 0.25))
    assert result.boxes_xyxy[0].tolist() == pytest.approx([290, 180, 330, 220], abs=1)


@pytest.mark.parametrize(
    ("refined", "left"),
    [((0.9, 0.1), 284), ((0.4, 0.1), 280), ((0.9, 0.5), 280)],
    ids=["same face", "low score", "neighbour"],
)
def test_verify_refinement_replaces_box_and_keypoints_of_same_face(refined, left):
    result, _, _, _ = verify(0.9, refined=refined)
    assert result.boxes_xyxy[0, 0] == pytest.approx(left, abs=1)
    assert result.keypoints[0, 0, 0] == pytest.approx(left, abs=1)


def test_verify_without_candidates_returns_none():
    verifier = CandidateVerifier(FakeModel(192), FakeModel(128), 0.5)  # type: ignore[arg-type]
    faces, rejected = verifier.verify(FRAME, concat_candidates([]))
    assert (len(faces), len(rejected)) == (0, 0)


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
    ("refined", "passes", "is_found"),
    [
        ((0.9, 0), [], True),
        ((0.2, 0), [(0.6, 0)], True),
        ((0.2, 0), [(0.1, 0), (0.2, 0), (0.6, 0)], True),
        ((0.2, 0), [(0.4, 0), (0.4, 0), (0.4, 0)], False),
        ((0.9, 0.8), [(0.6, 0.8), (0.6, 0.8), (0.6, 0.8)], False),
    ],
    ids=["refinement", "first pass", "third pass", "low scores", "neighbour"],
)
def test_find_again_accepts_any_pass(refined, passes, is_found) -> None:
    full, short = FakeModel(192, *passes), FakeModel(128, refined)
    result = CandidateVerifier(full, short, 0.5).find_again(FRAME, face(280, 180, 40, 0.9))  # type: ignore[arg-type]
    assert len(result) == is_found
    assert (full.runs, short.runs) == (len(passes), 1)


class OneScaleModel(FakeModel):
    """Detects a face only if it takes a sixth of the crop, as in the second verification pass."""

    def candidates(self, tile_bgr: Any, min_score: float) -> Candidates:
        self.runs += 1
        side = self.input_px / 6
        white = float((tile_bgr == 255).any(axis=2).mean()) ** 0.5
        corner = (self.input_px - side) / 2
        return face(corner, corner, side, 0.9) if abs(white - 1 / 6) < 0.02 else concat_candidates([])


@pytest.mark.parametrize(
    ("scale_index", "is_found"), [(0, False), (1, True), (2, False), (3, False), (4, True)]
)
def test_find_again_with_scale_index_runs_one_pass(scale_index, is_found) -> None:
    full, short, frame = OneScaleModel(192), FakeModel(128, (0.0, 0)), FRAME.copy()
    frame[180:220, 280:320] = 255
    verifier = CandidateVerifier(full, short, 0.5)  # type: ignore[arg-type]
    result = verifier.find_again(frame, face(280, 180, 40, 0.9), scale_index)
    assert (len(result), full.runs) == (is_found, 1)


@pytest.mark.parametrize(
    ("passes", "score"),
    [
        ([(0.9, 0), (0.6, 0), (0.3, 0)], 0.6),
        ([(0.9, 0), (0, 0), (0, 0)], 0.3),
        # A score below the minimum, or a face beside the box, counts as 0.
        ([(0.1, 0), (0.9, 0.8), (0.6, 0)], 0.2),
    ],
)
def test_verification_score_is_mean_of_all_passes(passes, score) -> None:
    full, short = FakeModel(192, *passes), FakeModel(128)
    verifier = CandidateVerifier(full, short, 0.5)  # type: ignore[arg-type]
    assert verifier.verification_score(FRAME, face(280, 180, 40, 0.9)) == pytest.approx(score, abs=1e-3)
    assert (full.runs, short.runs) == (3, 0)
