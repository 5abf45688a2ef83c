"""A terminal that was closed while something is being done."""

from __future__ import annotations

import errno
import io

import pytest

from classpulse.cli.console import progress_bar, say


class Closed(io.StringIO):
    """What standard error is after its terminal was closed."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    def flush(self) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def isatty(self) -> bool:
        return True


def test_nothing_is_said_to_a_terminal_that_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Closed())
    say("recording session 1")
    with progress_bar("starting") as bar:
        bar.at(3.0, "7 faces")
        say("recording session 1")
