"""The exit code of each expected error: one table."""

from __future__ import annotations

from functools import cache

from classpulse.errors import Interrupted, RunError, UserError
from model.errors import ModelError
from monitor.daemon.errors import ControlError
from monitor.errors import DetectorError, PlanError, SetupError, SourceError
from monitor.text import InvalidMarker
from reports.errors import ReportError

_USER, _RUN = 2, 1

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT, as in the shells."""


_LIGHT_EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (UserError, _USER),
    (Interrupted, INTERRUPTED),
    (RunError, _RUN),
    (SetupError, _USER),
    (SourceError, _USER),
    (DetectorError, _USER),
    (PlanError, _USER),
    (ModelError, _USER),
    (ControlError, _USER),
    (InvalidMarker, _USER),
    (ReportError, _RUN),
)
"""The errors whose modules are light. Checked in order; the first match counts."""


@cache
def exit_codes() -> tuple[tuple[type[Exception], int], ...]:
    """All expected errors with their codes. Checked in order; the first match counts."""
    from db.errors import DatabaseDamaged, DatabaseError, DatabaseFull, DatabaseLocked

    # A full, locked or damaged database fails a run whose settings are right; the other database errors mean
    # that database.url is wrong.
    of_database: tuple[tuple[type[Exception], int], ...] = (
        (DatabaseFull, _RUN),
        (DatabaseLocked, _RUN),
        (DatabaseDamaged, _RUN),
        (DatabaseError, _USER),
    )
    return (*_LIGHT_EXIT_CODES, *of_database)


def find_exit_code(error: Exception) -> int | None:
    """The exit code of an expected error, or None for a bug."""
    for table in (_LIGHT_EXIT_CODES, None):
        # The module of the database's errors is loaded only if the error is no other one.
        for kind, code in exit_codes() if table is None else table:
            if isinstance(error, kind):
                return code
    return None


def expected_errors() -> tuple[type[Exception], ...]:
    """All errors that are not bugs."""
    return tuple(kind for kind, _ in exit_codes())


_GUI_LIBRARIES = ("libGL", "libgthread", "libglib")


def missing_library(error: ImportError) -> RunError | None:
    """The error for a system library that OpenCV needs and the machine lacks; None for any other import
    error.

    mediapipe installs an OpenCV with windows over the headless one, and its libraries are missing on a server
    without a screen.
    """
    if not any(library in str(error) for library in _GUI_LIBRARIES):
        return None
    from importlib.metadata import version

    opencv = version("opencv-python-headless")
    return RunError(
        f"OpenCV cannot be loaded on this machine ({error}).",
        "Install the libraries (apt-get install libgl1 libglib2.0-0), or restore the headless OpenCV (pip "
        f"install --force-reinstall --no-deps opencv-python-headless=={opencv}).",
    )
