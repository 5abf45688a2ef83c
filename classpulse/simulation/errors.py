"""What can go wrong with simulated classes."""

from __future__ import annotations

from classpulse.errors import RunError, UserError


class SimulationError(RunError):
    """A film cannot be made; the message says what was wrong and what to do."""


class TruthError(UserError):
    """A file that should tell the truth of a film, or of a photograph, does not; one line."""
