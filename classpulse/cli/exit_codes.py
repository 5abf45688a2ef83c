"""Which errors are expected, and the exit code of each: one table."""

from __future__ import annotations

from importlib.metadata import version

from classpulse.errors import RunError, UserError
from db.errors import DatabaseDamaged, DatabaseError, DatabaseFull, DatabaseLocked
from model.errors import ModelError
from monitor.daemon.errors import ControlError
from monitor.errors import DetectorError, PlanError, SetupError, SourceError
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
    # Full, locked and damaged happen to a run that was set up well; the other database errors say
    # that database.url names the wrong thing.
    (DatabaseFull, _RUN),
    (DatabaseLocked, _RUN),
    (DatabaseDamaged, _RUN),
    (DatabaseError, _USER),
    (ReportError, _RUN),
)
"""Checked in this order; the first that fits counts."""

EXPECTED_ERRORS = tuple(kind for kind, _ in EXIT_CODES)
"""Every kind of error that is not a bug."""

_GUI_LIBRARIES = ("libGL", "libgthread", "libglib")


def import_error_hint(error: ImportError) -> str | None:
    """One line for a library that the machine lacks, or None for a bug of ours.

    The OpenCV packages link their windows' libraries, which a server without a screen does not have.
    """
    if not any(library in str(error) for library in _GUI_LIBRARIES):
        return None
    opencv = version("opencv-contrib-python")
    return (
        f"OpenCV does not start on this machine ({error}): install the libraries (apt-get install libgl1 "
        f"libglib2.0-0), or OpenCV without windows (pip install --force-reinstall --no-deps "
        f"opencv-contrib-python-headless=={opencv})"
    )
