"""The probe counts the faces that the detector does not report, and no other objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from monitor.detection import small_faces
from monitor.detection.base import DetectionSettings
from monitor.detection.blazeface import BlazeFace
from monitor.detection.factory import load_detector
from monitor.detection.nms import Candidates, concat_candidates
from monitor.detection.small_faces import (
    CLOSING_GAP_S,
    MAX_CLOSING_RUNS,
    MAX_RUNS_PER_SAMPLE,
    SmallFaceProbe,
    load_small_face_probe,
)
from monitor.detection.tiling import FrameSlices
from monitor.types import Face, ImageBGR
from tests.helpers.classrooms import HEIGHT, WIDTH, classroom
from tests.helpers.drawn_spots import spot
from tests.helpers.halls import room

LARGE = (40, 44, 48)
SMALL = (9, 10, 11, 12, 13, 14, 15, 16)
FPS = 2
SAMPLES = 36


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list with one entry, the number of network runs so far."""
    count = [0]
    original = BlazeFace.candidates

    def counted(self: BlazeFace, tile_bgr: ImageBGR, min_score: float) -> Candidates:
        count[0] += 1
        return original(self, tile_bgr, min_score)

    monkeypatch.setattr(BlazeFace, "candidates", counted)
    return count


def loaded() -> SmallFaceProbe:
    probe = load_small_face_probe(DetectionSettings())
    assert probe is not None
    return probe


def watch(frames: Callable[[int], ImageBGR], probe: SmallFaceProbe, samples: int = SAMPLES) -> None:
    detector = load_detector(DetectionSettings())
    for sample in range(samples):
        image = frames(sample)
        probe.submit(image, detector.detect(image), sample / FPS)


@pytest.fixture(scope="module")
def mixed() -> SmallFaceProbe:
    """A probe after the first seconds of a session with three large and eight small faces."""
    probe = loaded()
    watch(lambda sample: classroom(LARGE + SMALL, sample % 3), probe)
    return probe


def test_faces_below_min_face_px_are_counted_during_session(mixed: SmallFaceProbe) -> None:
    result = mixed.result
    assert result is not None
    assert result.is_warning
    assert result.detected >= len(LARGE)
    assert result.min_face_px == 24
    assert abs(result.missed + result.detected - len(LARGE + SMALL)) <= 1
    assert result.are_all_small
    assert result.smallest_px is not None
    assert 6 < result.smallest_px < 12
    assert result.suggested_min_face_px is not None
    assert 12 <= result.suggested_min_face_px < 16


def test_finish_agrees_with_opening_frames(mixed: SmallFaceProbe) -> None:
    before = mixed.result
    mixed.finish()
    assert before is not None
    assert mixed.result is not None
    assert abs(mixed.result.missed - before.missed) <= 1


def test_suggested_setting_detects_missed_faces(mixed: SmallFaceProbe) -> None:
    assert mixed.result is not None
    suggested = mixed.result.suggested_min_face_px
    assert suggested is not None
    image = classroom(LARGE + SMALL)
    few, more = (
        len(load_detector(DetectionSettings(min_face_px=px)).detect(image)) for px in (24, suggested)
    )
    assert more >= few + 3


@pytest.mark.parametrize("scene", ["all found", "empty room", "grey"])
def test_frame_without_faces_has_no_missed_faces(scene: str) -> None:
    def frames(sample: int) -> ImageBGR:
        if scene == "empty room":
            return room()
        return classroom((26, 30, 36, 44, 60, 28, 33) if scene == "all found" else (), sample % 3)

    probe = loaded()
    watch(frames, probe)
    opening = probe.result
    probe.finish()
    for found in (opening, probe.result):
        assert found is not None
        assert not found.is_warning


def test_submit_runs_bounded_number_of_network_runs(runs: list[int]) -> None:
    """A full hall: more candidates than one sample may verify."""
    probe = loaded()
    image = classroom(SMALL * 12)
    costs = []
    for sample in range(60):
        before = runs[0]
        probe.submit(image, [], sample / FPS)
        costs.append(runs[0] - before)
    assert max(costs) <= MAX_RUNS_PER_SAMPLE
    assert sum(costs) > 3 * MAX_RUNS_PER_SAMPLE
    assert costs[:4] == [0] * 4, "no run before the first frame is due"
    assert probe.result is not None
    assert probe.result.missed > 6 * len(SMALL)


def test_finish_runs_bounded_number_of_network_runs(runs: list[int]) -> None:
    probe = loaded()
    image = cv2.resize(classroom(SMALL), (4 * WIDTH, 4 * HEIGHT))
    for sample in range(8):
        probe.submit(image, [], sample / FPS)
    before = runs[0]
    probe.finish()
    candidates = 4 * 4 * len(SMALL)
    assert runs[0] - before <= 2 * (MAX_CLOSING_RUNS + candidates)


def test_single_frame_is_searched_at_finish() -> None:
    probe = loaded()
    watch(lambda _: classroom(LARGE + SMALL), probe, samples=1)
    assert probe.result is None
    probe.finish()
    assert probe.result is not None
    assert abs(probe.result.missed + probe.result.detected - len(LARGE + SMALL)) <= 1


def test_session_without_frame_has_no_result() -> None:
    probe = loaded()
    probe.finish()
    assert probe.result is None


