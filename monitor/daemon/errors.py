"""Errors."""

from __future__ import annotations

from model.errors import ProblemError


class ControlError(ProblemError):
    """An order cannot be given or was refused; one line says why."""


class DaemonNotRunning(ControlError):
    """No program holds the data folder."""
