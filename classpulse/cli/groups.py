"""Groups of commands: lazily imported, with options that may follow any command, suggestions and examples."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from classpulse.cli.examples import EXAMPLES
from classpulse.console import set_quiet
from classpulse.log_console import log_to_stderr

_VERBOSE = "classpulse.verbose"


class UnknownCommand(click.UsageError):
    """There is no command ``name``; ``similar`` are the nearest names."""

    def __init__(self, name: str, similar: Collection[str], ctx: click.Context) -> None:
        super().__init__(f"There is no command {name!r}.", ctx)
        self.name, self.similar = name, tuple(similar)


class CommandGroup(click.Group):
    """A group whose commands accept the options of ``classpulse`` too, and which suggests similar names."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with the shared options and its examples; None for an unknown name."""
        command = super().get_command(ctx, cmd_name)
        return None if command is None else prepared(command, ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See click. Raises UnknownCommand."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise UnknownCommand(name, get_close_matches(name, self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)


class LazyGroup(CommandGroup):
    """A group of commands whose modules are imported when they are called.

    ``lazy_commands`` maps each name to ``module:attribute`` and its line in the help; a command without a
    help line is hidden.
    """

    def __init__(self, *arguments: Any, lazy_commands: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lazy_commands = lazy_commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands that are not hidden."""
        return [name for name, (_, line) in self.lazy_commands.items() if line]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command; None for an unknown name."""
        if cmd_name not in self.lazy_commands:
            return None
        module, _, attribute = self.lazy_commands[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return prepared(command, ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help lines; click would import every command for its first line of help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.lazy_commands[name][1]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that begin with ``incomplete``, without importing a command."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=self.lazy_commands[name][1]) for name in names]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]


def prepared(command: click.Command, ctx: click.Context, name: str) -> click.Command:
    """The command with the shared options, hidden in its help, and its examples."""
    known = {option for parameter in command.params for option in parameter.opts}
    for option in shared_options(hidden=True):
        if known.isdisjoint(option.opts):
            command.params.append(option)
    path = [name]
    while ctx.parent is not None:
        path.insert(0, str(ctx.info_name))
        ctx = ctx.parent
    if command.epilog is None and (lines := EXAMPLES.get(" ".join(path))):
        command.epilog = format_examples(lines)
    return command


def format_examples(lines: Collection[str]) -> str:
    """The examples as an epilog of the help, which click does not rewrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def shared_options(*, hidden: bool) -> list[click.Option]:
    """The options that may precede or follow any command: ``--config``, ``--verbose``, ``--quiet``."""
    return [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path, dir_okay=False),
            help="Settings file; default: config.yaml, or that of CLASSPULSE_CONFIG.",
            expose_value=False,
            callback=_use_config,
            hidden=hidden,
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            help="Log more to standard error.",
            expose_value=False,
            callback=_use_verbose,
            hidden=hidden,
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            help="Print results, problems and questions only.",
            expose_value=False,
            callback=_use_quiet,
            hidden=hidden,
        ),
    ]


def is_verbose(ctx: click.Context) -> bool:
    """Whether ``--verbose`` was given anywhere on the command line."""
    return bool(ctx.meta.get(_VERBOSE))


def _use_config(ctx: click.Context, _option: click.Parameter, path: Path | None) -> None:
    if path is not None:
        ctx.obj = path


def _use_verbose(ctx: click.Context, _option: click.Parameter, is_set: bool) -> None:
    if is_set:
        ctx.meta[_VERBOSE] = True
        log_to_stderr(verbose=True)


def _use_quiet(_ctx: click.Context, _option: click.Parameter, is_set: bool) -> None:
    if is_set:
        set_quiet(True)
