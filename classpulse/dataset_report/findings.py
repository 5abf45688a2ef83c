"""How far the two label sets agree, and what a score against one of them is worth.

How many pictures are unusable, and whether the splits are of one kind.

What is in the data more than once, and what that does to a figure on a test split.

How uneven the labels are, and what that does to an accuracy.

Numbers of faces as people read them.

The answer in a few lines.
"""

from __future__ import annotations

from model.data.duplicates import MIN_CORRELATION
from model.data.statistics import (
    BLURRED_SHARPNESS,
    BRIGHT_MEAN,
    DARK_MEAN,
    FLAT_STD,
    SplitBrightness,
    SplitCounts,
)
from model.emotions import EMOTIONS, Emotion
from model.evaluation.dataset_summary import DatasetSummary
from model.evaluation.label_agreement import LabelAgreement, NoMajorityReason
from reports.text.formatting import format_percent, join_items


def count_with_share(part: int, whole: int) -> str:
    """``1,606 (5 %)``; without the share where there is no whole."""
    return f"{part:,} ({format_percent(part / whole)})" if whole else f"{part:,}"


def face_count_text(number: int) -> str:
    """``1 face``, ``2,797 faces``."""
    return f"{number:,} face" + ("" if number == 1 else "s")


MIN_LISTED_SHARE = 0.1
"""A sentence names the raters' answers from this share on; the matrix has the others."""


def agreement_findings(agreement: LabelAgreement) -> tuple[str, ...]:
    """For the section on raters, before the matrix."""
    if agreement.matching_share is None:
        return ("The raters have a majority on no face, so the two label sets cannot be compared.",)
    share = format_percent(agreement.matching_share)
    return (
        f"Of {face_count_text(agreement.rated)} that raters were asked about, {count_with_share(agreement.with_majority, agreement.rated)} have a "
        f"majority, and on {share} of those it is FER2013’s own label. A model that answered as the raters "
        f"do would be right on {share} of FER2013’s labels there; one that does much better on these has "
        "learnt what FER2013’s labels are like, not what people see.",
        *(_rater_answers(agreement, label) for label in Emotion if _is_listed(agreement, label)),
    )


def _is_listed(agreement: LabelAgreement, label: Emotion) -> bool:
    """Sad, of which users complain most, and the labels that the raters mostly do not share."""
    asked = sum(agreement.matrix[label])
    return asked > 0 and (label is Emotion.SAD or agreement.matrix[label][label] < asked / 2)


def _rater_answers(agreement: LabelAgreement, label: Emotion) -> str:
    row = agreement.row_shares()[label]
    others = [
        Emotion(i) for i in row.argsort(kind="stable")[::-1] if i != label and row[i] >= MIN_LISTED_SHARE
    ]
    said = [f"{format_percent(float(row[other]))} {other.label}" for other in (*others, label)]
    return f"Of the faces labelled {label.label} that have a majority, the raters call {join_items(said)}."


def undecided_findings(agreement: LabelAgreement) -> tuple[str, ...]:
    """For the section on raters, after the matrix."""
    lines = [_without_majority(agreement)]
    if agreement.without_majority[NoMajorityReason.NO_VOTES]:
        lines.append("Of the faces that nobody was asked about, nothing is known but FER2013’s label.")
    all_ten, half = agreement.leading_votes[10], sum(agreement.leading_votes[:6])
    lines.append(
        f"All raters agree on {count_with_share(all_ten, agreement.rated)} of the faces; on {count_with_share(half, agreement.rated)} no "
        "more than about half of them give the same answer. A model that is sure of itself there is surer "
        "than people are."
    )
    return tuple(lines)


