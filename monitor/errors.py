"""Expected errors of ``monitor``; ``monitor.sources.errors`` has the kinds of ``SourceError``."""

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
    """A face detector cannot be loaded: an invalid setting, a missing package."""


class UnknownBackend(DetectorError):
    """``detection.backend`` has the value ``backend``, which does not exist."""

    def __init__(self, backend: str, known: tuple[str, ...]) -> None:
        super().__init__(f"detection.backend is {backend!r}.", f"Use one of: {', '.join(known)}.")
        self.backend = backend
        self.known = known


class BackendNotInstalled(DetectorError):
    """``detection.backend`` needs the optional package ``package``, which is not installed or cannot be
    loaded."""

    def __init__(self, backend: str, package: str) -> None:
        super().__init__(
            f"detection.backend is {backend!r}, but the package {package} is not installed.",
            f"Install it (pip install 'classpulse[{package}]'), or use another backend.",
        )
        self.backend = backend
        self.package = package


class PlanError(ProblemError):
    """A seat plan cannot be created from an image, or a stored one cannot be read."""
