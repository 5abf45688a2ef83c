"""The error of this package."""

from __future__ import annotations

from model.errors import ProblemError


class ReportError(ProblemError):
    """A report cannot be built, rendered or written."""
