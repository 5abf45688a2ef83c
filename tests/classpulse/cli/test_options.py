from __future__ import annotations

import click
import pytest

from classpulse.cli.options import media_time_callback

OPTION = click.Option(["--at"])


def seconds(text: str) -> float:
    return media_time_callback(click.Context(click.Command("split")), OPTION, text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("12:30", 750.0),
        ("0:00", 0.0),
        ("90:05", 5405.0),
        ("1:02:03", 3723.0),
        ("750", 750.0),
        ("750.5", 750.5),
    ],
)
def test_media_time_callback_valid_text_gives_seconds(text, wanted):
    assert seconds(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "12:3", "12:60", "1:60:00", "1:2:03", "-5", "nan", "1e3", "12.30.1", "half past"]
)
def test_media_time_callback_invalid_text_raises(text):
    with pytest.raises(click.BadParameter):
        seconds(text)
