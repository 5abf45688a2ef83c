from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from classpulse.simulation.face_grid import (
    FACE_DURATION_S,
    GRID_FPS,
    PREDOMINANT_SHARE,
    SAD_STUDENT_SHARE,
    SEGMENT_S,
    FaceGrid,
    write_face_grid,
)
from classpulse.simulation.ground_truth import SimulationError
from model.emotions import EMOTIONS, Emotion
from tests.helpers.made_up_faces import make_faces


def grid(seats: int = 8, length_s: float = 100.0, seed: int = 1) -> FaceGrid:
    faces = make_faces(140)
    return FaceGrid(faces.subset(faces.has_majority), seats, length_s, seed)


def test_face_grid_is_determined_by_the_seed() -> None:
    assert grid().ground_truth() == grid().ground_truth()
    np.testing.assert_array_equal(next(grid().frames()), next(grid().frames()))
    assert grid(seed=2).ground_truth() != grid().ground_truth()


def test_shown_faces_match_the_segments() -> None:
    face_grid = grid()
    for index in range(face_grid.shown_faces.shape[1]):
        segment = int(index * FACE_DURATION_S // SEGMENT_S)
        labels = face_grid.faces.majority[face_grid.shown_faces[:, index]]
        np.testing.assert_array_equal(labels, face_grid.segments[:, segment])


def test_segments_a_quarter_is_mostly_sad() -> None:
    face_grid = grid(seats=12, length_s=200.0)
    sad = (face_grid.segments == Emotion.SAD).mean(axis=1)
    assert (sad[: round(12 * SAD_STUDENT_SHARE)] >= PREDOMINANT_SHARE).all()
    assert (sad[round(12 * SAD_STUDENT_SHARE) :] <= 1 - PREDOMINANT_SHARE).all()
    assert [student.expected_flag for student in face_grid.ground_truth().students] == [True] * 3 + [
        False
    ] * 9


@pytest.mark.parametrize("seats", [1, 5, 12, 60])
def test_tiles_fill_the_frame_and_contain_the_faces(seats: int) -> None:
    face_grid = grid(seats=seats, length_s=20.0)
    for student in face_grid.ground_truth().students:
        left, top, right, low = face_grid.tile_xyxy(student.student)
        for sample in student.samples:
            assert sample.box_xyxy is not None
            x1, y1, x2, y2 = sample.box_xyxy
            assert left <= x1 < x2 <= right
            assert top <= y1 < y2 <= low
            assert sample.resembles in EMOTIONS
    boxes = [face_grid.tile_xyxy(seat) for seat in range(seats)]
    assert len(set(boxes)) == seats
    assert max(box[2] for box in boxes) == pytest.approx(1280)
    assert max(box[3] for box in boxes) == pytest.approx(720)


def test_frames_show_the_face_at_its_box() -> None:
    face_grid = grid(seats=2, length_s=20.0)
    frame = next(face_grid.frames())
    for seat in range(2):
        x, y, side = face_grid.face_square(seat, 0.0)
        face = face_grid.faces.images[face_grid.shown_faces[seat, 0]].astype(float)
        drawn = frame[y : y + side, x : x + side, 0].astype(float)
        small = drawn.reshape(48, side // 48, 48, -1).mean(axis=(1, 3)) if side % 48 == 0 else None
        if small is None:
            rows = (np.arange(48) + 0.5) * side / 48
            small = drawn[rows.astype(int)][:, rows.astype(int)]
        assert np.corrcoef(small.ravel(), face.ravel())[0, 1] > 0.8


def test_tiles_change_faces_at_different_times() -> None:
    face_grid = grid(seats=5, length_s=20.0)
    times = np.arange(0.0, 20.0, 0.05)
    own = np.array(
        [[face_grid._local_time_s(seat, t) // FACE_DURATION_S for t in times] for seat in range(5)]
    )
    assert ((np.diff(own, axis=1) > 0).sum(axis=0) <= 1).all()
    assert (own[:, -1] < face_grid.shown_faces.shape[1]).all()


def test_face_grid_missing_expression_raises() -> None:
    faces = make_faces(14)
    with pytest.raises(SimulationError, match="no face that most raters call sad"):
        FaceGrid(faces.subset(faces.majority != Emotion.SAD), 4, 20.0)


def test_write_face_grid(tmp_path: Path) -> None:
    face_grid = grid(seats=3, length_s=10.0)
    write_face_grid(tmp_path / "faces.mp4", face_grid)
    with av.open(str(tmp_path / "faces.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10 * GRID_FPS
