"""The two ways a command ends badly that are not bugs, and their exit codes.

Errors that the dashboard tells in its reader's language and the terminal in English. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

from model.errors import ProblemError


class UserError(ProblemError):
    """The user can mend this: exit code 2. One line: what was wrong, what was expected, what to do."""

    exit_code = 2


class RunError(ProblemError):
    """A run failed for reasons outside the command line: exit code 1. One line."""

    exit_code = 1


class LocalizedError(UserError):
    """Something that was asked for cannot be done. ``text`` is English and was marked with ``N_``; it has a
    place ``%(name)s`` for each of ``values``."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values)
        self._text, self._values = text, values

    def message(self, _: Callable[[str], str]) -> str:
        """The same by a language's words."""
        return _(self._text) % self._values
