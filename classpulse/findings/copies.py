"""What is in the data more than once, and what that does to a figure on a test split."""

from __future__ import annotations

from classpulse.findings.numbers import of_all
from model.dataset.duplicates import ALIKE
from model.exploration import Exploration


def about_copies(found: Exploration) -> tuple[str, ...]:
    """For the section on pictures that came twice."""
    lines = [_how_many(found), *(seen(found, split) for split in found.alike.seen)]
    if not found.alike.seen:
        lines.append("Training and another split are not both here, so copies between them are not known.")
    if found.alike.label_conflicts:
        lines.append(
            f"Of {found.alike.groups:,} groups {found.alike.label_conflicts:,} have more than one of "
            "FER2013’s labels. One answer cannot be right for both, so no honest model reaches 100 %."
        )
    return tuple(lines)


def _how_many(found: Exploration) -> str:
    if not found.alike.groups:
        return "No picture was found twice; a photograph that was cropped otherwise would not be found."
    return (
        f"{of_all(found.alike.faces, found.faces)} of the faces are not the only one of their picture. Two "
        f"count as one picture where their pixels correlate by {ALIKE} or more, mirrored or not; a "
        "photograph that was cropped otherwise is not found, so these are lower bounds."
    )


def seen(found: Exploration, split: str) -> str:
    """How much of a split is also in Training."""
    whole = next(counts.faces for counts in found.splits if counts.split == split)
    part = found.alike.seen[split]
    if not part:
        return f"No face of {split} was found again in Training."
    return (
        f"{of_all(part, whole)} of the faces of {split} are also in Training. A model that has them by heart "
        f"gains up to {100 * part / whole:.1f} points on {split}; give the figure without them as well."
    )
