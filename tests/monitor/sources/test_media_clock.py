from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.media_clock import (
    MAX_HELD_FRAMES,
    MAX_PAUSE_S,
    MediaClock,
    TimedFrame,
    plausible_frame_s,
)
from monitor.sources.recording_notes import RecordingNotes

HOUR_S = 3600.0


def run(
    timestamps_s: Sequence[float | None], frame_s: float = 0.1, announced_s: float | None = None
) -> tuple[list[TimedFrame[int]], list[str], MediaClock[int]]:
    """The timed frames, the notes and the clock; each frame is its own index."""
    notes = RecordingNotes()
    clock = MediaClock[int](frame_s, frame_s, notes, announced_s)
    timed = [item for index, time_s in enumerate(timestamps_s) for item in clock.add(index, time_s)]
    timed += clock.finish()
    return timed, [text for _, text in notes.pop()], clock


def steady(count: int, start_s: float = 0.0, step_s: float = 0.1) -> list[float | None]:
    return [start_s + index * step_s for index in range(count)]


def times(timed: list[TimedFrame[int]]) -> list[float]:
    return [item.media_s for item in timed]


@pytest.mark.parametrize(
    ("timestamps_s", "expected"),
    [
        ([0, 0.1, 0.2], [0, 0.1, 0.2]),
        ([41.5, 41.6, 41.7], [0, 0.1, 0.2]),
        ([-0.5, 0.5], [0, 1.0]),
        ([0, None, 0.3], [0, 0.1, 0.3]),
        ([0, 0.3, 0.2, 0.4], [0, 0.3, 0.3, 0.4]),
        ([0, 1.6, 4.0, 4.1], [0, 1.6, 4.0, 4.1]),
    ],
)
def test_frames_are_timed_from_the_first_without_note(timestamps_s, expected):
    timed, notes, _ = run(timestamps_s)
    assert times(timed) == pytest.approx(expected)
    assert notes == []


@pytest.mark.parametrize("step_s", [1.0, 2.0, 5.0, 10.0, 60.0])
def test_slow_regular_frames_are_no_pause(step_s):
    timed, notes, _ = run(steady(20, step_s=step_s), frame_s=0.04)
    assert times(timed) == pytest.approx([index * step_s for index in range(20)])
    assert [item for item in timed if item.gap_start_s is not None] == []
    assert notes == []


@pytest.mark.parametrize("count", [1, 2, 10])
@pytest.mark.parametrize("shift_s", [HOUR_S, -HOUR_S, 1e7, 20.0, -5.0])
def test_wrong_timestamps_that_return_are_dropped_and_noted(shift_s, count):
    wrong = range(60, 60 + count)
    timestamps_s = [time_s + shift_s * (index in wrong) for index, time_s in enumerate(steady(120))]
    timed, notes, clock = run(timestamps_s)
    kept = [index for index in range(120) if index not in wrong]
    assert [item.frame for item in timed] == kept
    assert times(timed) == pytest.approx([index / 10 for index in kept])
    assert clock.dropped == count
    [note] = notes
    assert "dropped" in note


def test_two_different_wrong_timestamps_in_a_row_are_dropped():
    timestamps_s = steady(120)
    timestamps_s[60:62] = [3606, 9000]
    timed, _, clock = run(timestamps_s)
    assert (len(timed), clock.dropped, clock.media_s) == (118, 2, pytest.approx(11.9))


@pytest.mark.parametrize("at", [0, 119])
def test_wrong_first_or_last_timestamp_does_not_change_the_length(at):
    timestamps_s = [time_s + HOUR_S * (index == at) for index, time_s in enumerate(steady(120))]
    timed, notes, _ = run(timestamps_s)
    assert timed[-1].media_s == pytest.approx(11.9, abs=0.11)
    assert len(notes) == 1


@pytest.mark.parametrize("jump_s", [MAX_PAUSE_S + 10, HOUR_S, 1e7, 1e12])
def test_permanent_jump_beyond_the_bound_is_not_counted_but_noted(jump_s):
    timed, notes, _ = run([*steady(60), *steady(60, 6 + jump_s)])
    assert times(timed) == pytest.approx(times(run(steady(120))[0]), abs=0.01)
    [note] = notes
    assert "jumps ahead" in note
    assert "too early" in note


@pytest.mark.parametrize("jump_s", [3.0, 30.0, 600.0, MAX_PAUSE_S - 10])
def test_permanent_jump_within_the_bound_is_a_gap_and_noted(jump_s):
    timed, notes, _ = run([*steady(60), *steady(60, 6 + jump_s)])
    assert timed[-1].media_s == pytest.approx(11.9 + jump_s)
    [(index, gap)] = [(i, item) for i, item in enumerate(timed) if item.gap_start_s is not None]
    assert (index, gap.gap_start_s, gap.media_s) == (60, pytest.approx(6.0), pytest.approx(6 + jump_s))
    [note] = notes
    assert "paused, or its clock jumped" in note


