"""Networks through LiteRT: the one place that opens them."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from model.chatter import without_lines

_CHATTER = ("INFO: Created TensorFlow Lite XNNPACK delegate",)
"""LiteRT says on standard error that it has made a delegate, which no setting of its turns off."""
_one_at_a_time = threading.Lock()


def open_interpreter(model: Path | bytes, threads: int) -> Any:
    """A LiteRT interpreter with its tensors allocated; ``threads`` of the processor.

    Raises ValueError or RuntimeError, from LiteRT, for what is no network.
    """
    # Imported here: most of a second, and many commands run no network.
    from ai_edge_litert.interpreter import Interpreter

    source = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
    with _one_at_a_time, without_lines(_CHATTER):
        interpreter = Interpreter(**source, num_threads=threads)
        interpreter.allocate_tensors()
    return interpreter


def bundled_model(relative: str) -> Path | None:
    """A network inside the installed mediapipe, such as ``face_landmark/face_landmark.tflite``; None where
    there is none. The package is located, not imported: that takes seconds, with TensorFlow 15."""
    spec = find_spec("mediapipe")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(root) / "modules" / relative
        if path.is_file():
            return path
    return None
