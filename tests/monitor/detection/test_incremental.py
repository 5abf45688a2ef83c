from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from monitor.detection.incremental import (
    EAGER_RETRY_SAMPLES,
    MAX_CHECKS_PER_SAMPLE,
    MAX_LOST_SAMPLES,
    MAX_SKIPPED_SAMPLES,
    IncrementalDetector,
)
from monitor.detection.nms import Candidates, concat_candidates
from monitor.detection.template_match import MAX_UNSEEN_SAMPLES
from monitor.detection.tiling import FrameSlices
from monitor.detection.verification import (
    CACHE_SAMPLES,
    MIN_PASSES_TO_VERIFY,
    NEW_FACE_CHECK_INTERVALS,
    SETTLED_CHECK_INTERVAL,
)
from monitor.types import ImageBGR
from tests.helpers.drawn_spots import spot, spots

STRIP_PX = 100
"""The slices of the simulated room are strips of this width, from left to right."""

BLANK = np.zeros((200, 2000, 3), np.uint8)
"""An image without contrast, in which every known face needs a detection in every sample."""

STILL = spots(width=2000)
CHANGED = spots(seed=2, width=2000)


def unchanged_at(x: float, image_bgr: ImageBGR = STILL) -> ImageBGR:
    """An image that has changed everywhere except for the face at ``x``."""
    frame, around = CHANGED.copy(), slice(int(x) - 10, int(x) + 50)
    frame[:, around] = image_bgr[:, around]
    return frame


