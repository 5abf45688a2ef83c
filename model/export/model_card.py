"""The model card, made from ``training.json`` so that no figure in it is typed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from model.emotions import Emotion
from model.training.run_folder import training_stages

CARD_TEMPLATE = """\
# Model card: {model}

Reads one of seven expressions, or rather which of them most of ten people would name, from a grey face
of 48 × 48 pixels. Written by `classpulse model export` from `training.json`; do not edit by hand.

## What it is for, and what not

For summaries of many samples over minutes, beside how much was not seen. Its output is an *expression
resembling* one of the labels. It does not tell what somebody feels, and a single face's answer is
often wrong (below). Not for grading, discipline, hiring, diagnosis or any decision about a person, and
not for places where inferring emotions is prohibited (EU AI Act, Art. 5(1)(f): education and work).

## Data

- FER2013 (Goodfellow et al. 2013, arXiv 1307.0414): faces found on the web by search words, one label
  each.
- FER+ (Barsoum et al. 2016, arXiv 1608.01041): ten raters for each of the same faces. Votes for contempt,
  unknown and "not a face" are dropped; faces where unknown or "not a face" leads teach no expression. For
  scoring, the majority is the label with the most votes of all ten columns; ties and faces where contempt,
  unknown or "not a face" leads have none and are left out.
- {train} faces of Training to fit, the first {choose} of PublicTest to choose the epoch and the
  calibration, the other {report} to report. PrivateTest was not used.
- On the reporting half the majority of the raters agrees with FER2013's label on {raters_agree} of the
  {raters_faces} faces that have one; of the faces FER2013 labels sad it calls {sad_neutral} neutral and
  {sad_sad} sad. No model can satisfy both.

## Training

A residual network of {parameters} parameters with two heads on one trunk: `expression` learns the
raters' distribution and is what monitoring uses; `fer2013` learns FER2013's label, to compare with the
literature.

{history}

Faces were shifted, rotated, scaled, mirrored, changed in contrast, partly erased and reduced to {small_low}
to {small_high} pixels{mixed}. The weights are a running average. The calibration, one temperature a head
({temperatures}) and one bias a label, is inside the exported graph. Every setting, version and epoch is in
`training.json`.

## Results on the reporting half

Of the exported file, as shipped: {format}, {size} kB.

| head | labels | faces | accuracy | macro F1 | sad F1 | neutral called sad | ECE |
|---|---|---|---|---|---|---|---|
{overview}

ECE is the expected calibration error over 15 bins. The probabilities of `expression` mean: of many faces
read as 0.7 sad, seven in ten are ones that most raters call sad. Calibration took its error against the
majority from {ece_before} to {ece_after}. It is not the raters' own share: against the share of
raters who named the leading label the error is {votes_ece}, because most of ten is often six or seven.

### Head `expression` against the majority of the raters

{classes_ferplus}

Rows are what the raters say, columns what the model says.

{confusion_ferplus}

### Head `fer2013` against FER2013's label

{classes_fer2013}

{confusion_fer2013}

### Smaller, mirrored, blurred, darker

| condition | FER2013's label | FER+ majority | ECE of FER+ | neutral called sad |
|---|---|---|---|---|
{conditions}

Sizes are the width of the crop in the frame, reduced and cut again as live faces are; a detector's box is
0.84 of it. Blurred: a Gaussian of {blur} px of 48. Darkened: {dark} of the light, in whole grey levels.
{unseen}

### As stored

Every format held against Keras on the same faces: the largest and the mean difference of a probability,
and how often the leading label is the same.

| format | kB | largest | mean | same answer |
|---|---|---|---|---|
{formats}

Reference: the best single network without extra data has 73.28 % on FER2013's test split (arXiv
2105.03588). With {report} faces the accuracy on FER2013's label is known to about ± {interval} points
(95 %, normal approximation).

## Not measured

- Faces in lecture halls or on webcams: FER2013 has posed and press pictures. Small, turned or badly lit
  faces were only imitated by scaling and contrast.
- Whether a face that looks sad belongs to a person who is; whether either has to do with learning.
- Differences between people by age, gender, skin colour, culture, glasses, veils or masks: the data
  names none of them.
- Change over time within a person: every face was judged alone.

## Warnings from the literature

- Facial movements do not reliably tell emotions, within or across cultures (Barrett et al. 2019).
- Commercial systems scored Black faces more negative than white ones (Rhue 2018); FaceReader and
  DeepFace are weaker on East Asian faces for negative expressions (Li et al. 2023). Nothing here shows
  that this model is better.
