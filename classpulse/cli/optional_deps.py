"""Checks for the optional dependencies of evaluation and training."""

from __future__ import annotations

import os
from importlib.util import find_spec

from classpulse.errors import MissingExtra


def require_evaluation_extra() -> None:
    """Raises MissingExtra if the extra ``[evaluate]`` is not installed."""
    if find_spec("motmetrics") is None:
        raise MissingExtra("Evaluation", ["motmetrics"], "evaluate")


def require_training_extra() -> None:
    """Raises MissingExtra if the extra ``[train]`` is not installed. Call it before Keras is imported."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    missing = [name for name in ("keras", backend) if find_spec(name) is None]
    if missing:
        raise MissingExtra("Training", missing, "train")
    # TensorFlow prints a dozen lines about its build on standard error unless silenced before the import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
