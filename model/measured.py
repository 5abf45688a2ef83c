"""The few figures of a model that travel with it, for whoever judges or prints its answers. NumPy and LiteRT.

``expression.json`` holds them under ``measured``, and a session's record keeps them::

    {"name": "cp-fer-3",
     "card": {"half": "report", "faces": 1686, "accuracy": 0.868, "sad_precision": 0.782, "sad_recall": 0.662,
              "neutral_called_sad": 0.048, "ece": 0.019},
     "confusion": {"half": "choose", "faces": [7 counts], "means": [7 rows of 7 shares]}}

All against the majority of the FER+ raters. ``card`` is what the model card says, of the reporting half;
``confusion`` the mean answer to the faces of each label, by which shares of time are corrected
(``reports.confusion``), of the choosing half, so that what is reported is of faces that corrected nothing.

    python -m model.measured DATA [MODEL]

measures an exported model again and writes its ``expression.json``; the shipped one unless another is named.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.classifier import LiteRTClassifier, read_model, shipped
from model.dataset import Faces, Splits, load_faces, split
from model.emotions import EMOTIONS, Emotion
from model.evaluate import evaluate
from model.runs import write_json

PLACES = 4
"""Decimals of a share; a processor's own rounding lies beyond."""


def mean_answers(probabilities: NDArray[np.float32], majority: NDArray[np.int64]) -> dict[str, Any]:
    """The mean answer to the faces of each label: ``faces`` 7 counts, ``means`` 7 rows summing to 1.

    Probabilities (N, 7), majority (N,) 0..6, others are left out. A label without a face is taken to be read
    rightly, and its count of 0 says so.
    """
    of = [probabilities[majority == label].astype(np.float64) for label in range(len(EMOTIONS))]
    own = np.eye(len(EMOTIONS))
    means = [rows.mean(axis=0) if len(rows) else own[label] for label, rows in enumerate(of)]
    return {"faces": [len(rows) for rows in of], "means": np.round(means, PLACES).tolist()}


def measure(classifier: LiteRTClassifier, choose: Faces, report: Faces) -> dict[str, Any]:
    """The figures described above, of an exported model. Raises ``ValueError`` where no face of the reporting
    half has a majority."""
    agreed = report.has_majority
    found = evaluate(classifier.probabilities(report.images[agreed]), report.majority[agreed])
    sad = found.classes[Emotion.SAD]
    card = {
        "accuracy": found.accuracy,
        "sad_precision": sad.precision,
        "sad_recall": sad.recall,
        "neutral_called_sad": found.neutral_called_sad,
        "ece": found.ece,
    }
    confusion = mean_answers(classifier.probabilities(choose.images), choose.majority)
    return {
        "name": classifier.version.rsplit(" ", 1)[0],
        "card": {"half": "report", "faces": found.faces}
        | {name: round(value, PLACES) for name, value in card.items()},
        "confusion": {"half": "choose", **confusion},
    }


def record_measures(path: Path, splits: Splits) -> dict[str, Any]:
    """Measure the exported model at ``path`` and write the figures into the JSON beside it."""
    measured = measure(LiteRTClassifier(read_model(path)), splits.choose, splits.report)
    beside = path.with_suffix(".json")
    about = json.loads(beside.read_text(encoding="utf-8")) | {"measured": measured}
    write_json(beside, about)
    return measured


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print where the figures are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path, nargs="?", default=Path(str(shipped("expression.tflite"))))
    given = parser.parse_args(arguments)
    record_measures(given.model, split(load_faces(given.data)))
    sys.stdout.write(f"{given.model.with_suffix('.json')}\n")


if __name__ == "__main__":
    main()
