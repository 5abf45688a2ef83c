"""The model card, made from ``training.json`` so that no figure in it is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model.emotions import Emotion
from model.runs import stages

CARD = """\
# Model card: {model}

Reads one of seven expressions, or rather how ten people would divide over them, from a grey face of
48 × 48 pixels. Written by `python -m model.export` from `training.json`; do not edit by hand.

## What it is for, and what not

For summaries of many samples over minutes, beside how much was not seen. Its output is an *expression
resembling* one of the labels. It does not tell what somebody feels, and a single face's answer is
often wrong (below). Not for grading, discipline, hiring, diagnosis or any decision about a person, and
not for places where inferring emotions is prohibited (EU AI Act, Art. 5(1)(f): education and work).

## Data

- FER2013 (Goodfellow et al. 2013, arXiv 1307.0414): faces found on the web by search words, one label
  each.
- FER+ (Barsoum et al. 2016, arXiv 1608.01041): ten raters for each of the same faces. Contempt, unknown
  and "not a face" are dropped; faces where unknown or "not a face" leads have no distribution.
- {train} faces of Training to fit, the first {choose} of PublicTest to choose the epoch and the
  temperatures, the other {report} to report. PrivateTest was not used.
- On the reporting half the raters' majority agrees with FER2013's label on {raters_agree} of the faces
  that have votes; of the faces FER2013 labels sad it calls {sad_neutral} neutral and {sad_sad} sad. No
  model can satisfy both.

## Training

A residual network of {parameters} parameters with two heads on one trunk: `expression` learns the
raters' distribution and is what monitoring uses; `fer2013` learns FER2013's label, to compare with the
literature. {history}
Faces were shifted, rotated, scaled, mirrored, changed in contrast, partly erased and reduced to
{small_low} to {small_high} pixels. One temperature a head ({temperatures}) is inside the exported graph.
Every setting, version and epoch is in `training.json`.

## Results on the reporting half

Of the exported file, as shipped ({size} kB, weights in {stored}; largest difference of a probability
from Keras {parity}).

| head | labels | faces | accuracy | macro F1 | ECE before | ECE after | neutral called sad |
|---|---|---|---|---|---|---|---|
{overview}

ECE: expected calibration error, 15 bins, without and with the temperature. `expression` is calibrated
to the raters' *shares*, not to their majority: against the share of raters for the leading label its
error is {votes_before} before and {votes_after} after. Against the majority it must look under-confident,
since a majority of six in ten is right ten times in ten.

### Head `expression` against the majority of the raters

{classes_ferplus}

### Head `fer2013` against FER2013's label

{classes_fer2013}

### Small faces

Tiles reduced to a width in pixels and cropped again as live faces are; BlazeFace's box is 0.84 of it.

| width in the frame | `fer2013` head, FER2013's label | `expression` head, FER+ majority |
|---|---|---|
{sizes}

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


def percent(share: float) -> str:
    """A share with one digit, as a percentage."""
    return f"{100 * share:.1f} %"


def overview_row(head: str, labels: str, results: Mapping[str, Any]) -> str:
    """One line of the table of results."""
    scores = results[labels]
    name = {"fer2013": "FER2013's label", "ferplus": "FER+ majority"}[labels]
    before = results["ece_before_temperature"][labels]
    return (
        f"| `{head}` | {name} | {scores['faces']} | {percent(scores['accuracy'])} | {scores['macro_f1']:.3f} "
        f"| {before:.3f} | {scores['ece']:.3f} | {percent(scores['neutral_called_sad'])} |"
    )


def class_table(classes: Sequence[Mapping[str, Any]]) -> str:
    """Precision, recall and F1 of each label."""
    lines = ["| expression | faces | precision | recall | F1 |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['label']} | {row['faces']} "
        f"| {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} |"
        for row in classes
    ]
    return "\n".join(lines)


def history(run: Mapping[str, Any]) -> str:
    """What was trained for how long, a sentence a stage."""
    sentences = [
        f"{'Then' if index else 'First'} {len(stage['epochs'])} epochs of a schedule of "
        f"{stage['settings']['epochs']} in {round(stage['minutes'])} minutes on two shared CPU cores, "
        f"epoch {stage['chosen_epoch']} kept."
        for index, stage in enumerate(stages(run))
    ]
    return "\n".join(sentences)


def render_card(run: Mapping[str, Any]) -> str:
    """The card as Markdown, from what ``training.json`` holds."""
    report, raters = run["report"], run["raters"]
    sad = raters["confusion"][Emotion.SAD]
    accuracy = report["fer2013"]["fer2013"]["accuracy"]
    heads = ("expression", "fer2013")
    votes_before = report["expression"]["ece_before_temperature"]["votes"]
    return CARD.format(
        model=run["model"],
        **run["splits"],
        parameters=f"{run['parameters']:,}",
        history=history(run),
        small_low=run["settings"]["augment"]["small_px"][0],
        small_high=run["settings"]["augment"]["small_px"][1],
        temperatures=", ".join(f"{head} {value:.2f}" for head, value in run["temperatures"].items()),
        size=round(run["file_bytes"] / 1000),
        stored=run["weights_stored_as"],
        parity=f"{run['largest_difference_from_keras']:.4f}",
        raters_agree=percent(raters["accuracy"]),
        sad_neutral=percent(sad[Emotion.NEUTRAL] / sum(sad)),
        sad_sad=percent(sad[Emotion.SAD] / sum(sad)),
        overview="\n".join(
            overview_row(head, labels, report[head]) for head in heads for labels in ("fer2013", "ferplus")
        ),
        votes_before=f"{votes_before:.3f}",
        votes_after=f"{report['expression']['votes_ece']:.3f}",
        classes_ferplus=class_table(report["expression"]["ferplus"]["classes"]),
        classes_fer2013=class_table(report["fer2013"]["fer2013"]["classes"]),
        sizes="\n".join(
            f"| {row['face_px']} px | {percent(row['fer2013_head'])} | {percent(row['expression_head'])} |"
            for row in run["by_size"]
        ),
        interval=f"{196 * (accuracy * (1 - accuracy) / run['splits']['report']) ** 0.5:.1f}",
    )
