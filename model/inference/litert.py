"""Opening networks with LiteRT, and filtering what native libraries write to standard error."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_STDERR = 2


@contextmanager
def suppress_stderr_lines(prefixes: Sequence[str]) -> Iterator[None]:
    """Within the block, drop the lines of standard error that begin with one of ``prefixes``.

    All other lines are written at the end of the block. Affects the whole process and is not thread-safe.
    """
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
"""LiteRT logs the creation of a delegate; no setting of LiteRT turns this line off."""
_open_lock = threading.Lock()


def open_interpreter(model: Path | bytes, threads: int) -> Any:
    """A LiteRT interpreter with allocated tensors, running on ``threads`` CPU threads.

    Raises ``ValueError`` or ``RuntimeError`` (from LiteRT) if ``model`` is not a network.
    """
    # Imported here: it takes most of a second, and many commands run no network.
    from ai_edge_litert.interpreter import Interpreter

    source = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
    with _open_lock, suppress_stderr_lines(_LITERT_LOG_PREFIXES):
        interpreter = Interpreter(**source, num_threads=threads)
        interpreter.allocate_tensors()
    return interpreter
