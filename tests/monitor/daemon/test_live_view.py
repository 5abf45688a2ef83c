"""The live preview: made on request only, and without students who must not be shown."""

from __future__ import annotations

import base64
import queue

import cv2
import numpy as np
import pytest

from monitor.daemon.live_view import MAX_JPEG_BYTES, MIN_INTERVAL_S, LivePreview, is_preview_allowed
from monitor.daemon.protocol import PreviewFrame
from monitor.types import FrameResult, TrackedFace
from reports.text.i18n import Language

IMAGE = np.full((720, 2560, 3), 90, np.uint8)
TRACKED = FrameResult(1.0, (), 1, (2560, 720), (TrackedFace(1, 0, (100.0, 200.0, 300.0, 400.0)),))


class Preview:
    """A live preview with a fake clock and its messages."""

    def __init__(
        self, labels=lambda: {0: "Student 3"}, *, allowed: bool = True, language: Language = Language.EN
    ) -> None:
        self.now_s = 100.0
        self.messages: queue.Queue[PreviewFrame] = queue.Queue()
        self.live = LivePreview(
            self.messages.put, labels, allowed=allowed, language=language, clock=lambda: self.now_s
        )

    def analyse(self, image_bgr=IMAGE, sample: FrameResult = TRACKED) -> None:
        if image_bgr is not None:
            self.live.set_image(image_bgr)
        self.live.add_result(sample)

    def image(self) -> np.ndarray | None:
        jpeg = self.messages.get(timeout=30).jpeg_base64
        return cv2.imdecode(np.frombuffer(base64.b64decode(jpeg), np.uint8), 1) if jpeg else None


@pytest.fixture
def preview():
    made = Preview()
    with made.live:
        yield made


def test_preview_is_made_only_on_request(preview: Preview) -> None:
    preview.analyse()
    preview.live.request_frame()
    preview.analyse()
    image = preview.image()
    assert image is not None
    assert image.shape == (360, 1280, 3)
    assert (image[150, 50] != image[300, 900]).any(), "a box"
    preview.analyse()
    assert preview.messages.empty()


def test_previews_have_a_minimum_interval(preview: Preview) -> None:
    preview.live.request_frame()
    preview.analyse()
    assert preview.image() is not None
    preview.live.request_frame()
    preview.analyse()
    preview.now_s += MIN_INTERVAL_S
    preview.analyse(np.zeros_like(IMAGE))
    image = preview.image()
    assert image is not None
    assert image[300, 900].max() < 30, "the newest frame, not the one within the interval"
    assert preview.messages.empty()


def test_request_without_a_recording_gets_an_empty_preview(preview: Preview) -> None:
    preview.live.request_frame()
    preview.live.refresh(is_recording=True)
    assert preview.messages.empty()
    preview.live.refresh(is_recording=False)
    assert preview.image() is None


def test_frame_that_was_not_analysed_is_not_shown(preview: Preview) -> None:
    preview.analyse()
    preview.live.request_frame()
    preview.analyse(None, FrameResult(1.5, (), 0, (2560, 720), analysed=False))
    assert preview.image() is None, "and not the previous frame"


def test_preview_that_is_not_allowed_is_empty() -> None:
    preview = Preview(allowed=False)
    with preview.live:
        preview.live.request_frame()
        preview.analyse()
        assert preview.image() is None


def test_preview_without_labels_has_no_tags() -> None:
    with_labels, without = Preview(), Preview(labels=None)
    images = []
    for preview in (with_labels, without):
        with preview.live:
            preview.live.request_frame()
            preview.analyse()
            images.append(preview.image())
    above = slice(76, 94), slice(40, 80)
    shown, hidden = (int(abs(image[above].astype(int) - 90).max()) for image in images)
    assert shown > 80 > 40 > hidden, "except for JPEG artefacts of the box"


RESULT = FrameResult(
    1.0, (), 1, (1280, 720), (TrackedFace(1, 0, (100.0, 200.0, 300.0, 400.0), (0.0, 0, 0, 0.2, 0.8, 0, 0)),)
)


def tag_of(preview: Preview) -> np.ndarray:
    """The area above the face of ``RESULT``, where its tag is."""
    with preview.live:
        preview.live.request_frame()
        preview.analyse(np.full((720, 1280, 3), 90, np.uint8), RESULT)
        image = preview.image()
    assert image is not None
    return image[160:192, 100:300].astype(int)


def test_tag_is_above_the_face() -> None:
    assert (abs(tag_of(Preview()) - 90).max(axis=2) > 40).mean() > 0.6


def test_aggregate_preview_shows_no_expression() -> None:
    assert abs(tag_of(Preview(labels=None)) - 90).max() < 40, "except for JPEG artefacts of the box"


def test_preview_is_in_the_given_language() -> None:
    assert abs(tag_of(Preview()) - tag_of(Preview(language=Language.DE))).max() > 100


def test_noisy_frame_fits_into_a_message(preview: Preview) -> None:
    preview.live.request_frame()
    preview.analyse(np.random.default_rng(0).integers(0, 256, (1280, 1280, 3), np.uint8))
    assert len(base64.b64decode(preview.messages.get(timeout=30).jpeg_base64)) <= MAX_JPEG_BYTES


@pytest.mark.parametrize(
    ("mode", "setting", "shown"),
    [
        ("emotion", False, True),
        ("aggregate", False, True),
        ("behaviour", False, False),
        ("behaviour", True, True),
    ],
)
def test_behaviour_mode_has_a_preview_only_if_allowed(mode: str, setting: bool, shown: bool) -> None:
    assert is_preview_allowed(mode, in_behaviour_mode=setting) is shown
