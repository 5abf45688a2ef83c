"""One room that is being recorded: what was ordered, and how it stands. Nothing here waits or acts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from db.records import SessionStatus
from monitor.camera import CameraState
from monitor.control import ControlError
from monitor.lifecycle import SessionState
from monitor.messages import Command, Over, Refused
from monitor.order import Order
from monitor.respawn import Respawns
from monitor.status import RecordingStatus

SILENT_S = 60.0
"""A recording tells of itself every second from the start of its process. One that says nothing for a minute
hangs (a driver in the kernel, a stopped process) and is replaced."""

STUCK_S = 120.0
"""Its place in the lecture moves on at least once a second, in gaps too. One step of the slowest computer
takes seconds; loading the models takes up to half a minute from a cold disk."""

ENDING_S = 90.0
"""At its end a recording tries for a minute to write what a locked database or a full disk refused."""


class Recording(Protocol):
    """A process that records one room."""

    def send(self, command: Command) -> None:
        """Give it a command; does nothing when it is gone."""
        ...

    def kill(self) -> None:
        """End it without asking."""
        ...


@dataclass
class Room:
    """One room's order and how it stands."""

    order: Order
    number: int
    recording: Recording | None
    heard_s: float
    moved_s: float
    since: datetime
    status: RecordingStatus | None = None
    outcome: Over | Refused | None = None
    stopping_s: float | None = None
    next_try_s: float | None = None
    reason: str = ""
    paused: bool | None = None
    """What was last asked for; None: nothing. What it tells of itself comes up to a second later."""
    called_off: bool = False
    respawns: Respawns = field(default_factory=Respawns)

    @property
    def wanted(self) -> bool:
        """Whether nobody has asked for its end."""
        return self.stopping_s is None

    @property
    def problem(self) -> str:
        """What keeps it from being recorded, one line; empty where nothing does."""
        return f"{self.order.where}: {self.reason}" if self.reason else ""

    @property
    def is_paused(self) -> bool:
        """Whether nothing is to be seen: what was last asked for, else what it tells."""
        if self.paused is not None:
            return self.paused
        return self.status is not None and self.status.state is SessionState.PAUSED

    def hangs(self, now_s: float) -> bool:
        """Whether its recording is to be ended by force."""
        if self.stopping_s is not None:
            return now_s - self.stopping_s > ENDING_S
        return now_s - self.heard_s > SILENT_S or now_s - self.moved_s > STUCK_S

    def crash(self, code: int) -> Over | Refused:
        """What to make of a recording whose process is gone without a last word; ``code`` as for a
        process."""
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        line = f"the process that recorded it ended ({how})"
        if self.order.preview:
            line += "; where it was the window, leave --preview out"
        if self.status is not None and self.status.session_id is not None:
            return Over(self.status.session_id, SessionStatus.INTERRUPTED, line, again=True)
        if not self.wanted:
            line = "stopped before the first picture came: nothing was recorded"
        return Refused(line, again=True)

    def set_paused(self, status: RecordingStatus, *, paused: bool) -> None:
        """Note that a pause begins or ends, by how it stands. Raises ControlError where that makes no
        sense."""
        where = self.order.where
        if paused and self.is_paused:
            raise ControlError(f"{where} is paused already; 'classpulse resume' goes on")
        if not paused and not self.is_paused:
            raise ControlError(f"{where} is not paused; it is {status.state.value}")
        # A camera that shows pictures knows how old the newest is; a film has no such thing.
        if status.camera is CameraState.FRESH and status.camera_age_s is None:
            raise ControlError(f"{where} is watched from a film, which cannot be paused; end it instead")
        self.paused = paused

    def standing(self, wanted_fps: float) -> RecordingStatus:
        """As its recording told, or what is known before it has told anything."""
        if self.status is not None:
            ending = self.stopping_s is not None and self.status.state not in (
                SessionState.FINISHED,
                SessionState.INTERRUPTED,
            )
            return replace(self.status, state=SessionState.ENDING) if ending else self.status
        return RecordingStatus(
            room=self.order.room,
            class_name=self.order.class_name,
            source="",
            session_id=None,
            state=SessionState.PAUSED if self.recording is None and self.is_paused else SessionState.STARTING,
            since=self.since,
            started_at=None,
            media_s=0.0,
            watched_s=0.0,
            camera=CameraState.CLOSED if self.recording is None else CameraState.OPENING,
            camera_reason=self.reason,
            camera_age_s=None,
            faces_now=0,
            students=0,
            frames_sampled=0,
            frames_dropped=0,
            sample_fps=0.0,
            wanted_fps=wanted_fps,
            unwritten_bins=0,
            last_written_at=None,
        )
