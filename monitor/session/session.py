"""One lecture from its first frame to its last.

However a session ends (the recording is over, the teacher stops it, the file breaks off, the
database refuses, the program fails) what was seen is written and the session is closed with an
honest status.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

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
from monitor.sources.base import Source
from monitor.text import is_printable
from monitor.timeline.recorder import Recorder
from monitor.timeline.write_queue import CLOSE_TIMEOUT_S
from monitor.types import Frame, FrameResult, Gap

log = logging.getLogger(__name__)

MAX_SAMPLE_DURATION_S = 2.0
"""The longest time one sample may stand for, unless sampling is slower than once a second. Longer
gaps are time that was not watched."""


@dataclass(frozen=True)
class SessionOutcome:
    """How a session ended. ``reason`` is one line, empty when nothing went wrong."""

    session_id: int
    status: SessionStatus
    reason: str
    progress: SessionProgress
    student_count: int
    small_faces: SmallFaces | None = None


@dataclass(frozen=True)
class SessionView:
    """How a session stands at this moment, as ``monitor.session.status.RecordingStatus`` names it. ``face_count`` is 0
    while there is nothing to look at, and ``live_students`` are nobody."""

    progress: SessionProgress
    face_count: int
    student_count: int
    sample_fps: float
    target_fps: float
    unwritten_bins: int
    last_written_at: datetime | None
    live_students: tuple[LiveStudent, ...] = ()
    small_faces: SmallFaces | None = None


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

    One thread runs it; any other may call ``mark`` and ``view``. ``on_progress`` is called after each sample,
    and about once a second while there is nothing to look at. ``live_snapshot`` tells who is present now; without
    it nothing is told of anybody. ``probe`` is the pipeline's search for missed faces, whose result is
    stored. ``clock`` gives aware UTC. ``end_cause`` is why it is over, None before; what is left is being written
    then.
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
        on_sample: Callable[[FrameResult], None] | None = None,
        live_snapshot: LiveSnapshot | None = None,
        probe: MissedFaceProbe | None = None,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._source = source
        self._frames = frames
        self._pipeline = pipeline
        self._recorder = recorder
        self._period_s = 1 / sample_fps
        self._rate_monitor = FrameRateMonitor(sample_fps)
        self._on_progress = on_progress
        self._on_sample = on_sample
        self._live_snapshot = live_snapshot
        self._probe = probe
        self._small_faces: SmallFaces | None = None
        self._clock = clock
        self.end_cause: SessionEvent | None = None
        self._previous_s: float | None = None
        self._started_at: datetime | None = None
        self._face_count = 0
        self._marks: deque[tuple[float, str]] = deque()

    def run(self, stop: threading.Event) -> SessionOutcome:
        """Watch until the source ends or ``stop`` is set.

        A file that is stopped before its end is interrupted; a camera that is stopped is
        finished, because that is how a live lecture ends. Raises DatabaseError when the record
        cannot be written; the session is then marked interrupted if the database still allows it.
        """
        cause, reason = SessionEvent.FAILURE, "the program failed; the log says why"
        try:
            self._process_all()
            cause, reason = self._determine_end(stop)
        except SourceLost as error:
            cause, reason = SessionEvent.CAMERA_LOST, str(error)
        except DatabaseError as error:
            reason = f"the record could not be written: {error}"
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
        )

    def mark(self, text: str) -> float:
        """Put a note on the timeline at this moment of the lecture; from any thread. Returns where, media
        seconds. It is written with the next commit. Raises ValueError for a text with nothing to read."""
        # What no database takes must not hold up all that waits with it.
        readable = "".join(c for c in text.encode("utf-8", "replace").decode() if is_printable(c)).strip()
        if not readable:
            raise ValueError(f"the note {text!r} has nothing to read; expected a few words")
        at_s = self._now_s()
        self._marks.append((at_s, readable))
        return at_s

    def view(self) -> SessionView:
        """How the session stands; from any thread."""
        return SessionView(
            progress=self._recorder.progress,
            face_count=self._face_count,
            student_count=self._pipeline.assigner.student_count,
            sample_fps=self._rate_monitor.fps(self._now_s()),
            target_fps=self._rate_monitor.target_fps,
            unwritten_bins=self._recorder.unwritten_bins,
            last_written_at=self._recorder.last_written_at,
            live_students=()
            if self._live_snapshot is None
            else self._live_snapshot.live_students(self.labels()),
            small_faces=self._small_faces,
        )

    def labels(self) -> Mapping[int, str]:
        """What the students are called in the record, by number; from any thread."""
        return self._recorder.labels

    def _now_s(self) -> float:
        """A live source knows the moment also between its pictures; a file is where its last sample is."""
        now_s = getattr(self._source, "now_s", None)
        return self._recorder.progress.end_s if now_s is None else float(now_s())

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
        # After a gap as at the start: a sample stands for one period, not for what nobody saw.
        passed_s = self._period_s if previous_s is None else frame.media_s - previous_s
        sample = self._pipeline.process(frame)
        self._record_small_faces()
        self._face_count = sample.face_count
        if self._live_snapshot is not None:
            self._live_snapshot.update(sample)
        if self._on_sample is not None:
            self._on_sample(sample)
        longest_s = max(MAX_SAMPLE_DURATION_S, 2 * self._period_s)
        covers_s = min(passed_s, longest_s) if sample.analysed else 0.0
        self._recorder.add(sample, covers_s, self._source.frames_dropped)
        news = self._rate_monitor.add_sample(frame.media_s)
        # A file waits for whoever reads it: what it has fewer of, it never had.
        if news is not None and self._source.is_live:
            log.warning("%s", news)
            self._recorder.add_note(frame.media_s, news)

    def _record_small_faces(self) -> None:
        """Store a new result of the search for missed faces with the next commit."""
        found = None if self._probe is None else self._probe.result
        if found is not None and found != self._small_faces:
            self._small_faces = found
            self._recorder.set_small_faces(found)

    def _process_gap(self, gap: Gap) -> None:
        self._previous_s = None
        self._face_count = 0
        if self._live_snapshot is not None:
            self._live_snapshot.clear()
        self._rate_monitor.add_gap(gap.start_s, gap.end_s)
        self._recorder.add_gap(gap, self._source.frames_dropped)

    def _record_notes(self) -> None:
        """What the source and other threads have to say, onto the timeline."""
        pop_notes = getattr(self._source, "pop_notes", None)  # only a live source has any
        notes = [] if pop_notes is None else list(pop_notes())
        while self._marks:
            notes.append(self._marks.popleft())
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
        """Write what is left. A database that fails here has been reported by :meth:`run` or is
        reported now; an error on the way must not hide the first one."""
        waiting = self._pipeline.finish()
        if waiting is not None:
            self._recorder.add_observations(waiting)
        self._record_notes()
        hurried = isinstance(stop, ShutdownRequest) and stop.immediate
        try:
            if self._probe is not None and not hurried and self.end_cause is not SessionEvent.FAILURE:
                # The search takes seconds: everything seen so far is committed before it.
                self._recorder.commit(self._seats(), self._pipeline.pop_changed_tracks())
                self._probe.finish()
                self._record_small_faces()
            self._recorder.commit(self._seats(), self._pipeline.pop_changed_tracks(), is_final=True)
        finally:
            within_s = IMMEDIATE_TIMEOUT_S if hurried else CLOSE_TIMEOUT_S
            self._recorder.end(status, self._ended_at(), reason, within_s)

    def _ended_at(self) -> datetime:
        """Now; but a lecture that was watched for an hour did not end before it began, nor earlier than an
        hour after, whatever became of the clock meanwhile. One that was recorded before ended then, and its
        recording cannot be of what is still to come."""
        now = self._clock()
        if self._started_at is None:
            return now
        watched_until = self._started_at + timedelta(seconds=self._recorder.progress.end_s)
        return max(now, watched_until) if self._source.is_live else min(now, watched_until)
