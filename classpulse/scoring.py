"""The scoring side: whether it is installed."""

from __future__ import annotations

from importlib.util import find_spec

from classpulse.errors import UserError


def require_scoring() -> None:
    """Raises UserError where the extra ``[evaluate]`` is not installed."""
    if find_spec("motmetrics") is None:
        raise UserError(
            "evaluating needs motmetrics, not installed here; in the folder of Classpulse: "
            "pip install '.[evaluate]'"
        )
