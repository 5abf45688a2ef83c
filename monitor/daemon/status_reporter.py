"""The status of a recorder worker, from source, session and commands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from db.clock import now_utc
from monitor.daemon.protocol import RecordingRequest
from monitor.session.session import Session, SessionView
from monitor.session.state import SessionEvent, SessionState, SessionStateMachine
from monitor.session.status import RecordingStatus
from monitor.sources.base import Source
from monitor.sources.camera_state import CameraState, CameraStatus
from monitor.sources.live import LiveSource

MAX_REQUEST_AGE_S = 30.0
"""The longest time between a request of a user and its arrival here: a busy computer starts a command in up
to twenty seconds. An older request counts from this long ago. Samples of the last 40 s can be removed
(``monitor.timeline.binning.Binner``)."""


class StatusReporter:
    """Keeps the state of a recording. Thread-safe; ``clock`` returns aware UTC."""

    def __init__(
        self, request: RecordingRequest, target_fps: float, clock: Callable[[], datetime] = now_utc
    ) -> None:
        self._request = request
        self._target_fps = target_fps
        self._clock = clock
        self._lock = threading.Lock()
        self._state_machine = SessionStateMachine()
        self._state_since = clock()
        self._started_at: datetime | None = None
        self._session_id: int | None = None
        self._source: Source | None = None
        self._session: Session | None = None
        self._paused = False
        self._early_markers: list[tuple[str, datetime]] = []

    @property
    def session_id(self) -> int | None:
        """The id of the session, None before its first frame."""
        return self._session_id

    @property
    def state(self) -> SessionState:
        """The state of the session."""
        return self._state_machine.state

    def session_started(self, session_id: int) -> None:
        """The first frame has arrived, and the session is in the database."""
        with self._lock:
            self._session_id, self._started_at = session_id, self._clock()
            self._handle(SessionEvent.FRAME_RECEIVED)

    def attach(self, source: Source, session: Session) -> None:
        """Read status from and send commands to these from now on."""
        with self._lock:
            self._source, self._session = source, session
            early, self._early_markers = self._early_markers, []
        for text, requested_at in early:
            session.mark(text, self._age_s(requested_at))

    def update_camera(self) -> None:
        """Update the state after a frame or a gap, from pause and camera."""
        with self._lock:
            if self._paused:
                self._handle(SessionEvent.PAUSE)
                return
            self._handle(SessionEvent.RESUME)
            fresh = self._camera().state is CameraState.FRESH
            self._handle(SessionEvent.FRAME_RECEIVED if fresh else SessionEvent.SIGNAL_LOST)

    def pause(self, requested_at: datetime | None = None) -> bool:
        """Close the camera; returns False if impossible (a video, or no source yet). Frames after
        ``requested_at`` (aware, None for now) are not kept."""
        source = self._source
        if not isinstance(source, LiveSource) or self._paused:
            return False
        age_s = self._age_s(requested_at)
        source.pause(age_s)
        if self._session is not None and age_s:
            self._session.discard_recent(age_s)
        self._paused = True
        return True

    def resume(self) -> bool:
        """Reopen the camera; returns False if it is not paused."""
        source = self._source
        if not isinstance(source, LiveSource) or not self._paused:
            return False
        source.resume()
        self._paused = False
        return True

    def mark(self, text: str, requested_at: datetime | None = None) -> bool:
        """Add a marker to the timeline, at ``requested_at`` (aware, None for now); returns False before the
        session has started."""
        with self._lock:
            session = self._session
            if session is None and self._session_id is not None:
                self._early_markers.append((text, requested_at or self._clock()))  # until attach()
                return True
        if session is None:
            return False
        session.mark(text, self._age_s(requested_at))
        return True

    def labels(self) -> Mapping[int, str]:
        """The labels of the students in the database, by number."""
        return {} if self._session is None else self._session.labels()

    def handle_event(self, event: SessionEvent) -> None:
        """Take another event of the session."""
        with self._lock:
            self._check_end()
            self._handle(event)

    def status(self) -> RecordingStatus:
        """The current status."""
        with self._lock:
            self._check_end()
            view = None if self._session is None else self._session.view()
            camera = self._camera()
            return RecordingStatus(
                room=self._request.room,
                class_name=self._request.class_name,
                source="" if self._source is None else self._source.name,
                session_id=self._session_id,
                state=self._state_machine.state,
                state_since=self._state_since,
                started_at=self._started_at,
                media_s=self._media_s(view),
                watched_s=0.0 if view is None else view.progress.watched_s,
                camera=camera.state,
                camera_reason=camera.reason,
                camera_age_s=camera.age_s,
                face_count=0 if view is None else view.face_count,
                student_count=0 if view is None else view.student_count,
                frames_sampled=0 if view is None else view.progress.frames_sampled,
                frames_dropped=0 if view is None else view.progress.frames_dropped,
                sample_fps=0.0 if view is None else view.sample_fps,
                target_fps=self._target_fps,
                unwritten_bins=0 if view is None else view.unwritten_bins,
                last_written_at=None if view is None else view.last_written_at,
                live_students=() if view is None or self._paused else view.live_students,
                small_faces=None if view is None else view.small_faces,
            )

    def _check_end(self) -> None:
        """Take over the end of the session: writing the last data may take a minute more."""
        if self._session is not None and self._session.end_cause is not None:
            self._handle(self._session.end_cause)

    def _media_s(self, view: SessionView | None) -> float:
        return 0.0 if view is None else view.progress.end_s

    def _camera(self) -> CameraStatus:
        """The status of the camera; a video counts as a working one."""
        if isinstance(self._source, LiveSource):
            return self._source.status()
        return CameraStatus(CameraState.OPENING if self._source is None else CameraState.FRESH, "", None)

    def _age_s(self, requested_at: datetime | None) -> float:
        """The seconds since a request, 0 to ``MAX_REQUEST_AGE_S``."""
        if requested_at is None:
            return 0.0
        return min(max(0.0, (self._clock() - requested_at).total_seconds()), MAX_REQUEST_AGE_S)

    def _handle(self, event: SessionEvent) -> None:
        if self._state_machine.handle(event):
            self._state_since = self._clock()
