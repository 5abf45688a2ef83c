"""The live source with every fault of a scripted camera, on a simulated clock."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from monitor.errors import SourceLost
from monitor.imaging import image_size
from monitor.runtime.backoff import MAX_RECONNECT_PAUSE_S
from monitor.sources.camera_state import CameraState
from monitor.sources.capture_thread import MAX_ABANDONED
from monitor.sources.errors import NoSignal, SignalLost
from monitor.sources.live import MAX_HOLD_S, POLL_INTERVAL_S
from monitor.types import Frame, Gap, GapReason
from tests.helpers.cameras import BROAD, SIZE, SMALL, Camera

NONE, FROZEN, BLACK, PAUSED = GapReason.NO_SIGNAL, GapReason.FROZEN, GapReason.BLACK, GapReason.PAUSED
REASONS = {"nothing": NONE, "blocked": NONE, "frozen": FROZEN, "black": BLACK, "refused": NONE}
NEAR_S = 0.5


def near(seconds: float):
    return pytest.approx(seconds, abs=NEAR_S)


def check(camera: Camera) -> None:
    """Invariants of every camera: items in order, no overlapping gaps, no frame in a gap, no long silence,
    every connection closed."""
    gaps = camera.gaps
    assert all(gap.end_s <= following.start_s for gap, following in pairwise(gaps))
    times = [frame.media_s for frame in camera.frames]
    assert times == sorted(set(times))
    assert not any(gap.start_s < at_s < gap.end_s for gap in gaps for at_s in times)
    item_times = [item.media_s if isinstance(item, Frame) else item.end_s for item in camera.items]
    assert item_times == sorted(item_times)
    assert max(b - a for a, b in pairwise(item_times)) < 2.7
    assert sum(link.closed_s is None for link in camera.links) == 0


def test_working_camera_yields_every_sample_and_no_gap():
    before = datetime.now(UTC)
    camera = Camera([(0, "moving")]).watch(9.9)
    check(camera)
    assert camera.gaps == []
    assert len(camera.frames) == 20
    assert all(before <= frame.captured_at <= datetime.now(UTC) for frame in camera.frames)
    assert camera.frames[0].media_s == near(0)
    assert camera.source.frames_dropped == 0
    assert len(camera.links) == 1


@pytest.mark.parametrize("fault", ["nothing", "frozen", "black", "blocked"])
def test_short_fault_gives_gap_between_fresh_frames(fault):
    camera = Camera([(0, "moving"), (20, fault), (26 if fault != "nothing" else 21.9, "moving")]).watch(40)
    check(camera)
    if fault == "nothing":  # less than two seconds is not a gap, and the camera is not reopened
        assert (camera.gaps, len(camera.links)) == ([], 1)
        assert camera.source.frames_dropped > 0
        return
    (gap,) = camera.gaps
    assert gap.reason is REASONS[fault]
    assert gap.start_s == near(20)
    if fault != "blocked":
        assert (gap.end_s, len(camera.links)) == (near(26), 1)
    assert camera.frames[-1].media_s == near(40)
    assert camera.source.frames_dropped == 0


@pytest.mark.parametrize("fault", ["nothing", "frozen", "black", "blocked", "refused"])
def test_long_fault_gives_one_gap_and_reconnects(fault):
    parts = [(0, "moving"), (20, fault), (80, "moving")]
    if fault == "refused":  # an open connection is not refused; it stops delivering first
        parts.insert(1, (19.5, "nothing"))
    camera = Camera(parts).watch(140)
    check(camera)
    (gap,) = camera.gaps
    assert gap.reason is REASONS[fault]
    assert gap.start_s == near(19.5 if fault == "refused" else 20)
    # At the latest after the longest pause, and for a connection that blocks after the time that it is given.
    assert 80 <= gap.end_s <= 80 + (MAX_RECONNECT_PAUSE_S + 1 if fault in {"nothing", "refused"} else 32)
    assert len(camera.links) > 1
    notes = camera.source.pop_notes()
    assert [text for _, text in notes] == [f"camera reconnected after {gap.end_s - gap.start_s:.0f} s"]
    assert notes[0][0] == pytest.approx(gap.end_s)
    assert camera.source.pop_notes() == []
    assert camera.source.frames_dropped == 0
    assert camera.frames[-1].media_s == near(140)


def test_black_is_a_gap_at_once_and_frozen_only_later():
    black = Camera([(0, "moving"), (10, "black")]).watch(10.7)
    assert [(gap.start_s, gap.reason) for gap in black.gaps] == [(near(10), BLACK)]
    frozen = Camera([(0, "moving"), (10, "frozen")]).watch(11.5)
    assert frozen.gaps == []
    assert frozen.frames[-1].media_s == near(10)


def test_open_gap_is_reported_about_once_a_second():
    camera = Camera([(0, "moving"), (10, "nothing"), (200, "moving")]).watch(100)
    reports = [item for item in camera.items if isinstance(item, Gap)]
    assert 60 <= len(reports) <= 100
    assert {gap.start_s for gap in reports} == {reports[0].start_s}
    assert reports[-1].end_s == near(100)


def test_another_fault_during_an_outage_starts_another_gap():
    camera = Camera([(0, "moving"), (20, "black"), (25, "nothing"), (50, "frozen"), (75, "moving")]).watch(
        100
    )
    check(camera)
    assert [gap.reason for gap in camera.gaps] == [BLACK, NONE, FROZEN]
    ends = [gap.end_s for gap in camera.gaps]
    assert ends[:-1] == [gap.start_s for gap in camera.gaps[1:]]


def test_attempts_follow_backoff():
    camera = Camera([(0, "moving"), (10, "nothing"), (12.5, "refused"), (1000, "moving")]).watch(200)
    opened = [link.opened_s for link in camera.links]
    pauses = np.diff(opened[1:])
    assert pauses[:3] == pytest.approx([1, 2, 4], abs=2 * POLL_INTERVAL_S + 0.2)
    assert pauses[3:] == pytest.approx(5, abs=2 * POLL_INTERVAL_S + 0.2)


def test_jitter_shortens_pauses():
    parts = [(0, "moving"), (10, "nothing"), (12.5, "refused"), (1000, "moving")]
    assert len(Camera(parts, jitter=0).watch(200).links) > len(Camera(parts, jitter=1).watch(200).links)


@pytest.mark.parametrize("fault", ["nothing", "blocked"])
def test_exhausted_retries_raise_signal_lost(fault):
    camera = Camera([(0, "moving"), (20, fault)], reconnect_s=60)
    with pytest.raises(SignalLost) as caught:
        camera.watch(1000)
    assert "\n" not in str(caught.value)
    assert (caught.value.name, caught.value.reconnect_s) == ("camera 0", 60)
    check(camera)
    assert caught.value.position_s == near(20)
    assert camera.frames[-1].media_s <= caught.value.position_s
    (gap,) = camera.gaps
    assert gap.start_s == pytest.approx(caught.value.position_s)
    assert 20 + 60 <= gap.end_s <= 20 + 60 + 2 * camera.stale_s + 1
    assert camera.source.status().state is CameraState.LOST


def test_without_budget_first_failure_raises_signal_lost():
    camera = Camera([(0, "moving"), (20, "blocked")], stale_s=5, reconnect_s=0)
    with pytest.raises(SignalLost) as caught:
        camera.watch(1000)
    assert (caught.value.position_s, caught.value.reason) == (near(20), f"{NONE.value} for 5 s")
    assert camera.clock.passed_s == near(25)
    assert len(camera.links) == 1


def test_fresh_frame_resets_budget():
    parts = [(0, "moving")]
    for outage in range(5):
        parts += [(100 + 100 * outage, "nothing"), (150 + 100 * outage, "moving")]
    camera = Camera(parts, reconnect_s=90).watch(620)
    check(camera)
    assert len(camera.gaps) == 5


def test_attempt_waits_for_opening_even_if_stale_s_is_shorter():
    camera = Camera([(0, "moving"), (10, "nothing"), (19, "moving")], stale_s=1).watch(30)
    check(camera)
    assert len(camera.links) == 2
    assert camera.gaps[0].end_s == near(19)


@pytest.mark.parametrize("fault", ["frozen", "black"])
def test_camera_with_stale_frames_is_never_lost_and_seldom_reopened(fault):
    """An empty room over a stream, or a dark one: the class may enter at any time."""
    camera = Camera([(0, "moving"), (20, fault), (600, "moving")], reconnect_s=60).watch(605)
    check(camera)
    (gap,) = camera.gaps
    assert (gap.reason, gap.end_s) == (REASONS[fault], near(600))
    assert len(camera.links) <= 5 + 600 / MAX_HOLD_S


def test_hold_time_is_reset_by_fresh_frame():
    camera = Camera([(0, "moving"), (20, "frozen"), (400, "moving"), (420, "blocked")]).watch(440)
    assert camera.links[-1].opened_s == near(431)


def test_status_reason_is_kept_while_reopening():
    camera = Camera([(0, "moving"), (20, "frozen"), (30.3, "nothing"), (34, "frozen"), (36, "moving")])
    views = []
    camera.at(33, lambda: views.append(camera.source.status())).watch(40)
    check(camera)
    assert (views[0].state, views[0].reason) == (CameraState.OPENING, f"{FROZEN.value} for 10 s")
    assert [gap.reason for gap in camera.gaps] == [FROZEN]


def test_last_frame_is_not_fresh_again_over_new_connection():
    camera = Camera([(0, "frozen")], stale_s=10).watch(100)
    assert len(camera.frames) == 1
    assert len(camera.links) > 2
    assert [gap.reason for gap in camera.gaps] == [FROZEN]


@pytest.mark.parametrize(
    ("fault", "reason", "after_s"),
    [
        ("refused", "it cannot be opened", 0),
        ("nothing", f"{NONE.value} for 10 s", 10),
        ("blocked", f"{NONE.value} for 10 s", 10),
        ("black", f"{BLACK.value} for 10 s", 10),
    ],
)
def test_missing_camera_at_start_raises_no_signal(fault, reason, after_s):
    camera = Camera([(0, fault)])
    with pytest.raises(NoSignal) as caught:
        camera.watch(100)
    assert (caught.value.name, caught.value.reason) == ("camera 0", reason)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, SourceLost)
    assert camera.items == []
    assert camera.clock.passed_s == near(after_s)


def test_camera_may_be_black_at_start():
    camera = Camera([(0, "black"), (3, "moving")]).watch(6)
    check(camera)
    assert isinstance(camera.items[0], Frame)
    assert camera.gaps == []
    assert camera.source.pop_notes() == []


def test_stuck_connections_limit_attempts():
    camera = Camera([(0, "moving"), (20, "blocked"), (400, "moving")], stale_s=5).watch(430)
    check(camera)
    opened = [link.opened_s for link in camera.links]
    assert sum(20 < at_s < 399 for at_s in opened) == MAX_ABANDONED - 1
    assert camera.gaps[-1].end_s <= 400 + 31
    assert camera.frames[-1].media_s == near(430)


def test_status_reports_stuck_connections():
    camera = Camera([(0, "moving"), (20, "blocked")], stale_s=5)
    views = []
    camera.at(200, lambda: views.append(camera.source.status())).watch(210)
    assert (views[0].state, views[0].reason) == (CameraState.RECONNECTING, "4 earlier connections are stuck")


class TestSize:
    def test_smaller_frame_is_fitted_to_first_size(self):
        camera = Camera([(0, "moving"), (10, "small"), (20, "moving")]).watch(30)
        check(camera)
        assert {image_size(frame.image_bgr) for frame in camera.frames} == {SIZE}
        assert camera.gaps == []
        assert camera.source.pop_notes() == [
            (near(10), f"frame size is now {SMALL[0]}x{SMALL[1]} instead of {SIZE[0]}x{SIZE[1]}"),
            (near(20), f"frame size is {SIZE[0]}x{SIZE[1]} again"),
        ]

    def test_other_aspect_ratio_is_letterboxed(self):
        camera = Camera([(0, "moving"), (10, "broad")]).watch(12)
        last = camera.frames[-1].image_bgr
        assert image_size(last) == SIZE
        edge = (SIZE[1] - BROAD[1]) // 2
        assert (last[:edge] == 128).all()
        assert (last[-edge:] == 128).all()
        assert last[edge:-edge].std() > 20

    def test_frames_keep_the_first_size_after_reconnection(self):
        camera = Camera([(0, "small"), (10, "nothing"), (15, "moving")]).watch(40)
        assert {image_size(frame.image_bgr) for frame in camera.frames} == {SMALL}
        texts = [text for _, text in camera.source.pop_notes()]
        assert texts[0].startswith("camera reconnected after")
        change = f"frame size is now {SIZE[0]}x{SIZE[1]} instead of {SMALL[0]}x{SMALL[1]}"
        assert texts[1:] == [f"{change}; start again to analyse it at its full size"]

    def test_each_change_of_the_size_is_noted_once(self):
        parts = [(10 * k, "small" if k % 2 else "moving") for k in range(8)]
        camera = Camera(parts).watch(80)
        assert [at_s for at_s, _ in camera.source.pop_notes()] == [near(10), near(20)]


class TestPause:
    def test_pause_closes_connection_and_yields_no_frame(self):
        camera = Camera([(0, "moving")])
        views = []
        camera.at(20, camera.source.pause).at(25, lambda: views.append(camera.source.status()))
        camera.at(50, camera.source.resume).watch(60)
        check(camera)
        assert [(gap.reason, gap.start_s) for gap in camera.gaps] == [(PAUSED, near(20)), (NONE, near(50))]
        assert camera.gaps[0].end_s == camera.gaps[1].start_s
        assert camera.gaps[1].end_s < 51
        assert [link.closed_s for link in camera.links] == [near(20), near(60)]
        assert (views[0].state, views[0].reason, views[0].age_s) == (CameraState.CLOSED, "paused", near(5))
        assert camera.source.pop_notes() == []
        assert camera.source.frames_dropped == 0

    def test_pause_gap_begins_when_the_pause_was_requested(self):
        camera = Camera([(0, "moving")])
        camera.at(20, lambda: camera.source.pause(4.0)).watch(30)
        (gap,) = camera.gaps
        assert (gap.reason, gap.start_s) == (PAUSED, near(16))

    def test_pause_gap_does_not_overlap_the_gap_before(self):
        camera = Camera([(0, "moving")])
        camera.at(10, camera.source.pause).at(20, camera.source.resume)
        camera.at(25, lambda: camera.source.pause(20.0)).watch(30)
        assert [gap.reason for gap in camera.gaps] == [PAUSED, NONE, PAUSED]
        assert all(gap.end_s <= following.start_s for gap, following in pairwise(camera.gaps))

    def test_pause_and_resume_in_outage(self):
        camera = Camera([(0, "moving"), (20, "nothing"), (22, "refused"), (100, "moving")])
        camera.at(40, camera.source.pause).at(60, camera.source.resume).watch(140)
        check(camera)
        assert [gap.reason for gap in camera.gaps] == [NONE, PAUSED, NONE]
        assert [gap.start_s for gap in camera.gaps] == [near(20), near(40), near(60)]
        assert not any(40.5 < link.opened_s < 60 for link in camera.links)
        assert camera.frames[-1].media_s == near(140)

    def test_pause_does_not_use_budget(self):
        parts = [(0, "moving"), (20, "nothing"), (22, "refused"), (150, "moving")]
        camera = Camera(parts, reconnect_s=60)
        camera.at(70, camera.source.pause).at(100, camera.source.resume).watch(200)
        assert camera.frames[-1].media_s == near(200)

    def test_pause_and_resume_between_polls_are_both_applied(self):
        camera = Camera([(0, "moving")])

        def blink() -> None:
            camera.source.pause()
            camera.clock.pass_(0.01)
            camera.source.resume()

        camera.at(20, blink).watch(30)
        check(camera)
        assert [gap.reason for gap in camera.gaps] == [PAUSED, NONE]
        assert len(camera.links) == 2

    def test_repeated_requests_are_ignored(self):
        camera = Camera([(0, "moving")])
        camera.at(20, camera.source.pause).at(30, camera.source.pause)
        camera.at(50, camera.source.resume).at(55, camera.source.resume).watch(60)
        assert [gap.reason for gap in camera.gaps] == [PAUSED, NONE]
        assert len(camera.links) == 2

    def test_pause_before_first_frame_waits_for_resume(self):
        camera = Camera([(0, "moving")])
        camera.source.pause()
        camera.at(100, camera.source.resume).watch(110)
        assert camera.frames[0].media_s == near(100)
        assert camera.gaps == []
        assert [link.opened_s for link in camera.links] == [near(100)]

    def test_frame_read_after_pause_request_is_not_yielded(self):
        camera = Camera([(0, "moving")], sample_fps=25)
        camera.at(20, camera.source.pause).watch(30)
        assert len(camera.frames) > 400
        assert all(frame.media_s < camera.gaps[0].start_s for frame in camera.frames)


STATES = {
    CameraState.OPENING: ([(0, "nothing")], 5),
    CameraState.FRESH: ([(0, "moving")], 5),
    CameraState.STALE: ([(0, "moving"), (5, "frozen")], 10),
    CameraState.RECONNECTING: ([(0, "moving"), (5, "nothing"), (6, "refused")], 60),
    CameraState.CLOSED: ([(0, "moving")], 20),
}


@pytest.mark.parametrize("state", STATES)
def test_stop_ends_frames_within_a_second_in_every_state(state):
    parts, at_s = STATES[state]
    camera = Camera(parts)
    if state is CameraState.CLOSED:
        camera.at(10, camera.source.pause)
    views = []
    camera.at(at_s - 0.01, lambda: views.append(camera.source.status()))
    camera.watch(at_s + 0.6)
    assert views[0].state is state
    assert (views[0].reason == "") is (state is CameraState.FRESH)
    assert camera.clock.passed_s <= at_s + 1.6
    if state in {CameraState.STALE, CameraState.RECONNECTING, CameraState.CLOSED}:
        assert camera.gaps[-1].end_s == pytest.approx(camera.source.now_s(), abs=0.01)
    assert camera.source.status().state is CameraState.CLOSED


def test_status_age_is_that_of_last_fresh_frame():
    camera = Camera([(0, "moving"), (10, "black")])
    views = []
    assert camera.source.status().age_s is None
    for at_s in (5, 14):
        camera.at(at_s, lambda: views.append(camera.source.status()))
    camera.watch(20)
    assert [view.age_s for view in views] == [pytest.approx(0, abs=0.1), near(4)]
    assert views[1].reason == BLACK.value


def test_suspend_gives_gap_and_keeps_budget():
    """Half an hour in one step is a gap, does not end the source and does not use its budget."""
    camera = Camera([(0, "moving"), (1000, "nothing"), (1005, "moving")], reconnect_s=60)
    camera.at(20, lambda: camera.clock.pass_(1800)).watch(1900)
    early = [gap for gap in camera.gaps if gap.start_s < 25]
    assert [(gap.start_s, gap.end_s, gap.reason) for gap in early] == [(near(20), near(1820), NONE)]
    assert camera.frames[-1].media_s == near(1900)
    assert camera.source.frames_dropped == 0


def test_suspend_in_outage_keeps_budget():
    camera = Camera([(0, "moving"), (20, "nothing"), (21, "refused"), (1840, "moving")], reconnect_s=60)
    camera.at(40, lambda: camera.clock.pass_(1790)).watch(1900)
    assert [gap.start_s for gap in camera.gaps] == [near(20)]
    assert camera.frames[-1].media_s == near(1900)


def test_slow_caller_gets_newest_frame():
    camera = Camera([(0, "moving")])
    frames = camera.source.frames(2.0, camera.stop)
    first = next(frames)
    assert isinstance(first, Frame)
    camera.clock.pass_(5)
    # The scripted connection reads only while ``take`` waits, so there is a gap before the newest frame.
    assert isinstance(next(frames), Gap)
    newest = next(frames)
    assert isinstance(newest, Frame)
    assert newest.media_s == near(first.media_s + 5)
    frames.close()


def test_second_frames_call_reopens_and_continues_media_time():
    camera = Camera([(0, "moving"), (10, "nothing"), (60, "moving")], reconnect_s=0)
    with pytest.raises(SignalLost):
        camera.watch(1000)
    camera.clock.pass_(60)
    after = next(iter(camera.source.frames(2.0, camera.stop)))
    assert isinstance(after, Frame)
    assert after.media_s > camera.frames[-1].media_s + 60


def test_now_s_is_current_media_time():
    camera = Camera([(0, "moving")])
    assert camera.source.now_s() == 0
    camera.clock.pass_(100)
    camera.at(105, camera.stop.set)
    list(camera.source.frames(2.0, camera.stop))
    assert camera.source.now_s() == near(5)
