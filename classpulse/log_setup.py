"""Logs: JSON lines in a rotating file for a program, short lines on standard error for a person.

Each process has a file of its own: two that rotate one file lose what the other writes meanwhile. Every line
goes through one ``Redaction`` on its way out, tracebacks included.
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

from classpulse.errors import RunError

log = logging.getLogger(__name__)

LOG_FOLDER = "logs"
"""The folder of the logs, in the data folder."""

OWN_LOGGERS = ("classpulse", "monitor", "model", "db", "reports")
"""Whose records are kept from the configured level on; of the libraries, warnings alone."""

_BYTES_PER_MB = 1_000_000
_ADDRESS = re.compile(
    r"""(?P<scheme>\b[a-z][a-z0-9+.-]*://)(?:[^\s"'<>]*@)?(?P<place>[^\s"'<>?]*)(?:\?[^\s"'<>]*)?""",
    re.IGNORECASE,
)
"""A password may hold whatever its camera allows, so all up to the last ``@`` goes."""


class LogLevel(StrEnum):
    """From when on a record of ours is kept."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class LogSettings:
    """``max_mb``: where a file is full, megabytes (10^6 bytes); ``keep``: how many full ones stay beside it.
    A lecture writes some kilobytes, so a term fits into one file."""

    max_mb: Annotated[float, Gt(0), Le(1000)] = 5.0
    backup_count: Annotated[int, Ge(1), Le(100)] = 5
    level: LogLevel = LogLevel.INFO


class Redaction:
    """What may not be written: user, password and query of an address, and the names of students.

    ``names`` are hidden where they stand as a whole, written as they are in the roster: somebody called Black
    must not take the word out of "black picture".
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        # The longest first: "Ann Lee" before "Ann".
        ordered = sorted({name for name in names if name.strip()}, key=len, reverse=True)
        self._names = (
            re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)") if ordered else None
        )

    def __call__(self, text: str) -> str:
        """The text without them."""
        shown = _ADDRESS.sub(r"\g<scheme>\g<place>", text)
        return shown if self._names is None else self._names.sub("(a name)", shown)

    def redact(self, value: Any) -> Any:
        """The same of whatever a record carries: texts inside of it, paths and errors as text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self(str(key)): self.redact(part) for key, part in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.redact(part) for part in value]
        return self(str(value))


class LogFile(RotatingFileHandler):
    """A rotating file of JSON lines that only its owner may read. ``add_context`` adds what all later lines
    say.

    A disk that is full must not stop a lecture, so what cannot be written is dropped; that is said once on
    standard error, without the record, which nothing has gone through yet.
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
        """Say these in every line from now on, such as ``room`` and ``session``."""
        self._context.update(facts)

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(
            open(self.baseFilename, f"{self.mode}b", opener=_open_private), encoding=self.encoding
        )

    def handleError(self, record: logging.LogRecord) -> None:
        """Complain once."""
        if not self._failure_reported:
            self._failure_reported = True
            error = sys.exc_info()[1]
            print(f"classpulse: the log {self.path} cannot be written: {error}", file=sys.stderr)  # noqa: T201


class _JsonFormatter(JsonFormatter):
    """``timestamp`` (UTC), ``level``, ``logger``, ``message``, then whatever else the record carries."""

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
        """The last station before the text is made."""
        at = log_data.pop("timestamp").isoformat(timespec="milliseconds")
        first = {name: log_data.pop(name) for name in ("level", "logger", "message")}
        return {"timestamp": at, **self._redaction.redact({**first, **self._context, **log_data})}


class _ConsoleFormatter(logging.Formatter):
    """A line for a person; the traceback only with ``--verbose``."""

    def __init__(self, redaction: Redaction, verbose: bool) -> None:
        super().__init__("%(levelname)s %(message)s")
        self._redaction, self._verbose = redaction, verbose

    def format(self, record: logging.LogRecord) -> str:
        whole = super().format(record) if self._verbose else f"{record.levelname} {record.getMessage()}"
        return self._redaction(whole)


class _StderrHandler(logging.StreamHandler[TextIO]):
    """To whatever standard error is when the line is written."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """As it is now."""
        return sys.stderr


def log_to_stderr(*, verbose: bool) -> None:
    """Short lines on standard error: warnings, with ``verbose`` all that is informative and tracebacks.

    Called again it takes the place of what it was.
    """
    handler = _StderrHandler()
    handler.setLevel(logging.INFO if verbose else logging.WARNING)
    handler.setFormatter(_ConsoleFormatter(Redaction(), verbose))
    root = logging.getLogger()
    for earlier in [one for one in root.handlers if isinstance(one, _StderrHandler)]:
        root.removeHandler(earlier)
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
    """Within the block everything logged goes to ``<data folder>/logs/<name>.log`` as well.

    ``names`` are those of students that may not be in it. An error that leaves the block is the last line,
    with its traceback unless it is ``expected``. Raises ``RunError`` if the file cannot be made.
    """
    path = data_folder / LOG_FOLDER / f"{name}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = LogFile(path, settings, Redaction(names))
    except OSError as error:
        raise RunError(
            f"the log {path} cannot be written ({error.strerror}); give its folder write permission"
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


def room_log_name(room: str | None) -> str:
    """What the log of a room's recording is called: ``room-b-12`` for "B 12", ``room`` without a name."""
    slug = "-".join(re.findall(r"\w+", (room or "").casefold()))
    return f"room-{slug}" if slug else "room"


def _lower_level(level: int) -> None:
    """Lower our loggers to this level where they stand higher; the libraries stay at warnings."""
    for name in OWN_LOGGERS:
        ours = logging.getLogger(name)
        ours.setLevel(min(level, ours.level or logging.WARNING))


def _error_record(error: Exception, *, with_traceback: bool) -> logging.LogRecord:
    # Straight to the file: on standard error the command line says it.
    said = str(error) if not with_traceback else f"a fault of Classpulse ({type(error).__name__})"
    level = logging.CRITICAL if with_traceback else logging.ERROR
    exc_info = (type(error), error, error.__traceback__) if with_traceback else None
    return log.makeRecord(log.name, level, __file__, 0, said, (), exc_info)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
