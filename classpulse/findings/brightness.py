"""How many pictures are unusable, and whether the splits are of one kind."""

from __future__ import annotations

from classpulse.findings.numbers import of_all
from model.brightness import BLURRED_SHARPNESS, BRIGHT_MEAN, DARK_MEAN, FLAT_STD, Brightness

RARE_CONDITION = 0.02
"""Below this share of the faces a score over all of them says next to nothing about such faces."""

ALIKE_LEVELS = 5.0
"""Splits whose median grey levels differ by less look alike to the eye."""

Found = tuple[Brightness, ...]


def about_brightness(found: Found) -> tuple[str, ...]:
    """For the section on brightness."""
    return (_flat(found), _light(found), _blurred(found), _between(found))


def _flat(found: Found) -> str:
    flat, total = sum(split.flat for split in found), _total(found)
    if not flat:
        return "No picture is nearly flat."
    return (
        f"Nearly flat (standard deviation below {FLAT_STD:.0f} of 255): {of_all(flat, total)}. Whatever "
        "label such a picture has, it cannot be told; right answers there are luck, or learnt by heart."
    )


def _light(found: Found) -> str:
    dark, bright, total = (sum(s.dark for s in found), sum(s.bright for s in found), _total(found))
    told = (
        f"Dark (mean below {DARK_MEAN:.0f}): {of_all(dark, total)}; bright (mean above {BRIGHT_MEAN:.0f}): "
        f"{of_all(bright, total)}."
    )
    rare = max(dark, bright) < RARE_CONDITION * total
    return told + (" A score over all faces says little about a room as dark or as bright." if rare else "")


def _blurred(found: Found) -> str:
    blurred, total = sum(split.blurred for split in found), _total(found)
    told = (
        f"Blurred (sharpness below {BLURRED_SHARPNESS}, where the monitor judges no face; the flat ones "
        f"aside): {of_all(blurred, total) if blurred else 'none'}."
    )
    rare = blurred < RARE_CONDITION * total
    return told + (" What a model does with a face out of focus is not measured here." if rare else "")


def _between(found: Found) -> str:
    if len(found) == 1:
        return "With one split only, nothing can be said about whether the splits look alike."
    medians = [split.median_mean for split in found]
    spread = max(medians) - min(medians)
    told = f"The splits’ median grey levels differ by {spread:.1f}"
    if spread < ALIKE_LEVELS:
        return f"{told}: a figure is for pictures of the kind that was learnt from, not for another camera."
    return f"{told}: a difference in scores may be one of light."


def _total(found: Found) -> int:
    return sum(split.faces for split in found)
