"""The student's page in Chromium with a fake camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from classpulse.online.jpeg import JpegSize, check_jpeg
from classpulse.online.lesson import ParticipantState
from monitor.sources.online import decode_jpeg
from monitor.sources.participant_grid import TileFace
from tests.helpers.chromium import WITH_A_CAMERA, complaints_of, launch_chromium, needs_chromium
from tests.helpers.waiting import PATIENCE_S, wait_for

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

pytestmark = needs_chromium


@pytest.fixture
def served(app) -> Iterator[str]:
    """The address of the dashboard on a local port."""
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
        browser = launch_chromium(started, WITH_A_CAMERA)
        browser_context = browser.new_context(viewport={"width": 390, "height": 844})
        browser_context.set_default_timeout(PATIENCE_S * 1000)
        yield browser_context
        browser.close()


def test_student_joins_by_keyboard_sends_frames_and_leaves(
    served: str, context, lessons, lesson, clock, here: str, monkeypatch
) -> None:
    # The browser sends in real time, so the lesson's clock must advance.
    ahead_s = clock.now_s - time.monotonic()
    monkeypatch.setattr(lessons, "_clock", lambda: ahead_s + time.monotonic())
    # This test is the recorder; on a slow machine it polls less often than twice per second.
    monkeypatch.setattr("classpulse.online.lesson.POLL_TIMEOUT_S", PATIENCE_S)
    page = context.new_page()
    complaints = complaints_of(page)
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
    playwright.expect(status).to_contain_text(
        "the recording is paused or has not started", timeout=PATIENCE_S * 1000
    )
    (robin,) = lesson.participants()
    assert robin.frame_jpeg is None

    def sent(after: int, faces: Sequence[TileFace] = ()) -> bytes:
        def newer() -> bytes | None:
            with lessons.locked() as now_s:
                _, pictures = lesson.poll(after, (), now_s, faces)
            page.wait_for_timeout(100)
            return pictures[0] if pictures else None

        return wait_for(newer)

    picture = sent(0)
    assert check_jpeg(picture) == JpegSize(320, 240)
    # After a face box, only the part around the face is sent.
    box = (0.4, 0.4, 0.6, 0.7)

    def of_part() -> bytes | None:
        one = sent(robin.frame_number, [TileFace(robin.tile, robin.frame_number, box)])
        return one if check_jpeg(one) != JpegSize(320, 240) else None

    part = wait_for(of_part)
    assert check_jpeg(part) == JpegSize(240, 180)
    assert len(part) < len(picture)
    assert page.evaluate("document.getElementById('sent').width") == 240
    # After two frames without a face, the whole image is sent again.
    wait_for(
        lambda: (
            check_jpeg(sent(robin.frame_number, [TileFace(robin.tile, robin.frame_number, None)]))
            == JpegSize(320, 240)
        )
    )
    assert len(picture) < 40_000
    assert np.std(decode_jpeg(picture)) > 5
    playwright.expect(status).to_contain_text("One small image per second", timeout=PATIENCE_S * 1000)
    # In a hidden page the frames come from the camera track.
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    number = robin.frame_number
    assert np.std(decode_jpeg(sent(number + 1))) > 5
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    page.close()
    wait_for(lambda: robin.state is ParticipantState.LEFT)
    assert robin.frame_jpeg is None
    assert complaints == []


FRAMING = """async (steps) => {
  const { Framing } = await import("/static/crop.js");
  const framing = new Framing();
  let now = 0;
  const shown = [];
  for (const [kind, ...what] of steps) {
    if (kind === "wait") now += what[0];
    else if (kind === "found") framing.found({ frame: what[0], box: what[1] }, now);
    else {
      const part = framing.of({ width: what[1], height: what[2] }, now);
      framing.sent(what[0], part);
      shown.push(["x", "y", "width", "height", "across", "down"].map((key) => Math.round(part[key])));
    }
  }
  return shown;
}"""
ALL = [0, 0, 640, 480, 320, 240]
MIDDLE = [0.375, 0.4, 0.625, 0.6]
"""160 x 96 of 640 x 480 pixels: the part is 320 high."""
PART = [107, 80, 427, 320, 240, 180]


def test_crop_follows_face(served: str, context) -> None:
    page = context.new_page()
    page.goto(f"{served}/join")

    def shown(*steps: list) -> list[list[int]]:
        return page.evaluate(FRAMING, list(steps))

    def take(number: int, width: int = 640, height: int = 480) -> list:
        return ["take", number, width, height]

    assert shown(take(1), take(2)) == [ALL, ALL]
    assert shown(take(1), ["found", 1, MIDDLE], take(2)) == [ALL, PART]
    # Wider than 4:3: padded above and below.
    assert shown(take(1, 640, 360)) == [[0, -60, 640, 480, 320, 240]]
    # A small movement keeps the crop.
    steps = [take(1), ["found", 1, MIDDLE], take(2), ["found", 2, [0.35, 0.25, 0.7, 0.75]], take(3)]
    assert shown(*steps) == [ALL, PART, PART]
    # A large movement moves the crop, up to the edge.
    steps = [take(1), ["found", 1, MIDDLE], take(2), ["found", 2, [0.0, 0.25, 0.375, 0.75]], take(3)]
    assert shown(*steps)[-1] == [0, 80, 427, 320, 240, 180]
    # Results for old or unknown frames and invalid boxes are ignored.
    steps = [take(1), take(2), ["found", 2, MIDDLE], take(3), ["found", 1, [0, 0, 0.2, 0.2]], take(4)]
    assert shown(*steps)[-1] == PART
    assert shown(take(1), ["found", 9, MIDDLE], take(2))[-1] == ALL
    assert shown(take(1), ["found", 1, ["a", 0, 1, 1]], take(2))[-1] == ALL
    # A face nearly as large as the image keeps the whole image; a tiny one gives the minimum crop.
    assert shown(take(1), ["found", 1, [0.2, 0.1, 0.8, 0.9]], take(2))[-1] == ALL
    assert shown(take(1), ["found", 1, [0.5, 0.5, 0.51, 0.51]], take(2))[-1][2:] == [120, 90, 120, 90]
    # Two misses or a timeout reset the crop.
    lost = [take(1), ["found", 1, MIDDLE], take(2), ["found", 2, None], take(3), ["found", 3, None], take(4)]
    assert shown(*lost) == [ALL, PART, PART, ALL]
    assert shown(take(1), ["found", 1, MIDDLE], take(2), ["wait", 9000], take(3)) == [ALL, PART, ALL]
    # A rotated camera resets the crop.
    assert shown(take(1), ["found", 1, MIDDLE], take(2, 480, 640))[-1] == [-187, 0, 853, 640, 320, 240]
