"""Checks that a video and a ground truth belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from classpulse.simulation.ground_truth import GroundTruth, GroundTruthError

LENGTH_TOLERANCE_S = 1.0
"""A video may end this long, plus one step, before the last sample of the ground truth: the last frame is
shown for a while and was analysed some time before."""

HINT = "Use the video for which the ground truth was written."


@dataclass(frozen=True)
class LabelledVideo:
    """A video with its ground truth and the path of the latter. The checks raise ``GroundTruthError``."""

    video: Path
    ground_truth: GroundTruth
    ground_truth_file: Path

    def has_size(self, size: tuple[int, int]) -> bool:
        """Whether frames of ``size`` (width, height) in pixels match the ground truth."""
        return size == (self.ground_truth.width, self.ground_truth.height)

    def check_size(self, size: tuple[int, int]) -> None:
        """Check that frames of ``size`` (width, height) in pixels match the ground truth."""
        if not self.has_size(size):
            raise GroundTruthError(
                f"{self.video} has {size[0]} x {size[1]} pixels, but {self.ground_truth_file} is for "
                f"{self.ground_truth.width} x {self.ground_truth.height}.",
                HINT,
            )

    def check_length(self, video_s: float | None) -> None:
        """Check that a video of ``video_s`` seconds, None if unknown, is as long as the ground truth."""
        last_s = self.ground_truth.times[-1]
        if video_s is not None and video_s + self.ground_truth.step_s + LENGTH_TOLERANCE_S < last_s:
            raise GroundTruthError(
                f"{self.video} ends after {video_s:.1f} s, {self.ground_truth_file} after {last_s:.1f} s.",
                HINT,
            )
