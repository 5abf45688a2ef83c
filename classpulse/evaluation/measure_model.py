"""Measure an exported expression model and write the metrics into its ``expression.json``.

    python -m classpulse.evaluation.measure_model DATA [MODEL]

DATA is FER2013 with the votes of FER+; the default MODEL is the shipped one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from model.data.faces import official_splits
from model.data.load import load_faces
from model.export.model_info import write_model_metrics
from model.inference.classifier import shipped_file
from monitor.faces.dataset_poses import tile_poses


def run_measurement(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, and print the path of the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path, nargs="?", default=Path(str(shipped_file("expression.tflite"))))
    args = parser.parse_args(arguments)
    write_model_metrics(args.model, official_splits(load_faces(args.data)), tile_poses)
    sys.stdout.write(f"{args.model.with_suffix('.json')}\n")


if __name__ == "__main__":
    run_measurement()
