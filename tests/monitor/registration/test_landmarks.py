from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.geometry import transform_points
from monitor.registration.landmarks import (
    FewKeypoints,
    ReferenceView,
    UnreadablePlan,
    extract_reference_view,
    reference_view_from_bytes,
)
from monitor.seating.seat_plan import person_area
from tests.helpers.halls import HEIGHT, SEATS, WIDTH, camera, hall, room, seen

CORNERS = np.array([(0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT)], np.float32)
PEOPLE = [person_area(box) for box in SEATS.values()]


@pytest.fixture(scope="module")
def view() -> ReferenceView:
    return extract_reference_view(hall(SEATS), PEOPLE)


def test_match_recognises_the_view_with_other_people(view) -> None:
    for matrix in (camera(), camera(80, -30), camera(-40, 10, zoom=1.15)):
        result = view.match(seen(matrix, hall({"A1": SEATS["A2"]})))
        assert result is not None
        assert np.abs(transform_points(result, CORNERS) - transform_points(matrix, CORNERS)).max() < 3


def test_match_with_an_image_of_another_size(view) -> None:
    large = cv2.resize(hall(SEATS), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    doubled = extract_reference_view(
        np.asarray(large, np.uint8), [tuple(2 * edge for edge in box) for box in PEOPLE]
    )
    result = doubled.match(seen(camera(20, 10), hall(SEATS)))
    assert result is not None
    np.testing.assert_allclose(
        transform_points(result, 2 * CORNERS), transform_points(camera(20, 10), CORNERS), atol=3
    )


@pytest.mark.parametrize("other", [room(seed=9), np.zeros((HEIGHT, WIDTH, 3), np.uint8)])
def test_match_of_another_view_is_none(view, other) -> None:
    assert view.match(other) is None


@pytest.mark.parametrize(("keystone", "is_same"), [(0.005, True), (0.06, False), (0.15, False)])
def test_match_from_another_position_is_none(view, keystone: float, is_same: bool) -> None:
    """From the side the wall is a trapezium, part of which still fits a similarity."""
    low, high = HEIGHT * keystone, HEIGHT * (1 - keystone)
    from_side = np.array([(0, 0), (WIDTH, low), (0, HEIGHT), (WIDTH, high)], np.float32)
    bent = cv2.warpPerspective(
        hall(SEATS),
        cv2.getPerspectiveTransform(CORNERS, from_side),
        (WIDTH, HEIGHT),
        borderMode=cv2.BORDER_REPLICATE,
    )
    assert (view.match(np.asarray(bent, np.uint8)) is not None) == is_same


def test_view_is_independent_of_the_people_in_it(monkeypatch) -> None:
    """The keypoints are the same whatever the seats show."""

    def plain(image_bgr):
        small = cv2.resize(image_bgr, (640, 360), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)

    # Without histogram equalisation, which would change the whole image a little.
    monkeypatch.setattr("monitor.registration.landmarks.working_grey", plain)
    other = hall(SEATS)
    for x1, y1, x2, y2 in (tuple(map(round, box)) for box in SEATS.values()):
        other[y1:y2, x1:x2] = room(seed=5)[y1:y2, x1:x2]
    item, two = (extract_reference_view(picture, PEOPLE) for picture in (hall(SEATS), other))
    np.testing.assert_array_equal(item.keypoints, two.keypoints)
    np.testing.assert_array_equal(item.descriptors, two.descriptors)


def test_image_without_keypoints_raises() -> None:
    with pytest.raises(FewKeypoints):
        extract_reference_view(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), [])
    with pytest.raises(FewKeypoints) as raised:
        extract_reference_view(room(), [(0, 0, WIDTH, HEIGHT)])
    assert raised.value.count == 0


def test_bytes_round_trip(view) -> None:
    again = reference_view_from_bytes(view.to_bytes())
    assert again.scale == view.scale
    np.testing.assert_array_equal(again.keypoints, view.keypoints)
    np.testing.assert_array_equal(again.descriptors, view.descriptors)


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
def test_damaged_bytes_raise(view, cut) -> None:
    with pytest.raises(UnreadablePlan):
        reference_view_from_bytes(view.to_bytes()[:cut])
