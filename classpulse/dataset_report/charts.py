"""The charts of a data set, and strips of its faces, each with what it shows in words."""

from __future__ import annotations

import numpy as np

from model.data.faces import Faces
from model.data.statistics import BRIGHT_MEAN, DARK_MEAN, FLAT_STD, MEAN_EDGES, STD_EDGES
from model.emotions import EMOTIONS
from model.evaluation.dataset_summary import Exploration
from model.evaluation.examples import Examples, Indices
from model.evaluation.label_agreement import Agreement, said
from model.plots.agreement import leading_figure, matrix_figure
from model.plots.brightness import brightness_figure
from model.plots.counts import counts_figure
from model.plots.montage import montage
from reports.charts.style import Chart
from reports.text.formatting import listing


def charts(found: Exploration) -> dict[str, Chart]:
    """The charts by name; those of the raters only where there are votes."""
    drawn = {"counts": _counts(found), "brightness": _brightness(found)}
    if found.agreement is not None:
        drawn |= {"agreement": _agreement(found.agreement), "raters": _raters(found.agreement)}
    return drawn


def _counts(found: Exploration) -> Chart:
    told = [f"{label} {count:,}" for label, count in zip(EMOTIONS, found.classes, strict=True)]
    return Chart(
        counts_figure({split.split: split.classes for split in found.splits}),
        f"Bars of the faces of each label, by split: {listing(told)}.",
    )


def _agreement(found: Agreement) -> Chart:
    drawn = matrix_figure(np.array(found.matrix), "FER2013’s label (faces)", "majority of the FER+ raters")
    own = [
        f"{label} {share * 100:.0f} %"
        for label, share in zip(EMOTIONS, found.row_shares().diagonal(), strict=True)
        if not np.isnan(share)
    ]
    return Chart(
        drawn, f"Matrix of labels against majorities. The raters share the label on: {listing(own)}."
    )


def _raters(found: Agreement) -> Chart:
    told = [f"{tenths} of ten {count:,}" for tenths, count in enumerate(found.leading) if count]
    return Chart(leading_figure(found.leading), f"Faces by raters for the leading answer: {listing(told)}.")


def _brightness(found: Exploration) -> Chart:
    drawn = brightness_figure(
        {split.split: split.mean_histogram for split in found.brightness},
        MEAN_EDGES,
        {split.split: split.std_histogram for split in found.brightness},
        STD_EDGES,
        (DARK_MEAN, BRIGHT_MEAN, FLAT_STD),
    )
    return Chart(drawn, "Distributions of the mean and the spread of grey levels; a line for each split.")


def class_strips(faces: Faces, chosen: Examples) -> dict[str, Chart]:
    """A strip for each label that occurs, with the two most frequent answers of the raters."""
    return {
        label.label: Chart(
            montage(faces.images[indices], [_answers(faces, index, 2) for index in indices]),
            f"Examples of the label {label.label}, with the raters’ answers.",
        )
        for label, indices in chosen.classes.items()
    }


def labelled_strip(faces: Faces, chosen: Indices, alt: str) -> Chart | None:
    """FER2013's label in quotation marks over the three most frequent answers; None without a face."""
    if not len(chosen):
        return None
    captions = [f"“{EMOTIONS[faces.labels[i]]}”\n{_answers(faces, i, 3)}".strip() for i in chosen]
    return Chart(montage(faces.images[chosen], captions), alt)


def _answers(faces: Faces, index: int, most: int) -> str:
    return "\n".join(f"{name} {votes}" for name, votes in said(faces.counts[index])[:most])
