"""Verification of a known face over time: the running mean of verification passes, and when the next is
due."""

from __future__ import annotations

from dataclasses import dataclass, replace

CHECK_AFTER = 120
"""Samples between two verification passes of a settled face, a minute at two a second. Heuristic."""

CHECK_DOUBTFUL_AFTER = 8
"""The same for a face whose mean is below ``DOUBTFUL`` or that is not confirmed yet; neighbouring samples are
too similar to tell more."""

CHECK_YOUNG_AFTER = (2, 2, 4)
"""Samples before the first, second and third pass of a new face, which then come 1, 2 and 4 seconds after it
was found (at two samples a second). A detection that does not repeat is dropped after two of them."""

DOUBTFUL = 0.5
"""The mean that a new face must reach (``DetectionSettings.min_score``, as it is unless it was set)."""

EARLY_LOOKS = 3
"""Scores, the first detection included, before a face may be dropped."""

WEIGHT = 0.2
"""Of the newest pass in the running mean, once there are more than five. Heuristic, not tuned on data."""

LEAST_BELIEF = 0.28
"""A known face with a lower mean is dropped. In two simulated lessons in the lecture hall (12 minutes) the
means of eight things that had been followed for faces were 0.06 to 0.29, those of the people who were found
at all 0.34 (two, seen from the side at the picture's edge) to 0.87. The same lessons chose and measured
this."""

CONFIRMING_LOOKS = 3
"""Passes before a face can be confirmed."""

AGREED = 0.6
"""A face is confirmed by the second network from this mean of its close-crop scores on. Chosen, as the two
values below, on 200 drawn objects that the detector had accepted once (seeds below 1600 of
``tests/monitor/things.py``) and on the people of the simulated hall (seed 100, two sizes) and of the clips;
``docs/decisions.md`` has the figures on others."""

SURELY = 0.55
"""A face is confirmed by the first network alone from this mean over its passes on: faces seen from the side,
which neither the second network nor the face mesh knows, have means of 0.58 to 0.82 in the hall."""

MANY_LOOKS, SURELY_LONG = 6, 0.42
"""The same after so many passes: two heads that are half hidden, or cut off by the frame, have 0.43 there. A
detection that hardly ever repeats stays below."""

LEAST_CONFIRMED = 0.5
"""With a lower mean over the first network's passes the second one does not confirm a face."""


@dataclass(frozen=True)
class Belief:
    """``mean`` score of the verification passes so far, 0..1, weighted to the newer, and ``agreed``, that of
    the second network. ``looks`` counts the passes and the first detection, which is left out of the mean as
    soon as there is a pass: it was chosen for being high. The last pass was ``samples``
    ago. ``is_confirmed``: the second network has agreed once, or the first was sure; heads that bow
    later stay confirmed."""

    mean: float
    looks: int = 1
    samples: int = 0
    agreed: float = 0.0
    is_confirmed: bool = False

    def later(self) -> Belief:
        """The same, a sample later."""
        return replace(self, samples=self.samples + 1)

    def after(self, score: float, second: float = 0.0) -> Belief:
        """After another pass, with its ``score`` and that of the second network, both in 0..1."""
        weight, looks = max(WEIGHT, 1 / self.looks), self.looks + 1
        mean = self.mean + weight * (score - self.mean)
        agreed = self.agreed + weight * (second - self.agreed)
        passes = looks - 1
        both = mean >= LEAST_CONFIRMED and agreed >= AGREED
        is_sure = passes >= CONFIRMING_LOOKS and (both or mean >= SURELY)
        is_sure = is_sure or (passes >= MANY_LOOKS and mean >= SURELY_LONG)
        return Belief(mean, looks, agreed=agreed, is_confirmed=self.is_confirmed or is_sure)

    @property
    def overdue(self) -> int:
        """For how many samples there should have been another pass; negative while it is too early."""
        passes = self.looks - 1
        if passes < len(CHECK_YOUNG_AFTER):
            return self.samples - CHECK_YOUNG_AFTER[passes]
        is_doubtful = self.mean < DOUBTFUL or not self.is_confirmed
        return self.samples - (CHECK_DOUBTFUL_AFTER if is_doubtful else CHECK_AFTER)

    @property
    def is_lost(self) -> bool:
        """Whether it is no face after all."""
        return self.looks >= EARLY_LOOKS and self.mean < LEAST_BELIEF
