"""The student's page in a real browser, with a camera that is made up."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from classpulse.online.jpeg import Shape, checked
from classpulse.online.lesson import State
from monitor.sources.gallery import decoded

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
PATIENCE_S = 30.0

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt install chromium)")


def wait_for(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found


@pytest.fixture
def served(app) -> Iterator[str]:
    """The dashboard on a port of loopback."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser.new_context(viewport={"width": 390, "height": 844})
        browser.close()


def test_a_student_joins_by_keyboard_is_seen_and_closes_the_tab(
    served: str, context, lessons, lesson, clock, here: str, monkeypatch
) -> None:
    # The browser sends at its own pace, so time passes here too.
    ahead_s = clock.now_s - time.monotonic()
    monkeypatch.setattr(lessons, "_clock", lambda: ahead_s + time.monotonic())
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(f"{served}/join")
    page.focus("[name=code]")
    page.keyboard.type(lesson.code.lower())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{here}")
    page.focus("[name=pseudonym]")
    page.keyboard.type("Robin")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    status = page.locator("#status")
    playwright.expect(status).to_contain_text("nobody is looking", timeout=PATIENCE_S * 1000)
    (robin,) = lesson.members()
    assert robin.picture is None

    def sent(after: int) -> bytes:
        def newer() -> bytes | None:
            with lessons.held() as now_s:
                _, pictures = lesson.asked(after, (), now_s)
            page.wait_for_timeout(100)
            return pictures[0] if pictures else None

        return wait_for(newer)

    picture = sent(0)
    assert checked(picture) == Shape(320, 240)
    assert len(picture) < 40_000
    assert np.std(decoded(picture)) > 5
    playwright.expect(status).to_contain_text("One small picture a second")
    # Behind another window the picture comes from the camera's track itself.
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    number = robin.number
    assert np.std(decoded(sent(number + 1))) > 5
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    page.close()
    wait_for(lambda: robin.state is State.LEFT)
    assert robin.picture is None
    assert told == []
