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
    """A student who sits ``dx`` pixels beside a planned seat."""
    x1, y1, x2, y2 = SEATS[label]
    return Seat(student, face((x1 + x2) / 2 + dx, (y1 + y2) / 2, width).box_xyxy)


def run(
    resolver: SeatOwnerResolver, *seats: Seat, times: int = MIN_CONSECUTIVE_MATCHES
) -> dict[int, SeatOwner]:
    return [resolver.update(seats) for _ in range(times)][-1]


class TestAreas:
    def test_masked_area_reaches_beyond_the_face(self) -> None:
        assert masked_area((100.0, 100.0, 140.0, 150.0)) == (60.0, -25.0, 180.0, 200.0)

    def test_person_area_is_larger_than_the_face(self) -> None:
        assert person_area((100.0, 100.0, 140.0, 150.0)) == (80.0, 75.0, 160.0, 225.0)

    def test_box_corners_are_in_order(self) -> None:
        assert box_corners((1.0, 2.0, 3.0, 4.0)).tolist() == [[1, 2], [3, 2], [3, 4], [1, 4]]

    def test_project_seats_keeps_boxes_upright(self) -> None:
        turned = np.array([[0.0, -2.0, 500.0], [2.0, 0.0, 0.0]])
        (seat,) = project_seats([PlannedSeat("A1", (10.0, 10.0, 30.0, 40.0))], turned)
        assert seat.label == "A1"
        assert seat.box_xyxy == pytest.approx((430.0, 10.0, 470.0, 70.0))


class TestOccludedSeats:
    def seat(self, label: str, x: float, y: float = 300.0) -> PlannedSeat:
        return PlannedSeat(label, (x, y, x + 40, y + 50))

    @pytest.mark.parametrize(
        ("x", "y", "is_occluded"),
        [(330.0, 300.0, True), (365.0, 300.0, False), (300.0, 180.0, True), (300.0, 420.0, False)],
    )
    def test_neighbour_covered_by_more_than_half_is_occluded(
        self, x: float, y: float, is_occluded: bool
    ) -> None:
        plan = [self.seat("A1", 300.0), self.seat("B1", x, y)]
        assert occluded_seats(plan, ["A1"]) == (["B1"] if is_occluded else [])

    def test_two_masks_together_occlude_a_seat(self) -> None:
        plan = [self.seat("A1", 300.0), self.seat("A3", 420.0), self.seat("A2", 360.0)]
        assert occluded_seats(plan, ["A1"]) == occluded_seats(plan, ["A3"]) == []
        assert occluded_seats(plan, ["A1", "A3"]) == ["A2"]

    def test_without_masks_no_seat_is_occluded(self) -> None:
        assert occluded_seats(PLAN, []) == []


class TestSeatOwnerResolver:
    def test_student_on_a_planned_seat_is_resolved_once_certain(self) -> None:
        resolver = SeatOwnerResolver(PLAN, OWNERS)
        here = [at("A1", 0, dx=20), at("A2", 1)]
        assert run(resolver, *here, times=MIN_CONSECUTIVE_MATCHES - 1) == {}
        assert run(resolver, *here, times=1) == {0: SeatOwner(11, "A1"), 1: SeatOwner(12, "A2")}

    @pytest.mark.parametrize(
        "seat", [at("B1"), at("A1", dx=60), at("A1", width=80), Seat(0, face(900, 100).box_xyxy)]
    )
    def test_student_elsewhere_is_not_resolved(self, seat: Seat) -> None:
        """On a seat without an owner, beside the seat, much nearer to the camera, elsewhere."""
        assert run(SeatOwnerResolver(PLAN, OWNERS), seat, times=10) == {}

    def test_passer_by_is_not_resolved(self) -> None:
        resolver = SeatOwnerResolver(PLAN, OWNERS)
        way = [at("A1"), at("A1", dx=45), at("A1", dx=90), at("A2"), at("A2", dx=300), at("B2")]
        assert [resolver.update([seat]) for seat in way] == [{}] * len(way)

    def test_nearer_student_gets_the_seat(self) -> None:
        resolver = SeatOwnerResolver(PLAN, OWNERS)
        assert run(resolver, at("A1", 0, dx=30), at("A1", 1, dx=-10), times=9) == {1: SeatOwner(11, "A1")}

    def test_resolved_student_stays_resolved(self) -> None:
        resolver = SeatOwnerResolver(PLAN, OWNERS)
        run(resolver, at("A1", 0))
        swapped = run(resolver, at("A2", 0), at("A1", 1), times=20)
        assert swapped == {0: SeatOwner(11, "A1")}, (
            "the second student sits on a seat that has an owner already"
        )

    def test_short_session_resolves_a_constant_seat(self) -> None:
        assert SeatOwnerResolver(PLAN, OWNERS).update([at("A1")], is_final=True) == {0: SeatOwner(11, "A1")}
        moving = SeatOwnerResolver(PLAN, OWNERS)
        moving.update([at("A2")])
        assert moving.update([at("A1")], is_final=True) == {}

    def test_without_a_plan_no_student_is_resolved(self) -> None:
        assert run(SeatOwnerResolver((), {}), at("A1")) == {}
        assert SeatOwnerResolver(PLAN, OWNERS).update([]) == {}
