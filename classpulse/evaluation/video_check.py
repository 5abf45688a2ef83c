"""Whether a film is the one that a truth tells of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from classpulse.simulation.ground_truth import Truth, TruthError

SLACK_S = 1.0
"""A film may end so long, and a step of the truth, before the truth's last sample: its last picture is shown
for a while, and was looked at some time ago."""

REMEDY = "expected the film beside which the truth was written"


@dataclass(frozen=True)
class ToldFilm:
    """A film, its truth, and the truth's name for messages. Both checks raise ``TruthError``."""

    video: Path
    truth: Truth
    truth_file: Path

    def fits(self, size: tuple[int, int]) -> bool:
        """Whether pictures of ``size`` (width, height), pixels, are the truth's."""
        return size == (self.truth.width, self.truth.height)

    def check_size(self, size: tuple[int, int]) -> None:
        """The film's pictures are ``size`` (width, height) pixels large."""
        if not self.fits(size):
            raise TruthError(
                f"{self.video} has {size[0]} x {size[1]} pixels and {self.truth_file} tells of "
                f"{self.truth.width} x {self.truth.height}; {REMEDY}"
            )

    def check_length(self, film_s: float | None) -> None:
        """The film lasts ``film_s`` seconds and no less than the truth; None where that is not known."""
        last_s = self.truth.times[-1]
        if film_s is not None and film_s + self.truth.step_s + SLACK_S < last_s:
            raise TruthError(
                f"{self.video} ends after {film_s:.1f} s and {self.truth_file} tells of {last_s:.1f} s; "
                f"{REMEDY}"
            )
