"""Rearranged tiles: which participants are re-identified, and what is no layout change."""

import itertools

import numpy as np
import pytest

from monitor.geometry import IDENTITY, Matrix
from monitor.seating.call_grid import CallGrid, CallGridConfirmation, FrameKind
from monitor.seating.layout_change import (
    MAX_TRANSITION_SAMPLES,
    ContextSampler,
    LayoutChangeDetector,
    LayoutMatch,
)
from monitor.types import Box, ImageBGR

WIDTH, HEIGHT = 1200, 800
SAMPLES = itertools.count()


def around(image_bgr: ImageBGR, box_xyxy: Box) -> np.ndarray | None:
    """A patch that depends on the number of the tile at the centre of a box; None outside tiles."""
    x, y = int((box_xyxy[0] + box_xyxy[2]) / 2), int((box_xyxy[1] + box_xyxy[3]) / 2)
    number = int(image_bgr[y, x, 0])
    return np.random.default_rng(number).normal(size=(24, 24)).astype(np.float32) if number else None


def call(people: list[int], columns: int) -> tuple[ImageBGR, list[Box]]:
    """A frame of a call, each tile filled with its person's number, and the faces; a tile with 0 has no
    face."""
    rows = -(-len(people) // columns)
    across, down = WIDTH / columns, HEIGHT / rows
    image, faces = np.zeros((HEIGHT, WIDTH, 3), np.uint8), []
    for index, person in enumerate(people):
        row, column = divmod(index, columns)
        x, y = column * across, row * down
        image[int(y) : int(y + down), int(x) : int(x + across)] = person or 200 + index
        half = 0.2 * min(across, down)
        if person:
            x, y = x + across / 2, y + down / 2
            faces.append((x - half, y - half, x + half, y + half))
    return image, faces


def drawn_grid(image: ImageBGR) -> CallGrid | None:
    """The tiles of ``call``, by where the numbers change; None if the frame was shifted."""
    columns, rows = (
        [0, *(np.flatnonzero(np.diff(line.astype(int))) + 1), len(line)]
        for line in (image[0, :, 0], image[:, 0, 0])
    )
    tiles = tuple(
        (float(x1), float(y1), float(x2), float(y2))
        for y1, y2 in itertools.pairwise(rows)
        for x1, x2 in itertools.pairwise(columns)
        if image[y1, x1, 0]
    )
    sizes = np.array([(x2 - x1, y2 - y1) for x1, y1, x2, y2 in tiles])
    return CallGrid(tiles, image.shape[1]) if len(tiles) > 1 and np.ptp(sizes, axis=0).max() < 3 else None


def in_a_call(look: ContextSampler, *, may_slide: bool = True) -> LayoutChangeDetector:
    """A detector for frames that are known to be a call."""
    grids = CallGridConfirmation(drawn_grid, FrameKind.CALL, is_video=may_slide)
    return LayoutChangeDetector(look, grids, is_video=may_slide)


def later(
    detector: LayoutChangeDetector, image: ImageBGR, faces: list[Box], to_reference: Matrix = IDENTITY
) -> LayoutMatch | None:
    """The match in the next frame, half a second later."""
    return detector.match_after_change(image, faces, to_reference, next(SAMPLES) / 2)


def started(people: list[int], columns: int) -> LayoutChangeDetector:
    """A detector after one frame: each person is a track of the same number, and a student of a number ten
    less."""
    detector = in_a_call(around)
    image, faces = call(people, columns)
    assert later(detector, image, faces) is None
    seen = dict(zip(filter(None, people), faces, strict=True))
    detector.store_reference(image, seen, {person: person - 10 for person in seen}, IDENTITY)
    return detector


def rearranged(detector: LayoutChangeDetector, people: list[int], columns: int) -> LayoutMatch | None:
    return settled(detector, *call(people, columns))


def settled(
    detector: LayoutChangeDetector, image: ImageBGR, faces: list[Box], to_reference: Matrix = IDENTITY
) -> LayoutMatch | None:
    """The match once another frame has settled."""
    first = later(detector, image, faces, to_reference)
    if not detector.in_transition:
        return first
    assert first is None
    match = later(detector, image, faces, to_reference)
    assert not detector.in_transition
    return match


@pytest.mark.parametrize(
    ("before", "columns", "now", "columns_now"),
    [
        ([10, 11, 12, 13], 2, [10, 11, 12, 13, 14, 15, 16], 3),
        ([10, 11, 12, 13, 14, 15, 16], 3, [10, 12, 13, 16], 2),
        ([10, 11, 12, 13], 2, [14, 10, 15, 11, 16, 12, 13], 3),
        ([10, 11, 12, 13], 2, [13, 12, 11, 10, 14, 15, 16], 3),
    ],
    ids=["joined", "left", "joined between", "in another order"],
)
def test_remaining_participants_are_matched(
    before: list[int], columns: int, now: list[int], columns_now: int
) -> None:
    match = rearranged(started(before, columns), now, columns_now)
    stayed = set(before) & set(now)
    assert match == LayoutMatch(
        {person: now.index(person) for person in stayed}, {p - 10: now.index(p) for p in stayed}
    )


def test_same_view_with_two_moved_faces_is_no_change() -> None:
    detector = started([10, 11, 12, 13], 2)
    image, faces = call([10, 11, 12, 13], 2)
    apart = [(x1 + 200, y1, x2 + 200, y2) for x1, y1, x2, y2 in faces]
    assert settled(detector, image, apart) is None


def test_camera_motion_is_no_change_known_or_not() -> None:
    shift = 150
    for to_reference in (np.array([[1.0, 0.0, -shift], [0.0, 1.0, 0.0]]), IDENTITY):
        detector = started([10, 11, 12, 13], 2)
        image, faces = call([10, 11, 12, 13], 2)
        image = np.roll(image, shift, axis=1)
        moved = [(x1 + shift, y1, x2 + shift, y2) for x1, y1, x2, y2 in faces]
        assert settled(detector, image, moved, to_reference) is None


def test_another_scene_is_no_change() -> None:
    assert rearranged(started([10, 11, 12, 13], 2), [20, 21, 22, 23, 24, 25], 3) is None


def test_moving_tiles_are_waited_for() -> None:
    """While they slide to new positions, no face is at an old or a new position."""
    detector = started([10, 11, 12, 13], 2)
    people = [10, 11, 12, 13, 14, 15, 16]
    image, faces = call(people, 3)
    for shift in (300, 120):
        on_the_way = [(x1 + shift, y1, x2 + shift, y2) for x1, y1, x2, y2 in faces]
        assert later(detector, np.roll(image, shift, axis=1), on_the_way, IDENTITY) is None
        assert detector.in_transition
    assert later(detector, image, faces, IDENTITY) is None
    assert detector.in_transition, "it is not known yet that it has settled"
    match = later(detector, image, faces, IDENTITY)
    assert match is not None
    assert match.face_by_student == {0: 0, 1: 1, 2: 2, 3: 3}
    assert not detector.in_transition


def test_single_images_are_not_waited_for() -> None:
    detector = in_a_call(around, may_slide=False)
    image, faces = call([10, 11, 12, 13], 2)
    later(detector, image, faces)
    detector.store_reference(image, dict(enumerate(faces)), {0: 0, 1: 1, 2: 2, 3: 3}, IDENTITY)
    match = later(detector, *call([10, 11, 12, 13, 14, 15, 16], 3), IDENTITY)
    assert not detector.in_transition
    assert match is not None
    assert match.face_by_student == {0: 0, 1: 1, 2: 2, 3: 3}


def test_tiles_that_return_are_no_change() -> None:
    detector = started([10, 11, 12, 13], 2)
    assert later(detector, *call([20, 21], 2), IDENTITY) is None
    assert detector.in_transition
    assert later(detector, *call([10, 11, 12, 13], 2), IDENTITY) is None
    assert not detector.in_transition


def test_view_that_never_settles_is_not_waited_for() -> None:
    detector = started([10, 11, 12, 13], 2)
    image, faces = call([10, 11, 12, 13, 14, 15, 16], 3)

    def moved(samples: int) -> tuple[ImageBGR, list[Box]]:
        down = 97 * (samples % 2)
        return np.roll(image, down, axis=0), [(x1, y1 + down, x2, y2 + down) for x1, y1, x2, y2 in faces]

    waited = 0
    while waited == 0 or detector.in_transition:
        assert waited <= MAX_TRANSITION_SAMPLES
        later(detector, *moved(waited), IDENTITY)
        waited += 1
    assert waited == MAX_TRANSITION_SAMPLES + 1
    later(detector, *moved(waited), IDENTITY)
    assert not detector.in_transition, "and no new transition begins meanwhile"
    assert settled(detector, *call([10, 11, 12, 13], 2)) is None
    later(detector, image, faces, IDENTITY)
    assert detector.in_transition, "but after it has settled"


def test_person_getting_up_does_not_delay_settling() -> None:
    """The tile is a quarter of the frame, which changes."""
    detector = started([10, 11, 12, 13, 14, 15, 16], 3)
    assert later(detector, *call([10, 12, 13, 16], 2), IDENTITY) is None
    assert detector.in_transition
    match = later(detector, *call([10, 0, 13, 16], 2), IDENTITY)
    assert match is not None
    assert match.face_by_student == {0: 0, 3: 1, 6: 2}


def test_person_sitting_down_while_another_gets_up_is_no_change() -> None:
    detector = started([10, 0, 12, 13], 2)
    assert later(detector, *call([0, 11, 12, 13], 2), IDENTITY) is None
    assert not detector.in_transition


def test_single_person_is_not_enough() -> None:
    assert rearranged(started([10], 1), [10, 11, 12, 13], 2) is None


def test_displaced_student_is_reidentified() -> None:
    detector = started([10, 11, 12, 13], 2)
    image, faces = call([10, 0, 12, 13], 2)
    students = {10: 0, 12: 2, 13: 3}
    detector.store_reference(image, dict(zip(students, faces, strict=True)), students, IDENTITY)
    match = rearranged(detector, [10, 0, 12, 13, 14, 15, 16], 3)
    assert match is not None
    assert match.face_by_student == {0: 0, 2: 1, 3: 2}
    image, faces = call([10, 11, 12, 13, 14, 15, 16], 3)
    assert detector.reidentify(image, {31: faces[1], 32: faces[5]}) == {31: 1}
    detector.store_reference(image, {31: faces[1]}, {31: 1}, IDENTITY)
    assert detector.reidentify(image, {33: faces[1]}) == {}


def test_order_is_kept_over_two_changes() -> None:
    """A student who was away all the time belongs between the same neighbours."""

    def dim(image_bgr: ImageBGR, box_xyxy: Box) -> np.ndarray | None:
        # Number 11 looks different later, and 19, who joins, looks similar to 11.
        look = around(image_bgr, box_xyxy)
        person = int(image_bgr[int(box_xyxy[1]) + 1, int(box_xyxy[0]) + 1, 0])
        if look is not None and person in (18, 19):
            return (0.7 * np.random.default_rng(11).normal(size=(24, 24)) + 0.6 * look).astype(np.float32)
        return look

    detector = in_a_call(dim)
    image, faces = call([10, 11, 12, 13], 2)
    later(detector, image, faces)
    detector.store_reference(
        image, dict(zip((1, 2, 3, 4), faces, strict=True)), {1: 0, 2: 1, 3: 2, 4: 3}, IDENTITY
    )
    for people, columns in (([10, 0, 12, 13, 14, 15, 16], 3), ([10, 0, 12, 13], 2)):
        image, faces = call(people, columns)
        match = settled(detector, image, faces)
        assert match is not None
        assert {0, 2, 3} <= set(match.face_by_student)
        numbers = {index: student for student, index in match.face_by_student.items()}
        seen = {10 + index: face for index, face in enumerate(faces)}
        detector.store_reference(
            image, seen, {10 + index: numbers.get(index, 90 + index) for index in range(len(faces))}, IDENTITY
        )
    image, faces = call([10, 18, 12, 19], 2)
    assert detector.reidentify(image, {50: faces[3]}) == {}
    assert detector.reidentify(image, {51: faces[1]}) == {51: 1}


def test_face_itself_is_not_compared() -> None:
    """All faces differ in the new layout; only their contexts are the same."""

    def strangers(image_bgr: ImageBGR, box_xyxy: Box) -> np.ndarray | None:
        look = around(image_bgr, box_xyxy)
        if look is not None:
            look[5:19, 5:19] = np.random.default_rng(int(sum(box_xyxy))).normal(size=(14, 14), scale=9.0)
        return look

    detector = in_a_call(strangers)
    image, faces = call([10, 11, 12, 13], 2)
    later(detector, image, faces)
    detector.store_reference(
        image, dict(zip((1, 2, 3, 4), faces, strict=True)), {1: 0, 2: 1, 3: 2, 4: 3}, IDENTITY
    )
    match = rearranged(detector, [10, 11, 12, 13, 14, 15, 16], 3)
    assert match is not None
    assert match.face_by_student == {0: 0, 1: 1, 2: 2, 3: 3}


def test_without_a_confirmed_grid_there_is_no_change() -> None:
    """The same frames are a layout change once a grid was confirmed."""
    for samples, expected in ((3, False), (8, True)):
        detector = LayoutChangeDetector(around, CallGridConfirmation(drawn_grid))
        image, faces = call([10, 11, 12, 13], 2)
        for _ in range(samples):
            assert later(detector, image, faces) is None
        detector.store_reference(image, dict(enumerate(faces)), {0: 0, 1: 1, 2: 2, 3: 3}, IDENTITY)
        assert (rearranged(detector, [10, 11, 12, 13, 14, 15, 16], 3) is not None) == expected


def test_people_walking_before_a_moving_camera_are_no_change() -> None:
    """All faces are re-identified elsewhere in each frame, and no frame is rejected."""
    detector = LayoutChangeDetector(around, CallGridConfirmation(drawn_grid))
    rng = np.random.default_rng(3)
    for _ in range(20):
        people = rng.permutation([10, 11, 12, 13, 14, 15]).tolist()
        image, faces = call(people, 3)
        image = np.roll(image, int(rng.integers(50, 250)), axis=1)
        assert later(detector, image, faces) is None
        assert not detector.in_transition
        detector.store_reference(image, dict(enumerate(faces)), {item: item for item in range(6)}, IDENTITY)


def replaced(image: ImageBGR, faces: list[Box], tile: int, person: int) -> tuple[ImageBGR, list[Box]]:
    """Another person at another position of a tile, in a call of two columns and two rows."""
    image, faces = image.copy(), list(faces)
    row, column = divmod(tile, 2)
    part = image[row * 400 : (row + 1) * 400, column * 600 : (column + 1) * 600]
    part[:] = person
    x1, y1, x2, y2 = faces[tile]
    faces[tile] = (x1 - 150, y1 - 40, x2 - 150, y2 - 40)
    return image, faces


def test_faces_replaced_in_their_tiles_are_no_change() -> None:
    detector = started([10, 11, 12, 13], 2)
    image, faces = call([10, 11, 12, 13], 2)
    for tile, person in ((0, 20), (1, 21), (3, 10)):
        image, faces = replaced(image, faces, tile, person)
    assert later(detector, image, faces) is None
    assert not detector.in_transition, "and the frame is analysed"


def test_people_changing_tiles_of_the_same_grid_are_a_change() -> None:
    detector = started([10, 11, 12, 13, 14, 15, 16, 17, 18], 3)
    # One participant in the middle has left, the following ones move up, and another joins at the end.
    image, faces = call([10, 11, 12, 14, 15, 16, 17, 18, 19], 3)
    moved = [*faces[:3], *((x1 + 60, y1, x2 + 60, y2) for x1, y1, x2, y2 in faces[3:])]
    match = settled(detector, image, moved)
    assert match is not None
    assert match.face_by_student == {0: 0, 1: 1, 2: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7}


def test_students_by_tile_is_one_student_per_tile() -> None:
    detector = started([10, 11, 12, 13], 2)
    seats = {0: (260.0, 160.0, 340.0, 240.0), 1: (860.0, 160.0, 940.0, 240.0)}
    corner, empty = (20.0, 20.0, 60.0, 60.0), (20.0, 420.0, 60.0, 460.0)
    assert detector.students_by_tile({7: corner, 8: empty}, seats) == {7: 0}
