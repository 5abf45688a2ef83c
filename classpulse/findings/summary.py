"""The answer in a few lines."""

from __future__ import annotations

from classpulse.findings.copies import seen
from classpulse.findings.numbers import faces
from model.exploration import Exploration
from reports.words import listing, percent


def summary(found: Exploration) -> tuple[str, ...]:
    """For the head of the page."""
    parts = [f"{split.faces:,} in {split.split}" for split in found.splits if split.split != "unstated"]
    lines = [faces(found.faces) + (f", {listing(parts)}." if parts else ", of no stated split.")]
    if found.agreement is None:
        lines.append(
            "Nobody was asked what they show: how far people would agree with the labels is not known."
        )
    elif found.agreement.share is not None:
        lines.append(
            f"Where the raters of FER+ have a majority, it is FER2013’s own label on "
            f"{percent(found.agreement.share)} of the faces. Say of every accuracy against which of the two "
            "it was measured."
        )
    lines += [seen(found, split) for split in found.alike.seen]
    flat = sum(split.flat for split in found.brightness)
    if flat:
        lines.append(f"{faces(flat)} {'is' if flat == 1 else 'are'} nearly one grey all over.")
    return tuple(lines)
