"""From a trained network to the shipped files: ``python -m model.export --run DIR --data DIR --out DIR``.

Needs TensorFlow. Fits the temperatures on the choosing half, converts, checks that LiteRT says what
Keras said, scores the exported file on the reporting half, and writes ``expression.tflite``,
``expression.json``, ``training.json`` and ``MODEL_CARD.md``.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model.calibrate import fit_temperature, softmax
from model.card import render_card
from model.classifier import INPUT_PX, LiteRTClassifier, read_model
from model.crop import CENTRE_PX, EYE_DISTANCE_PX, EYES_TO_MOUTH_PX, cut_square
from model.dataset import Faces, Splits, load_splits
from model.emotions import EMOTIONS
from model.errors import ModelError
from model.evaluate import Evaluation, evaluate, evaluate_both
from model.network import HEADS
from model.runs import NETWORK, read_run, write_json

NAME = "cp-fer-1"
PARITY_TOLERANCE = 0.01
"""Largest difference of a probability between Keras and the exported file. Half precision of the
weights alone moves a probability by a few thousandths."""

SIZES_PX = (48, 32, 24, 20, 16)
"""Widths of the crop's square in the frame at which the model is scored; a detector's box is 0.84 of it."""

Logits = Mapping[str, NDArray[np.float32]]


def predict(network: keras.Model, faces: Faces) -> Logits:
    """Logits (N, 7) by head."""
    inputs = faces.images[..., None].astype(np.float32)
    return {head: np.asarray(value) for head, value in network.predict(inputs, 256, verbose=0).items()}


def fit_temperatures(logits: Logits, faces: Faces) -> dict[str, float]:
    """One temperature a head: expression against the raters' votes, fer2013 against its own labels."""
    one_hot = np.eye(len(EMOTIONS))[faces.labels]
    return {
        "expression": fit_temperature(logits["expression"], faces.votes, faces.vote_weights),
        "fer2013": fit_temperature(logits["fer2013"], one_hot),
    }


def convert(network: keras.Model, temperatures: Mapping[str, float], half: bool = True) -> bytes:
    """The LiteRT file: (N, 48, 48, 1) float32 in 0..255 to (N, heads, 7) probabilities.

    Temperature and softmax are inside, so that nobody can forget them. The heads are stacked because
    the converter does not keep the order of several outputs. ``half`` stores weights in float16: half
    the size at the same pace (0.6 ms a face among 16 either way), because LiteRT widens them on loading.
    """
    faces = keras.Input((INPUT_PX, INPUT_PX, 1), name="face")
    logits = network(faces)
    shares = [keras.ops.softmax(logits[head] / temperatures[head]) for head in HEADS]
    served = keras.Model(faces, keras.ops.stack(shares, axis=1))
    converter = tf.lite.TFLiteConverter.from_keras_model(served)
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def describe(content: bytes, temperatures: Mapping[str, float]) -> dict[str, Any]:
    """What ``expression.json`` says of the file."""
    digest = hashlib.sha256(content).hexdigest()
    return {
        "version": f"{NAME} {digest[:12]}",
        "sha256": digest,
        "labels": list(EMOTIONS),
        "heads": list(HEADS),
        "temperatures": dict(temperatures),
        "input": {
            "shape": ["N", INPUT_PX, INPUT_PX, 1],
            "dtype": "float32",
            "colour": "grey",
            "range": [0, 255],
            "eye_distance_px": EYE_DISTANCE_PX,
            "eyes_to_mouth_px": EYES_TO_MOUTH_PX,
            "centre_px": list(CENTRE_PX),
        },
        "output": {"shape": ["N", len(HEADS), len(EMOTIONS)], "dtype": "float32", "sums_to": 1},
    }


def check_parity(path: Path, logits: Logits, temperatures: Mapping[str, float], faces: Faces) -> float:
    """The largest difference of a probability between Keras and the file at ``path``.

    Raises ``ModelError`` where it is above ``PARITY_TOLERANCE``.
    """
    differences = [
        LiteRTClassifier(read_model(path), head=head).probabilities(faces.images)
        - softmax(logits[head], temperatures[head])
        for head in HEADS
    ]
    worst = float(np.abs(differences).max())
    # Not `worst > ...`: a graph that lost its weights answers NaN, which is not greater than anything.
    if not worst <= PARITY_TOLERANCE:
        raise ModelError(f"{path} differs from Keras by {worst:.3f}; expected at most {PARITY_TOLERANCE}")
    return worst


