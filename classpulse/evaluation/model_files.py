"""Files of a model evaluation: figures, classification reports, and all metrics as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from model.evaluation.classification_report import classification_report
from model.evaluation.scorecard import Scorecard
from model.plots.agreement import matrix_figure
from model.plots.reliability import reliability_figure
from model.plots.style import figure_to_png
from reports.rendering.atomic_write import atomic_write

LABEL_SETS = {"fer2013": "FER2013's label", "ferplus": "FER+ majority"}


def write_scorecard_files(card: Scorecard, figures: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write all files to ``folder``; returns the paths by name. Raises ``ReportError`` if a file cannot be
    written."""
    evaluations = {name: scores for name in LABEL_SETS if (scores := getattr(card, name)) is not None}
    files: dict[str, bytes] = {}
    for name, evaluation in evaluations.items():
        figure = matrix_figure(np.array(evaluation.confusion), LABEL_SETS[name], "the model")
        files[f"confusion-{name}.png"] = figure_to_png(figure)
        files[f"report-{name}.txt"] = (classification_report(evaluation) + "\n").encode()
    tables = {
        LABEL_SETS[name]: (evaluation.reliability, evaluation.ece) for name, evaluation in evaluations.items()
    }
    files["reliability.png"] = figure_to_png(reliability_figure(tables))
    files["evaluation.json"] = (json.dumps(figures, indent=2) + "\n").encode()
    return {name.split(".")[0]: atomic_write(folder / name, content) for name, content in files.items()}
