"""The one error of this package."""

from __future__ import annotations


class ModelError(Exception):
    """A model or its data cannot be used; one line: what was wrong, what was expected, what to do."""
