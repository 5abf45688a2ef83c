"""Expected errors of ``monitor``; ``monitor.sources.errors`` has the kinds of ``SourceError``."""

from __future__ import annotations

from pathlib import Path

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
    """A face detector or another network cannot be loaded: a missing model file, an invalid setting."""


class UnknownBackend(DetectorError):
    """``detection.backend`` has the value ``backend``, which does not exist."""

    def __init__(self, backend: str, known: tuple[str, ...]) -> None:
        super().__init__(f"detection.backend is {backend!r}.", f"Use one of: {', '.join(known)}.")
        self.backend = backend
        self.known = known


class ModelNotInstalled(DetectorError):
    """``file`` is not part of the installed mediapipe, or mediapipe is not installed."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file} is not part of the installed mediapipe.",
            "Install mediapipe 0.10.21, the last release that contains the models: "
            "pip install mediapipe==0.10.21.",
        )
        self.file = file


class YuNetModelError(DetectorError):
    """YuNet's model file at ``path`` (None: not set) is missing or cannot be read."""

    def __init__(self, path: Path | None) -> None:
        problem = (
            "detection.yunet_model is not set." if path is None else f"{path} is not a readable YuNet model."
        )
        super().__init__(
            problem, "Set it to the path of YuNet's ONNX file (opencv_zoo), or use backend: mediapipe."
        )
        self.path = path


class PlanError(ProblemError):
    """A seat plan cannot be created from an image, or a stored one cannot be read."""
