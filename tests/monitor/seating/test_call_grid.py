"""A grid is confirmed after seconds at one position with faces in its tiles; a room never has one."""

import numpy as np
import pytest

from monitor.seating.call_grid import GAP_S, IDLE_SAMPLES, LOST_S, CallGrid, CallGridConfirmation, FrameKind
from monitor.seating.call_grid_detection import find_grid
from monitor.types import Box, ImageBGR
from tests.helpers.tiles_drawn import drawn_call, drawn_room

FRAME = np.zeros((400, 600, 3), np.uint8)
TWO_BY_TWO = CallGrid(((0, 0, 300, 200), (300, 0, 600, 200), (0, 200, 300, 400), (300, 200, 600, 400)), 600)
THREE = CallGrid(TWO_BY_TWO.tiles[:3], 600)
CENTRED = CallGrid((*TWO_BY_TWO.tiles[:2], (150, 200, 450, 400)), 600)
SIDE_BY_SIDE = CallGrid(((0, 50, 300, 350), (300, 50, 600, 350)), 600)
FACES: list[Box] = [(100, 50, 180, 130), (400, 50, 480, 130), (100, 250, 180, 330)]


class Scripted:
    """Returns one grid per frame, the last one repeatedly."""

    def __init__(self, *grids: CallGrid | None) -> None:
        self.grids = list(grids)

    def __call__(self, image_bgr: ImageBGR) -> CallGrid | None:
        return self.grids.pop(0) if len(self.grids) > 1 else self.grids[0]


def confirmed_after(
    grids: CallGridConfirmation, faces: list[Box], seconds: float, start_s: float = 0.0
) -> float | None:
    """When the frames first count as a call, at two a second; None if not within that time."""
    for media_s in np.arange(start_s, start_s + seconds, 0.5):
        grids.update(FRAME, faces, float(media_s))
        if grids.is_call:
            return float(media_s)
    return None


def test_grid_is_confirmed_after_three_seconds() -> None:
    assert confirmed_after(CallGridConfirmation(Scripted(TWO_BY_TWO)), FACES, 10) == 3.0


def test_grid_unreadable_for_a_moment_is_confirmed() -> None:
    scripted = Scripted(TWO_BY_TWO, TWO_BY_TWO, None, THREE, TWO_BY_TWO)
    assert confirmed_after(CallGridConfirmation(scripted), FACES, 10) == 3.0


def test_grid_that_does_not_stay_is_not_confirmed() -> None:
    """As straight lines in front of a moving camera."""
    scripted = Scripted(*[TWO_BY_TWO, SIDE_BY_SIDE] * 20)
    assert confirmed_after(CallGridConfirmation(scripted), FACES, 15) is None


def test_room_is_searched_in_every_fourth_frame() -> None:
    searched: list[float] = []
    grids = CallGridConfirmation(lambda image_bgr: searched.append(0.0))
    for number in range(41):
        grids.update(FRAME, FACES, number / 2)
    assert len(searched) == 1 + 40 // IDLE_SAMPLES


def test_candidate_grid_is_checked_in_every_frame() -> None:
    scripted = Scripted(None, TWO_BY_TWO)
    first = IDLE_SAMPLES / 2
    assert confirmed_after(CallGridConfirmation(scripted), FACES, 10) == first + 3.0


@pytest.mark.parametrize(
    "faces",
    [
        [(260, 50, 340, 130), (400, 250, 480, 330)],
        [(20, 50, 100, 130), (150, 60, 230, 140), (320, 50, 400, 130), (450, 40, 530, 120)],
        [(100, 50, 180, 130)],
    ],
    ids=["across a border", "two in each tile", "one face only"],
)
def test_faces_outside_tiles_prevent_confirmation(faces: list[Box]) -> None:
    assert confirmed_after(CallGridConfirmation(Scripted(TWO_BY_TWO)), faces, 10) is None


def test_kind_room_is_never_a_call_and_kind_call_always() -> None:
    assert confirmed_after(CallGridConfirmation(Scripted(TWO_BY_TWO), FrameKind.ROOM), FACES, 10) is None
    assert confirmed_after(CallGridConfirmation(Scripted(None), FrameKind.CALL), FACES, 10) == 0.0


