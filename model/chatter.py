"""What libraries say on the process's standard error, past every setting of theirs."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def without_lines(beginnings: Sequence[str]) -> Iterator[None]:
    """Within the block, lines on standard error that begin so are dropped; all others are passed on at its
    end. For the whole process, so that one thread at a time may use it."""
    dropped = tuple(beginning.encode() for beginning in beginnings)
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
