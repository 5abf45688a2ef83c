from __future__ import annotations

from monitor.faces.expression import FaceAttributes
from monitor.session.readings import MAX_PENDING_S, PendingReadings
from monitor.types import HeadEstimate, UnreadableReason
from tests.helpers.faces import face
from tests.helpers.frames import track_of


def readings_at(*times_s: float, track_id: int = 1) -> PendingReadings:
    readings = PendingReadings()
    for media_s in times_s:
        readings.add(track_id, FaceAttributes(media_s, UnreadableReason.BLURRED, HeadEstimate(None)))
    return readings


def test_pop_observations_returns_them_once() -> None:
    readings = readings_at(0.0, 0.5)
    assert [(item.student, item.media_s) for item in readings.pop_observations({1: 3, 2: 4})] == [
        (3, 0.0),
        (3, 0.5),
    ]
    assert readings.pop_observations({1: 3}) == []
    assert 1 not in readings


def test_continue_tracks_moves_readings_of_the_previous_id() -> None:
    readings = readings_at(0.0)
    tracks = [track_of(5, face(0, 0), previous_track_id=1), track_of(6, face(0, 0), previous_track_id=2)]
    assert readings.continue_tracks(tracks) == [(1, 5)]
    assert (readings.times_s(5), readings.times_s(1), readings.times_s(6)) == ([0.0], [], [])


def test_drop_expired_keeps_recent_readings() -> None:
    readings = readings_at(0.0, 10.0)
    readings.drop_expired(5.0 + MAX_PENDING_S)
    assert readings.times_s(1) == [10.0]
    readings.drop_expired(10.5 + MAX_PENDING_S)
    assert 1 not in readings
