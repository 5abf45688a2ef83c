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
from model.plots.style import png
from reports.rendering.atomic_write import write_whole

TRUTHS = {"fer2013": "FER2013's label", "ferplus": "most of the raters"}


def write_score_files(card: Scorecard, figures: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write everything to ``folder``; what is where. Raises ReportError where it cannot be written."""
    scored = {name: found for name in TRUTHS if (found := getattr(card, name)) is not None}
    files: dict[str, bytes] = {}
    for name, evaluation in scored.items():
        picture = matrix_figure(np.array(evaluation.confusion), TRUTHS[name], "the model")
        files[f"confusion-{name}.png"] = png(picture)
        files[f"report-{name}.txt"] = (classification_report(evaluation) + "\n").encode()
    tables = {TRUTHS[name]: (found.reliability, found.ece) for name, found in scored.items()}
    files["reliability.png"] = png(reliability_figure(tables))
    files["evaluation.json"] = (json.dumps(figures, indent=2) + "\n").encode()
    return {name.split(".")[0]: write_whole(folder / name, content) for name, content in files.items()}
