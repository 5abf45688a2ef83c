"""Tiles that are laid out anew: who is found again, and where it is no new layout."""

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
    """What the number of the tile in the middle of a box looks like; nothing where there is no tile."""
    x, y = int((box_xyxy[0] + box_xyxy[2]) / 2), int((box_xyxy[1] + box_xyxy[3]) / 2)
    number = int(image_bgr[y, x, 0])
    return np.random.default_rng(number).normal(size=(24, 24)).astype(np.float32) if number else None


def call(people: list[int], columns: int) -> tuple[ImageBGR, list[Box]]:
    """The picture of a call, each tile filled with its person's number, and their faces; 0 is a tile in which
    nobody is, of whom the face is not seen."""
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
    """The tiles of ``call``, by where the numbers change; None where the picture was shifted."""
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
    """Of frames that are known to be a call, before the first."""
    grids = CallGridConfirmation(drawn_grid, FrameKind.CALL, is_video=may_slide)
    return LayoutChangeDetector(look, grids, is_video=may_slide)


def later(
    layouts: LayoutChangeDetector, image: ImageBGR, faces: list[Box], to_room: Matrix = IDENTITY
) -> LayoutMatch | None:
    """What is found in the next sample, half a second later."""
    return layouts.match_after_change(image, faces, to_room, next(SAMPLES) / 2)


def begun(people: list[int], columns: int) -> LayoutChangeDetector:
    """Everybody of the call is followed by a track of their number, and is a student of a number ten less."""
    layouts = in_a_call(around)
    image, faces = call(people, columns)
    assert later(layouts, image, faces) is None
    seen = dict(zip(filter(None, people), faces, strict=True))
    layouts.store_reference(image, seen, {person: person - 10 for person in seen}, IDENTITY)
    return layouts


def anew(layouts: LayoutChangeDetector, people: list[int], columns: int) -> LayoutMatch | None:
    return standing(layouts, *call(people, columns))


def standing(
    layouts: LayoutChangeDetector, image: ImageBGR, faces: list[Box], to_room: Matrix = IDENTITY
) -> LayoutMatch | None:
    """What is found when another picture has come and stands."""
    first = later(layouts, image, faces, to_room)
    if not layouts.in_transition:
        return first
    assert first is None
    moves = later(layouts, image, faces, to_room)
    assert not layouts.in_transition
    return moves


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
def test_who_stays_is_found_again(before: list[int], columns: int, now: list[int], columns_now: int) -> None:
    moves = anew(begun(before, columns), now, columns_now)
    stayed = set(before) & set(now)
    assert moves == LayoutMatch(
        {person: now.index(person) for person in stayed}, {p - 10: now.index(p) for p in stayed}
    )


def test_the_same_picture_is_no_new_layout_though_two_have_jumped() -> None:
    layouts = begun([10, 11, 12, 13], 2)
    image, faces = call([10, 11, 12, 13], 2)
    apart = [(x1 + 200, y1, x2 + 200, y2) for x1, y1, x2, y2 in faces]
    assert standing(layouts, image, apart) is None


def test_a_camera_that_was_moved_is_no_new_layout_whether_it_was_followed_or_not() -> None:
    shift = 150
    for to_room in (np.array([[1.0, 0.0, -shift], [0.0, 1.0, 0.0]]), IDENTITY):
        layouts = begun([10, 11, 12, 13], 2)
        image, faces = call([10, 11, 12, 13], 2)
        image = np.roll(image, shift, axis=1)
        moved = [(x1 + shift, y1, x2 + shift, y2) for x1, y1, x2, y2 in faces]
        assert standing(layouts, image, moved, to_room) is None


def test_another_scene_is_no_new_layout() -> None:
    assert anew(begun([10, 11, 12, 13], 2), [20, 21, 22, 23, 24, 25], 3) is None


def test_tiles_on_their_way_are_waited_for() -> None:
    """They slide to their new places, and in between nobody is where anybody was or will be."""
    layouts = begun([10, 11, 12, 13], 2)
    people = [10, 11, 12, 13, 14, 15, 16]
    image, faces = call(people, 3)
    for shift in (300, 120):
        on_the_way = [(x1 + shift, y1, x2 + shift, y2) for x1, y1, x2, y2 in faces]
        assert later(layouts, np.roll(image, shift, axis=1), on_the_way, IDENTITY) is None
        assert layouts.in_transition
    assert later(layouts, image, faces, IDENTITY) is None
    assert layouts.in_transition, "nobody knows yet that it stands"
    moves = later(layouts, image, faces, IDENTITY)
    assert moves is not None
    assert moves.face_by_student == {0: 0, 1: 1, 2: 2, 3: 3}
    assert not layouts.in_transition