def test_jump_beyond_the_announced_end_is_no_pause():
    timed, notes, _ = run([*steady(60), *steady(60, 606)], announced_s=12.0)
    assert timed[-1].media_s == pytest.approx(11.9, abs=0.01)
    [note] = notes
    assert "not counted" in note


def test_first_frame_with_a_time_of_its_own_is_no_pause():
    timed, notes, _ = run([0.0, *steady(119, 600.0)])
    assert timed[-1].media_s == pytest.approx(11.9)
    assert len(notes) == 1


@pytest.mark.parametrize("back_to_s", [0.0, -95443.7])
def test_clock_that_goes_back_is_continued_and_noted(back_to_s):
    """Joined recordings, and the 33 bits of MPEG-TS, which are 95 443.7 s."""
    timed, notes, _ = run([*steady(100), *steady(100, back_to_s)])
    assert times(timed) == pytest.approx([index / 10 for index in range(200)])
    [note] = notes
    assert "goes back" in note


def test_clock_that_stands_still_is_replaced_by_the_frame_rate():
    timed, notes, _ = run([*steady(50), *[5.0] * 100, *steady(50, 5.1)])
    assert timed[-1].media_s == pytest.approx(19.9, abs=0.3)
    assert len(timed) == 200
    [note] = notes
    assert "do not advance" in note


def test_missing_timestamps_are_replaced_by_the_frame_rate_and_noted():
    timed, notes, _ = run([None] * 30)
    assert times(timed) == pytest.approx([index / 10 for index in range(30)])
    [note] = notes
    assert "without timestamps" in note
    assert run([0.0, None, 0.2])[1] == []


def test_contradicting_timestamps_are_ignored_in_the_end():
    timestamps_s = [(index * 7919 % 1000) * 100.0 for index in range(400)]
    timed, notes, _ = run(timestamps_s)
    assert len(timed) >= 300
    assert timed[-1].media_s <= 3 * MAX_PAUSE_S
    assert any("contradict" in note for note in notes)


def test_held_frames_are_bounded():
    notes = RecordingNotes()
    clock = MediaClock[int](0.01, 0.01, notes)
    held = 0
    for index, time_s in enumerate([*steady(200, step_s=0.01), *steady(400, 1e6, 0.01)]):
        timed = clock.add(index, time_s)
        held = 0 if timed else held + 1
        assert held <= MAX_HELD_FRAMES


def test_held_frames_are_kept_at_the_sampling_interval():
    notes = RecordingNotes()
    clock = MediaClock[int](0.02, 0.5, notes)
    timestamps_s = [*steady(100, step_s=0.02), *steady(500, 1e6, 0.02)]
    timed = [item for index, time_s in enumerate(timestamps_s) for item in clock.add(index, time_s)]
    assert len(timed) == 600
    frames = [item.media_s for item in timed[100:350] if item.frame is not None]
    assert max(b - a for a, b in pairwise(frames)) <= 0.5 + 1e-6
    assert len(frames) <= 11


def test_repeated_faults_are_noted_once_and_counted():
    timestamps_s = [time_s + HOUR_S * (index % 20 == 10) for index, time_s in enumerate(steady(200))]
    notes = RecordingNotes()
    clock = MediaClock[int](0.1, 0.1, notes)
    for index, time_s in enumerate(timestamps_s):
        clock.add(index, time_s)
    notes.finish(clock.media_s)
    first, last = notes.pop()
    assert "60 min too late" in first[1]
    assert last[1].endswith("dropped: 9")
    assert notes.pop() == []


@given(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1))
def test_media_time_starts_at_zero_and_never_decreases(timestamps_s):
    timed, _, clock = run(timestamps_s, frame_s=0.04)
    positions = times(timed)
    assert positions == sorted(positions)
    assert not positions or positions[0] == pytest.approx(0)
    assert len(timed) + clock.dropped == len(timestamps_s)
    assert len([item for item in timed if item.frame is None]) == 0 or len(timed) > 2


@pytest.mark.parametrize(
    ("stated_s", "expected_s"), [(None, 0.04), (1 / 90000, 0.04), (40.0, 0.04), (1 / 30, 1 / 30)]
)
def test_implausible_frame_duration_is_replaced(stated_s, expected_s):
    assert plausible_frame_s(stated_s) == expected_s


@pytest.mark.parametrize("frame_s", [0.1, 0.125, 0.2, 1 / 3, 1 / 30])
def test_stopped_clock_and_missing_times_are_noted_once_at_any_frame_rate(frame_s):
    before = steady(20, step_s=frame_s)
    for middle, resumed_s in (([19 * frame_s] * 60, 20 * frame_s), ([None] * 60, 80 * frame_s)):
        _, notes, clock = run([*before, *middle, *steady(20, resumed_s, frame_s)], frame_s)
        assert len(notes) == 1, notes
        assert clock.media_s >= 70 * frame_s
