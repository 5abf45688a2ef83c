"""How uneven the labels are, and what that does to an accuracy."""

from __future__ import annotations

from classpulse.findings.numbers import faces, of_all
from model.emotions import EMOTIONS
from model.exploration import Exploration
from model.splits import SplitCounts
from reports.words import listing, percent

RARE_LABEL = 0.05
"""A label with a smaller share than this can be got wrong altogether without the accuracy showing it."""


def about_counts(found: Exploration) -> tuple[str, ...]:
    """For the section on labels and splits."""
    names = [split.split for split in found.splits]
    tested = [split for split in found.splits if split.split.endswith("Test")]
    lines = [*_rarest(found), *(_always(split) for split in tested)]
    if names == ["unstated"]:
        lines.append(
            "The data does not say which faces are for training and which for testing. A figure measured on "
            "faces that the model learnt from says nothing about new ones."
        )
    elif len(names) == 1:
        lines.append(f"Only {names[0]} is here; what the other splits hold is not known.")
    return tuple(lines)


def _rarest(found: Exploration) -> list[str]:
    missing = [label for label, count in zip(EMOTIONS, found.classes, strict=True) if not count]
    few = min(count for count in found.classes if count)
    lines = [
        f"The rarest label is {EMOTIONS[found.classes.index(few)]}, {of_all(few, found.faces)} of the faces."
    ]
    if few < RARE_LABEL * found.faces:
        lines[0] += (
            " An accuracy over all faces hardly notices it; look at each label’s recall and at macro F1."
        )
    if missing:
        lines.append(f"No face is labelled {listing(missing)}; how well a model tells that is not known.")
    return lines


def _always(split: SplitCounts) -> str:
    most, few = max(split.classes), min(count for count in split.classes if count)
    often, rare = EMOTIONS[split.classes.index(most)], EMOTIONS[split.classes.index(few)]
    return (
        f"A model that always answered {often} would be right on {percent(most / split.faces)} of "
        f"{split.split}; compare accuracies with that. The recall of {rare} there rests on {faces(few)}: one "
        f"more or less moves it by {100 / few:.1f} points."
    )
