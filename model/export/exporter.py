"""Export of a trained network to the shipped files. Needs TensorFlow, regardless of the training backend.

Fits the calibration on the choosing half, converts, compares LiteRT with Keras, scores the exported file on
the reporting half, and writes ``expression.tflite``, ``expression.json``, ``training.json``,
``MODEL_CARD.md`` and ``network.npz`` (the weights for continued training).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model.data.faces import Faces, Splits
from model.emotions import EMOTIONS
from model.errors import ModelError
from model.evaluation.metrics import evaluate_label_sets
from model.evaluation.scorecard import BLUR_SIGMA_PX, DARK_GAIN, make_scorecard
from model.export.model_card import render_card
from model.export.model_info import PoseEstimator, write_model_metrics
from model.inference.calibration import Calibration, fit_calibration, softmax
from model.inference.classifier import INPUT_PX, LiteRTClassifier, read_model
from model.inference.crop import CENTRE_PX, EYE_DISTANCE_PX, EYES_TO_MOUTH_PX
from model.inference.litert import suppress_stderr_lines
from model.training.batches import to_network_input
from model.training.network import HEADS
from model.training.run_folder import TRAINING_FILE, read_run, write_pretty_json
from model.training.trained import WEIGHTS_FILE, load_network, predict_logits, write_weights

DEFAULT_MODEL_NAME = "own"
"""Default name of a model; its version has a digest beside it."""
SAMPLE_FACES = 500
"""Training faces from which the converter derives the ranges of int8; heuristic, not tuned on data."""

_SUPPRESSED_PREFIXES = ("W0000", "I0000", "fully_quantize", "WARNING: All log messages before absl")

_FLOAT_OPERATIONS = (
    "MEAN", "SUB", "SQUARE", "SQUARED_DIFFERENCE", "DIV", "MUL", "SQRT", "RSQRT", "MAXIMUM",
    "FULLY_CONNECTED", "BATCH_MATMUL", "REDUCE_MAX", "EXP", "PACK",
)  # fmt: skip
"""Operations that stay in float in an int8 export: all but the convolutions."""

Logits = Mapping[str, NDArray[np.float32]]


Calibrations = Mapping[str, Calibration]
"""By head."""


@dataclass(frozen=True)
class Parity:
    """Difference of an exported file from Keras on the same faces: the largest and the mean difference of a
    probability, and the share of answers (faces times heads) with the same leading label."""

    largest: float
    mean: float
    same_leading: float

    def is_within(self, other: Parity) -> bool:
        """Whether this difference is within ``other``; False for NaN, from a graph that lost its weights."""
        return (
            self.largest <= other.largest
            and self.mean <= other.mean
            and self.same_leading >= other.same_leading
        )


FORMATS: Mapping[str, Parity] = {
    "float32": Parity(largest=0.001, mean=0.0001, same_leading=0.999),
    "float16": Parity(largest=0.01, mean=0.001, same_leading=0.995),
    "int8": Parity(largest=0.3, mean=0.01, same_leading=0.95),
}
"""Weight formats and the parity that each must reach: above the differences of the shipped network, which its
card lists. ``float16`` halves the file and is widened when loaded; ``int8`` quarters it and computes the
convolutions in integers, four times as fast (``benchmarks/classifier.py``)."""


def fit_calibrations(logits: Logits, faces: Faces) -> Calibrations:
    """Calibrations by head: ``expression`` against the majority of the raters, ``fer2013`` against FER2013's
    labels.

    So a probability of 0.7 for sad means: most raters would call seven of ten such faces sad.
    """
    with_majority, one_hot = faces.has_majority, np.eye(len(EMOTIONS))
    return {
        "expression": fit_calibration(
            logits["expression"][with_majority], one_hot[faces.majority[with_majority]]
        ),
        "fer2013": fit_calibration(logits["fer2013"], one_hot[faces.labels]),
    }


def convert_to_litert(
    network: keras.Model, calibrations: Calibrations, file_format: str, sample: Faces
) -> bytes:
    """The LiteRT file: (N, 48, 48, 1) float32 in 0..255 to probabilities (N, heads, 7).

    Calibration and softmax are part of the graph. The heads are stacked because the converter does not keep
    the order of several outputs. ``sample`` are typical faces, from which int8 derives its ranges.
    """
    faces = keras.Input((INPUT_PX, INPUT_PX, 1), name="face")
    logits = network(faces)
    shares = [_apply_calibration(logits[head], calibrations[head]) for head in HEADS]
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(faces, keras.ops.stack(shares, axis=1)))
    if file_format != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if file_format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    # The converter prints hundreds of lines to standard output.
    with (
        contextlib.redirect_stdout(io.StringIO()),
        suppress_stderr_lines(_SUPPRESSED_PREFIXES),
        warnings.catch_warnings(action="ignore", category=UserWarning),
    ):
        return bytes(_convert_to_int8(converter, sample) if file_format == "int8" else converter.convert())


def _apply_calibration(logits: Any, calibration: Calibration) -> Any:
    """Calibrated probabilities.

    The softmax is written out, its sum as a matrix product: in an int8 export the converter rounds what it
    recognises as a softmax to 1/256, and rows no longer sum to 1.
    """
    scaled = logits / calibration.temperature + np.asarray(calibration.bias, np.float32)
    powers = keras.ops.exp(scaled - keras.ops.max(scaled, axis=-1, keepdims=True))
    return powers / keras.ops.matmul(powers, np.ones((len(EMOTIONS), len(EMOTIONS)), np.float32))


def _convert_to_int8(converter: Any, sample: Faces) -> Any:
    """Convert with int8 convolutions and the rest in float.

    Standardisation, means and heads in float halve the largest difference from Keras at no measurable cost.
    TensorFlow offers this only through its quantisation debugger.
    """
    converter.representative_dataset = lambda: _representative_samples(sample)
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=list(_FLOAT_OPERATIONS))
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=converter.representative_dataset, debug_options=options
    )
    return debugger.get_nondebug_quantized_model()


def _representative_samples(sample: Faces) -> Iterator[list[NDArray[np.float32]]]:
    for image in to_network_input(sample.images, INPUT_PX):
        yield [image[None]]


def model_metadata(content: bytes, calibrations: Calibrations, file_format: str, name: str) -> dict[str, Any]:
    """The content of ``expression.json``, without metrics."""
    digest = hashlib.sha256(content).hexdigest()
    return {
        "version": f"{name} {digest[:12]}",
        "sha256": digest,
        "format": file_format,
        "labels": list(EMOTIONS),
        "heads": list(HEADS),
        "calibrations": calibrations_to_json(calibrations),
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


def calibrations_to_json(calibrations: Calibrations) -> dict[str, Any]:
    """The calibrations as JSON data."""
    return {
        head: {"temperature": calibration.temperature, "bias": list(calibration.bias)}
        for head, calibration in calibrations.items()
    }


def measure_parity(path: Path, logits: Logits, calibrations: Calibrations, faces: Faces) -> Parity:
    """The difference of the file at ``path`` from Keras's ``logits`` of the same faces."""
    exported = LiteRTClassifier(read_model(path)).head_probabilities(faces.images)
    reference = np.stack([calibrations[head].probabilities(logits[head]) for head in HEADS], axis=1)
    difference = np.abs(exported - reference)
    same = exported.argmax(axis=2) == reference.argmax(axis=2)
    return Parity(float(difference.max()), float(difference.mean()), float(same.mean()))


