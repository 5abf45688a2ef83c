"""The scoring side: whether it is installed.

The training side: whether it is installed, and which backend it runs on.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from classpulse.errors import UserError


def require_evaluation_extra() -> None:
    """Raises UserError where the extra ``[evaluate]`` is not installed."""
    if find_spec("motmetrics") is None:
        raise UserError(
            "evaluating needs motmetrics, not installed here; in the folder of Classpulse: "
            "pip install '.[evaluate]'"
        )


def require_training_extra() -> None:
    """Raises UserError where the extra ``[train]`` is not installed. Call it before Keras is imported."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    missing = [name for name in ("keras", backend) if find_spec(name) is None]
    if missing:
        raise UserError(
            f"training needs {' and '.join(missing)}, not installed here; in the folder of Classpulse: "
            "pip install '.[train]'"
        )
    # TensorFlow tells of its build on standard error, a dozen lines, before anything can stop it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
