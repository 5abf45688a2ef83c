"""The base class of all expected errors, and the error of this package."""

from __future__ import annotations


class ProblemError(Exception):
    """An expected failure, described for the user.

    ``problem`` states what is wrong and ``hint`` what to do ("" if nothing can be done), each in full
    sentences on one line. Callers decide by class and fields, never by the wording. ``str(error)`` joins both
    for logs.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem, hint)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.problem} {self.hint}" if self.hint else self.problem


class ModelError(ProblemError):
    """A model file or a data set cannot be used."""


class NetworkFileError(ModelError):
    """``file`` of the bundled networks is missing or was changed."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"The network file {file} of Classpulse is missing or damaged.", "Reinstall Classpulse."
        )
        self.file = file
