"""Expected errors of the commands and the dashboard. Pure."""

from __future__ import annotations

from collections.abc import Callable

from model.errors import ProblemError
from monitor.errors import RunError

__all__ = ["LocalizedError", "RunError", "UserError"]


class UserError(ProblemError):
    """The user can correct this: an argument, a setting, a file."""


class LocalizedError(UserError):
    """A request that cannot be fulfilled. ``text``: an English message marked with ``N_``, with a placeholder
    ``%(name)s`` for each of ``values``."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values)
        self._text, self._values = text, values

    def message(self, _: Callable[[str], str]) -> str:
        """The message, translated by ``_``."""
        return _(self._text) % self._values
