"""Logs: JSON lines in a rotating file (``classpulse.log_console`` has those on standard error).

Each process has a file of its own: two processes that rotate the same file lose lines. Every line, tracebacks
included, passes a ``Redaction``.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le
from pythonjsonlogger.json import JsonFormatter

from classpulse.log_console import Redaction, lower_level
from monitor.errors import RunError

log = logging.getLogger(__name__)

LOG_FOLDER = "logs"
"""The folder of the logs, in the data folder."""

_BYTES_PER_MB = 1_000_000


class LogLevel(StrEnum):
    """Lowest level of Classpulse's records that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class LogSettings:
    """``max_mb``: size of a full file, 10^6 bytes; ``backup_count``: number of full files that are kept. A
    lesson writes some kilobytes, so a term fits into one file."""

    max_mb: Annotated[float, Gt(0), Le(1000)] = 5.0
    backup_count: Annotated[int, Ge(1), Le(100)] = 5
    level: LogLevel = LogLevel.INFO


class LogFile(RotatingFileHandler):
    """A rotating file of JSON lines that only its owner can read.

    A full disk must not stop a lesson: a record that cannot be written is dropped, with one message on
    standard error, without the record, which is not redacted yet.
    """

    def __init__(self, path: Path, settings: LogSettings, redaction: Redaction) -> None:
        super().__init__(
            path,
            maxBytes=round(settings.max_mb * _BYTES_PER_MB),
            backupCount=settings.backup_count,
            encoding="utf-8",
        )
        self.path = path
        self._context: dict[str, object] = {}
        self._failure_reported = False
        self.setFormatter(_JsonFormatter(redaction, self._context))

    def add_context(self, **facts: object) -> None:
        """Add these fields, such as ``room`` and ``session``, to every later line."""
        self._context.update(facts)

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(
            open(self.baseFilename, f"{self.mode}b", opener=_open_private), encoding=self.encoding
        )

    def handleError(self, record: logging.LogRecord) -> None:
        """Report the first failure on standard error."""
        if not self._failure_reported:
            self._failure_reported = True
            error = sys.exc_info()[1]
            print(f"classpulse: The log {self.path} cannot be written: {error}", file=sys.stderr)  # noqa: T201


class _JsonFormatter(JsonFormatter):
    """``timestamp`` (UTC), ``level``, ``logger``, ``message``, then the other fields of the record."""

    def __init__(self, redaction: Redaction, context: Mapping[str, object]) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
            timestamp=True,
            json_ensure_ascii=False,
        )
        self._redaction = redaction
        self._context = context

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Order and redact the fields before they are formatted."""
        at = log_data.pop("timestamp").isoformat(timespec="milliseconds")
        first = {name: log_data.pop(name) for name in ("level", "logger", "message")}
        return {"timestamp": at, **self._redaction.redact({**first, **self._context, **log_data})}


@contextmanager
def log_to_file(
    data_folder: Path,
    name: str,
    settings: LogSettings,
    *,
    names: Collection[str] = (),
    expected: Callable[[BaseException], bool] = lambda error: False,
) -> Iterator[LogFile]:
    """Within the block, log also to ``<data folder>/logs/<name>.log``.

    ``names``: names of students, which are redacted. An error that leaves the block is logged as the last
    line, with its traceback unless it is ``expected``. Raises RunError if the file cannot be created.
    """
    path = data_folder / LOG_FOLDER / f"{name}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = LogFile(path, settings, Redaction(names))
    except OSError as error:
        raise RunError(
            f"The log {path} cannot be written ({error.strerror}).", "Give its folder write permission."
        ) from None
    handler.setLevel(settings.level.value.upper())
    root = logging.getLogger()
    root.addHandler(handler)
    lower_level(handler.level)
    try:
        yield handler
    except Exception as error:
        handler.handle(_error_record(error, with_traceback=not expected(error)))
        raise
    finally:
        root.removeHandler(handler)
        handler.close()


def _error_record(error: Exception, *, with_traceback: bool) -> logging.LogRecord:
    # Only for the file: the command line prints it on standard error.
    message = str(error) if not with_traceback else f"internal error ({type(error).__name__})"
    level = logging.CRITICAL if with_traceback else logging.ERROR
    exc_info = (type(error), error, error.__traceback__) if with_traceback else None
    return log.makeRecord(log.name, level, __file__, 0, message, (), exc_info)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
