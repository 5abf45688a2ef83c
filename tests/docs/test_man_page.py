"""The man page is generated from the help of the commands."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from docs import generate
from tools.man_page import man_page

PAGE = Path(generate.__file__).parents[1] / "tools" / "classpulse.1"


def test_man_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == man_page(), "renew it with 'make man'"


def test_man_page_has_every_command_and_option() -> None:
    text = man_page().replace(r"\-", "-")
    for command in generate.commands():
        if command.path != "classpulse":
            assert f".SS {command.path.removeprefix('classpulse ')}\n" in text
        for parameter in command.parameters:
            if parameter.name.startswith("-"):
                assert max(parameter.name.split(", "), key=len) in text, (command.path, parameter.name)


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_man_reads_the_page_without_a_warning() -> None:
    done = subprocess.run(
        ["man", "--warnings=w", "-E", "UTF-8", "-l", str(PAGE)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "classpulse pause" in done.stdout