def write_model(
    folder: Path, content: bytes, calibrations: Calibrations, file_format: str, name: str = DEFAULT_MODEL_NAME
) -> Path:
    """Write the LiteRT file and its JSON file to ``folder``; returns the path of the former."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "expression.tflite"
    path.write_bytes(content)
    write_pretty_json(folder / "expression.json", model_metadata(content, calibrations, file_format, name))
    return path


def check_parity(file_format: str, parity: Parity) -> None:
    """Raise ``ModelError`` if an exported file differs from Keras by more than its format allows."""
    allowed = FORMATS[file_format]
    if not parity.is_within(allowed):
        raise ModelError(
            f"The {file_format} export differs from Keras by up to {parity.largest:.3f}, by "
            f"{parity.mean:.4f} on average, and has the same leading label on {parity.same_leading:.1%} of "
            f"the faces; the limits are {allowed.largest}, {allowed.mean} and {allowed.same_leading:.1%}.",
            "Export in another format.",
        )


def calibration_errors(probabilities: NDArray[np.float32], faces: Faces) -> dict[str, float | None]:
    """Calibration errors of a head against FER2013's labels, the FER+ majority and the raters' shares."""
    scores = evaluate_label_sets(probabilities, faces)
    return {
        "fer2013": scores.fer2013.ece,
        "ferplus": scores.ferplus.ece if scores.ferplus else None,
        "votes": scores.votes_ece,
    }


def export_model(
    run_dir: Path,
    splits: Splits,
    out: Path,
    file_format: str = "int8",
    name: str = DEFAULT_MODEL_NAME,
    estimate_poses: PoseEstimator | None = None,
) -> dict[str, Any]:
    """Write the five files to ``out`` and return the content of ``training.json``.

    ``file_format``, one of ``FORMATS``, is the format of the exported file, ``name`` the model's name; every
    format is converted and compared with Keras. ``estimate_poses`` returns the head poses of faces, to
    measure the confusion per pose (``model.export.model_info``). Raises ``ModelError`` if a format differs
    too much from Keras; then nothing in ``out`` is replaced.
    """
    run = read_run(run_dir)
    network = load_network(run_dir)
    calibrations = fit_calibrations(predict_logits(network, splits.choose.images), splits.choose)
    logits = predict_logits(network, splits.report.images)
    sample = splits.train.subset(np.linspace(0, len(splits.train) - 1, SAMPLE_FACES).astype(np.int64))
    contents = {name: convert_to_litert(network, calibrations, name, sample) for name in FORMATS}
    formats: dict[str, Any] = {}
    for each, content in contents.items():
        trial_file = write_model(run_dir / "exported" / each, content, calibrations, each, name)
        parity = measure_parity(trial_file, logits, calibrations, splits.report)
        check_parity(each, parity)
        formats[each] = {"file_bytes": len(content), **asdict(parity)}
    path = write_model(out, contents[file_format], calibrations, file_format, name)
    write_model_metrics(path, splits, estimate_poses)
    classifier = LiteRTClassifier(read_model(path))
    run |= {
        "model": classifier.version,
        "calibrations": calibrations_to_json(calibrations),
        "format": file_format,
        "formats": formats,
        "conditions": {"blur_sigma_px": BLUR_SIGMA_PX, "dark_gain": DARK_GAIN},
        "ece_uncalibrated": {
            head: calibration_errors(softmax(logits[head]), splits.report) for head in HEADS
        },
        "results": asdict(make_scorecard(classifier, splits.report, splits.train)),
    }
    write_pretty_json(out / TRAINING_FILE, run)
    write_weights(network, out / WEIGHTS_FILE)
    (out / "MODEL_CARD.md").write_text(render_card(run), encoding="utf-8")
    return run
