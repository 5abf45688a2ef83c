"""The two ways a command ends badly that are not bugs, and their exit codes."""

from __future__ import annotations


class UserError(Exception):
    """The user can mend this: exit code 2. One line: what was wrong, what was expected, what to do."""

    exit_code = 2


class RunError(Exception):
    """A run failed for reasons outside the command line: exit code 1. One line."""

    exit_code = 1
