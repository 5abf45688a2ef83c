"""One lecture from its first frame to its last.

However a session ends (the recording is over, the teacher stops it, the file breaks off, the
database refuses, the program fails) what was seen is written and the session is closed with an
honest status.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from db.errors import DatabaseError
from db.records import Progress, SessionStatus
from monitor.domain import Frame
from monitor.errors import SourceLost
from monitor.pipeline import Pipeline
from monitor.recorder import Recorder
from monitor.sample import Sample
from monitor.seating import Seat
from monitor.sources import Source

log = logging.getLogger(__name__)

MAX_COVER_S = 2.0
"""The longest time one sample may stand for, unless sampling is slower than once a second. Longer
gaps are time that was not watched."""


@dataclass(frozen=True)
class Outcome:
    """How a session ended. ``reason`` is one line, empty when nothing went wrong."""

    session_id: int
    status: SessionStatus
    reason: str
    progress: Progress
    students: int


class Session:
    """Runs the frames of one source through one pipeline into one recorder."""

    def __init__(
        self,
        source: Source,
        frames: Iterable[Frame],
        pipeline: Pipeline,
        recorder: Recorder,
        *,
        sample_fps: float,
        on_progress: Callable[[Progress, int], None] | None = None,
        on_sample: Callable[[Sample], None] | None = None,
    ) -> None:
        self._source = source
        self._frames = frames
        self._pipeline = pipeline
        self._recorder = recorder
        self._sample_fps = sample_fps
        self._on_progress = on_progress
        self._on_sample = on_sample

    def run(self, stop: threading.Event) -> Outcome:
        """Watch until the source ends or ``stop`` is set.

        A file that is stopped before its end is interrupted; a camera that is stopped is
        finished, because that is how a live lecture ends. Raises DatabaseError when the record
        cannot be written; the session is then marked interrupted if the database still allows it.
        """
        status, reason = SessionStatus.INTERRUPTED, "the program failed; the log says why"
        try:
            self._watch()
            status, reason = self._how_it_ended(stop)
        except SourceLost as error:
            reason = str(error)
        except DatabaseError as error:
            reason = f"the record could not be written: {error}"
            raise
        finally:
            self._close(status, reason)
        return Outcome(
            self._recorder.session_id,
            status,
            reason,
            self._recorder.progress,
            self._pipeline.seating.student_count,
        )

    def _watch(self) -> None:
        period_s = 1 / self._sample_fps
        longest_s = max(MAX_COVER_S, 2 * period_s)
        previous_s: float | None = None
        for frame in self._frames:
            gap_s = period_s if previous_s is None else frame.media_s - previous_s
            previous_s = frame.media_s
            sample = self._pipeline.process(frame)
            if self._on_sample is not None:
                self._on_sample(sample)
            covers_s = min(gap_s, longest_s) if sample.looked_at else 0.0
            self._recorder.add(sample, covers_s, self._source.frames_dropped)
            self._recorder.commit_if_due(self._seats, self._pipeline.pop_changed_tracks)
            if self._on_progress is not None:
                self._on_progress(self._recorder.progress, self._pipeline.seating.student_count)

    def _seats(self) -> list[Seat]:
        return self._pipeline.seating.seats

    def _how_it_ended(self, stop: threading.Event) -> tuple[SessionStatus, str]:
        if stop.is_set() and not self._source.live:
            return SessionStatus.INTERRUPTED, "stopped before the end of the recording"
        return SessionStatus.FINISHED, ""

    def _close(self, status: SessionStatus, reason: str) -> None:
        """Write what is left. A database that fails here has been reported by :meth:`run` or is
        reported now; an error on the way must not hide the first one."""
        waiting = self._pipeline.finish()
        if waiting is not None:
            self._recorder.add_observations(waiting)
        try:
            self._recorder.commit(self._seats(), self._pipeline.pop_changed_tracks(), last=True)
        finally:
            self._recorder.end(status, datetime.now(UTC), reason)
