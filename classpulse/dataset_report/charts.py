"""Charts of a data set and strips of example faces, each with a text alternative."""

from __future__ import annotations

import numpy as np

from model.data.faces import Faces
from model.data.statistics import BRIGHT_MEAN, DARK_MEAN, FLAT_STD, MEAN_EDGES, STD_EDGES
from model.emotions import EMOTIONS
from model.evaluation.dataset_summary import DatasetSummary
from model.evaluation.examples import Examples, Indices
from model.evaluation.label_agreement import LabelAgreement, rater_answers
from model.plots.agreement import leading_vote_figure, matrix_figure
from model.plots.brightness import brightness_figure
from model.plots.counts import counts_figure
from model.plots.montage import face_montage
from reports.charts.style import FigureWithAlt
from reports.text.formatting import join_items


def dataset_charts(summary: DatasetSummary) -> dict[str, FigureWithAlt]:
    """The charts by name; those of the raters only with votes."""
    charts = {"counts": _counts_chart(summary), "brightness": _brightness_chart(summary)}
    if summary.agreement is not None:
        charts |= {
            "agreement": _agreement_chart(summary.agreement),
            "raters": _raters_chart(summary.agreement),
        }
    return charts


def _counts_chart(summary: DatasetSummary) -> FigureWithAlt:
    counts = [f"{label} {count:,}" for label, count in zip(EMOTIONS, summary.classes, strict=True)]
    return FigureWithAlt(
        counts_figure({split.split: split.classes for split in summary.splits}),
        f"Bars: number of faces by label and split: {join_items(counts)}.",
    )


def _agreement_chart(agreement: LabelAgreement) -> FigureWithAlt:
    matching = [
        f"{label} {share * 100:.0f} %"
        for label, share in zip(EMOTIONS, agreement.row_shares().diagonal(), strict=True)
        if not np.isnan(share)
    ]
    return FigureWithAlt(
        matrix_figure(np.array(agreement.matrix), "FER2013’s label (faces)", "majority of the FER+ raters"),
        f"Matrix of labels against majorities. The majority equals the label on: {join_items(matching)}.",
    )


def _raters_chart(agreement: LabelAgreement) -> FigureWithAlt:
    counts = [f"{tenths} of ten {count:,}" for tenths, count in enumerate(agreement.leading_votes) if count]
    return FigureWithAlt(
        leading_vote_figure(agreement.leading_votes),
        f"Bars: number of faces by raters for the leading answer: {join_items(counts)}.",
    )


def _brightness_chart(summary: DatasetSummary) -> FigureWithAlt:
    figure = brightness_figure(
        {split.split: split.mean_histogram for split in summary.brightness},
        MEAN_EDGES,
        {split.split: split.std_histogram for split in summary.brightness},
        STD_EDGES,
        (DARK_MEAN, BRIGHT_MEAN, FLAT_STD),
    )
    return FigureWithAlt(
        figure, "Distributions of the mean and the standard deviation of grey levels; one line per split."
    )


def class_example_strips(faces: Faces, chosen: Examples) -> dict[str, FigureWithAlt]:
    """A strip of example faces per label that occurs, with the two most frequent answers of the raters."""
    return {
        label.label: FigureWithAlt(
            face_montage(faces.images[indices], [_rater_answers(faces, index, 2) for index in indices]),
            f"Examples of the label {label.label}, with the raters’ answers.",
        )
        for label, indices in chosen.classes.items()
    }


def labelled_example_strip(faces: Faces, indices: Indices, alt: str) -> FigureWithAlt | None:
    """A strip of faces with FER2013's label in quotation marks above the three most frequent answers; None
    without a face."""
    if not len(indices):
        return None
    captions = [f"“{EMOTIONS[faces.labels[i]]}”\n{_rater_answers(faces, i, 3)}".strip() for i in indices]
    return FigureWithAlt(face_montage(faces.images[indices], captions), alt)


def _rater_answers(faces: Faces, index: int, max_answers: int) -> str:
    return "\n".join(
        f"{name} {votes}" for name, votes in rater_answers(faces.vote_counts[index])[:max_answers]
    )