def test_pictures_that_are_no_film_are_not_waited_for() -> None:
    layouts = in_a_call(around, may_slide=False)
    image, faces = call([10, 11, 12, 13], 2)
    later(layouts, image, faces)
    layouts.store_reference(image, dict(enumerate(faces)), {0: 0, 1: 1, 2: 2, 3: 3}, IDENTITY)
    moves = later(layouts, *call([10, 11, 12, 13, 14, 15, 16], 3), IDENTITY)
    assert not layouts.in_transition
    assert moves is not None
    assert moves.face_by_student == {0: 0, 1: 1, 2: 2, 3: 3}


def test_tiles_that_come_back_have_not_been_laid_out_anew() -> None:
    layouts = begun([10, 11, 12, 13], 2)
    assert later(layouts, *call([20, 21], 2), IDENTITY) is None
    assert layouts.in_transition
    assert later(layouts, *call([10, 11, 12, 13], 2), IDENTITY) is None
    assert not layouts.in_transition


def test_a_view_that_never_stands_is_not_waited_for() -> None:
    layouts = begun([10, 11, 12, 13], 2)
    image, faces = call([10, 11, 12, 13, 14, 15, 16], 3)

    def moved(samples: int) -> tuple[ImageBGR, list[Box]]:
        down = 97 * (samples % 2)
        return np.roll(image, down, axis=0), [(x1, y1 + down, x2, y2 + down) for x1, y1, x2, y2 in faces]

    waited = 0
    while waited == 0 or layouts.in_transition:
        assert waited <= MAX_TRANSITION_SAMPLES
        later(layouts, *moved(waited), IDENTITY)
        waited += 1
    assert waited == MAX_TRANSITION_SAMPLES + 1
    later(layouts, *moved(waited), IDENTITY)
    assert not layouts.in_transition, "nor again while it goes on"
    assert standing(layouts, *call([10, 11, 12, 13], 2)) is None
    later(layouts, image, faces, IDENTITY)
    assert layouts.in_transition, "but after it has stood"


def test_one_who_gets_up_as_the_tiles_stand_does_not_keep_them_sliding() -> None:
    """Their tile is a quarter of the picture, which is another then."""
    layouts = begun([10, 11, 12, 13, 14, 15, 16], 3)
    assert later(layouts, *call([10, 12, 13, 16], 2), IDENTITY) is None
    assert layouts.in_transition
    moves = later(layouts, *call([10, 0, 13, 16], 2), IDENTITY)
    assert moves is not None
    assert moves.face_by_student == {0: 0, 3: 1, 6: 2}


def test_one_who_sits_down_while_another_gets_up_is_no_new_layout() -> None:
    layouts = begun([10, 0, 12, 13], 2)
    assert later(layouts, *call([0, 11, 12, 13], 2), IDENTITY) is None
    assert not layouts.in_transition


def test_one_person_tells_nothing() -> None:
    assert anew(begun([10], 1), [10, 11, 12, 13], 2) is None


def test_who_was_away_is_recognised_when_back() -> None:
    layouts = begun([10, 11, 12, 13], 2)
    image, faces = call([10, 0, 12, 13], 2)
    students = {10: 0, 12: 2, 13: 3}
    layouts.store_reference(image, dict(zip(students, faces, strict=True)), students, IDENTITY)
    moves = anew(layouts, [10, 0, 12, 13, 14, 15, 16], 3)
    assert moves is not None
    assert moves.face_by_student == {0: 0, 2: 1, 3: 2}
    image, faces = call([10, 11, 12, 13, 14, 15, 16], 3)
    assert layouts.reidentify(image, {31: faces[1], 32: faces[5]}) == {31: 1}
    layouts.store_reference(image, {31: faces[1]}, {31: 1}, IDENTITY)
    assert layouts.reidentify(image, {33: faces[1]}) == {}


def test_the_order_is_kept_over_two_layouts() -> None:
    """Somebody who was away all the time belongs between the same two."""

    def dim(image_bgr: ImageBGR, box_xyxy: Box) -> np.ndarray | None:
        # Number 11 looks different later on, and 19, who joins, quite like her.
        look = around(image_bgr, box_xyxy)
        person = int(image_bgr[int(box_xyxy[1]) + 1, int(box_xyxy[0]) + 1, 0])
        if look is not None and person in (18, 19):
            return (0.7 * np.random.default_rng(11).normal(size=(24, 24)) + 0.6 * look).astype(np.float32)
        return look

    layouts = in_a_call(dim)
    image, faces = call([10, 11, 12, 13], 2)
    later(layouts, image, faces)
    layouts.store_reference(
        image, dict(zip((1, 2, 3, 4), faces, strict=True)), {1: 0, 2: 1, 3: 2, 4: 3}, IDENTITY
    )
    for people, columns in (([10, 0, 12, 13, 14, 15, 16], 3), ([10, 0, 12, 13], 2)):
        image, faces = call(people, columns)
        moves = standing(layouts, image, faces)
        assert moves is not None
        assert {0, 2, 3} <= set(moves.face_by_student)
        numbers = {index: student for student, index in moves.face_by_student.items()}
        seen = {10 + index: face for index, face in enumerate(faces)}
        layouts.store_reference(
            image, seen, {10 + index: numbers.get(index, 90 + index) for index in range(len(faces))}, IDENTITY
        )
    image, faces = call([10, 18, 12, 19], 2)
    assert layouts.reidentify(image, {50: faces[3]}) == {}
    assert layouts.reidentify(image, {51: faces[1]}) == {51: 1}


