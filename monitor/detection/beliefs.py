"""How much a known face has been one in careful looks: a running mean, and when another look is due."""

from __future__ import annotations

from dataclasses import dataclass, replace

CHECK_AFTER = 120
"""A known face is looked at carefully after so many samples, a minute at two a second. Not tuned."""

CHECK_DOUBTFUL_AFTER = 8
"""The same for one with less belief than ``DOUBTFUL`` or fewer looks than ``EARLY_LOOKS``; sooner makes no
sense, for neighbouring samples are too alike."""

DOUBTFUL = 0.5
"""The mean that a new face must reach (``DetectionSettings.min_score``, as it is unless it was set)."""

EARLY_LOOKS = 3

WEIGHT = 0.2
"""Of the newest look in the running mean, once there are more than five. Not tuned."""

LEAST_BELIEF = 0.28
"""A known face with less belief is given up. In two simulated lessons in the lecture hall (12 minutes) the
means of eight things that had been followed for faces were 0.06 to 0.29, those of the people who were found
at all 0.34 (two, seen from the side at the picture's edge) to 0.87. The same lessons chose and measured
this."""


@dataclass(frozen=True)
class Belief:
    """``mean`` score of the ``looks`` so far, 0..1, weighted to the newer; the last was ``samples`` ago."""

    mean: float
    looks: int = 1
    samples: int = 0

    def later(self) -> Belief:
        """The same, a sample later."""
        return replace(self, samples=self.samples + 1)

    def after(self, score: float) -> Belief:
        """After another careful look, with its ``score`` in 0..1."""
        weight = max(WEIGHT, 1 / (self.looks + 1))
        return Belief(self.mean + weight * (score - self.mean), self.looks + 1)

    @property
    def overdue(self) -> int:
        """For how many samples there should have been another look; negative while it is too early."""
        is_doubtful = self.mean < DOUBTFUL or self.looks < EARLY_LOOKS
        return self.samples - (CHECK_DOUBTFUL_AFTER if is_doubtful else CHECK_AFTER)

    @property
    def is_lost(self) -> bool:
        """Whether it is no face after all."""
        return self.looks >= EARLY_LOOKS and self.mean < LEAST_BELIEF
