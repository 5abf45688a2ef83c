"""The exit code of each expected error: one table."""

from __future__ import annotations

from importlib.metadata import version

from classpulse.errors import RunError, UserError
from db.errors import DatabaseDamaged, DatabaseError, DatabaseFull, DatabaseLocked
from model.errors import ModelError
from monitor.daemon.errors import ControlError
from monitor.errors import DetectorError, PlanError, SetupError, SourceError
from monitor.text import InvalidMarker
from reports.errors import ReportError

_USER, _RUN = 2, 1

EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (UserError, _USER),
    (RunError, _RUN),
    (SetupError, _USER),
    (SourceError, _USER),
    (DetectorError, _USER),
    (PlanError, _USER),
    (ModelError, _USER),
    (ControlError, _USER),
    (InvalidMarker, _USER),
    # A full, locked or damaged database fails a run whose settings are right; the other database errors mean
    # that database.url is wrong.
    (DatabaseFull, _RUN),
    (DatabaseLocked, _RUN),
    (DatabaseDamaged, _RUN),
    (DatabaseError, _USER),
    (ReportError, _RUN),
)
"""Checked in order; the first match counts."""

EXPECTED_ERRORS = tuple(kind for kind, _ in EXIT_CODES)
"""All errors that are not bugs."""

_GUI_LIBRARIES = ("libGL", "libgthread", "libglib")


def missing_library(error: ImportError) -> RunError | None:
    """The error for a system library that OpenCV needs and the machine lacks; None for any other import
    error.

    mediapipe installs an OpenCV with windows over the headless one, and its libraries are missing on a server
    without a screen.
    """
    if not any(library in str(error) for library in _GUI_LIBRARIES):
        return None
    opencv = version("opencv-python-headless")
    return RunError(
        f"OpenCV cannot be loaded on this machine ({error}).",
        "Install the libraries (apt-get install libgl1 libglib2.0-0), or restore the headless OpenCV (pip "
        f"install --force-reinstall --no-deps opencv-python-headless=={opencv}).",
    )
