"""What can go wrong in ``monitor``.

Every message is one line: what was wrong, what was expected, what to do.
"""

from __future__ import annotations

from model.errors import ProblemError


class SourceError(ProblemError):
    """A source of frames cannot be used: a bad path, not a video, no frames, no camera."""


class SourceLost(SourceError):
    """A source broke off after it had begun. ``position_s`` is the media time up to which it was good.

    What was delivered before stays valid; the session that was fed from it is interrupted, not void.
    """

    def __init__(self, problem: str, position_s: float, hint: str = "") -> None:
        super().__init__(problem, hint)
        self.position_s = position_s


class DetectorError(ProblemError):
    """A face detector cannot be loaded or run: a missing model file, an impossible setting."""


class PlanError(ProblemError):
    """A seat plan cannot be made of a still, or not be read again."""
