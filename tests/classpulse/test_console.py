"""Messages to a closed terminal."""

from __future__ import annotations

import errno
import io

import pytest

from classpulse.console import print_message, progress_bar


class Closed(io.StringIO):
    """Standard error after its terminal was closed."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    def flush(self) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def isatty(self) -> bool:
        return True


def test_print_message_and_progress_bar_ignore_a_closed_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Closed())
    print_message("recording session 1")
    with progress_bar("starting") as bar:
        bar.update(3.0, "7 faces")
        print_message("recording session 1")
