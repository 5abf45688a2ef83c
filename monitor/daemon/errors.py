"""Errors of requests to the daemon.

Each class has a ``kind``, which travels with an answer over the control socket, so that the client raises the
same class as the daemon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from model.errors import ProblemError


class ControlError(ProblemError):
    """A request cannot be sent to the daemon, or the daemon rejected it."""

    kind: ClassVar[str] = "error"


class DaemonNotRunning(ControlError):
    """No process holds the data folder."""

    kind = "not_running"


class DaemonUnreachable(ControlError):
    """A process holds the data folder but cannot be reached: it does not answer, belongs to another user or
    has another version."""

    kind = "unreachable"


class DaemonBusy(ControlError):
    """The daemon did not handle the request in time."""

    kind = "busy"


class DaemonStopping(ControlError):
    """The daemon is shutting down."""

    kind = "stopping"


class DataDirLocked(ControlError):
    """Another process holds the data folder."""

    kind = "data_dir_locked"


class DataDirNotWritable(ControlError):
    """The data folder cannot be written."""

    kind = "data_dir_not_writable"


class InvalidRequest(ControlError):
    """A value of the request is invalid: class, room, time, marker."""

    kind = "invalid_request"


class RecordingNotFound(ControlError):
    """No recording matches the request, or several do."""

    kind = "not_found"


class RecordingConflict(ControlError):
    """The room or the camera of the request is in use."""

    kind = "conflict"


class CommandRejected(ControlError):
    """The recording cannot carry out the command in its state."""

    kind = "rejected"


class RecordingRefused(ControlError):
    """The settings do not allow a recording: no policy."""

    kind = "refused"


class InternalError(ControlError):
    """A bug in the daemon; its log has the traceback."""

    kind = "internal"


_CLASSES = {
    error.kind: error
    for error in (
        DaemonNotRunning,
        DaemonUnreachable,
        DaemonBusy,
        DaemonStopping,
        DataDirLocked,
        DataDirNotWritable,
        InvalidRequest,
        RecordingNotFound,
        RecordingConflict,
        CommandRejected,
        RecordingRefused,
        InternalError,
    )
}


@dataclass(frozen=True)
class ErrorReply:
    """An error as the daemon sends it: ``{"kind": ..., "problem": ..., "hint": ...}``."""

    kind: str
    problem: str
    hint: str = ""

    @classmethod
    def of(cls, error: ProblemError) -> ErrorReply:
        """The error to be sent; an error that is no ControlError becomes ``refused``."""
        kind = error.kind if isinstance(error, ControlError) else RecordingRefused.kind
        return cls(kind, error.problem, error.hint)

    def to_error(self) -> ControlError:
        """The error to be raised by the client; a ControlError for an unknown kind."""
        return _CLASSES.get(self.kind, ControlError)(self.problem, self.hint)


def internal_error(error: Exception) -> InternalError:
    """The error for a bug, without its message, which may contain a name or an address."""
    return InternalError(f"Internal error ({type(error).__name__}).", "See the log.")
