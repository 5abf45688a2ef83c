"""How far the two label sets agree, and what a score against one of them is worth.

How many pictures are unusable, and whether the splits are of one kind.

What is in the data more than once, and what that does to a figure on a test split.

How uneven the labels are, and what that does to an accuracy.

Numbers of faces as people read them.

The answer in a few lines.
"""

from __future__ import annotations

from model.data.duplicates import ALIKE
from model.data.statistics import BLURRED_SHARPNESS, BRIGHT_MEAN, DARK_MEAN, FLAT_STD, Brightness, SplitCounts
from model.emotions import EMOTIONS, Emotion
from model.evaluation.dataset_summary import Exploration
from model.evaluation.label_agreement import Agreement, Undecided
from reports.text.formatting import listing, percent


def of_all(part: int, whole: int) -> str:
    """``1,606 (5 %)``; without the share where there is no whole."""
    return f"{part:,} ({percent(part / whole)})" if whole else f"{part:,}"


def faces(number: int) -> str:
    """``1 face``, ``2,797 faces``."""
    return f"{number:,} face" + ("" if number == 1 else "s")


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
