"""The one list of expression labels.

Everything that names, orders or counts expressions imports it from here. The order is FER2013's
(Goodfellow et al. 2013, arXiv 1307.0414), which is the order of the columns the shipped model puts
out; the labels travel with the weights and are compared with this list when the weights are loaded.
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
