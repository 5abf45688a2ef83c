"""The one error of the demo."""

from __future__ import annotations

from classpulse.errors import RunError


class DemoError(RunError):
    """The demo class cannot be made or scored; the message says what was wrong and what to do."""
