"""The sandbox of the tests: no camera, no network, and no database outside of the temporary folder."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Forbidden(AssertionError):
    """A test tried to leave the sandbox."""


PROJECT = Path(__file__).resolve().parents[2]

_active = False


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if not _active:
        return
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and str(address[0]) not in {"127.0.0.1", "::1", "localhost"}:
            raise Forbidden(f"A test connected to {address!r}; tests must not use the network.")
    elif event == "sqlite3.connect":
        _check_database(str(arguments[0]))


def guarded_open(open_container: Callable[..., Any], allows_loopback: bool) -> Callable[..., Any]:
    """Wrap av.open to open streams of this machine only, and those only where a test asks for it: audit hooks
    do not see the connections of FFmpeg."""

    def opened(file: object, *arguments: object, **options: object) -> Any:
        is_stream = isinstance(file, str) and "://" in file and not file.startswith("file:")
        if is_stream and not (allows_loopback and urlsplit(str(file)).hostname == "127.0.0.1"):
            raise Forbidden("A test opened a stream; only 127.0.0.1 with loopback_streams is allowed.")
        return open_container(file, *arguments, **options)

    return opened


def _check_database(database: str) -> None:
    path = database.removeprefix("file:").split("?")[0]
    if path in {"", ":memory:"} or ":memory:" in path or "mode=memory" in database:
        return
    file = Path(path).resolve()
    # The project itself may be checked out into the temporary folder.
    if not file.is_relative_to(Path(tempfile.gettempdir()).resolve()) or file.is_relative_to(PROJECT):
        raise Forbidden(f"A test opened the database {database!r} outside of the temporary folder.")


# An audit hook sees every connection of the process, regardless of the library.
sys.addaudithook(_audit)


@contextmanager
def guarded() -> Iterator[None]:
    """Within the block the sandbox is active."""
    global _active
    _active = True
    try:
        yield
    finally:
        _active = False
