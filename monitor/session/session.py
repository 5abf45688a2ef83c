"""Runs one session from its first frame to its last.

However a session ends (the source ends, the teacher stops it, the database fails, an internal error), results
up to then are written and the session is closed with its status.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from db.clock import now_utc
from db.errors import DatabaseError
from db.records import SessionProgress, SessionStatus
from db.small_faces import SmallFaces
from monitor.errors import SourceLost
from monitor.geometry import Seat
from monitor.runtime.shutdown import IMMEDIATE_TIMEOUT_S, ShutdownRequest
from monitor.session.frame_rate import FrameRateMonitor
from monitor.session.pipeline import Pipeline
from monitor.session.presence import LiveSnapshot
from monitor.session.state import INTERRUPTING_EVENTS, SessionEvent
from monitor.session.status import LiveStudent
from monitor.sources.base import NoteSource, Source
from monitor.text import InvalidMarker, is_printable
from monitor.timeline.recorder import Recorder
from monitor.timeline.write_queue import CLOSE_TIMEOUT_S
from monitor.types import Frame, FrameResult, Gap

log = logging.getLogger(__name__)

MAX_SAMPLE_DURATION_S = 2.0
"""The longest interval that one frame may represent, seconds, unless less than one frame a second is sampled.
The rest of a longer interval is not observed."""


MAX_OUTCOME_NOTES = 100
"""The most notes of a source that an outcome holds; a camera with a loose contact has thousands."""


@dataclass(frozen=True)
class SessionOutcome:
    """How a session ended. ``reason`` is one line, empty after a normal end. ``notes`` are the first
    ``MAX_OUTCOME_NOTES`` notes of the source: media seconds and text."""

    session_id: int
    status: SessionStatus
    reason: str
    progress: SessionProgress
    student_count: int
    small_faces: SmallFaces | None = None
    notes: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class SessionView:
    """The present state of a session; fields as in ``monitor.session.status.RecordingStatus``. In a gap
    ``face_count`` is 0 and ``live_students`` is empty."""

    progress: SessionProgress
    face_count: int
    student_count: int
    sample_fps: float
    target_fps: float
    unwritten_bins: int
    last_written_at: datetime | None
    live_students: tuple[LiveStudent, ...] = ()
    small_faces: SmallFaces | None = None


@runtime_checkable
class LiveControls(Protocol):
    """The methods of a live source beyond ``Source`` and ``NoteSource``; thread-safe
    (``monitor.sources.live.LiveSource``)."""

    def now_s(self) -> float:
        """The present media time, seconds."""

    def pause(self) -> None:
        """Close the camera until ``resume``."""

    def resume(self) -> None:
        """Reopen the camera."""


class MissedFaceProbe(Protocol):
    """Searches single frames for faces that the detector missed
    (``monitor.detection.small_faces.SmallFaceProbe``)."""

    @property
    def result(self) -> SmallFaces | None:
        """The result so far; None before there is one."""

    def finish(self) -> None:
        """Search the last frames; takes seconds."""


class Session:
    """Runs the frames of one source through one pipeline into one recorder.

    One thread runs it; ``mark``, ``view`` and ``labels`` may be called from any. ``on_progress`` is called
    after each frame and about once a second during gaps. Without ``live_snapshot`` no live students are
    reported. ``probe`` is the pipeline's search for missed faces, whose result is stored. ``clock`` gives
    aware UTC. ``end_cause`` is the event that ended the session, None before; the last results are then still
    being written.

    More collaborators than eight, because a session is where source, pipeline, recorder and observers meet.
    """

    def __init__(
        self,
        source: Source,
        frames: Iterable[Frame | Gap],
        pipeline: Pipeline,
        recorder: Recorder,
        *,
        sample_fps: float,
        on_progress: Callable[[SessionProgress, int], None] | None = None,
        on_result: Callable[[FrameResult], None] | None = None,
        live_snapshot: LiveSnapshot | None = None,
        probe: MissedFaceProbe | None = None,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._source = source
        self._live_controls = source if isinstance(source, LiveControls) else None
        self._note_source = source if isinstance(source, NoteSource) else None
        self._frames = frames
        self._pipeline = pipeline
        self._recorder = recorder
        self._period_s = 1 / sample_fps
        self._rate_monitor = FrameRateMonitor(sample_fps)
        self._on_progress = on_progress
        self._on_result = on_result
        self._live_snapshot = live_snapshot
        self._probe = probe
        self._small_faces: SmallFaces | None = None
        self._clock = clock
        self.end_cause: SessionEvent | None = None
        self._previous_s: float | None = None
        self._started_at: datetime | None = None
        self._face_count = 0
        self._markers: deque[tuple[float, str]] = deque()
        self._source_notes: list[tuple[float, str]] = []

    def run(self, stop: threading.Event) -> SessionOutcome:
        """Record until the source ends or ``stop`` is set.

        Stopping a file before its end interrupts the session; stopping a camera finishes it, because that is
        how a live session ends. Raises DatabaseError if results cannot be written; the session is then marked
        as interrupted, if the database still allows it.
        """
        cause, reason = SessionEvent.FAILURE, "internal error; see the log"
        try:
            self._process_all()
            cause, reason = self._determine_end(stop)
        except SourceLost as error:
            cause, reason = SessionEvent.CAMERA_LOST, str(error)
        except DatabaseError as error:
            reason = f"the database could not be written: {error}"
            raise
        finally:
            self.end_cause = cause
            status = SessionStatus.INTERRUPTED if cause in INTERRUPTING_EVENTS else SessionStatus.FINISHED
            self._close(status, reason, stop)
        return SessionOutcome(
            self._recorder.session_id,
            status,
            reason,
            self._recorder.progress,
            self._pipeline.assigner.student_count,
            self._small_faces,
            tuple(self._source_notes),
        )

    def mark(self, text: str) -> float:
        """Put a marker on the timeline at the present media time, which is returned in seconds; from any
        thread. It is written with the next commit. Raises InvalidMarker for a text without printable
        characters."""
        # Characters that the database rejects would block everything that is written with them.
        printable = "".join(c for c in text.encode("utf-8", "replace").decode() if is_printable(c)).strip()
        if not printable:
            raise InvalidMarker(
                f"The marker {text!r} has no printable text.", "Say what happened, such as 'quiz handed out'."
            )
        at_s = self._now_s()
        self._markers.append((at_s, printable))
        return at_s

    def view(self) -> SessionView:
        """The present state; from any thread."""
        snapshot = self._live_snapshot
        return SessionView(
            progress=self._recorder.progress,
            face_count=self._face_count,
            student_count=self._pipeline.assigner.student_count,
            sample_fps=self._rate_monitor.fps(self._now_s()),
            target_fps=self._rate_monitor.target_fps,
            unwritten_bins=self._recorder.unwritten_bins,
            last_written_at=self._recorder.last_written_at,
            live_students=() if snapshot is None else snapshot.live_students(self.labels()),
            small_faces=self._small_faces,
        )

    def labels(self) -> Mapping[int, str]:
        """The labels of the students in the database, by number; from any thread."""
        return self._recorder.labels

    def _now_s(self) -> float:
        """A live source knows the time between frames too; a file is at its last frame."""
        return self._recorder.progress.end_s if self._live_controls is None else self._live_controls.now_s()

    def _process_all(self) -> None:
        for item in self._frames:
            if isinstance(item, Gap):
                self._process_gap(item)
            else:
                self._process_frame(item)
            self._record_notes()
            self._recorder.commit_if_due(self._seats, self._pipeline.pop_changed_tracks)
            if self._on_progress is not None:
                self._on_progress(self._recorder.progress, self._pipeline.assigner.student_count)

    def _process_frame(self, frame: Frame) -> None:
        if self._started_at is None:
            self._started_at = frame.captured_at - timedelta(seconds=frame.media_s)
        previous_s, self._previous_s = self._previous_s, frame.media_s
        # After a gap as at the start, a frame stands for one period, not for the time before it.
        passed_s = self._period_s if previous_s is None else frame.media_s - previous_s
        result = self._pipeline.process(frame)
        self._record_small_faces()
        self._face_count = result.face_count
        if self._live_snapshot is not None:
            self._live_snapshot.update(result)
        if self._on_result is not None:
            self._on_result(result)
        max_s = max(MAX_SAMPLE_DURATION_S, 2 * self._period_s)
        duration_s = min(passed_s, max_s) if result.analysed else 0.0
        self._recorder.add(result, duration_s, self._source.frames_dropped)
        rate_note = self._rate_monitor.add_sample(frame.media_s)
        # A file is read as fast as it is analysed: missing frames were never in it.
        if rate_note is not None and self._source.is_live:
            log.warning("%s", rate_note)
            self._recorder.add_note(frame.media_s, rate_note)

    def _record_small_faces(self) -> None:
        """Store a new result of the search for missed faces with the next commit."""
        result = None if self._probe is None else self._probe.result
        if result is not None and result != self._small_faces:
            self._small_faces = result
            self._recorder.set_small_faces(result)

    def _process_gap(self, gap: Gap) -> None:
        self._previous_s = None
        self._face_count = 0
        if self._live_snapshot is not None:
            self._live_snapshot.clear()
        self._rate_monitor.add_gap(gap.start_s, gap.end_s)
        self._recorder.add_gap(gap, self._source.frames_dropped)

    def _record_notes(self) -> None:
        """Put the notes of the source and the markers on the timeline."""
        notes = [] if self._note_source is None else list(self._note_source.pop_notes())
        self._source_notes += notes[: MAX_OUTCOME_NOTES - len(self._source_notes)]
        while self._markers:
            notes.append(self._markers.popleft())
        for at_s, text in notes:
            self._recorder.add_note(at_s, text)

    def _seats(self) -> list[Seat]:
        return self._pipeline.assigner.seats

    def _determine_end(self, stop: threading.Event) -> tuple[SessionEvent, str]:
        if stop.is_set() and not self._source.is_live:
            return SessionEvent.ABORTED, "stopped before the end of the recording"
        if isinstance(stop, ShutdownRequest) and stop.reason:
            return SessionEvent.ABORTED, stop.reason
        return SessionEvent.STOP if stop.is_set() else SessionEvent.SOURCE_ENDED, ""

    def _close(self, status: SessionStatus, reason: str, stop: threading.Event) -> None:
        """Write the remaining results and close the session."""
        pending = self._pipeline.finish()
        if pending is not None:
            self._recorder.add_observations(pending)
        self._record_notes()
        immediate = isinstance(stop, ShutdownRequest) and stop.immediate
        try:
            if self._probe is not None and not immediate and self.end_cause is not SessionEvent.FAILURE:
                # The search takes seconds: all results are committed before it.
                self._recorder.commit(self._seats(), self._pipeline.pop_changed_tracks())
                self._probe.finish()
                self._record_small_faces()
            self._recorder.commit(self._seats(), self._pipeline.pop_changed_tracks(), is_final=True)
        finally:
            timeout_s = IMMEDIATE_TIMEOUT_S if immediate else CLOSE_TIMEOUT_S
            self._recorder.end(status, self._ended_at(), reason, timeout_s)

    def _ended_at(self) -> datetime:
        """The present time, corrected for clock changes: a live session did not end before its last frame,
        and a recording not after it."""
        now = self._clock()
        if self._started_at is None:
            return now
        last_frame_at = self._started_at + timedelta(seconds=self._recorder.progress.end_s)
        return max(now, last_frame_at) if self._source.is_live else min(now, last_frame_at)
