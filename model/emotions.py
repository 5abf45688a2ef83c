"""The expression labels; every module that names, orders or counts expressions imports them from here.

The order is that of FER2013 (Goodfellow et al. 2013, arXiv 1307.0414) and of the shipped model's output
columns. The labels are stored with the weights and checked when the weights are loaded.
"""

from __future__ import annotations

from enum import IntEnum


class Emotion(IntEnum):
    """Seven expressions; the value is the index in every probability vector of shape ``(7,)``."""

    ANGRY = 0
    DISGUST = 1
    FEAR = 2
    HAPPY = 3
    SAD = 4
    SURPRISE = 5
    NEUTRAL = 6

    @property
    def label(self) -> str:
        """The lower-case name, as stored with the weights and written to exports."""
        return self.name.lower()


EMOTIONS: tuple[str, ...] = tuple(emotion.label for emotion in Emotion)
"""The labels in order: angry, disgust, fear, happy, sad, surprise, neutral."""
