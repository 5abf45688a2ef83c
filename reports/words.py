"""Numbers and labels as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from model.emotions import Emotion

NOUNS: Mapping[Emotion, str] = {
    Emotion.ANGRY: "anger",
    Emotion.DISGUST: "disgust",
    Emotion.FEAR: "fear",
    Emotion.HAPPY: "happiness",
    Emotion.SAD: "sadness",
    Emotion.SURPRISE: "surprise",
    Emotion.NEUTRAL: "neutral",
}
"""What an expression *resembles*. An adjective after a name would read as a finding about the person."""

KINDS: Mapping[str, str] = {"sad_share": "sadness", "attention": "attention"}
"""What a flag of each kind (``FlagRecord.kind``) is about, in a word."""

GAP = "\u00a0"
"""Between a number and its unit, where a line must not break."""

NONE = "–"
"""Stands for a number that does not exist, which is not zero."""


def about(kind: str) -> str:
    """``sadness`` for ``sad_share``; a kind that is not known is called as it is."""
    return KINDS.get(kind, kind.replace("_", " "))


def reading_key(name: str) -> list[tuple[bool, int, str]]:
    """Sorts names as people do: capitals like small letters, and "Student 9" before "Student 10"."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def clock(seconds: float) -> str:
    """``75`` as ``1:15``, ``3675`` as ``1:01:15``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def length(seconds: float) -> str:
    """``75`` as ``1 min 15 s``, ``3675`` as ``1 h 1 min``; seconds are dropped from an hour up."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    told = [f"{number}{GAP}{unit}" for number, unit in parts if number]
    return GAP.join(told) or f"0{GAP}s"


def percent(share: float | None) -> str:
    """``0.625`` as ``62 %``. What is not quite nothing or not quite everything does not become it."""
    if share is None:
        return NONE
    whole = round(share * 100)
    if whole == 0 and share > 0:
        return f"<1{GAP}%"
    if whole == 100 and share < 1 - 1e-9:
        return f">99{GAP}%"
    return f"{whole}{GAP}%"


def percent_range(low: float, high: float) -> str:
    """``0.4`` to ``0.81`` as ``40–81 %``."""
    return f"{low * 100:.0f}–{high * 100:.0f}{GAP}%"


def sideways(yaw_deg: float) -> str:
    """``12.3`` as ``12° left``, to the student's own left; ``-0.2`` as ``0°``."""
    return _towards(yaw_deg, "left", "right")


def upwards(pitch_deg: float) -> str:
    """``-8`` as ``8° down``."""
    return _towards(pitch_deg, "up", "down")


def points(change: float) -> str:
    """A change of a share: ``-0.25`` as ``−25 points``."""
    whole = round(change * 100)
    return f"{'−' if whole < 0 else '+' if whole else ''}{abs(whole)}{GAP}points"


def _towards(angle_deg: float, positive: str, negative: str) -> str:
    whole = round(angle_deg)
    return f"{abs(whole)}°" + (f"{GAP}{positive if whole > 0 else negative}" if whole else "")


def count(number: int, noun: str) -> str:
    """``1 student``, ``2 students``, ``no students``."""
    return f"{number or 'no'} {noun}" + ("" if number == 1 else "s")


def listing(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([*[", ".join(items[:-1])][: len(items) > 1], *items[-1:]])