def test_the_face_itself_is_not_compared() -> None:
    """Everybody has another face in the new layout, and only what is around it says who they are."""

    def strangers(image_bgr: ImageBGR, box_xyxy: Box) -> np.ndarray | None:
        look = around(image_bgr, box_xyxy)
        if look is not None:
            look[5:19, 5:19] = np.random.default_rng(int(sum(box_xyxy))).normal(size=(14, 14), scale=9.0)
        return look

    layouts = in_a_call(strangers)
    image, faces = call([10, 11, 12, 13], 2)
    later(layouts, image, faces)
    layouts.store_reference(
        image, dict(zip((1, 2, 3, 4), faces, strict=True)), {1: 0, 2: 1, 3: 2, 4: 3}, IDENTITY
    )
    moves = anew(layouts, [10, 11, 12, 13, 14, 15, 16], 3)
    assert moves is not None
    assert moves.face_by_student == {0: 0, 1: 1, 2: 2, 3: 3}


def test_no_layout_is_searched_for_before_a_grid_was_confirmed() -> None:
    """The very same frames are a new layout once it was."""
    for samples, expected in ((3, False), (8, True)):
        layouts = LayoutChangeDetector(around, CallGridConfirmation(drawn_grid))
        image, faces = call([10, 11, 12, 13], 2)
        for _ in range(samples):
            assert later(layouts, image, faces) is None
        layouts.store_reference(image, dict(enumerate(faces)), {0: 0, 1: 1, 2: 2, 3: 3}, IDENTITY)
        assert (anew(layouts, [10, 11, 12, 13, 14, 15, 16], 3) is not None) == expected


def test_people_who_walk_about_before_a_moving_camera_are_no_new_layout() -> None:
    """Nothing is where it was, everybody is found elsewhere, and no sample is left out."""
    layouts = LayoutChangeDetector(around, CallGridConfirmation(drawn_grid))
    rng = np.random.default_rng(3)
    for _ in range(20):
        people = rng.permutation([10, 11, 12, 13, 14, 15]).tolist()
        image, faces = call(people, 3)
        image = np.roll(image, int(rng.integers(50, 250)), axis=1)
        assert later(layouts, image, faces) is None
        assert not layouts.in_transition
        layouts.store_reference(image, dict(enumerate(faces)), {one: one for one in range(6)}, IDENTITY)


def replaced(image: ImageBGR, faces: list[Box], tile: int, person: int) -> tuple[ImageBGR, list[Box]]:
    """Another person in a tile of a call of two columns and two rows, at another place of it."""
    image, faces = image.copy(), list(faces)
    row, column = divmod(tile, 2)
    part = image[row * 400 : (row + 1) * 400, column * 600 : (column + 1) * 600]
    part[:] = person
    x1, y1, x2, y2 = faces[tile]
    faces[tile] = (x1 - 150, y1 - 40, x2 - 150, y2 - 40)
    return image, faces


def test_faces_that_are_replaced_in_their_tiles_are_no_new_layout() -> None:
    layouts = begun([10, 11, 12, 13], 2)
    image, faces = call([10, 11, 12, 13], 2)
    for tile, person in ((0, 20), (1, 21), (3, 10)):
        image, faces = replaced(image, faces, tile, person)
    assert later(layouts, image, faces) is None
    assert not layouts.in_transition, "and the sample counts"


def test_people_who_change_tiles_of_a_grid_that_stays_are_a_new_layout() -> None:
    layouts = begun([10, 11, 12, 13, 14, 15, 16, 17, 18], 3)
    # One in the middle has left, those after them move up, and another comes last.
    image, faces = call([10, 11, 12, 14, 15, 16, 17, 18, 19], 3)
    moved = [*faces[:3], *((x1 + 60, y1, x2 + 60, y2) for x1, y1, x2, y2 in faces[3:])]
    moves = standing(layouts, image, moved)
    assert moves is not None
    assert moves.face_by_student == {0: 0, 1: 1, 2: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7}


def test_a_tile_is_one_student() -> None:
    layouts = begun([10, 11, 12, 13], 2)
    seats = {0: (260.0, 160.0, 340.0, 240.0), 1: (860.0, 160.0, 940.0, 240.0)}
    corner, empty = (20.0, 20.0, 60.0, 60.0), (20.0, 420.0, 60.0, 460.0)
    assert layouts.students_by_tile({7: corner, 8: empty}, seats) == {7: 0}