def _without_majority(agreement: LabelAgreement) -> str:
    if agreement.with_majority == agreement.faces:
        return "Every face has a majority."
    reasons = [f"{reason.value} {count:,}" for reason, count in agreement.without_majority.items() if count]
    return (
        f"{count_with_share(agreement.faces - agreement.with_majority, agreement.faces)} of the faces have no majority "
        f"({', '.join(reasons)}). On them an answer is neither right nor wrong; a score against the raters "
        "leaves them out, and with them the faces that are hardest to read."
    )


RARE_CONDITION_SHARE = 0.02
"""Below this share of the faces a score over all of them says next to nothing about such faces."""

SIMILAR_MEDIAN_LEVELS = 5.0
"""Splits whose median grey levels differ by less look alike to the eye."""

BrightnessBySplit = tuple[SplitBrightness, ...]


def brightness_findings(by_split: BrightnessBySplit) -> tuple[str, ...]:
    """For the section on brightness."""
    return (
        _flat_sentence(by_split),
        _lighting(by_split),
        _blurred_sentence(by_split),
        _split_difference(by_split),
    )


def _flat_sentence(by_split: BrightnessBySplit) -> str:
    flat, total = sum(split.flat for split in by_split), _total_faces(by_split)
    if not flat:
        return "No picture is nearly flat."
    return (
        f"Nearly flat (standard deviation below {FLAT_STD:.0f} of 255): {count_with_share(flat, total)}. Whatever "
        "label such a picture has, it cannot be told; right answers there are luck, or learnt by heart."
    )


def _lighting(by_split: BrightnessBySplit) -> str:
    dark, bright, total = (
        sum(s.dark for s in by_split),
        sum(s.bright for s in by_split),
        _total_faces(by_split),
    )
    told = (
        f"Dark (mean below {DARK_MEAN:.0f}): {count_with_share(dark, total)}; bright (mean above {BRIGHT_MEAN:.0f}): "
        f"{count_with_share(bright, total)}."
    )
    rare = max(dark, bright) < RARE_CONDITION_SHARE * total
    return told + (" A score over all faces says little about a room as dark or as bright." if rare else "")


def _blurred_sentence(by_split: BrightnessBySplit) -> str:
    blurred, total = sum(split.blurred for split in by_split), _total_faces(by_split)
    told = (
        f"Blurred (sharpness below {BLURRED_SHARPNESS}, where the monitor judges no face; the flat ones "
        f"aside): {count_with_share(blurred, total) if blurred else 'none'}."
    )
    rare = blurred < RARE_CONDITION_SHARE * total
    return told + (" What a model does with a face out of focus is not measured here." if rare else "")


def _split_difference(by_split: BrightnessBySplit) -> str:
    if len(by_split) == 1:
        return "With one split only, nothing can be said about whether the splits look alike."
    medians = [split.median_mean for split in by_split]
    spread = max(medians) - min(medians)
    told = f"The splits’ median grey levels differ by {spread:.1f}"
    if spread < SIMILAR_MEDIAN_LEVELS:
        return f"{told}: a figure is for pictures of the kind that was learnt from, not for another camera."
    return f"{told}: a difference in scores may be one of light."


def _total_faces(by_split: BrightnessBySplit) -> int:
    return sum(split.faces for split in by_split)


def duplicate_findings(summary: DatasetSummary) -> tuple[str, ...]:
    """For the section on pictures that came twice."""
    lines = [
        _duplicate_count(summary),
        *(overlap_with_training(summary, split) for split in summary.near_duplicates.shared_with_training),
    ]
    if not summary.near_duplicates.shared_with_training:
        lines.append("Training and another split are not both here, so copies between them are not known.")
    if summary.near_duplicates.label_conflicts:
        lines.append(
            f"Of {summary.near_duplicates.groups:,} groups {summary.near_duplicates.label_conflicts:,} have more than one of "
            "FER2013’s labels. One answer cannot be right for both, so no honest model reaches 100 %."
        )
    return tuple(lines)


