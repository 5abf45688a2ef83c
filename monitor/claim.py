"""A data folder is held by one program at a time."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from monitor.control import ControlError, line_of, read_notice

_LOCK = "control.lock"


class FolderTaken(ControlError):
    """Another program holds the data folder."""


class Claim:
    """Holds a data folder for this process while the block lasts. Raises ControlError where another does, or
    where the folder cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / _LOCK, timeout=0, mode=0o600)

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise FolderTaken(self._taken()) from None
        except (OSError, NotImplementedError) as error:  # the latter: a disk without locks
            raise ControlError(
                f"the data folder {self._folder} cannot be written ({line_of(error)}); give it write "
                "permission, or set another 'database.url'"
            ) from None
        return self

    def _taken(self) -> str:
        notice = read_notice(self._folder)
        if notice is None or not notice.running:
            return f"Classpulse is starting or ending on {self._folder}; try again in a moment"
        return (
            f"Classpulse already runs on {self._folder} (process {notice.pid}); give it orders with "
            "'classpulse start' and 'classpulse stop', or end it first"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
