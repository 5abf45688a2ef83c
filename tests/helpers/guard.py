"""The guard: within it no camera, no network and no database outside the temporary folder can be reached."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Forbidden(AssertionError):
    """A test tried to leave its sandbox."""


PROJECT = Path(__file__).resolve().parents[2]

_up = False


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if not _up:
        return
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and str(address[0]) not in {"127.0.0.1", "::1", "localhost"}:
            raise Forbidden(f"a test connected to {address!r}; tests use no network")
    elif event == "sqlite3.connect":
        _check_database(str(arguments[0]))


def loopback_only(open_capture: Callable[..., Any]) -> Callable[..., Any]:
    """Opens streams of this machine alone: what OpenCV connects to, no audit hook sees."""

    def opened(address: object, *arguments: object) -> Any:
        if not isinstance(address, str) or urlsplit(address).hostname != "127.0.0.1":
            raise Forbidden(f"a test opened the camera or stream {address!r}; only 127.0.0.1 is allowed here")
        return open_capture(address, *arguments)

    return opened


def _check_database(database: str) -> None:
    path = database.removeprefix("file:").split("?")[0]
    if path in {"", ":memory:"} or ":memory:" in path or "mode=memory" in database:
        return
    place = Path(path).resolve()
    # The project itself may have been checked out into the temporary folder.
    if not place.is_relative_to(Path(tempfile.gettempdir()).resolve()) or place.is_relative_to(PROJECT):
        raise Forbidden(f"a test opened the database {database!r}; tests keep theirs in a temporary folder")


# An audit hook sees every connection of the process, whichever library makes it.
sys.addaudithook(_audit)


@contextmanager
def guarded() -> Iterator[None]:
    """Within the block the guard is up."""
    global _up
    _up = True
    try:
        yield
    finally:
        _up = False
