"""Findings about a data set, in sentences: what the statistics mean for scores measured on it."""

from __future__ import annotations

from model.data.duplicates import MIN_CORRELATION
from model.data.statistics import BLURRED_SHARPNESS, BRIGHT_MEAN, DARK_MEAN, FLAT_STD, SplitBrightness
from model.emotions import EMOTIONS, Emotion
from model.evaluation.dataset_summary import DatasetSummary
from model.evaluation.label_agreement import LabelAgreement, NoMajorityReason
from reports.text.formatting import format_percent, join_items

MIN_LISTED_SHARE = 0.1
"""Raters' answers with a smaller share are not listed in a sentence; the matrix shows all."""

RARE_CONDITION_SHARE = 0.02
"""With a smaller share of the faces, a score over all faces says almost nothing about a condition."""

SIMILAR_MEDIAN_LEVELS = 5.0
"""Splits whose median grey levels differ by less look the same to the eye."""

RARE_LABEL_SHARE = 0.05
"""A label with a smaller share can be completely wrong without a visible effect on the accuracy."""


def count_with_share(part: int, whole: int) -> str:
    """``1,606 (5 %)``; without the share if ``whole`` is 0."""
    return f"{part:,} ({format_percent(part / whole)})" if whole else f"{part:,}"


def dataset_findings(summary: DatasetSummary) -> dict[str, tuple[str, ...]]:
    """Sentences by section: ``summary``, ``counts``, ``brightness`` and ``duplicates``; with votes also
    ``agreement`` (before the matrix) and ``no_majority`` (after it)."""
    findings = {
        "summary": _summary_findings(summary),
        "counts": _count_findings(summary),
        "brightness": _brightness_findings(summary.brightness),
        "duplicates": _duplicate_findings(summary),
    }
    if summary.agreement is not None:
        findings["agreement"] = _agreement_findings(summary.agreement)
        findings["no_majority"] = _no_majority_findings(summary.agreement)
    return findings


def _summary_findings(summary: DatasetSummary) -> tuple[str, ...]:
    parts = [f"{split.faces:,} in {split.split}" for split in summary.splits if split.split != "unstated"]
    lines = [
        _face_count(summary.faces) + (f", {join_items(parts)}." if parts else ", without a stated split.")
    ]
    if summary.agreement is None:
        lines.append("There are no raters' votes, so how far people agree with the labels is unknown.")
    elif summary.agreement.matching_share is not None:
        lines.append(
            f"On {format_percent(summary.agreement.matching_share)} of the faces with a majority of the FER+ "
            "raters, that majority is FER2013’s own label. State with every accuracy which of the two label "
            "sets it refers to."
        )
    lines += _overlaps_with_training(summary)
    flat = sum(split.flat for split in summary.brightness)
    if flat:
        lines.append(f"{_face_count(flat)} {'is' if flat == 1 else 'are'} almost uniformly grey.")
    return tuple(lines)


def _count_findings(summary: DatasetSummary) -> tuple[str, ...]:
    rarest = min(count for count in summary.classes if count)
    line = (
        f"The rarest label is {EMOTIONS[summary.classes.index(rarest)]}, "
        f"{count_with_share(rarest, summary.faces)} of the faces."
    )
    if rarest < RARE_LABEL_SHARE * summary.faces:
        line += " It hardly affects the accuracy over all faces; check each label’s recall and macro F1."
    lines = [line]
    missing = [label for label, count in zip(EMOTIONS, summary.classes, strict=True) if not count]
    if missing:
        lines.append(
            f"No face is labelled {join_items(missing)}; how well a model recognises that is unknown."
        )
    for split in summary.splits:
        if split.split.endswith("Test"):
            most, fewest = max(split.classes), min(count for count in split.classes if count)
            frequent, rare = EMOTIONS[split.classes.index(most)], EMOTIONS[split.classes.index(fewest)]
            lines.append(
                f"A model that always answers {frequent} is right on {format_percent(most / split.faces)} of "
                f"{split.split}; compare accuracies with that. The recall of {rare} there rests on "
                f"{_face_count(fewest)}: one right answer more changes it by {100 / fewest:.1f} points."
            )
    names = [split.split for split in summary.splits]
    if names == ["unstated"]:
        lines.append(
            "The data does not state which faces are for training and which for testing. A score on faces "
            "that the model was trained on says nothing about new ones."
        )
    elif len(names) == 1:
        lines.append(f"Only {names[0]} is present; the content of the other splits is unknown.")
    return tuple(lines)


def _agreement_findings(agreement: LabelAgreement) -> tuple[str, ...]:
    if agreement.matching_share is None:
        return ("The raters have a majority on no face, so the two label sets cannot be compared.",)
    share = format_percent(agreement.matching_share)
    lines = [
        f"Of {_face_count(agreement.rated)} with votes, "
        f"{count_with_share(agreement.with_majority, agreement.rated)} have a majority, and on {share} of "
        "those it is FER2013’s own label. A model that answers like the raters is right on "
        f"{share} of FER2013’s labels there; a much better one has learned how FER2013 was labelled, not "
        "what people see."
    ]
    shares = agreement.row_shares()
    for label in Emotion:
        rated, own = sum(agreement.matrix[label]), agreement.matrix[label][label]
        # Sad, about which users complain most, and the labels that most raters do not share.
        if rated and (label is Emotion.SAD or own < rated / 2):
            row = shares[label]
            others = [
                Emotion(i)
                for i in row.argsort(kind="stable")[::-1]
                if i != label and row[i] >= MIN_LISTED_SHARE
            ]
            answers = [f"{format_percent(float(row[other]))} {other.label}" for other in (*others, label)]
            lines.append(
                f"Of the faces labelled {label.label} that have a majority, the raters call "
                f"{join_items(answers)}."
            )
    return tuple(lines)


