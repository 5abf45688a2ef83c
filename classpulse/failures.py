"""Which errors are expected, and the exit code of each: one table."""

from __future__ import annotations

from classpulse.demo.errors import DemoError
from classpulse.errors import RunError, UserError
from db.errors import DatabaseDamaged, DatabaseError, DatabaseFull, DatabaseLocked
from model.errors import ModelError
from monitor.control import ControlError
from monitor.errors import DetectorError, SourceError
from reports.errors import ReportError

_USER, _RUN = UserError.exit_code, RunError.exit_code

FAILURES: tuple[tuple[type[Exception], int], ...] = (
    (UserError, _USER),
    (RunError, _RUN),
    (SourceError, _USER),
    (DetectorError, _USER),
    (ModelError, _USER),
    (ControlError, _USER),
    # Full, locked and damaged happen to a run that was set up well; the other database errors say
    # that database.url names the wrong thing.
    (DatabaseFull, _RUN),
    (DatabaseLocked, _RUN),
    (DatabaseDamaged, _RUN),
    (DatabaseError, _USER),
    (ReportError, _RUN),
    (DemoError, _RUN),
)
"""Checked in this order; the first that fits counts."""
