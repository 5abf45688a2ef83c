"""Errors that the dashboard tells in its reader's language and the terminal in English. Pure."""

from __future__ import annotations

from collections.abc import Callable

from classpulse.errors import UserError


def N_(text: str) -> str:
    """A text that is translated later: it is found by the tool that collects them, and stays as it is."""
    return text


class Refusal(UserError):
    """Something that was asked for cannot be done. ``text`` is English and was marked with ``N_``; it has a
    place ``%(name)s`` for each of ``values``."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values)
        self._text, self._values = text, values

    def told(self, _: Callable[[str], str]) -> str:
        """The same by a language's words."""
        return _(self._text) % self._values
