"""What a simulated student may be doing, and for how long. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from model.emotions import Emotion


class State(StrEnum):
    """What is true of a student for a while. The first seven are named as the expressions in ``EMOTIONS``."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"
    UNREADABLE = "unreadable"
    """Facing the front, but too blurred, small or hidden to tell an expression."""
    TURNED = "turned away"
    BOWED = "bowed down"
    """Over the desk: the face is not to the front, and neither expression nor eyes can be told."""
    SHUT = "eyes shut"
    """Facing the front with shut eyes; the face is a neutral one."""
    ABSENT = "absent"


STATES = tuple(State)
"""The states in order; scripts hold their places in it."""

EXPRESSIONS: Mapping[State, Emotion] = {
    **{STATES[emotion]: emotion for emotion in Emotion},
    State.SHUT: Emotion.NEUTRAL,
}
"""The states in which the face can be read, and what it resembles."""

FACING = frozenset(EXPRESSIONS) | {State.UNREADABLE}
"""The states in which the head is to the front."""

USUAL: Mapping[State, float] = {
    State.NEUTRAL: 0.58,
    State.HAPPY: 0.12,
    State.SAD: 0.05,
    State.SURPRISE: 0.03,
    State.ANGRY: 0.01,
    State.FEAR: 0.005,
    State.DISGUST: 0.005,
    State.UNREADABLE: 0.06,
    State.TURNED: 0.06,
    State.BOWED: 0.05,
    State.SHUT: 0.01,
    State.ABSENT: 0.02,
}
"""The share of a lecture that an average student spends in each state. Made up to be plausible: no study of a
class that was labelled state by state is behind it."""

LASTS_S: Mapping[State, float] = {
    State.NEUTRAL: 25.0,
    State.HAPPY: 8.0,
    State.SAD: 20.0,
    State.SURPRISE: 3.0,
    State.ANGRY: 8.0,
    State.FEAR: 4.0,
    State.DISGUST: 4.0,
    State.UNREADABLE: 12.0,
    State.TURNED: 12.0,
    State.BOWED: 25.0,
    State.SHUT: 6.0,
    State.ABSENT: 180.0,
}
"""How long a state lasts on average, seconds. Made up as well."""
