"""Headless Chromium, if it is installed, and its switches: no network services, no prompts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WITH_A_CAMERA = (*SWITCHES, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium, which is not installed (apt-get install chromium)"
)


def launch_chromium(playwright: Any, switches: Sequence[str] = SWITCHES) -> Any:
    """A headless Chromium. It sees the fonts of the computer, without which it crashes."""
    variables = {name: value for name, value in os.environ.items() if name != "FONTCONFIG_FILE"}
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(switches), env=variables)


def complaints_of(page: Any) -> list[str]:
    """The errors and warnings of a page from now on, as a list that grows. Messages of the browser itself are
    not included."""
    messages: list[str] = []

    def record(message: Any) -> None:
        if message.type in {"error", "warning"}:
            messages.append(message.text)

    page.on("console", record)
    page.on("pageerror", lambda error: messages.append(str(error)))
    return messages
