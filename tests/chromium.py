"""Chromium without a window, where it is installed, and how tests start it: it must ask nobody anything."""

from __future__ import annotations

import shutil

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
