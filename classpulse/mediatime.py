"""A moment of a lecture as people write it."""

from __future__ import annotations

import re

import click

_CLOCK = re.compile(r"(?:(\d{1,3}):(?=[0-5]\d:))?(\d{1,3}):([0-5]\d)")
_SECONDS = re.compile(r"\d{1,6}(?:\.\d+)?")


def media_time(ctx: click.Context, param: click.Parameter, text: str) -> float:
    """``12:30``, ``1:02:03`` or ``750`` as seconds of a lecture; to be the ``callback`` of
    an option. Raises click.BadParameter for anything else."""
    try:
        return read_time(text)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def read_time(text: str) -> float:
    """The same, for whoever is not on a command line. Raises ValueError."""
    if _SECONDS.fullmatch(text):
        return float(text)
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time; expected m:ss, h:mm:ss or seconds")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)
