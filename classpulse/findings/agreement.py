"""How far the two label sets agree, and what a score against one of them is worth."""

from __future__ import annotations

from classpulse.findings.numbers import faces, of_all
from model.agreement import Agreement, Undecided
from model.emotions import Emotion
from reports.words import listing, percent

LEAST_TOLD = 0.1
"""A sentence names the raters' answers from this share on; the matrix has the others."""


def about_agreement(found: Agreement) -> tuple[str, ...]:
    """For the section on raters, before the matrix."""
    if found.share is None:
        return ("The raters have a majority on no face, so the two label sets cannot be compared.",)
    share = percent(found.share)
    return (
        f"Of {faces(found.asked)} that raters were asked about, {of_all(found.agreed, found.asked)} have a "
        f"majority, and on {share} of those it is FER2013’s own label. A model that answered as the raters "
        f"do would be right on {share} of FER2013’s labels there; one that does much better on these has "
        "learnt what FER2013’s labels are like, not what people see.",
        *(_instead(found, label) for label in Emotion if _is_told(found, label)),
    )


def _is_told(found: Agreement, label: Emotion) -> bool:
    """Sad, of which users complain most, and the labels that the raters mostly do not share."""
    asked = sum(found.matrix[label])
    return asked > 0 and (label is Emotion.SAD or found.matrix[label][label] < asked / 2)


def _instead(found: Agreement, label: Emotion) -> str:
    row = found.row_shares()[label]
    others = [Emotion(i) for i in row.argsort(kind="stable")[::-1] if i != label and row[i] >= LEAST_TOLD]
    said = [f"{percent(float(row[other]))} {other.label}" for other in (*others, label)]
    return f"Of the faces labelled {label.label} that have a majority, the raters call {listing(said)}."


def about_undecided(found: Agreement) -> tuple[str, ...]:
    """For the section on raters, after the matrix."""
    lines = [_without_majority(found)]
    if found.undecided[Undecided.NOBODY_ASKED]:
        lines.append("Of the faces that nobody was asked about, nothing is known but FER2013’s label.")
    all_ten, half = found.leading[10], sum(found.leading[:6])
    lines.append(
        f"All raters agree on {of_all(all_ten, found.asked)} of the faces; on {of_all(half, found.asked)} no "
        "more than about half of them give the same answer. A model that is sure of itself there is surer "
        "than people are."
    )
    return tuple(lines)


def _without_majority(found: Agreement) -> str:
    if found.agreed == found.faces:
        return "Every face has a majority."
    reasons = [f"{reason.value} {count:,}" for reason, count in found.undecided.items() if count]
    return (
        f"{of_all(found.faces - found.agreed, found.faces)} of the faces have no majority "
        f"({', '.join(reasons)}). On them an answer is neither right nor wrong; a score against the raters "
        "leaves them out, and with them the faces that are hardest to read."
    )