class Room:
    """A simulated room with faces at ``places``; both scanner and verifier. It records per sample the scanned
    slices, the number of known faces that were searched, and the verified faces."""

    def __init__(self, *places: float, every: int = 20) -> None:
        self.places = list(places)
        self.rejected: dict[float, float] = {}
        """Places that the verifier rejects, with their scores."""
        self.score: Callable[[float], float] = lambda x: 0.9
        self.second: Callable[[float], float] = lambda x: 0.0
        self.scanned: list[list[int]] = []
        self.searched: list[int] = []
        self.scale_indices: list[int | None] = []
        self.candidates_verified: list[float] = []
        self.faces_verified: list[list[float]] = []
        self.detector = IncrementalDetector(self, self, every)

    def slices(self, width: int, height: int) -> FrameSlices:
        lefts = np.arange(0, width, STRIP_PX)
        areas = [(left, 0, left + STRIP_PX, height) for left in lefts]
        return FrameSlices(np.array(areas, np.float32), np.array([(10, 90)] * len(areas), np.float32))

    def candidates(self, image_bgr: ImageBGR, slice_indices: np.ndarray) -> Candidates:
        self.scanned[-1] = slice_indices.tolist()
        return concat_candidates(
            [self._face(x) for x in self.places if int(x + 20) // STRIP_PX in slice_indices]
        )

    def verify(self, image_bgr: ImageBGR, candidates: Candidates) -> tuple[Candidates, Candidates]:
        lefts = candidates.boxes_xyxy[:, 0].tolist()
        self.candidates_verified += lefts
        faces = [self._face(x) for x in lefts if x not in self.rejected]
        return concat_candidates(faces), concat_candidates(
            [spot(x, score=self.rejected[x]) for x in lefts if x in self.rejected]
        )

    def find_again(self, image_bgr: ImageBGR, face: Candidates, scale_index: int | None = None) -> Candidates:
        self.searched[-1] += 1
        self.scale_indices.append(scale_index)
        away = {abs(x - float(face.boxes_xyxy[0, 0])): x for x in self.places}
        return self._face(away[min(away)]) if away and min(away) < 25 else concat_candidates([])

    def verification_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        x = float(face.boxes_xyxy[0, 0])
        self.faces_verified[-1].append(x)
        return self.score(x)

    def second_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        return self.second(float(face.boxes_xyxy[0, 0]))

    def _face(self, x: float) -> Candidates:
        return spot(x, score=0.5 + x / 4000)

    def sample(self, frame: ImageBGR = BLANK) -> list[float]:
        """The places of the faces in the next sample."""
        self.scanned.append([])
        self.searched.append(0)
        self.faces_verified.append([])
        return sorted(self.detector.detect(frame).faces.boxes_xyxy[:, 0].tolist())

    def samples(self, count: int, frame: ImageBGR = BLANK) -> list[list[float]]:
        return [self.sample(frame) for _ in range(count)]


@pytest.mark.parametrize(("every", "share"), [(1, 20), (3, 7), (4, 5), (20, 1), (50, 1)])
def test_every_slice_is_scanned_within_interval_and_all_at_first(every: int, share: int) -> None:
    room = Room(50, 220, every=every)
    assert room.samples(2 * every + 1) == [[50, 220]] * (2 * every + 1)
    assert room.scanned[0] == list(range(20))
    for start in range(1, every + 2):
        assert {index for slices in room.scanned[start : start + every] for index in slices} == set(range(20))
    assert {len(slices) for slices in room.scanned[1:]} == {share}, "all samples cost the same"


def test_slightly_moved_face_is_tracked() -> None:
    room = Room(50)
    for x in range(50, 150, 10):
        room.places = [x]
        assert room.sample() == [x]
    assert {len(slices) for slices in room.scanned[1:]} == {1}


def test_lost_face_is_searched_around_its_last_box() -> None:
    room = Room(50, 1220, 1850)
    room.samples(2)
    room.places = [50, 1340, 1850]
    assert room.sample() == [50, 1340, 1850]
    assert set(room.scanned[-1]) == {2, 11, 12, 13}, "one slice is due"
    room.sample()
    assert len(room.scanned[-1]) == 1


def test_face_that_moved_far_is_found_when_its_slice_is_scanned() -> None:
    room = Room(50)
    room.sample()
    room.places = [1850]
    result = room.samples(20)
    assert result[0] == []
    assert result[-1] == [1850]


@pytest.mark.parametrize(
    ("first", "frame", "away", "waited"),
    [
        (BLANK, BLANK, 1, 1),
        (BLANK, BLANK, 2, 4),
        (BLANK, BLANK, 5, 1),
        (BLANK, BLANK, MAX_LOST_SAMPLES - 3, 1),
        # If the place has not changed, the face is searched in each of the first samples.
        (STILL, unchanged_at(620), 2, 1),
        (STILL, unchanged_at(620), EAGER_RETRY_SAMPLES, 1),
        (STILL, unchanged_at(620), EAGER_RETRY_SAMPLES + 2, 4),
    ],
)
def test_returned_face_is_found_before_its_slice_is_due(
    first: ImageBGR, frame: ImageBGR, away: int, waited: int
) -> None:
    # A place whose slice is not due during the test; an unchanged face is kept for longer.
    place = 1720 if first is BLANK else 620
    room = Room(place)
    room.sample(first)
    room.places = []
    assert [] in (room.sample(frame) for _ in range(10))
    room.samples(away - 1, frame)
    room.places = [place + 10]
    since = len(room.scanned)
    assert room.samples(waited, frame) == [[]] * (waited - 1) + [[place + 10]]
    assert all(place // STRIP_PX not in slices for slices in room.scanned[since:])
    room.samples(2 * EAGER_RETRY_SAMPLES, frame)
    assert max(room.searched[-2 * EAGER_RETRY_SAMPLES :]) == 1, "no face is lost any more"


def test_lost_face_is_searched_at_changing_scales_then_dropped() -> None:
    room = Room(1220)
    room.sample()
    room.places = []
    room.samples(2 * MAX_LOST_SAMPLES)
    assert room.scale_indices == [None, *range(0, MAX_LOST_SAMPLES, EAGER_RETRY_SAMPLES)]
    assert sum(room.searched[MAX_LOST_SAMPLES + 2 :]) == 0


def test_changing_faces_are_rarely_missed() -> None:
    room = Room(every=1)
    rng = np.random.default_rng(1)
    for _ in range(200):
        room.places = [float(x) for x in rng.choice(np.arange(0, 1960, 60), 3, replace=False)]
        room.sample()
    # In each sample three faces may disappear, and each lost face is searched in one sample of four.
    assert max(room.searched) <= 3 + 3 * (1 + MAX_LOST_SAMPLES // EAGER_RETRY_SAMPLES)


def test_new_face_in_changed_area_is_found_at_once() -> None:
    room = Room(50)
    room.samples(3, STILL)
    room.places = [50, 1220]
    frame = STILL.copy()
    frame[:, 1200:1300] = CHANGED[:, 1200:1300]
    assert room.sample(frame) == [50, 1220]
    assert set(room.scanned[-1]) == {3, 12}
    room.sample(frame)
    assert len(room.scanned[-1]) == 1, "the change was scanned"


@pytest.mark.parametrize("every", [1, 4, 20])
def test_new_face_without_change_is_found_when_slice_is_due(every: int) -> None:
    room = Room(50, every=every)
    room.samples(3, STILL)
    room.places = [50, 1220]
    result = room.samples(every, STILL)
    assert result[-1] == [50, 1220]
    assert (result[0] == [50]) is (every > 1)


def test_two_known_faces_merged_into_one_search_for_the_other() -> None:
    room = Room(1210, 1250)
    room.samples(2)
    # The other face moved farther than the search range of known faces.
    room.places = [1230, 1290]
    assert room.sample() == [1230, 1290]
    room.places = [1260]
    assert room.sample() == [1260]
    assert {11, 12, 13} <= set(room.scanned[-1])


def test_lost_face_is_not_recovered_on_a_known_face() -> None:
    room = Room(1200, 1224)
    assert room.sample() == [1200, 1224]
    room.places = [1224]
    assert room.samples(6) == [[1224]] * 6
    assert max(room.searched[2:]) == 2, "one is known and one is searched"


def test_other_frame_size_resets_detector() -> None:
    room = Room(50, 1220)
    room.sample(STILL)
    room.places = [50]
    assert room.sample(STILL[:, :600].copy()) == [50]
    assert (room.scanned[-1], room.searched[-1]) == ([0, 1, 2, 3, 4, 5], 0)


def test_empty_room_scans_as_many_slices_and_verifies_nothing() -> None:
    room = Room()
    assert room.samples(40) == [[]] * 40
    assert ({len(slices) for slices in room.scanned[1:]}, sum(room.searched), room.candidates_verified) == (
        {1},
        0,
        [],
    )


@pytest.mark.parametrize("seen", [1, 5, 9, 200])
def test_unseen_face_is_kept_no_longer_than_it_was_seen(seen: int) -> None:
    room = Room(1220)
    room.samples(seen, STILL)
    room.places = []
    kept = [result == [1220] for result in room.samples(2 * MAX_UNSEEN_SAMPLES, STILL)]
    assert not kept[-1]
    count = kept.index(False)
    # Skipped samples count as seen after the next detection.
    surely = min(1 + (seen - 1) // (MAX_SKIPPED_SAMPLES + 1) * (MAX_SKIPPED_SAMPLES + 1), MAX_UNSEEN_SAMPLES)
    assert surely <= count <= min(seen, MAX_UNSEEN_SAMPLES) + MAX_SKIPPED_SAMPLES
    assert not any(kept[count:])


def test_unseen_face_that_changed_is_not_kept() -> None:
    room = Room(50, 1220)
    room.samples(9, STILL)
    room.places = [50]
    assert room.sample(STILL) == [50, 1220]
    assert room.sample(unchanged_at(1220)) == [50, 1220]
    assert room.sample(CHANGED) == [50]


def test_unchanged_face_is_detected_every_eighth_sample() -> None:
    room = Room(1220)
    room.samples(41, STILL)
    assert sum(room.searched) == 40 // (MAX_SKIPPED_SAMPLES + 1)
    assert all(sum(room.searched[start : start + MAX_SKIPPED_SAMPLES + 1]) == 1 for start in range(1, 37))


def test_changed_face_is_detected_in_every_sample() -> None:
    room = Room(1220)
    for index in range(21):
        assert room.sample((STILL, CHANGED)[index % 2]) == [1220]
    assert room.searched == [0] + [1] * 20


@pytest.mark.parametrize(("score", "is_kept"), [(0.0, False), (0.2, False), (0.34, True), (0.9, True)])
def test_face_with_low_verification_is_dropped_and_person_is_not(score: float, is_kept: bool) -> None:
    room = Room(50, 1220)
    room.score = lambda x: 0.9 if x == 50 else score
    room.sample(STILL)
    # It was accepted once.
    room.rejected = {1220: 0.4}
    assert room.samples(100, STILL)[-1] == ([50, 1220] if is_kept else [50])


def test_new_faces_are_verified_early_and_settled_ones_rarely() -> None:
    places = [float(x) for x in range(20, 1000, 100)]
    room = Room(*places)
    room.samples(3 * SETTLED_CHECK_INTERVAL, STILL)
    assert max(len(faces) for faces in room.faces_verified) == MAX_CHECKS_PER_SAMPLE
    counts = [sum(faces.count(x) for faces in room.faces_verified) for x in places]
    assert min(counts) >= len(NEW_FACE_CHECK_INTERVALS)
    assert max(counts) <= len(NEW_FACE_CHECK_INTERVALS) + 3
    early = [x for faces in room.faces_verified for x in faces]
    assert sorted(early[: len(places)]) == places, "every face is verified once before any is verified again"
    assert not any(room.faces_verified[: NEW_FACE_CHECK_INTERVALS[0] - 1])
    new = [index for index, faces in enumerate(room.faces_verified) for _ in faces][
        : len(NEW_FACE_CHECK_INTERVALS) * 10
    ]
    assert new[-1] <= len(NEW_FACE_CHECK_INTERVALS) * 10 / MAX_CHECKS_PER_SAMPLE + sum(
        NEW_FACE_CHECK_INTERVALS
    )


def test_false_detection_is_dropped_within_three_seconds_unverified() -> None:
    room = Room(1220)
    room.score = lambda x: 0.1
    room.sample(STILL)
    room.rejected = {1220: 0.4}
    result = room.samples(6, STILL)
    assert result[0] == [1220]
    assert result[-1] == []
    assert not room.detector.detect(STILL).verified.any()


def test_faces_are_verified_when_both_networks_agree() -> None:
    room = Room(50, 1220)
    room.score = lambda x: 0.52
    room.second = lambda x: 0.8 if x == 1220 else 0.3
    verified = []
    for _ in range(1 + sum(NEW_FACE_CHECK_INTERVALS) // 2):
        room.sample(STILL)
        result = room.detector.detect(STILL)
        lefts = result.faces.boxes_xyxy[:, 0].tolist()
        verified.append(dict(zip(lefts, result.verified.tolist(), strict=True)))
    assert verified[0] == {50: False, 1220: False}
    assert verified[-1] == {50: False, 1220: True}
    assert sum(faces.count(1220) for faces in room.faces_verified) >= MIN_PASSES_TO_VERIFY


def test_hopeless_candidate_is_verified_once_and_doubtful_one_always() -> None:
    room = Room(220, 1220, every=1)
    room.rejected = {220: 0.05, 1220: 0.45}
    assert room.samples(CACHE_SAMPLES, STILL) == [[]] * CACHE_SAMPLES
    assert room.candidates_verified.count(220) == 1
    assert room.candidates_verified.count(1220) == CACHE_SAMPLES


def test_candidate_refined_onto_known_face_is_not_new() -> None:
    class Corrected(Room):
        def verify(self, image_bgr: ImageBGR, candidates: Candidates) -> tuple[Candidates, Candidates]:
            faces, rejected = super().verify(image_bgr, candidates)
            lefts = faces.boxes_xyxy[:, 0]
            return concat_candidates([self._face(50 if x == 80 else x) for x in lefts]), rejected

    room = Corrected(50, every=1)
    room.sample()
    room.places = [50, 80]
    assert room.sample() == [50]
    assert room.candidates_verified == [50, 80]


def test_faces_are_sorted_by_score() -> None:
    room = Room(50, 220, 1220, 640)
    for _ in range(3):
        room.sample(STILL)
        scores = room.detector.detect(STILL).faces.scores
        assert len(scores) == 4
        assert (np.diff(scores) < 0).all()
