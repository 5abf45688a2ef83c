from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.camera_state import GapTracker
from monitor.types import Gap, GapReason

NONE, FROZEN, BLACK = GapReason.NO_SIGNAL, GapReason.FROZEN, GapReason.BLACK


def test_a_gap_is_told_at_once_and_then_once_a_second():
    outage = GapTracker()
    assert outage.update(NONE, 10, 12) == [Gap(10, 12, NONE)]
    assert outage.update(NONE, 10, 12.5) == []
    assert outage.update(NONE, 11, 13.1) == [Gap(10, 13.1, NONE)]
    assert outage.end(13.4) == [Gap(10, 13.4, NONE)]
    assert outage.end(14) == []


def test_another_reason_ends_the_gap_and_begins_one():
    outage = GapTracker()
    outage.update(NONE, 10, 12)
    assert outage.update(BLACK, 12.5, 13) == [Gap(10, 12.5, NONE), Gap(12.5, 13, BLACK)]
    # What is said to have begun before the last gap was told is not told twice.
    assert outage.update(FROZEN, 10, 15) == [Gap(12.5, 13, BLACK), Gap(13, 15, FROZEN)]


@given(
    st.lists(
        st.tuples(st.sampled_from(GapReason), st.floats(0, 3), st.floats(0, 3), st.booleans()), max_size=30
    )
)
def test_gaps_follow_one_another_and_grow(steps):
    outage, told, now_s, free_s = GapTracker(), {}, 0.0, 0.0
    for reason, passed_s, ago_s, ends in steps:
        now_s += passed_s
        since_s = max(now_s - ago_s, free_s)
        for gap in outage.end(now_s) if ends else outage.update(reason, since_s, now_s):
            before = told.get(gap.start_s)
            assert before is None or before.end_s <= gap.end_s
            assert gap.end_s <= now_s
            told[gap.start_s] = gap
        if ends:
            free_s = now_s
    gaps = sorted(told.values(), key=lambda gap: (gap.start_s, gap.end_s))
    assert all(one.end_s <= other.start_s for one, other in pairwise(gaps))


def test_gaps_do_not_overlap_where_a_change_is_told_late() -> None:
    outage = GapTracker()
    outage.update(GapReason.PAUSED, 7.0, 7.0)
    (grown,) = outage.update(GapReason.PAUSED, 7.0, 8.2)
    assert grown == Gap(7.0, 8.2, GapReason.PAUSED)
    # It was asked to go on at 8.0, and that is found out now.
    assert outage.update(GapReason.NO_SIGNAL, 8.0, 8.0) == [
        Gap(7.0, 8.2, GapReason.PAUSED), Gap(8.2, 8.2, GapReason.NO_SIGNAL)
    ]  # fmt: skip
    assert outage.end(8.5) == [Gap(8.2, 8.5, GapReason.NO_SIGNAL)]
