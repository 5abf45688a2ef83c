"""Logs: JSON lines in a rotating file, and short lines on standard error.

Each process has a file of its own: two processes that rotate the same file lose lines. Every line, tracebacks
included, passes a ``Redaction``.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated, Any, TextIO

from annotated_types import Ge, Gt, Le
from pythonjsonlogger.json import JsonFormatter

from monitor.errors import RunError
from monitor.sources.address import without_secrets

log = logging.getLogger(__name__)

LOG_FOLDER = "logs"
"""The folder of the logs, in the data folder."""

OWN_LOGGERS = ("classpulse", "monitor", "model", "db", "reports")
"""Loggers with the configured level; the libraries log warnings only."""

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


class Redaction:
    """Removes what must not be logged: user, password and query of an address, and the names of students.

    ``names`` are replaced as whole words with the case of the roster: a student named Black must not change
    "black frame".
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        # Longest first: "Ann Lee" before "Ann".
        ordered = sorted({name for name in names if name.strip()}, key=len, reverse=True)
        self._names = (
            re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)") if ordered else None
        )

    def __call__(self, text: str) -> str:
        """The redacted text."""
        redacted = without_secrets(text)
        return redacted if self._names is None else self._names.sub("(a name)", redacted)

    def redact(self, value: Any) -> Any:
        """The redacted value of a record, recursively; other objects, such as paths and errors, as text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self(str(key)): self.redact(part) for key, part in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.redact(part) for part in value]
        return self(str(value))


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


class _ConsoleFormatter(logging.Formatter):
    """One line; the traceback only if ``verbose``."""

    def __init__(self, redaction: Redaction, verbose: bool) -> None:
        super().__init__("%(levelname)s %(message)s")
        self._redaction, self._verbose = redaction, verbose

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record) if self._verbose else f"{record.levelname} {record.getMessage()}"
        return self._redaction(text)


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to the current ``sys.stderr``."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The current standard error."""
        return sys.stderr


def log_to_stderr(*, verbose: bool) -> None:
    """Log short lines to standard error: warnings, with ``verbose`` also infos and tracebacks. Replaces an
    earlier call."""
    handler = _StderrHandler()
    handler.setLevel(logging.INFO if verbose else logging.WARNING)
    handler.setFormatter(_ConsoleFormatter(Redaction(), verbose))
    root = logging.getLogger()
    for previous in [h for h in root.handlers if isinstance(h, _StderrHandler)]:
        root.removeHandler(previous)
    root.addHandler(handler)
    _lower_level(handler.level)


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
    _lower_level(handler.level)
    try:
        yield handler
    except Exception as error:
        handler.handle(_error_record(error, with_traceback=not expected(error)))
        raise
    finally:
        root.removeHandler(handler)
        handler.close()


def _lower_level(level: int) -> None:
    """Lower the level of Classpulse's loggers to ``level`` if it is higher; libraries stay at warnings."""
    for name in OWN_LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(min(level, logger.level or logging.WARNING))


def _error_record(error: Exception, *, with_traceback: bool) -> logging.LogRecord:
    # Only for the file: the command line prints it on standard error.
    message = str(error) if not with_traceback else f"internal error ({type(error).__name__})"
    level = logging.CRITICAL if with_traceback else logging.ERROR
    exc_info = (type(error), error, error.__traceback__) if with_traceback else None
    return log.makeRecord(log.name, level, __file__, 0, message, (), exc_info)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
