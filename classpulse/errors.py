"""Expected errors of the commands and the dashboard. ``classpulse.cli.exit_codes`` maps them to exit
codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from model.errors import ProblemError
from monitor.errors import RunError

__all__ = [
    "ERROR_PREFIX",
    "HINT_PREFIX",
    "FileAlreadyExists",
    "Interrupted",
    "InvalidFile",
    "InvalidOption",
    "LocalizedError",
    "MissingExtra",
    "NoTerminal",
    "NotConfirmed",
    "NotWritable",
    "OptOutUnmasked",
    "PolicyMissing",
    "RunError",
    "SettingsError",
    "UnknownName",
    "UserError",
]

ERROR_PREFIX = "classpulse: "
"""Starts the line of the problem on standard error."""

HINT_PREFIX = "  hint: "
"""Starts the line of the hint, below the problem."""


class UserError(ProblemError):
    """The user can fix the cause: an argument, a setting, a file."""


class Interrupted(RunError):
    """Ctrl-C ended the command, and something that the user must know goes on."""


class NotConfirmed(RunError):
    """The user did not confirm what cannot be undone."""


class LocalizedError(UserError):
    """A request that cannot be fulfilled, shown by the dashboard in the reader's language.

    ``text`` is an English msgid marked with ``N_``, with a placeholder ``%(name)s`` for each of ``values``.
    """

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values)
        self._text, self._values = text, values

    def message(self, _: Callable[[str], str]) -> str:
        """The error, translated by the gettext function ``_``."""
        return _(self._text) % self._values


class SettingsError(UserError):
    """``config.yaml`` is invalid. ``line`` is 1-based and None where it is unknown; ``key`` is the path of
    the setting, such as ``schedule.lessons[2].from``, or "" for the whole file."""

    def __init__(
        self, problem: str, hint: str = "", *, file: str = "", line: int | None = None, key: str = ""
    ) -> None:
        super().__init__(problem, hint)
        self.file, self.line, self.key = file, line, key


class InvalidFile(UserError):
    """A file that the user gave cannot be read or has the wrong form. ``line`` is 1-based, None for the whole
    file; ``row_errors`` has one text per invalid row of a table."""

    def __init__(
        self,
        problem: str,
        hint: str = "",
        *,
        file: str = "",
        line: int | None = None,
        row_errors: Sequence[str] = (),
    ) -> None:
        super().__init__(problem, hint)
        self.file, self.line, self.row_errors = file, line, tuple(row_errors)


class FileAlreadyExists(UserError):
    """The command would overwrite ``path``."""

    def __init__(self, path: Path, hint: str) -> None:
        super().__init__(f"{path} already exists.", hint)
        self.path = path


class InvalidOption(UserError):
    """An option, or a combination of options, cannot be used. ``option`` is its name on the command line."""

    def __init__(self, problem: str, hint: str = "", *, option: str = "") -> None:
        super().__init__(problem, hint)
        self.option = option


class NoTerminal(UserError):
    """A question must be answered and standard input is no terminal. ``option`` answers it instead."""

    def __init__(self, question: str, hint: str, option: str) -> None:
        super().__init__(f"There is no terminal to ask the question: {question}", hint)
        self.question, self.option = question, option


class MissingExtra(UserError):
    """The optional dependencies ``modules`` of the extra ``extra`` are not installed."""

    def __init__(self, purpose: str, modules: Sequence[str], extra: str) -> None:
        super().__init__(
            f"{purpose} needs {' and '.join(modules)}, which this environment lacks.",
            f"In the folder of Classpulse, run: pip install '.[{extra}]'",
        )
        self.modules, self.extra = tuple(modules), extra


class UnknownName(UserError):
    """A name matches nothing stored. ``name`` is as given, ``choices`` the nearest or all known names."""

    def __init__(self, problem: str, hint: str = "", *, name: str = "", choices: Sequence[str] = ()) -> None:
        super().__init__(problem, hint)
        self.name, self.choices = name, tuple(choices)


class PolicyMissing(UserError):
    """The settings have no policy, so no real person may be analysed."""


class OptOutUnmasked(UserError):
    """Faces would be searched in an image that may show the opted-out students ``pseudonyms``."""

    def __init__(self, problem: str, hint: str, pseudonyms: Sequence[str]) -> None:
        super().__init__(problem, hint)
        self.pseudonyms = tuple(pseudonyms)


class NotWritable(RunError):
    """A file or folder cannot be created or written. ``path`` names it."""

    def __init__(self, path: Path, reason: str | None, hint: str) -> None:
        super().__init__(f"{path} cannot be written ({reason}).", hint)
        self.path = path
