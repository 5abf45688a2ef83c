"""Crops in, probabilities out: what monitoring uses. LiteRT only; TensorFlow is never imported.

The shipped model is two files: ``expression.tflite`` and, beside it, ``expression.json`` with the
labels, the order of the heads, the version and the SHA-256 of the first.
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
"""Faces of one run. The first model took no less time a face among more. The present one takes 0.46 ms
among 32 with two threads at 2.6 GHz, and 0.9 ms alone with one. The last, smaller run resizes the input,
which costs nothing that can be measured, so no batch is filled up with faces that nobody asked about."""


class ExpressionClassifier(Protocol):
    """Reads expressions from faces. ``version`` goes into the records of a session."""

    @property
    def version(self) -> str:
        """The model, by name and digest."""

    @property
    def model_metrics(self) -> Mapping[str, Any] | None:
        """What is known of its mistakes (``model.export.model_info``), ready for JSON; None where nothing is."""

    def probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Faces (N, 48, 48) uint8 grey to (N, 7) float32 rows summing to 1, in the order of ``EMOTIONS``."""


@dataclass(frozen=True)
class ModelFile:
    """A model as read from disk and checked: its bytes, version, the order of its heads, and the figures of
    ``model.export.model_info``, None where it was exported without."""

    content: bytes
    version: str
    heads: tuple[str, ...]
    model_metrics: Mapping[str, Any] | None = None


def read_model(path: Traversable) -> ModelFile:
    """Read ``path`` and the JSON of the same name beside it.

    Raises ``ModelError`` where one is missing or unreadable, where the digest says that they do not
    belong together or the file is damaged, or where the labels are not those of ``model.emotions``.
    """
    beside = _metadata_path(path)
    try:
        content = path.read_bytes()
        about: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
        version, labels = str(about["version"]), tuple(about["labels"])
        heads, digest = tuple(about["heads"]), str(about["sha256"])
        measured = about.get("metrics")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} cannot be loaded ({error}); expected a model with its {beside.name} beside it; "
            "reinstall classpulse or give another model"
        ) from error
    if labels != EMOTIONS:
        raise ModelError(
            f"{path} puts out {', '.join(map(str, labels))}; expected {', '.join(EMOTIONS)} in this order; "
            "export it again with this version"
        )
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(
            f"{path} is damaged or does not belong to {beside.name}; expected SHA-256 {digest[:12]}…; "
            "reinstall classpulse or export the model again"
        )
    return ModelFile(content, version, heads, measured)


def _metadata_path(path: Traversable) -> Traversable:
    """The JSON beside a model. Resources inside an archive have no parent, so the shipped one is named."""
    if isinstance(path, Path):
        return path.with_suffix(".json")
    return shipped_file(f"{path.name.rsplit('.', 1)[0]}.json")


def shipped_file(name: str) -> Traversable:
    """A file of ``model/weights``, also where the package was installed as an archive."""
    return resources.files("model") / "weights" / name


class LiteRTClassifier:
    """An exported model (``model.export.exporter``) run by LiteRT on the CPU; see ``ExpressionClassifier``.

    One thread may use it at a time.

    ``head`` chooses whose answer is given: ``expression`` (the raters' distribution) is the one for
    monitoring, ``fer2013`` serves to compare with the literature.
    """

    def __init__(self, model: ModelFile, threads: int = 2, head: str = MONITORED_HEAD) -> None:
        if head not in model.heads:
            raise ModelError(f"the model has no head {head!r}; expected one of {', '.join(model.heads)}")
        self._version, self._heads, self._model_metrics = model.version, model.heads, model.model_metrics
        self._head = model.heads.index(head)
        self._interpreter = _interpreter(model.content, threads)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    @property
    def version(self) -> str:
        """The model, by name and digest, e.g. ``cp-fer-1 0123456789ab``."""
        return self._version

    @property
    def model_metrics(self) -> Mapping[str, Any] | None:
        """What is known of its mistakes (``model.export.model_info``); None where it was exported without."""
        return self._model_metrics

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads, in the order of ``head_probabilities``."""
        return self._heads

    def probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Faces (N, 48, 48) uint8 grey to (N, 7) float32 rows summing to 1; N may be 0.

        Raises ``ValueError`` for any other shape or type: a float picture in 0..1 would be read as black.
        """
        return self.head_probabilities(crops_gray)[:, self._head]

    def head_probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The same of every head at once, (N, heads, 7)."""
        if (
            crops_gray.ndim != 3
            or crops_gray.shape[1:] != (INPUT_PX, INPUT_PX)
            or crops_gray.dtype != np.uint8
        ):
            raise ValueError(f"crops are {crops_gray.dtype} {crops_gray.shape}; expected uint8 (N, 48, 48)")
        rows = np.empty((len(crops_gray), len(self._heads), len(EMOTIONS)), np.float32)
        for start in range(0, len(crops_gray), MAX_BATCH_FACES):
            piece = crops_gray[start : start + MAX_BATCH_FACES]
            rows[start : start + len(piece)] = self._run_batch(piece)
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
            f"the model does not load in LiteRT ({detail}); expected one written by model.export.exporter; "
            "export it again"
        ) from error


def load_classifier(path: Path | None = None, threads: int = 2) -> LiteRTClassifier:
    """The classifier for monitoring, from ``path`` or, if None, as shipped with the package.

    Raises ``ModelError``, one line, where the model is missing, damaged or has other labels.
    """
    return LiteRTClassifier(read_model(shipped_file("expression.tflite") if path is None else path), threads)
