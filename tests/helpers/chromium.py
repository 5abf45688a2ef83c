"""Headless Chromium, if it is installed, and its switches: no network services, no prompts."""

from __future__ import annotations

import shutil
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