def report_results(path: Path, untempered: Logits, faces: Faces) -> dict[str, Any]:
    """Scores of the exported file on ``faces``, by head and label set, and the calibration before
    temperature."""
    results: dict[str, Any] = {}
    for head in HEADS:
        exported = LiteRTClassifier(read_model(path), head=head).probabilities(faces.images)
        before = evaluate_both(softmax(untempered[head]), faces)
        results[head] = asdict(evaluate_both(exported, faces))
        results[head]["ece_before_temperature"] = {
            "fer2013": before.fer2013.ece,
            "ferplus": before.ferplus.ece,
            "votes": before.votes_ece,
        }
    return results


def score_sizes(path: Path, faces: Faces) -> list[dict[str, float]]:
    """Accuracy of the exported file on ``faces`` reduced to ``SIZES_PX`` and cut as live faces are."""
    model = read_model(path)
    own, monitored = LiteRTClassifier(model, head="fer2013"), LiteRTClassifier(model)
    rows = []
    for px in SIZES_PX:
        crops = np.stack([as_seen(image, px) for image in faces.images])
        fer2013 = evaluate_both(own.probabilities(crops), faces).fer2013.accuracy
        ferplus = evaluate_both(monitored.probabilities(crops), faces).ferplus.accuracy
        rows.append({"face_px": px, "fer2013_head": fer2013, "expression_head": ferplus})
    return rows


def as_seen(image: NDArray[np.uint8], px: int) -> NDArray[np.uint8]:
    """A tile as the crop of a face whose square is ``px`` pixels wide in the frame."""
    frame = cv2.cvtColor(cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    return cut_square(np.asarray(frame, np.uint8), (0.0, 0.0, float(px)))


def score_raters(faces: Faces) -> Evaluation:
    """The raters of FER+ as if they were a model of FER2013's label: how far the two agree at all."""
    voted = faces.vote_weights > 0
    return evaluate(faces.votes[voted], faces.labels[voted])


def export(run_dir: Path, splits: Splits, out: Path, half: bool = True) -> dict[str, Any]:
    """Write the four files to ``out`` and return what ``training.json`` holds."""
    run = read_run(run_dir)
    network = keras.models.load_model(run_dir / NETWORK, compile=False)
    choose, report = predict(network, splits.choose), predict(network, splits.report)
    temperatures = fit_temperatures(choose, splits.choose)
    content = convert(network, temperatures, half)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "expression.tflite"
    path.write_bytes(content)
    about = describe(content, temperatures)
    write_json(out / "expression.json", about)
    run |= {
        "model": about["version"],
        "temperatures": temperatures,
        "file_bytes": len(content),
        "weights_stored_as": "float16" if half else "float32",
        "largest_difference_from_keras": check_parity(path, report, temperatures, splits.report),
        "report": report_results(path, report, splits.report),
        "by_size": score_sizes(path, splits.report),
        "raters": asdict(score_raters(splits.report)),
    }
    write_json(out / "training.json", run)
    (out / "MODEL_CARD.md").write_text(render_card(run), encoding="utf-8")
    return run


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 0, or 2 with one line on stderr where something given cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m model.export", description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="what model.train wrote")
    parser.add_argument("--data", type=Path, required=True, help="folder of fer2013_faces.png and its labels")
    parser.add_argument("--out", type=Path, required=True, help="folder for the four files")
    parser.add_argument("--float32", action="store_true", help="store the weights in full precision")
    options = parser.parse_args(arguments)
    try:
        run = export(options.run, load_splits(options.data), options.out, half=not options.float32)
    except (ModelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    accuracy = run["report"]["fer2013"]["fer2013"]["accuracy"]
    sys.stdout.write(f"{run['model']}: {accuracy:.4f} on FER2013's labels\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
