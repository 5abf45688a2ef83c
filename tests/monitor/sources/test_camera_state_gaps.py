from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.camera_state import GapTracker
from monitor.types import Gap, GapReason

NONE, FROZEN, BLACK = GapReason.NO_SIGNAL, GapReason.FROZEN, GapReason.BLACK


def test_update_reports_gap_at_once_and_then_once_a_second():
    tracker = GapTracker()
    assert tracker.update(NONE, 10, 12) == [Gap(10, 12, NONE)]
    assert tracker.update(NONE, 10, 12.5) == []
    assert tracker.update(NONE, 11, 13.1) == [Gap(10, 13.1, NONE)]
    assert tracker.end(13.4) == [Gap(10, 13.4, NONE)]
    assert tracker.end(14) == []


def test_update_other_reason_ends_gap_and_starts_another():
    tracker = GapTracker()
    tracker.update(NONE, 10, 12)
    assert tracker.update(BLACK, 12.5, 13) == [Gap(10, 12.5, NONE), Gap(12.5, 13, BLACK)]
    # A start before the last reported end does not repeat the time.
    assert tracker.update(FROZEN, 10, 15) == [Gap(12.5, 13, BLACK), Gap(13, 15, FROZEN)]


@given(
    st.lists(
        st.tuples(st.sampled_from(GapReason), st.floats(0, 3), st.floats(0, 3), st.booleans()), max_size=30
    )
)
def test_gaps_never_overlap_and_only_grow(steps):
    tracker, reported, now_s, free_s = GapTracker(), {}, 0.0, 0.0
    for reason, passed_s, ago_s, ends in steps:
        now_s += passed_s
        since_s = max(now_s - ago_s, free_s)
        for gap in tracker.end(now_s) if ends else tracker.update(reason, since_s, now_s):
            before = reported.get(gap.start_s)
            assert before is None or before.end_s <= gap.end_s
            assert gap.end_s <= now_s
            reported[gap.start_s] = gap
        if ends:
            free_s = now_s
    gaps = sorted(reported.values(), key=lambda gap: (gap.start_s, gap.end_s))
    assert all(gap.end_s <= other.start_s for gap, other in pairwise(gaps))


def test_update_late_change_does_not_overlap() -> None:
    tracker = GapTracker()
    tracker.update(GapReason.PAUSED, 7.0, 7.0)
    (grown,) = tracker.update(GapReason.PAUSED, 7.0, 8.2)
    assert grown == Gap(7.0, 8.2, GapReason.PAUSED)
    # The resume was requested at 8.0, but is only applied now.
    assert tracker.update(GapReason.NO_SIGNAL, 8.0, 8.0) == [
        Gap(7.0, 8.2, GapReason.PAUSED), Gap(8.2, 8.2, GapReason.NO_SIGNAL)
    ]  # fmt: skip
    assert tracker.end(8.5) == [Gap(8.2, 8.5, GapReason.NO_SIGNAL)]
