"""Expected errors of ``monitor``."""

from __future__ import annotations

from model.errors import ProblemError


class SetupError(ProblemError):
    """Settings, roster, seat plan or computer do not allow a session. No session was created."""


class RunError(ProblemError):
    """Something outside the settings made a run fail."""


class SourceError(ProblemError):
    """A source of frames cannot be used: invalid path, not a video, no frames, no camera."""


class SourceLost(SourceError):
    """A source failed after its first frame; the session is interrupted. Frames before ``position_s`` (media
    time, seconds) are valid."""

    def __init__(self, problem: str, position_s: float, hint: str = "") -> None:
        super().__init__(problem, hint)
        self.position_s = position_s


class DetectorError(ProblemError):
    """A face detector cannot be loaded or run: missing model file, impossible setting."""


class PlanError(ProblemError):
    """A seat plan cannot be created from an image, or a stored one cannot be read."""
