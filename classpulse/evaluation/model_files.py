"""The files of an evaluation: pictures, the classification reports and every figure."""

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

LABEL_SETS = {"fer2013": "FER2013's label", "ferplus": "most of the raters"}


def write_scorecard_files(card: Scorecard, figures: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write everything to ``folder``; what is where. Raises ReportError where it cannot be written."""
    scored = {name: found for name in LABEL_SETS if (found := getattr(card, name)) is not None}
    files: dict[str, bytes] = {}
    for name, evaluation in scored.items():
        picture = matrix_figure(np.array(evaluation.confusion), LABEL_SETS[name], "the model")
        files[f"confusion-{name}.png"] = figure_to_png(picture)
        files[f"report-{name}.txt"] = (classification_report(evaluation) + "\n").encode()
    tables = {LABEL_SETS[name]: (found.reliability, found.ece) for name, found in scored.items()}
    files["reliability.png"] = figure_to_png(reliability_figure(tables))
    files["evaluation.json"] = (json.dumps(figures, indent=2) + "\n").encode()
    return {name.split(".")[0]: atomic_write(folder / name, content) for name, content in files.items()}