- Disgust and fear are rare in the data; see their rows before reading anything into them.
"""

_LABEL_SET_NAMES = {"fer2013": "FER2013's label", "ferplus": "FER+ majority"}


def format_share(share: float | None) -> str:
    """A share with one digit, as a percentage."""
    return "unknown" if share is None else f"{100 * share:.1f} %"


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def overview_row(head: str, labels: str, scores: Mapping[str, Any]) -> str:
    """One line of the table of results."""
    cells = [
        f"`{head}`",
        _LABEL_SET_NAMES[labels],
        str(scores["faces"]),
        format_share(scores["accuracy"]),
        f"{scores['macro_f1']:.3f}",
        f"{scores['sad_f1']:.3f}",
        format_share(scores["neutral_called_sad"]),
        f"{scores['ece']:.3f}",
    ]
    return f"| {' | '.join(cells)} |"


def per_label_table(scores: Mapping[str, Any]) -> str:
    """Precision, recall and F1 of each label."""
    return markdown_table(
        ("expression", "faces", "precision", "recall", "F1"),
        (
            (row["label"], str(row["faces"]), *(f"{row[key]:.3f}" for key in ("precision", "recall", "f1")))
            for row in scores["classes"]
        ),
    )


def confusion_table(scores: Mapping[str, Any]) -> str:
    """Counts, a row for each true label."""
    labels = [row["label"] for row in scores["classes"]]
    return markdown_table(
        ("", *labels),
        ((label, *map(str, counts)) for label, counts in zip(labels, scores["confusion"], strict=True)),
    )


def condition_rows(results: Mapping[str, Any]) -> str:
    """One line a condition, and one for the mean with the mirrored face."""
    lines = []
    for row in (*results["conditions"], results["mirror_averaged"]):
        ece = "unknown" if row["ferplus_ece"] is None else f"{row['ferplus_ece']:.3f}"
        cells = (
            format_share(row["fer2013"]),
            format_share(row["ferplus"]),
            ece,
            format_share(row["neutral_called_sad"]),
        )
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def unseen_sentence(results: Mapping[str, Any]) -> str:
    """What is left when copies of training faces are taken out."""
    row = results["unseen"]
    if row is None:
        return ""
    return (
        f"\nOn the {results['unseen_faces']} of {results['faces']} faces of which Training has no copy "
        f"(FER2013 has many pictures twice): {format_share(row['fer2013'])} and {format_share(row['ferplus'])}."
    )


def mixup_sentence(run: Mapping[str, Any]) -> str:
    """In which stages faces were mixed with each other, if in any."""
    numbers = [
        str(number)
        for number, stage in enumerate(training_stages(run), 1)
        if stage["settings"]["augment"]["mixup_share"] > 0
    ]
    if not numbers:
        return ""
    *first, last = numbers
    named = f"stages {', '.join(first)} and {last}" if first else f"stage {last}"
    return f", and in {named} mixed with each other"


def training_stage_lines(run: Mapping[str, Any]) -> str:
    """What was trained for how long, a line a stage."""
    lines = []
    for number, stage in enumerate(training_stages(run), 1):
        settings, taught = stage["settings"], stage.get("teachers") or []
        epochs = f"{len(stage['epochs'])} of {settings['epochs']}"
        side, cut = settings["px"], settings.get("crop_px") or 0
        faces = f"random squares of {cut} pixels of faces of {side}" if cut else f"faces of {side} pixels"
        line = (
            f"{number}. {epochs} epochs on {faces} in {round(stage['minutes'])} minutes, "
            f"epoch {stage['chosen_epoch']} chosen"
        )
        if stage.get("start"):
            line += ", going on from the weights before"
        if taught:
            who = "an earlier network" if len(taught) == 1 else f"{len(taught)} earlier networks"
            line += f"; {format_share(settings['teacher_weight'])} of the target was what {who} said of the face"
            line += " and its mirror image"
        lines.append(line + ".")
    return "\n".join(lines)


def render_card(run: Mapping[str, Any]) -> str:
    """The card as Markdown, from what ``training.json`` holds."""
    results = run["results"]
    heads, raters = results["heads"], results["raters"]
    own, voted = heads["fer2013"]["fer2013"], heads["expression"]["ferplus"]
    sad = raters["confusion"][Emotion.SAD]
    accuracy = own["accuracy"]
    return CARD_TEMPLATE.format(
        model=run["model"],
        **run["splits"],
        raters_agree=format_share(raters["accuracy"]),
        raters_faces=raters["faces"],
        sad_neutral=format_share(sad[Emotion.NEUTRAL] / max(1, sum(sad))),
        sad_sad=format_share(sad[Emotion.SAD] / max(1, sum(sad))),
        parameters=f"{run['parameters']:,}",
        history=training_stage_lines(run),
        small_low=run["settings"]["augment"]["downscale_px"][0],
        small_high=run["settings"]["augment"]["downscale_px"][1],
        mixed=mixup_sentence(run),
        temperatures=", ".join(
            f"{head} {own['temperature']:.2f}" for head, own in run["calibrations"].items()
        ),
        format=run["format"],
        size=round(run["formats"][run["format"]]["file_bytes"] / 1000),
        overview="\n".join(
            overview_row(head, labels, heads[head][labels])
            for head in ("expression", "fer2013")
            for labels in ("fer2013", "ferplus")
        ),
        ece_before=f"{run['ece_uncalibrated']['expression']['ferplus']:.3f}",
        ece_after=f"{voted['ece']:.3f}",
        votes_ece=f"{heads['expression']['votes_ece']:.3f}",
        classes_ferplus=per_label_table(voted),
        confusion_ferplus=confusion_table(voted),
        classes_fer2013=per_label_table(own),
        confusion_fer2013=confusion_table(own),
        conditions=condition_rows(results),
        blur=run["conditions"]["blur_sigma_px"],
        dark=format_share(run["conditions"]["dark_gain"]),
        unseen=unseen_sentence(results),
        formats="\n".join(
            f"| {name} | {round(row['file_bytes'] / 1000)} | {row['largest']:.4f} | {row['mean']:.5f} "
            f"| {format_share(row['same_leading'])} |"
            for name, row in run["formats"].items()
        ),
        interval=f"{196 * (accuracy * (1 - accuracy) / results['faces']) ** 0.5:.1f}",
    )
