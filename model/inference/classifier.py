"""The expression classifier: face crops in, probabilities out. LiteRT only; TensorFlow is never imported.

An exported model is two files: ``expression.tflite`` and ``expression.json``, which has the labels, the order
of the heads, the version and the SHA-256 of the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model.emotions import EMOTIONS
from model.errors import ModelError
from model.inference.litert import open_interpreter

INPUT_PX = 48
MONITORED_HEAD = "expression"
MAX_BATCH_FACES = 16
"""Faces per run. Larger batches of the first model took no less time per face. The present model takes 0.46
ms per face in batches of 32 with two threads at 2.6 GHz, and 0.9 ms alone with one thread. The last, smaller
batch resizes the input tensor, which costs nothing measurable, so batches are not padded."""


class ExpressionClassifier(Protocol):
    """Estimates expressions of faces. ``version`` is stored with the session."""

    @property
    def version(self) -> str:
        """Name and digest of the model."""

    @property
    def model_metrics(self) -> Mapping[str, Any] | None:
        """Accuracy and confusion of the model as JSON data (``model.export.model_info``); None if unknown."""

    def probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, 7) float32, rows summing to 1 in the order of ``EMOTIONS``, of crops (N, 48, 48)
        uint8."""


@dataclass(frozen=True)
class ModelFile:
    """A validated model file: content, version, heads in output order, and the metrics of
    ``model.export.model_info`` (None if it was exported without)."""

    content: bytes
    version: str
    heads: tuple[str, ...]
    model_metrics: Mapping[str, Any] | None = None


def read_model(path: Traversable) -> ModelFile:
    """Read and validate ``path`` and the JSON file of the same name beside it.

    Raises ``ModelError`` if a file is missing or unreadable, the digest does not match, or the labels are not
    those of ``model.emotions``.
    """
    metadata_path = _metadata_path(path)
    try:
        content = path.read_bytes()
        metadata: dict[str, Any] = json.loads(metadata_path.read_text(encoding="utf-8"))
        version, labels = str(metadata["version"]), tuple(metadata["labels"])
        heads, digest = tuple(metadata["heads"]), str(metadata["sha256"])
        metrics = metadata.get("metrics")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The model {path} with {metadata_path.name} beside it cannot be loaded ({error}).",
            "Reinstall Classpulse or use another model.",
        ) from error
    if labels != EMOTIONS:
        raise ModelError(
            f"The labels of {path} are {', '.join(map(str, labels))}, not {', '.join(EMOTIONS)}.",
            "Export the model again with this version.",
        )
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(
            f"{path} is damaged or does not belong to {metadata_path.name} (SHA-256 {digest[:12]}…).",
            "Reinstall Classpulse or export the model again.",
        )
    return ModelFile(content, version, heads, metrics)


def _metadata_path(path: Traversable) -> Traversable:
    """The JSON file beside a model. Resources in an archive have no parent, so the shipped one is found by
    name."""
    if isinstance(path, Path):
        return path.with_suffix(".json")
    return shipped_file(f"{path.name.rsplit('.', 1)[0]}.json")


def shipped_file(name: str) -> Traversable:
    """A file of ``model/weights``, also if the package is installed as an archive."""
    return resources.files("model") / "weights" / name


class LiteRTClassifier:
    """An exported model (``model.export.exporter``), run by LiteRT on the CPU; see ``ExpressionClassifier``.

    ``head`` selects the output: ``expression`` (distribution of the raters) for monitoring, ``fer2013`` for
    comparison with the literature. Not thread-safe.
    """

    def __init__(self, model: ModelFile, threads: int = 2, head: str = MONITORED_HEAD) -> None:
        if head not in model.heads:
            raise ModelError(f"The model has no head {head!r}.", f"Choose one of {', '.join(model.heads)}.")
        self._version, self._heads, self._model_metrics = model.version, model.heads, model.model_metrics
        self._head = model.heads.index(head)
        self._interpreter = _interpreter(model.content, threads)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    @property
    def version(self) -> str:
        """Name and digest of the model, e.g. ``cp-fer-1 0123456789ab``."""
        return self._version

    @property
    def model_metrics(self) -> Mapping[str, Any] | None:
        """Accuracy and confusion (``model.export.model_info``); None if the model was exported without."""
        return self._model_metrics

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads, in the order of ``head_probabilities``."""
        return self._heads

    def probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, 7) float32, rows summing to 1, of crops (N, 48, 48) uint8 grey; N may be 0.

        Raises ``ValueError`` for another shape or dtype: a float image in 0..1 would be read as black.
        """
        return self.head_probabilities(crops_gray)[:, self._head]

    def head_probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities of all heads, (N, heads, 7) float32; otherwise like ``probabilities``."""
        if (
            crops_gray.ndim != 3
            or crops_gray.shape[1:] != (INPUT_PX, INPUT_PX)
            or crops_gray.dtype != np.uint8
        ):
            raise ValueError(f"Crops must be uint8 (N, 48, 48), not {crops_gray.dtype} {crops_gray.shape}.")
        rows = np.empty((len(crops_gray), len(self._heads), len(EMOTIONS)), np.float32)
        for start in range(0, len(crops_gray), MAX_BATCH_FACES):
            batch = crops_gray[start : start + MAX_BATCH_FACES]
            rows[start : start + len(batch)] = self._run_batch(batch)
        return rows

    def _run_batch(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = faces[..., None].astype(np.float32)
        self._interpreter.resize_tensor_input(self._input, batch.shape)
        self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output), np.float32)


def _interpreter(content: bytes, threads: int) -> Any:
    try:
        return open_interpreter(content, threads)
    except (ValueError, RuntimeError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"LiteRT cannot load the model ({detail}).", "Export it again with 'classpulse model export'."
        ) from error


def load_classifier(path: Path | None = None, threads: int = 2) -> LiteRTClassifier:
    """The classifier for monitoring, from ``path``, or the shipped one if None.

    Raises ``ModelError`` if the model is missing, damaged or has other labels.
    """
    return LiteRTClassifier(read_model(shipped_file("expression.tflite") if path is None else path), threads)
