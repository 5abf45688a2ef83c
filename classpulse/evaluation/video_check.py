"""Whether a film is the one that a truth tells of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from classpulse.simulation.ground_truth import GroundTruth, GroundTruthError

LENGTH_TOLERANCE_S = 1.0
"""A film may end so long, and a step of the truth, before the truth's last sample: its last picture is shown
for a while, and was looked at some time ago."""

HINT = "expected the film beside which the truth was written"


@dataclass(frozen=True)
class LabelledVideo:
    """A film, its truth, and the truth's name for messages. Both checks raise ``GroundTruthError``."""

    video: Path
    ground_truth: GroundTruth
    ground_truth_file: Path

    def has_size(self, size: tuple[int, int]) -> bool:
        """Whether pictures of ``size`` (width, height), pixels, are the truth's."""
        return size == (self.ground_truth.width, self.ground_truth.height)

    def check_size(self, size: tuple[int, int]) -> None:
        """The film's pictures are ``size`` (width, height) pixels large."""
        if not self.has_size(size):
            raise GroundTruthError(
                f"{self.video} has {size[0]} x {size[1]} pixels and {self.ground_truth_file} tells of "
                f"{self.ground_truth.width} x {self.ground_truth.height}; {HINT}"
            )

    def check_length(self, video_s: float | None) -> None:
        """The film lasts ``video_s`` seconds and no less than the truth; None where that is not known."""
        last_s = self.ground_truth.times[-1]
        if video_s is not None and video_s + self.ground_truth.step_s + LENGTH_TOLERANCE_S < last_s:
            raise GroundTruthError(
                f"{self.video} ends after {video_s:.1f} s and {self.ground_truth_file} tells of {last_s:.1f} s; "
                f"{HINT}"
            )
