from __future__ import annotations

import numpy as np
import pytest

from db.records import PlannedSeat
from monitor.geometry import Seat, box_corners
from monitor.seating.seat_plan import (
    MIN_CONSECUTIVE_MATCHES,
    SeatOwnerResolver,
    masked_area,
    occluded_seats,
    person_area,
    project_seats,
)
from monitor.types import SeatOwner
from tests.helpers.faces import face
from tests.helpers.halls import SEATS

PLAN = [PlannedSeat(label, box) for label, box in SEATS.items()]
OWNERS = {"A1": 11, "A2": 12}


def at(label: str, student: int = 0, dx: float = 0.0, width: float = 40.0) -> Seat:
    """A student who sits so far beside a planned seat."""
    x1, y1, x2, y2 = SEATS[label]
    return Seat(student, face((x1 + x2) / 2 + dx, (y1 + y2) / 2, width).box_xyxy)


def run(
    attribution: SeatOwnerResolver, *seats: Seat, times: int = MIN_CONSECUTIVE_MATCHES
) -> dict[int, SeatOwner]:
    return [attribution.update(seats) for _ in range(times)][-1]


class TestAreas:
    def test_a_mask_reaches_beyond_the_face(self) -> None:
        assert masked_area((100.0, 100.0, 140.0, 150.0)) == (60.0, -25.0, 180.0, 200.0)

    def test_a_person_is_more_than_a_face(self) -> None:
        assert person_area((100.0, 100.0, 140.0, 150.0)) == (80.0, 75.0, 160.0, 225.0)

    def test_corners_go_around(self) -> None:
        assert box_corners((1.0, 2.0, 3.0, 4.0)).tolist() == [[1, 2], [3, 2], [3, 4], [1, 4]]

    def test_seats_are_placed_upright_with_the_zoom(self) -> None:
        turned = np.array([[0.0, -2.0, 500.0], [2.0, 0.0, 0.0]])
        (seat,) = project_seats([PlannedSeat("A1", (10.0, 10.0, 30.0, 40.0))], turned)
        assert seat.label == "A1"
        assert seat.box_xyxy == pytest.approx((430.0, 10.0, 470.0, 70.0))


class TestCovered:
    def seat(self, label: str, x: float, y: float = 300.0) -> PlannedSeat:
        return PlannedSeat(label, (x, y, x + 40, y + 50))

    @pytest.mark.parametrize(
        ("x", "y", "hidden"),
        [(330.0, 300.0, True), (365.0, 300.0, False), (300.0, 180.0, True), (300.0, 420.0, False)],
    )
    def test_a_neighbour_of_whom_more_than_half_is_hidden(self, x: float, y: float, hidden: bool) -> None:
        plan = [self.seat("A1", 300.0), self.seat("B1", x, y)]
        assert occluded_seats(plan, ["A1"]) == (["B1"] if hidden else [])

    def test_two_masks_may_hide_one_seat_together(self) -> None:
        plan = [self.seat("A1", 300.0), self.seat("A3", 420.0), self.seat("A2", 360.0)]
        assert occluded_seats(plan, ["A1"]) == occluded_seats(plan, ["A3"]) == []
        assert occluded_seats(plan, ["A1", "A3"]) == ["A2"]

    def test_nobody_masked_hides_nobody(self) -> None:
        assert occluded_seats(PLAN, []) == []


class TestAttribution:
    def test_who_sits_on_a_planned_seat_is_its_owner_once_that_is_certain(self) -> None:
        attribution = SeatOwnerResolver(PLAN, OWNERS)
        here = [at("A1", 0, dx=20), at("A2", 1)]
        assert run(attribution, *here, times=MIN_CONSECUTIVE_MATCHES - 1) == {}
        assert run(attribution, *here, times=1) == {0: SeatOwner(11, "A1"), 1: SeatOwner(12, "A2")}

    @pytest.mark.parametrize(
        "seat", [at("B1"), at("A1", dx=60), at("A1", width=80), Seat(0, face(900, 100).box_xyxy)]
    )
    def test_nobody_of_the_roster(self, seat: Seat) -> None:
        """A seat without an owner, beside the seat, much nearer to the camera, elsewhere."""
        assert run(SeatOwnerResolver(PLAN, OWNERS), seat, times=10) == {}

    def test_who_walks_past_is_not_taken_for_the_owner(self) -> None:
        attribution = SeatOwnerResolver(PLAN, OWNERS)
        way = [at("A1"), at("A1", dx=45), at("A1", dx=90), at("A2"), at("A2", dx=300), at("B2")]
        assert [attribution.update([seat]) for seat in way] == [{}] * len(way)

    def test_one_seat_has_one_student_and_the_nearer_one(self) -> None:
        attribution = SeatOwnerResolver(PLAN, OWNERS)
        assert run(attribution, at("A1", 0, dx=30), at("A1", 1, dx=-10), times=9) == {1: SeatOwner(11, "A1")}

    def test_who_is_somebody_stays_them_and_nobody_else_becomes_them(self) -> None:
        attribution = SeatOwnerResolver(PLAN, OWNERS)
        run(attribution, at("A1", 0))
        swapped = run(attribution, at("A2", 0), at("A1", 1), times=20)
        assert swapped == {0: SeatOwner(11, "A1")}, "the second sits on a seat that has its owner already"

    def test_a_short_session_takes_what_was_always_so(self) -> None:
        assert SeatOwnerResolver(PLAN, OWNERS).update([at("A1")], is_final=True) == {0: SeatOwner(11, "A1")}
        moving = SeatOwnerResolver(PLAN, OWNERS)
        moving.update([at("A2")])
        assert moving.update([at("A1")], is_final=True) == {}

    def test_without_a_plan_nobody_is_known(self) -> None:
        assert run(SeatOwnerResolver((), {}), at("A1")) == {}
        assert SeatOwnerResolver(PLAN, OWNERS).update([]) == {}