def _duplicate_count(summary: DatasetSummary) -> str:
    if not summary.near_duplicates.groups:
        return "No picture was found twice; a photograph that was cropped otherwise would not be found."
    return (
        f"{count_with_share(summary.near_duplicates.faces, summary.faces)} of the faces are not the only one of their picture. Two "
        f"count as one picture where their pixels correlate by {MIN_CORRELATION} or more, mirrored or not; a "
        "photograph that was cropped otherwise is not found, so these are lower bounds."
    )


def overlap_with_training(summary: DatasetSummary, split: str) -> str:
    """How much of a split is also in Training."""
    whole = next(counts.faces for counts in summary.splits if counts.split == split)
    part = summary.near_duplicates.shared_with_training[split]
    if not part:
        return f"No face of {split} was found again in Training."
    return (
        f"{count_with_share(part, whole)} of the faces of {split} are also in Training. A model that has them by heart "
        f"gains up to {100 * part / whole:.1f} points on {split}; give the figure without them as well."
    )


RARE_LABEL_SHARE = 0.05
"""A label with a smaller share than this can be got wrong altogether without the accuracy showing it."""


def count_findings(summary: DatasetSummary) -> tuple[str, ...]:
    """For the section on labels and splits."""
    names = [split.split for split in summary.splits]
    tested = [split for split in summary.splits if split.split.endswith("Test")]
    lines = [*_rarest_sentences(summary), *(_majority_baseline(split) for split in tested)]
    if names == ["unstated"]:
        lines.append(
            "The data does not say which faces are for training and which for testing. A figure measured on "
            "faces that the model learnt from says nothing about new ones."
        )
    elif len(names) == 1:
        lines.append(f"Only {names[0]} is here; what the other splits hold is not known.")
    return tuple(lines)


def _rarest_sentences(summary: DatasetSummary) -> list[str]:
    missing = [label for label, count in zip(EMOTIONS, summary.classes, strict=True) if not count]
    few = min(count for count in summary.classes if count)
    lines = [
        f"The rarest label is {EMOTIONS[summary.classes.index(few)]}, {count_with_share(few, summary.faces)} of the faces."
    ]
    if few < RARE_LABEL_SHARE * summary.faces:
        lines[0] += (
            " An accuracy over all faces hardly notices it; look at each label’s recall and at macro F1."
        )
    if missing:
        lines.append(f"No face is labelled {join_items(missing)}; how well a model tells that is not known.")
    return lines


def _majority_baseline(split: SplitCounts) -> str:
    most, few = max(split.classes), min(count for count in split.classes if count)
    often, rare = EMOTIONS[split.classes.index(most)], EMOTIONS[split.classes.index(few)]
    return (
        f"A model that always answered {often} would be right on {format_percent(most / split.faces)} of "
        f"{split.split}; compare accuracies with that. The recall of {rare} there rests on {face_count_text(few)}: one "
        f"more or less moves it by {100 / few:.1f} points."
    )


def summary_findings(summary: DatasetSummary) -> tuple[str, ...]:
    """For the head of the page."""
    parts = [f"{split.faces:,} in {split.split}" for split in summary.splits if split.split != "unstated"]
    lines = [
        face_count_text(summary.faces) + (f", {join_items(parts)}." if parts else ", of no stated split.")
    ]
    if summary.agreement is None:
        lines.append(
            "Nobody was asked what they show: how far people would agree with the labels is not known."
        )
    elif summary.agreement.matching_share is not None:
        lines.append(
            f"Where the raters of FER+ have a majority, it is FER2013’s own label on "
            f"{format_percent(summary.agreement.matching_share)} of the faces. Say of every accuracy against which of the two "
            "it was measured."
        )
    lines += [overlap_with_training(summary, split) for split in summary.near_duplicates.shared_with_training]
    flat = sum(split.flat for split in summary.brightness)
    if flat:
        lines.append(f"{face_count_text(flat)} {'is' if flat == 1 else 'are'} nearly one grey all over.")
    return tuple(lines)
