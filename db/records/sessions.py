"""Sessions, with the markers and gaps on their timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.small_faces import SmallFaces

ONLINE_SOURCE = "online lesson"
"""The ``source`` of an online lesson. Each student was observed only while joined, so a student has no bins
for the rest of the time."""


class SessionStatus(StrEnum):
    """The state of a session. An interrupted session keeps everything recorded before."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"


class AnalysisMode(StrEnum):
    """The results that a session computes. ``behaviour``: presence, head direction and eyes, but no
    expressions. ``aggregate``: curves of the class only, never of fewer than five students."""

    EMOTION = "emotion"
    BEHAVIOUR = "behaviour"
    AGGREGATE = "aggregate"


@dataclass(frozen=True)
class NewSession:
    """A session at its start. ``started_at`` is aware UTC; ``expected_s`` the duration that a file states,
    None for a camera; ``settings`` the whole configuration as JSON values; ``versions`` those of the
    application, detector and model. ``process_started`` distinguishes the process from a later one with the
    same ``pid``. ``room`` is None if not configured."""

    class_name: str
    source: str
    started_at: datetime
    mode: str
    expected_s: float | None
    bin_s: float
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    pid: int
    process_started: float
    room: str | None = None


@dataclass(frozen=True)
class SessionRecord:
    """A stored session. ``watched_s`` is the time covered by sampled frames, without gaps; ``end_s`` the
    media time of the last sample; ``last_written_at`` the time of the last commit. ``small_faces`` is None
    if the session was not checked for missed faces."""

    id: int
    class_name: str
    source: str
    started_at: datetime
    ended_at: datetime | None
    last_written_at: datetime
    status: SessionStatus
    status_reason: str
    mode: str
    expected_s: float | None
    bin_s: float
    end_s: float
    watched_s: float
    frames_sampled: int
    frames_dropped: int
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    pid: int
    process_started: float
    room: str | None = None
    small_faces: SmallFaces | None = None


@dataclass(frozen=True)
class SessionProgress:
    """The progress of a session, written with every batch of bins."""

    end_s: float
    watched_s: float
    frames_sampled: int
    frames_dropped: int


@dataclass(frozen=True)
class MarkerRecord:
    """A note on the timeline at ``at_s`` seconds of media time."""

    id: int
    session_id: int
    at_s: float
    text: str


@dataclass(frozen=True)
class GapRecord:
    """An interval (media seconds) in which nothing was observed. ``reason`` is a value of
    ``monitor.types.GapReason``."""

    start_s: float
    end_s: float
    reason: str
