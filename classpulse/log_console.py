"""Short log lines on standard error, and the removal of what must not be logged. Every command loads it."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Collection, Mapping
from typing import Any, TextIO

from monitor.sources.address import without_secrets

OWN_LOGGERS = ("classpulse", "monitor", "model", "db", "reports")
"""Loggers with the configured level; the libraries log warnings only."""


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
    lower_level(handler.level)


def lower_level(level: int) -> None:
    """Lower the level of Classpulse's loggers to ``level`` if it is higher; libraries stay at warnings."""
    for name in OWN_LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(min(level, logger.level or logging.WARNING))
