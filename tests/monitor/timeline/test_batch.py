from __future__ import annotations

from db.records import GapRecord, SessionProgress, TimelineBin, TrackRecord
from monitor.geometry import Seat
from monitor.timeline.batch import WriteBatch
from monitor.types import SeatOwner


def a_bin(start_s: float, samples: int) -> TimelineBin:
    return TimelineBin(0, start_s, 5.0, 5.0, samples, samples, 0, None)


def a_batch(end_s: float, **values) -> WriteBatch:
    return WriteBatch(
        SessionProgress(end_s, end_s, 1, 0), values.pop("bins", {}), values.pop("tracks", {}), **values
    )


def test_merge_prefers_newer_and_drops_nothing() -> None:
    older = a_batch(
        5.0,
        bins={(0, 0.0): a_bin(0.0, 3), (1, 0.0): a_bin(0.0, 2)},
        tracks={1: TrackRecord(0, 1, 0.0, 4.0, 3)},
        notes=((1.0, "quiz"),),
        gaps={2.0: GapRecord(2.0, 3.0, "paused")},
        seats=(Seat(0, (0, 0, 9, 9)),),
        owners={0: SeatOwner(7, "A1")},
        frame_size=(640, 360),
    )
    newer = a_batch(
        10.0,
        bins={(0, 0.0): a_bin(0.0, 9), (0, 5.0): a_bin(5.0, 4)},
        tracks={1: TrackRecord(0, 1, 0.0, 9.0, 12), 2: TrackRecord(1, 2, 5.0, 9.0, 3)},
        notes=((6.0, "break"),),
        gaps={2.0: GapRecord(2.0, 9.0, "paused")},
        seats=(Seat(0, (1, 1, 9, 9)),),
        owners={0: SeatOwner(8, "A2")},
        frame_size=(1280, 720),
    )
    both = older.merge(newer)
    assert both.progress == newer.progress
    assert {key: bin_.samples for key, bin_ in both.bins.items()} == {(0, 0.0): 9, (1, 0.0): 2, (0, 5.0): 4}
    assert {number: track.hits for number, track in both.tracks.items()} == {1: 12, 2: 3}
    assert both.notes == ((1.0, "quiz"), (6.0, "break"))
    assert both.gaps == {2.0: GapRecord(2.0, 9.0, "paused")}
    assert (both.seats, both.owners, both.frame_size) == (newer.seats, newer.owners, newer.frame_size)


def test_merge_changes_neither_batch() -> None:
    older = a_batch(5.0, bins={(0, 0.0): a_bin(0.0, 3)})
    older.merge(a_batch(10.0, bins={(0, 5.0): a_bin(5.0, 4)}))
    assert set(older.bins) == {(0, 0.0)}


def test_merge_of_same_bins_does_not_grow() -> None:
    pending = a_batch(5.0, bins={(0, 0.0): a_bin(0.0, 0)})
    for samples in range(1, 100):
        pending = pending.merge(a_batch(5.0, bins={(0, 0.0): a_bin(0.0, samples)}))
    assert {key: bin_.samples for key, bin_ in pending.bins.items()} == {(0, 0.0): 99}
