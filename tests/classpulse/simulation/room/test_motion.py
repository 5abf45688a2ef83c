from __future__ import annotations

import numpy as np
import pytest

from classpulse.simulation.room.events import RoomEvent, RoomEventKind
from classpulse.simulation.room.motion import WALKING_SPEED, PersonMotion

WIDTH = 1000
BOXES = np.array([[100.0, 300.0, 140.0, 350.0], [300.0, 300.0, 340.0, 350.0], [700.0, 200.0, 730.0, 240.0]])


def motion(*events: RoomEvent) -> PersonMotion:
    return PersonMotion(BOXES, events, WIDTH, seed=1)


def near(motion: PersonMotion, person: int, t_s: float, seat: int) -> bool:
    x, y = motion.state_at(person, t_s).centre_xy
    x1, y1, x2, y2 = BOXES[seat]
    return abs(x - (x1 + x2) / 2) < 0.2 * (x2 - x1) and abs(y - (y1 + y2) / 2) < 0.2 * (x2 - x1)


def test_state_at_seated_person_sways_near_the_seat() -> None:
    still = motion()
    for person in range(3):
        assert all(near(still, person, t, person) for t in np.arange(0, 120, 0.5))
        assert len({still.state_at(person, t).centre_xy for t in np.arange(0, 10, 0.5)}) == 20
        assert all(still.state_at(person, t).present for t in (0.0, 60.0, 119.0))


def test_state_at_bow_lowers_the_head() -> None:
    bowing = motion(RoomEvent(RoomEventKind.BOW, 20.0, 30.0, (0,)))
    assert [bowing.state_at(0, t).bow for t in (19.9, 25.0, 30.1)] == [0.0, 1.0, 0.0]
    assert 0 < bowing.state_at(0, 20.4).bow < 1
    assert bowing.state_at(0, 25.0).centre_xy[1] > bowing.state_at(0, 19.9).centre_xy[1] + 10
    assert bowing.state_at(1, 25.0).bow == 0


def test_state_at_hide_occludes_the_face() -> None:
    hiding = motion(RoomEvent(RoomEventKind.HIDE, 20.0, 26.0, (2,)))
    assert [hiding.state_at(2, t).occlusion for t in (19.9, 23.0, 26.1)] == [0.0, 1.0, 0.0]


def test_state_at_leave_walks_out_and_back() -> None:
    leaving = motion(RoomEvent(RoomEventKind.LEAVE, 20.0, 80.0, (0,)))
    times = np.arange(0.0, 100.0, 0.25)
    seen = [leaving.state_at(0, t) for t in times]
    away = [t for t, one in zip(times, seen, strict=True) if not one.present]
    assert 21.0 < away[0] < 26.0
    assert 74.0 < away[-1] < 79.0
    assert np.diff(away).max() == 0.25
    walking = [one for one in seen if one.walking and one.present]
    assert min(one.centre_xy[0] for one in walking) < 0
    assert near(leaving, 0, 19.9, 0)
    assert near(leaving, 0, 80.1, 0)
    steps = np.abs(np.diff([one.centre_xy[0] for one in walking if one.centre_xy[0] < 90][:8])) / 0.25
    assert steps.max() < 1.3 * WALKING_SPEED * 40


def test_state_at_swap_is_permanent() -> None:
    swapping = motion(
        RoomEvent(RoomEventKind.SWAP, 20.0, 32.0, (0, 1)), RoomEvent(RoomEventKind.LEAVE, 50.0, 90.0, (0,))
    )
    for person, before, after in ((0, 0, 1), (1, 1, 0)):
        assert near(swapping, person, 19.9, before)
        assert near(swapping, person, 33.0, after)
        assert swapping.state_at(person, 24.0).walking
        assert all(swapping.state_at(person, t).present for t in np.arange(20, 33, 0.5))
    assert near(swapping, 0, 91.0, 1), "the student must come back to the new seat"


def test_state_at_visitor_replaces_the_absent_owner() -> None:
    visit = motion(RoomEvent(RoomEventKind.VISIT, 20.0, 140.0, (2,), visitor=0))
    assert visit.visitors == 1
    assert not visit.state_at(3, 0.0).present
    assert not visit.state_at(3, 139.0).present
    assert visit.state_at(3, 80.0).present
    assert near(visit, 3, 80.0, 2)
    both = [t for t in np.arange(0, 160, 0.5) if near(visit, 3, t, 2) and near(visit, 2, t, 2)]
    assert [t for t in both if visit.state_at(2, t).present and visit.state_at(3, t).present] == []
    assert near(visit, 2, 141.0, 2)
    assert visit.state_at(2, 141.0).present


def test_state_at_pass_moves_no_seated_person() -> None:
    passing = motion(RoomEvent(RoomEventKind.PASS, 20.0, 28.0, (1,)))
    assert all(near(passing, person, 24.0, person) for person in range(3))


def test_state_at_unknown_person_raises() -> None:
    with pytest.raises(IndexError):
        motion().state_at(3, 0.0)