def test_gap_or_size_change_restarts_confirmation() -> None:
    grids = CallGridConfirmation(Scripted(TWO_BY_TWO))
    assert confirmed_after(grids, FACES, 10) == 3.0
    assert grids.update(FRAME, FACES, 4.0 + GAP_S), "the stream came back"
    assert not grids.is_call
    assert confirmed_after(grids, FACES, 10, 4.5 + GAP_S) == 4.0 + GAP_S + 3.0
    assert grids.update(np.zeros((300, 600, 3), np.uint8), FACES, 12.5), "another size"
    assert not grids.is_call


def test_grid_in_single_images_is_confirmed_at_any_interval() -> None:
    grids = CallGridConfirmation(Scripted(TWO_BY_TWO), is_video=False)
    grids.update(FRAME, FACES, 0.0)
    assert not any(grids.update(FRAME, FACES, media_s) for media_s in (100.0, 200.0, 300.0))
    assert grids.is_call


def test_call_that_is_replaced_is_not_a_call() -> None:
    grids = CallGridConfirmation(Scripted(*[TWO_BY_TWO] * 8, None))
    assert confirmed_after(grids, FACES, 4) == 3.0
    for media_s in np.arange(3.5, 4.5 + LOST_S, 0.5):
        grids.update(FRAME, FACES, float(media_s))
    assert not grids.is_call


def test_other_grid_is_ignored_while_the_confirmed_one_is_shown() -> None:
    """Clothes of one height resemble borders; only faces outside the tiles prove that they have moved."""
    for faces, is_rearranged in ((FACES, False), ([(250, 50, 350, 150), *FACES], True)):
        scripted = Scripted(*[TWO_BY_TWO] * 7, SIDE_BY_SIDE)
        grids = CallGridConfirmation(scripted, shows_grid=lambda image_bgr, grid: grid is TWO_BY_TWO)
        assert confirmed_after(grids, FACES, 3.5) == 3.0
        grids.update(FRAME, faces, 3.5)
        assert (grids.is_rearranged, grids.is_in_place) == (is_rearranged, not is_rearranged)


def test_other_grid_is_real_if_the_confirmed_one_is_not_shown() -> None:
    scripted = Scripted(*[TWO_BY_TWO] * 7, SIDE_BY_SIDE)
    grids = CallGridConfirmation(scripted, shows_grid=lambda image_bgr, grid: False)
    assert confirmed_after(grids, FACES, 3.5) == 3.0
    grids.update(FRAME, FACES, 3.5)
    assert grids.is_rearranged


def test_expected_grid_is_the_first_one_until_confirmed_and_the_confirmed_one_while_unreadable() -> None:
    scripted = Scripted(*[TWO_BY_TWO] * 7, None, SIDE_BY_SIDE)
    grids = CallGridConfirmation(scripted)
    assert grids.expected is None
    grids.update(FRAME, FACES, 0.0)
    assert grids.expected is TWO_BY_TWO
    assert confirmed_after(grids, FACES, 3.0, start_s=0.5) == 3.0
    assert grids.expected is None, "the grid is certain"
    grids.update(FRAME, FACES, 3.5)
    assert grids.expected is TWO_BY_TWO
    grids.update(FRAME, FACES, 4.0)
    assert grids.expected is None, "tiles have moved"


def test_is_same_accepts_an_incomplete_but_not_a_centred_row() -> None:
    assert TWO_BY_TWO.is_same(THREE)
    assert THREE.is_same(TWO_BY_TWO)
    assert not CENTRED.is_same(TWO_BY_TWO)
    assert not SIDE_BY_SIDE.is_same(TWO_BY_TWO)


def test_drawn_call_is_confirmed_and_a_panned_room_is_not() -> None:
    call, room = (CallGridConfirmation(find_grid) for _ in range(2))
    wide, _ = drawn_room("windows", size=(1600, 720))
    for sample in range(12):
        image, _, faces = drawn_call(9, seed=sample, people=list(range(9)))
        call.update(image, faces, sample / 2)
        shift = 25 * sample
        panned = wide[:, shift : shift + 1280]
        room.update(
            panned,
            [(300.0 - shift, 300, 380 - shift, 380), (700.0 - shift, 300, 780 - shift, 380)],
            sample / 2,
        )
    assert call.confirmed is not None
    assert len(call.confirmed.tiles) == 9
    assert not room.is_call
