"""From a trained network to the files that are shipped. Needs TensorFlow, whatever trained the network.

Fits the calibration on the choosing half, converts, checks that LiteRT says what Keras said, scores
the exported file on the reporting half, and writes ``expression.tflite``, ``expression.json``,
``training.json``, ``MODEL_CARD.md`` and ``network.npz``, the weights for training on.
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
"""What a model is called that nobody named; its version has a digest beside it."""
SAMPLE_FACES = 500
"""Training faces from which the converter learns the ranges of int8; not tuned."""

_SUPPRESSED_PREFIXES = ("W0000", "I0000", "fully_quantize", "WARNING: All log messages before absl")

_FLOAT_OPERATIONS = (
    "MEAN", "SUB", "SQUARE", "SQUARED_DIFFERENCE", "DIV", "MUL", "SQRT", "RSQRT", "MAXIMUM",
    "FULLY_CONNECTED", "BATCH_MATMUL", "REDUCE_MAX", "EXP", "PACK",
)  # fmt: skip
"""What is not computed in integers in an int8 export: everything but the convolutions."""

Logits = Mapping[str, NDArray[np.float32]]


Calibrations = Mapping[str, Calibration]
"""By head."""


@dataclass(frozen=True)
class Parity:
    """How far an exported file is from Keras on the same faces: the largest and the mean difference of a
    probability, and the share of answers (faces times heads) with the same leading label."""

    largest: float
    mean: float
    same_leading: float

    def is_within(self, other: Parity) -> bool:
        """Whether this is no farther than ``other``. NaN, from a graph that lost its weights, never is."""
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
"""How weights can be stored, and the parity each must reach: above the shipped network's own
differences, which its card has. ``float16`` halves the file and is widened on loading; ``int8`` quarters
it and computes the convolutions in integers, four times as fast (``benchmarks/classifier.py``)."""


def fit_calibrations(logits: Logits, faces: Faces) -> Calibrations:
    """One a head: expression against the raters' majority, fer2013 against FER2013's own labels.

    So "0.7 sad" means: of many faces read like this, seven in ten are ones that most of ten raters
    would call sad.
    """
    agreed, one_hot = faces.has_majority, np.eye(len(EMOTIONS))
    return {
        "expression": fit_calibration(logits["expression"][agreed], one_hot[faces.majority[agreed]]),
        "fer2013": fit_calibration(logits["fer2013"], one_hot[faces.labels]),
    }


def convert_to_litert(
    network: keras.Model, calibrations: Calibrations, file_format: str, sample: Faces
) -> bytes:
    """The LiteRT file: (N, 48, 48, 1) float32 in 0..255 to (N, heads, 7) probabilities.

    Calibration and softmax are inside, so that nobody can forget them. The heads are stacked because
    the converter does not keep the order of several outputs. ``sample`` are faces like those to come,
    from which int8 learns its ranges.
    """
    faces = keras.Input((INPUT_PX, INPUT_PX, 1), name="face")
    logits = network(faces)
    shares = [_apply_calibration(logits[head], calibrations[head]) for head in HEADS]
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(faces, keras.ops.stack(shares, axis=1)))
    if file_format != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if file_format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    # The converter prints the whole graph's captures, hundreds of lines, on standard output.
    with (
        contextlib.redirect_stdout(io.StringIO()),
        suppress_stderr_lines(_SUPPRESSED_PREFIXES),
        warnings.catch_warnings(action="ignore", category=UserWarning),
    ):
        return bytes(_convert_to_int8(converter, sample) if file_format == "int8" else converter.convert())


def _apply_calibration(logits: Any, calibration: Calibration) -> Any:
    """Probabilities. The softmax is spelt out, its sum as a product with ones: in an int8 export the
    converter rounds whatever it recognises as a softmax to 1/256, and rows no longer sum to 1."""
    scaled = logits / calibration.temperature + np.asarray(calibration.bias, np.float32)
    powers = keras.ops.exp(scaled - keras.ops.max(scaled, axis=-1, keepdims=True))
    return powers / keras.ops.matmul(powers, np.ones((len(EMOTIONS), len(EMOTIONS)), np.float32))


def _convert_to_int8(converter: Any, sample: Faces) -> Any:
    """Convert with int8 convolutions and the rest in float.

    Leaving standardisation, means and heads in float halves the largest difference from Keras and costs
    no time that can be measured. TensorFlow offers that through its debugger of quantisation alone.
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
    """What ``expression.json`` says of the file."""
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
    """As JSON has it."""
    return {
        head: {"temperature": own.temperature, "bias": list(own.bias)} for head, own in calibrations.items()
    }


