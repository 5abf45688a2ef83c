"""Networks through LiteRT: the one place that opens them.

What libraries say on the process's standard error, past every setting of theirs.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_STDERR = 2


@contextmanager
def suppress_stderr_lines(prefixes: Sequence[str]) -> Iterator[None]:
    """Within the block, lines on standard error that begin so are dropped; all others are passed on at its
    end. For the whole process, so that one thread at a time may use it."""
    dropped = tuple(beginning.encode() for beginning in prefixes)
    sys.stderr.flush()
    kept = os.dup(_STDERR)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, _STDERR)
            os.close(kept)
            caught.seek(0)
            lines = caught.read().splitlines(keepends=True)
            os.write(_STDERR, b"".join(line for line in lines if not line.startswith(dropped)))


_LITERT_LOG_PREFIXES = ("INFO: Created TensorFlow Lite XNNPACK delegate",)
"""LiteRT says on standard error that it has made a delegate, which no setting of its turns off."""
_open_lock = threading.Lock()


def open_interpreter(model: Path | bytes, threads: int) -> Any:
    """A LiteRT interpreter with its tensors allocated; ``threads`` of the processor.

    Raises ValueError or RuntimeError, from LiteRT, for what is no network.
    """
    # Imported here: most of a second, and many commands run no network.
    from ai_edge_litert.interpreter import Interpreter

    source = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
    with _open_lock, suppress_stderr_lines(_LITERT_LOG_PREFIXES):
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
