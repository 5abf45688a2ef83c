"""The status of a running recording: one frozen dataclass, sent as JSON after each frame and once a
second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from db.small_faces import SmallFaces
from monitor.session.state import SessionState
from monitor.sources.camera_state import CameraState


@dataclass(frozen=True)
class LiveStudent:
    """One student in the latest frame. ``label`` is the student's label in the database ("Student 3", or that
    of the planned seat), empty until the student is stored.

    ``facing`` (turned to the front) and ``eyes_closed`` are None if unknown. Either ``expression`` (one of
    ``model.emotions.EMOTIONS``) or ``unreadable_reason`` (a value of ``monitor.types.UnreadableReason``) is
    set.
    """

    label: str
    seen: bool
    facing: bool | None = None
    eyes_closed: bool | None = None
    expression: str | None = None
    unreadable_reason: str | None = None


@dataclass(frozen=True)
class RecordingStatus:
    """The recording of one room. ``source`` contains no password. Times are aware UTC.

    ``session_id`` is None until the first frame. ``media_s`` is the position in the source, ``watched_s`` the
    time in which frames arrived. ``state_since`` is when ``state`` began. ``camera_reason`` states in a few
    words why no fresh frame arrives, empty while one does; ``camera_age_s`` is the age of the last fresh
    frame, None before the first. ``face_count`` counts the faces of the latest frame, ``student_count`` all
    students so far. ``sample_fps`` is the rate of the last 30 s, ``target_fps`` the configured one.
    ``unwritten_bins``: bins that are not committed yet. ``last_written_at`` is None before the first commit.
    ``live_students`` is empty in gaps and in ``mode: aggregate``. ``small_faces`` is the result of the search
    for missed faces, None before there is one.
    """

    room: str | None
    class_name: str
    source: str
    session_id: int | None
    state: SessionState
    state_since: datetime
    started_at: datetime | None
    media_s: float
    watched_s: float
    camera: CameraState
    camera_reason: str
    camera_age_s: float | None
    face_count: int
    student_count: int
    frames_sampled: int
    frames_dropped: int
    sample_fps: float
    target_fps: float
    unwritten_bins: int
    last_written_at: datetime | None
    live_students: tuple[LiveStudent, ...] = ()
    small_faces: SmallFaces | None = None

    def as_json(self) -> dict[str, Any]:
        """Every field as a JSON-ready value; times in ISO 8601."""
        return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RecordingStatus:
        """The inverse of :meth:`as_json`. Raises ``pydantic.ValidationError``."""
        return _ADAPTER.validate_python(values)


_ADAPTER = TypeAdapter(RecordingStatus)
