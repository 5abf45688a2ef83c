"""The error of a validator."""

from __future__ import annotations


class InvalidSetting(ValueError):
    """A value that a validator rejects, with a hint. ``location`` is the path of the setting below the
    section whose validator found it."""

    def __init__(self, problem: str, hint: str = "", location: tuple[str | int, ...] = ()) -> None:
        super().__init__(problem)
        self.problem, self.hint, self.location = problem, hint, location