def _no_majority_findings(agreement: LabelAgreement) -> tuple[str, ...]:
    lines = ["Every face has a majority."]
    if agreement.with_majority < agreement.faces:
        counts = agreement.without_majority.items()
        reasons = ", ".join(f"{reason.value} {count:,}" for reason, count in counts if count)
        lines = [
            f"{count_with_share(agreement.faces - agreement.with_majority, agreement.faces)} of the "
            f"faces have no majority ({reasons}). On them an answer is neither right nor wrong; a "
            "score against the raters omits them, and with them the faces that are hardest to read."
        ]
    if agreement.without_majority[NoMajorityReason.NO_VOTES]:
        lines.append("Of the faces without votes only FER2013’s label is known.")
    all_ten, half = agreement.leading_votes[10], sum(agreement.leading_votes[:6])
    lines.append(
        f"All raters agree on {count_with_share(all_ten, agreement.rated)} of the faces; on "
        f"{count_with_share(half, agreement.rated)} at most about half of them give the same answer. A model "
        "that is certain there is more certain than people are."
    )
    return tuple(lines)


def _brightness_findings(by_split: tuple[SplitBrightness, ...]) -> tuple[str, ...]:
    total = sum(split.faces for split in by_split)
    flat, dark, bright, blurred = (
        sum(getattr(split, name) for split in by_split) for name in ("flat", "dark", "bright", "blurred")
    )
    flat_line = "No image is nearly flat."
    if flat:
        flat_line = (
            f"Nearly flat (standard deviation below {FLAT_STD:.0f} of 255): {count_with_share(flat, total)}. "
            "The label of such an image cannot be recognised; right answers are luck or memorised."
        )
    light_line = (
        f"Dark (mean below {DARK_MEAN:.0f}): {count_with_share(dark, total)}; bright (mean above "
        f"{BRIGHT_MEAN:.0f}): {count_with_share(bright, total)}."
    )
    if max(dark, bright) < RARE_CONDITION_SHARE * total:
        light_line += " A score over all faces says little about such lighting."
    blur_line = (
        f"Blurred (sharpness below {BLURRED_SHARPNESS}, where no face is read while monitoring; without the "
        f"flat ones): {count_with_share(blurred, total) if blurred else 'none'}."
    )
    if blurred < RARE_CONDITION_SHARE * total:
        blur_line += " How a model treats faces out of focus is not measured here."
    medians = [split.median_mean for split in by_split]
    difference = max(medians) - min(medians)
    if len(by_split) == 1:
        split_line = "With one split only, whether the splits look alike is unknown."
    else:
        split_line = f"The splits’ median grey levels differ by {difference:.1f}: " + (
            "a score holds for images like the training images, not for another camera."
            if difference < SIMILAR_MEDIAN_LEVELS
            else "a difference in scores may be due to lighting."
        )
    return flat_line, light_line, blur_line, split_line


def _duplicate_findings(summary: DatasetSummary) -> tuple[str, ...]:
    near = summary.near_duplicates
    lines = ["No duplicate was found; a photograph with a different crop would not be found."]
    if near.groups:
        lines = [
            f"{count_with_share(near.faces, summary.faces)} of the faces have a duplicate. Two faces are "
            f"duplicates if their pixels correlate by {MIN_CORRELATION} or more, mirrored or not; a "
            "photograph with a different crop is not found, so these are lower bounds."
        ]
    lines += _overlaps_with_training(summary)
    if not near.shared_with_training:
        lines.append("Training and another split are not both present, so copies between them are unknown.")
    if near.label_conflicts:
        lines.append(
            f"Of {near.groups:,} groups {near.label_conflicts:,} have more than one FER2013 label. One "
            "answer cannot be right for both, so no honest model reaches 100 %."
        )
    return tuple(lines)


def _overlaps_with_training(summary: DatasetSummary) -> list[str]:
    """One sentence per other split on its faces that are also in Training."""
    lines = []
    for split, shared in summary.near_duplicates.shared_with_training.items():
        faces = next(counts.faces for counts in summary.splits if counts.split == split)
        lines.append(
            f"{count_with_share(shared, faces)} of the faces of {split} are also in Training. A model that "
            f"has memorised them gains up to {100 * shared / faces:.1f} points on {split}; report the score "
            "without them as well."
            if shared
            else f"No face of {split} was found in Training."
        )
    return lines


def _face_count(number: int) -> str:
    """``1 face``, ``2,797 faces``."""
    return f"{number:,} face" + ("" if number == 1 else "s")
