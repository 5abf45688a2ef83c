"""Chromium without a window, where it is installed, and how tests start it: it must ask nobody anything."""

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
    """What a page complains of from now on: its errors and warnings, not what the browser has to say of
    itself (that it did not focus a field because a test was quicker, for example)."""
    told: list[str] = []

    def hear(message: Any) -> None:
        if message.type in {"error", "warning"}:
            told.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: told.append(str(error)))
    return told
