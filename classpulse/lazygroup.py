"""A group of commands whose modules are imported when they are called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

import click


class LazyGroup(click.Group):
    """Commands by name: ``lines`` has each one's line in the help, and the module ``package.NAME`` holds a
    click command ``NAME`` (``NAME_`` where Python keeps the word for itself)."""

    def __init__(self, *arguments: Any, package: str, lines: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.package, self.lines = package, lines

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, as click asks for them; those without a line in the help are not for people."""
        return [name for name, line in self.lines.items() if line]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None for a name that there is not."""
        if cmd_name not in self.lines:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(importlib.import_module(f"{self.package}.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lines of the help."""
        # click would import every command for its first line of help.
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.lines[name]) for name in self.list_commands(ctx)])