class _Scripted:
    """A scanner of one slice and a verifier that return the scripted candidates of each frame: the frame's
    first pixel is the index into the script."""

    def __init__(self, script: Sequence[Sequence[Candidates]]) -> None:
        self._script = script

    def slices(self, width: int, height: int) -> FrameSlices:
        return FrameSlices(np.array([[0, 0, width, height]], np.float32), np.array([[0, 1e9]], np.float32))

    def candidates(self, image_bgr: ImageBGR, slice_indices: np.ndarray) -> Candidates:
        parts = self._script[int(image_bgr[0, 0, 0])] if len(slice_indices) else []
        return concat_candidates(list(parts)).to_frame(1 / small_faces.MAGNIFICATIONS[0], 0, 0)

    def verify(self, image_bgr: ImageBGR, candidates: Candidates) -> tuple[Candidates, Candidates]:
        return candidates, concat_candidates([])


def at(*places: tuple[int, int]) -> list[Candidates]:
    return [spot(x, y, 12) for x, y in places]


def frame(index: int) -> ImageBGR:
    return np.full((90, 160, 3), index, np.uint8)


def scripted(script: Sequence[Sequence[Candidates]], faces: Sequence[Face] = ()) -> SmallFaceProbe:
    """A probe after frame 0 from the start, frame 1 from 4 s and frame 2 from 7 s on, until 10 s."""
    probe = SmallFaceProbe(_Scripted(script), _Scripted(script), 24)
    for sample in range(21):
        t = sample / FPS
        probe.submit(frame(0 if t < 4 else 1 if t < 7 else 2), faces, t)
    return probe


def test_faces_in_only_one_frame_are_not_counted() -> None:
    crowd = at((20, 20), (50, 20), (80, 20))
    for script in ([crowd, [], []], [[], crowd, []], [[], [], crowd]):
        probe = scripted(script)
        assert probe.result is not None
        assert probe.result.missed == 0
        # The last two frames of a session are far enough apart for people to pass.
    probe = scripted([[], [], []])
    last = _Scripted([[], [], [], crowd])
    probe._scanner = probe._verifier = last
    probe.submit(frame(3), [], 10.5)
    probe.finish()
    assert probe.result is not None
    assert probe.result.missed == 0


def test_faces_in_only_opening_frame_are_not_counted() -> None:
    script = [at((20, 20), (50, 20), (80, 20)), []]
    probe = SmallFaceProbe(_Scripted(script), _Scripted(script), 24)
    for sample in range(10):
        probe.submit(frame(0 if sample < 6 else 1), [], sample / FPS)
    assert probe.result is None
    probe.finish()
    assert probe.result is not None
    assert probe.result.missed == 0


@pytest.mark.parametrize(
    ("x", "y", "is_detail"), [(124, 190, True), (80, 200, True), (165, 120, False), (124, 80, False)]
)
def test_body_detail_is_ignored_and_far_face_is_counted(x: int, y: int, is_detail: bool) -> None:
    near = spot(100, 100, 60)
    face = Face(tuple(map(float, near.boxes_xyxy[0])), 0.9, np.zeros((6, 2), np.float32))
    script = [at((x, y))]
    probe = SmallFaceProbe(_Scripted(script), _Scripted(script), 24)
    probe.submit(np.zeros((300, 400, 3), np.uint8), [face], 0.0)
    probe.finish()
    assert probe.result is not None
    assert probe.result.missed == (0 if is_detail else 1)


def test_median_frame_decides_count() -> None:
    probe = scripted([at((20, 20), (50, 20)), at((20, 20), (50, 20), (80, 20)), at((50, 20))])
    assert probe.result is not None
    assert probe.result.missed == 2


def test_face_reported_in_other_frame_is_not_missed() -> None:
    boxes = [spot(x, 20, 12).boxes_xyxy[0] for x in (20, 50)]
    reported = [Face(tuple(map(float, box)), 0.9, np.zeros((6, 2), np.float32)) for box in boxes]
    script = [at((20, 20), (50, 20))] * 3
    assert scripted(script).result.missed == 2  # type: ignore[union-attr]
    probe = SmallFaceProbe(_Scripted(script), _Scripted(script), 24)
    for sample in range(21):
        probe.submit(frame(0), reported if sample % 7 == 0 else [], sample / FPS)
    assert probe.result is not None
    assert probe.result.missed == 0


def test_closing_frames_are_apart_and_bounded() -> None:
    probe = scripted([[], [], []])
    times = [snapshot.media_s for snapshot in probe._recent]
    assert len(times) <= 3
    last, *earlier = [snapshot.media_s for snapshot in probe._closing_frames()]
    assert last == 10.0
    assert earlier
    assert last - earlier[0] >= CLOSING_GAP_S
    assert all(first < second for first, second in pairwise(times))


@pytest.mark.parametrize(("median_px", "least"), [(10, 16), (14, 9), (24, 0)])
def test_missed_faces_in_the_lecture_hall_are_counted(shared: Path, median_px: int, least: int) -> None:
    """24 faces with a median size of ``median_px``: at least ``least`` are counted as missed, and not too
    many."""
    media = shared / "media"
    truth = json.loads((media / "lecture_hall_faces.json").read_text())
    boxes = np.array(truth["faces_xywh"])
    scale = median_px / np.median(boxes[:, 2])
    image = cv2.imread(str(media / "lecture_hall.jpg"))
    image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    probe = loaded()
    watch(lambda _: image, probe, samples=1)
    probe.finish()
    assert probe.result is not None
    assert least <= probe.result.missed <= len(boxes) - probe.result.detected
