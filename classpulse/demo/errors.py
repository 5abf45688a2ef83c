"""The one error of the demo."""

from __future__ import annotations

from classpulse.simulation.errors import SimulationError


class DemoError(SimulationError):
    """The demo class cannot be made or scored; the message says what was wrong and what to do."""