def measure_parity(path: Path, logits: Logits, calibrations: Calibrations, faces: Faces) -> Parity:
    """How far the file at ``path`` is from Keras's ``logits`` of the same faces."""
    found = LiteRTClassifier(read_model(path)).head_probabilities(faces.images)
    meant = np.stack([calibrations[head].probabilities(logits[head]) for head in HEADS], axis=1)
    apart = np.abs(found - meant)
    same = found.argmax(axis=2) == meant.argmax(axis=2)
    return Parity(float(apart.max()), float(apart.mean()), float(same.mean()))


def write_model(
    folder: Path, content: bytes, calibrations: Calibrations, file_format: str, name: str = DEFAULT_MODEL_NAME
) -> Path:
    """The network and the JSON that belongs to it; returns the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "expression.tflite"
    path.write_bytes(content)
    write_pretty_json(folder / "expression.json", model_metadata(content, calibrations, file_format, name))
    return path


def check_parity(file_format: str, parity: Parity) -> None:
    """Raises ``ModelError`` where an exported file is farther from Keras than its format may be."""
    allowed = FORMATS[file_format]
    if not parity.is_within(allowed):
        raise ModelError(
            f"the {file_format} export differs from Keras by {parity.largest:.3f} at most and {parity.mean:.4f} on "
            f"average, with the same answer on {parity.same_leading:.1%}; expected {allowed.largest}, "
            f"{allowed.mean} and {allowed.same_leading:.1%} or better; export in another format"
        )


def calibration_errors(probabilities: NDArray[np.float32], faces: Faces) -> dict[str, float | None]:
    """The calibration errors of a head against FER2013's label, the FER+ majority and the raters' shares."""
    found = evaluate_label_sets(probabilities, faces)
    return {
        "fer2013": found.fer2013.ece,
        "ferplus": found.ferplus.ece if found.ferplus else None,
        "votes": found.votes_ece,
    }


def export_model(
    run_dir: Path,
    splits: Splits,
    out: Path,
    file_format: str = "int8",
    name: str = DEFAULT_MODEL_NAME,
    estimate_poses: PoseEstimator | None = None,
) -> dict[str, Any]:
    """Write the five files to ``out`` and return what ``training.json`` holds.

    ``file_format``, one of ``FORMATS``, is the format shipped and ``name`` what the model is called; every format
    is converted and compared with Keras. ``estimate_poses`` returns the head poses of faces, so that the confusion
    is measured at each pose (``model.export.model_info``). Raises ``ModelError`` where a format differs too much from
    Keras; then nothing of ``out`` is replaced.
    """
    run = read_run(run_dir)
    network = load_network(run_dir)
    calibrations = fit_calibrations(predict_logits(network, splits.choose.images), splits.choose)
    logits = predict_logits(network, splits.report.images)
    sample = splits.train.subset(np.linspace(0, len(splits.train) - 1, SAMPLE_FACES).astype(np.int64))
    contents = {kind: convert_to_litert(network, calibrations, kind, sample) for kind in FORMATS}
    formats: dict[str, Any] = {}
    for kind, content in contents.items():
        trial = write_model(run_dir / "exported" / kind, content, calibrations, kind, name)
        found = measure_parity(trial, logits, calibrations, splits.report)
        check_parity(kind, found)
        formats[kind] = {"file_bytes": len(content), **asdict(found)}
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
