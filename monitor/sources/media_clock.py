"""Media time of a recording from timestamps that may be missing, wrong or repeated. Pure.

``docs/explanation/recordings.md`` has a table of the cases. In short: media time never decreases. A frame
whose timestamp differs by more than ``JITTER_S`` from its predecessor's is held until the frames after it
show whether its timestamp alone is wrong (it is dropped) or the clock has changed (media time continues).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import fmean
from typing import Generic, TypeVar

from monitor.sources.recording_notes import Oddity, RecordingNotes

JITTER_S = 1.0
"""Timestamps may differ this much from the expected ones without being examined: it covers the jitter of
recorders, and one frame a second is the slowest usual rate of variable-rate recordings."""

CONFIRM_S = 5.0
"""A changed clock is believed after this much of its own time: the length of a bin of the timeline, and
several times the second for which faulty recorders are reported to stamp frames ahead."""

CONFIRM_FRAMES = 3
"""And after at least this many frames: single wrong timestamps occur in ones and twos."""

MAX_HELD_FRAMES = 32
"""The most frames that are kept in memory until then."""

MAX_PAUSE_S = 1800.0
"""The longest forward jump that is counted as time. Breaks of a lesson and of a network recorder are shorter;
wrong time zones and daylight saving time shift a clock by whole hours, faulty timestamps mostly by more."""

PAUSE_FACTOR = 8.0
"""A forward jump is a pause, which is noted, if it is this many times longer than the recent frame intervals.
Recordings of slides with a frame every few seconds are regular and have no pause."""

MIN_PAUSE_S = 2.0
"""A shorter jump is no pause: a sample stands for as much time
(``monitor.session.session.MAX_SAMPLE_DURATION_S``)."""

ANNOUNCED_TOLERANCE_S = 1.0
"""A jump beyond the announced end of the recording by more than this is no pause."""

MAX_DROPPED_FRAMES = 50
"""After this many frames with contradicting timestamps in a row, the timestamps are ignored."""

FALLBACK_FRAME_S = 1 / 25
"""The frame duration if a file states none, or an implausible one."""

MIN_FRAME_S, MAX_FRAME_S = 1 / 240, 2.0
"""Plausible nominal frame durations: phones record slow motion at 240 frames a second, and slides are
recorded at one frame in two seconds."""


T = TypeVar("T")


@dataclass(frozen=True)
class TimedFrame(Generic[T]):
    """A frame with its media time, seconds; ``frame`` is None if only its time is known. The recording has no
    frames from ``gap_start_s`` to ``media_s``, if that is set."""

    frame: T | None
    media_s: float
    gap_start_s: float | None = None


@dataclass(frozen=True)
class _Held(Generic[T]):
    frame: T | None
    timestamp_s: float


def plausible_frame_s(frame_s: float | None) -> float:
    """A stated frame duration, seconds, or ``FALLBACK_FRAME_S`` if it is missing or implausible."""
    return frame_s if frame_s is not None and MIN_FRAME_S <= frame_s <= MAX_FRAME_S else FALLBACK_FRAME_S


class MediaClock(Generic[T]):
    """Assigns media times to the frames of a recording, in presentation order; the first is at 0.

    ``frame_s`` is the nominal frame duration, seconds; it replaces missing timestamps. Held frames are kept
    at intervals of ``sample_s`` only. ``announced_s`` is the length that the recording states, None if
    unknown. ``dropped`` counts frames with a wrong timestamp.
    """

    def __init__(
        self, frame_s: float, sample_s: float, notes: RecordingNotes, announced_s: float | None = None
    ) -> None:
        self.dropped = 0
        self.media_s = 0.0
        """The media time of the last frame."""
        self.raw_span_s = 0.0
        """The last timestamp minus the first, wrong ones included."""
        self.frame_s = frame_s
        """The nominal frame duration, seconds."""
        self._sample_s = sample_s
        self._announced_s = announced_s
        self._notes = notes
        self._first_raw_s: float | None = None
        self._is_started = False
        self._is_ignoring = False
        self._offset_s: float | None = None
        self._last_raw_s = 0.0
        self._steps: deque[float] = deque(maxlen=8)
        self._dropped_in_row = self._without_time = 0
        self._repeated = 0
        self._is_stopped = False
        self._is_untimed = False
        self._run: list[_Held[T]] = []

    def add(self, frame: T | None, timestamp_s: float | None) -> list[TimedFrame[T]]:
        """Add the next frame; returns the frames whose media time is now certain, often this one."""
        if timestamp_s is None or self._is_ignoring:
            return self._add_without_time(frame)
        if self._first_raw_s is None:
            self._first_raw_s = timestamp_s
        self.raw_span_s = max(self.raw_span_s, timestamp_s - self._first_raw_s)
        if self._offset_s is None:
            self._set_continuous(timestamp_s)
            return [self._accept(frame, timestamp_s)]
        if self._run:
            return self._add_to_run(frame, timestamp_s)
        if abs(timestamp_s - self._last_raw_s) <= JITTER_S:
            return [self._accept(frame, timestamp_s)]
        self._hold(frame, timestamp_s)
        return []

    def finish(self) -> list[TimedFrame[T]]:
        """The recording has ended: the remaining frames."""
        out: list[TimedFrame[T]] = []
        while self._run:
            step_s = self._run[0].timestamp_s - self._last_raw_s
            if len(self._run) > 1 or self._may_be_pause(step_s, self._usual_step_s()):
                out += self._confirm_run()
            else:
                self._drop_run()
        return out

    def _add_without_time(self, frame: T | None) -> list[TimedFrame[T]]:
        if self._run:
            return self._add_to_run(frame, self._run[-1].timestamp_s + self.frame_s)
        if not self._is_ignoring:
            self._without_time += 1
            if not self._is_untimed and self._without_time * self.frame_s > JITTER_S:
                self._is_untimed = True
                self._note(
                    Oddity.NO_TIMES,
                    "the recording has frames without timestamps; they were timed by its frame rate, "
                    f"{1 / self.frame_s:.3g} a second",
                )
        if self._is_started:
            self.media_s += self.frame_s
        self._is_started = True
        if self._offset_s is not None:
            self._last_raw_s = self.media_s + self._offset_s
        return [TimedFrame(frame, self.media_s)]

    def _set_continuous(self, timestamp_s: float) -> None:
        """Media time continues one frame after the last one at ``timestamp_s``."""
        self._offset_s = timestamp_s - (self.media_s + self.frame_s if self._is_started else 0.0)
        self._last_raw_s = timestamp_s
        self._is_started = True

    def _accept(self, frame: T | None, timestamp_s: float, gap_start_s: float | None = None) -> TimedFrame[T]:
        assert self._offset_s is not None
        self._dropped_in_row = self._without_time = 0
        self._is_untimed = False
        if timestamp_s > self._last_raw_s:
            self._steps.append(timestamp_s - self._last_raw_s)
            self._repeated, self._is_stopped = 0, False
            self._last_raw_s = timestamp_s
        else:
            self._count_repeated()
        self.media_s = max(self.media_s, self._last_raw_s - self._offset_s)
        return TimedFrame(frame, self.media_s, gap_start_s)

    def _count_repeated(self) -> None:
        """A timestamp does not advance. Once that is more than jitter, frames are counted instead."""
        assert self._offset_s is not None
        self._repeated += 1
        passed_s = self._repeated * self.frame_s
        if passed_s <= JITTER_S:
            return
        if not self._is_stopped:
            self._is_stopped = True
            self._note(
                Oddity.CLOCK_STOPPED,
                "the timestamps of the recording do not advance; frames were timed by its frame rate, "
                f"{1 / self.frame_s:.3g} a second",
            )
            self._offset_s -= passed_s
        else:
            self._offset_s -= self.frame_s

    def _hold(self, frame: T | None, timestamp_s: float) -> None:
        kept_s = next((held.timestamp_s for held in reversed(self._run) if held.frame is not None), None)
        # Half a frame of tolerance: timestamps are rounded.
        is_due = kept_s is None or timestamp_s - kept_s >= self._sample_s - self.frame_s / 2
        self._run.append(_Held(frame if is_due else None, timestamp_s))

    def _add_to_run(self, frame: T | None, timestamp_s: float) -> list[TimedFrame[T]]:
        first_s, last_s = self._run[0].timestamp_s, self._run[-1].timestamp_s
        if self._is_return(timestamp_s):
            self._drop_run()
            return self.add(frame, timestamp_s)
        if timestamp_s < last_s - JITTER_S:
            # A third clock: the held frames belong neither to the old one nor to this one.
            self._drop_run()
            return self.add(frame, timestamp_s)
        self._hold(frame, timestamp_s)
        kept = sum(held.frame is not None for held in self._run)
        is_long = timestamp_s - first_s >= CONFIRM_S or kept >= MAX_HELD_FRAMES
        return self._confirm_run() if is_long and len(self._run) >= CONFIRM_FRAMES else []

    def _is_return(self, timestamp_s: float) -> bool:
        """Whether ``timestamp_s`` continues the clock from before the held frames."""
        first_s, last_s = self._run[0].timestamp_s, self._run[-1].timestamp_s
        step_s = timestamp_s - self._last_raw_s
        passed_s = max(last_s - first_s, 0.0) + len(self._run) * self._usual_step_s()
        if not -JITTER_S <= step_s <= passed_s + 2 * JITTER_S:
            return False
        # Nearer to the old clock than to the held frames.
        return step_s < abs(timestamp_s - last_s)

    def _drop_run(self) -> None:
        """The held frames have wrong timestamps."""
        count, at_s = len(self._run), self._run[0].timestamp_s - self._last_raw_s
        self._run = []
        self.dropped += count
        self._dropped_in_row += count
        what = "1 frame" if count == 1 else f"{count} frames"
        direction = "late" if at_s > 0 else "early"
        self._note(Oddity.OUTLIER, f"{what} dropped: the timestamp is {_span(abs(at_s))} too {direction}")
        if self._dropped_in_row > MAX_DROPPED_FRAMES:
            self._is_ignoring = True
            self._note(
                Oddity.NO_TIMES,
                "the timestamps of the recording contradict one another; frames were timed by its frame "
                f"rate, {1 / self.frame_s:.3g} a second",
            )

    def _confirm_run(self) -> list[TimedFrame[T]]:
        """The held frames show a changed clock: accept the first, and add the others anew."""
        run, self._run = self._run, []
        first = run[0]
        own_step_s = (run[-1].timestamp_s - first.timestamp_s) / max(len(run) - 1, 1)
        gap_start_s = self._change_clock(first.timestamp_s, max(own_step_s, self._usual_step_s()))
        out = [self._accept(first.frame, first.timestamp_s, gap_start_s)]
        for held in run[1:]:
            out += self.add(held.frame, held.timestamp_s)
        return out

    def _change_clock(self, timestamp_s: float, usual_step_s: float) -> float | None:
        """Continue the media time at ``timestamp_s``; returns the start of a gap before it, if there is one.
        ``usual_step_s``: the interval of the frames around the change."""
        step_s = timestamp_s - self._last_raw_s
        if self._may_be_pause(step_s, usual_step_s):
            if not _is_long(step_s, usual_step_s):
                return None
            gap_start_s = self.media_s + self.frame_s
            self._note(
                Oddity.PAUSE,
                f"the recording has no frames for {_span(step_s)}: either it was paused, or its clock jumped",
            )
            return gap_start_s
        if step_s > 0:
            self._note(
                Oddity.CLOCK_AHEAD,
                f"the clock of the recording jumps ahead by {_span(step_s)}; the jump was not counted, and "
                "if the recording was paused, later times are too early",
            )
        else:
            self._note(
                Oddity.CLOCK_RESTART,
                f"the clock of the recording goes back by {_span(-step_s)}, as in joined recordings; "
                "the time is counted on",
            )
        self._set_continuous(timestamp_s)
        return None

    def _may_be_pause(self, step_s: float, usual_step_s: float) -> bool:
        """Whether a step of the clock may be time that has passed. A long one in the first second is none:
        recorders write a first frame with a time of its own."""
        if not 0 <= step_s <= MAX_PAUSE_S or (self.media_s < JITTER_S and _is_long(step_s, usual_step_s)):
            return False
        end_s = self.media_s + step_s
        return self._announced_s is None or end_s <= self._announced_s + ANNOUNCED_TOLERANCE_S

    def _usual_step_s(self) -> float:
        return max(fmean(self._steps), self.frame_s) if self._steps else self.frame_s

    def _note(self, kind: Oddity, text: str) -> None:
        self._notes.add(kind, self.media_s, text)


def _is_long(step_s: float, usual_step_s: float) -> bool:
    return step_s >= max(MIN_PAUSE_S, PAUSE_FACTOR * usual_step_s)


def _span(seconds: float) -> str:
    """A length of time for a note: ``0.4 s``, ``12 s``, ``5 min``, ``2 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
