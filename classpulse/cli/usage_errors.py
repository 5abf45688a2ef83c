"""Errors of the command line itself, found by click, as a problem and a hint in the form of Classpulse."""

from __future__ import annotations

import click

from classpulse.cli.groups import UnknownCommand


def describe_usage_error(error: click.ClickException) -> tuple[str, str]:
    """The problem and the hint, each a sentence."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    help_hint = (
        "Add --help to the command to see how it is used."
        if ctx is None
        else f"'{ctx.command_path} --help' lists what it accepts."
    )
    match error:
        case UnknownCommand():
            return error.message, _suggestion(error.similar) or help_hint
        case click.NoSuchOption():
            return (
                f"There is no option {error.option_name!r}.",
                _suggestion(error.possibilities or ()) or help_hint,
            )
        case click.MissingParameter():
            return f"{_parameter_name(error)} is missing.", "" if ctx is None else f"{ctx.get_usage()}."
        case click.BadParameter():
            problem, hint = _invalid_value(error)
            name = _parameter_name(error)
            return (f"{name}: {problem}" if name else problem), hint or help_hint
        case click.BadOptionUsage():
            return f"The option {error.option_name!r} is used wrongly: {_sentence(error.message)}", help_hint
        case _:
            return _sentence(error.format_message()), help_hint


def _suggestion(similar: tuple[str, ...] | list[str]) -> str:
    return f"Did you mean {' or '.join(repr(name) for name in similar)}?" if similar else ""


def _parameter_name(error: click.BadParameter) -> str:
    """The option or the argument of an error, as a user writes it; "" if it is unknown."""
    parameter = error.param
    if parameter is None:
        hint = error.param_hint
        return "" if hint is None else hint if isinstance(hint, str) else " or ".join(hint)
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    ctx = error.ctx or click.Context(click.Command("classpulse"))
    return parameter.make_metavar(ctx).strip("[]")


def _invalid_value(error: click.BadParameter) -> tuple[str, str]:
    kind = None if error.param is None else error.param.type
    if isinstance(kind, click.IntRange | click.FloatRange):
        return "The value is no number in the allowed range.", _range(kind)
    if isinstance(kind, click.DateTime):
        return _sentence(error.message), "Write a day as YYYY-MM-DD, such as 2026-01-31."
    return _sentence(error.message), ""


def _range(kind: click.IntRange | click.FloatRange) -> str:
    """The allowed numbers, as a hint."""
    what = "a whole number" if isinstance(kind, click.IntRange) else "a number"
    low = "" if kind.min is None else f"more than {kind.min:g}" if kind.min_open else f"from {kind.min:g}"
    high = "" if kind.max is None else f"less than {kind.max:g}" if kind.max_open else f"up to {kind.max:g}"
    return f"Give {what} {' '.join(part for part in (low, high) if part)}."


def _sentence(text: str) -> str:
    plain = " ".join(text.split())
    return plain if plain.endswith((".", "?", "!")) else f"{plain}."
