"""The picture for who watches from elsewhere: only while somebody asks, and of nobody who must not be
seen."""

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

PICTURE = np.full((720, 2560, 3), 90, np.uint8)
SAMPLE = FrameResult(1.0, (), 1, (2560, 720), (TrackedFace(1, 0, (100.0, 200.0, 300.0, 400.0)),))


class Watched:
    """A showing with a clock that is moved by hand, and what it said."""

    def __init__(
        self, labels=lambda: {0: "Student 3"}, *, allowed: bool = True, language: Language = Language.EN
    ) -> None:
        self.now_s = 100.0
        self.said: queue.Queue[PreviewFrame] = queue.Queue()
        self.showing = LivePreview(
            self.said.put, labels, allowed=allowed, language=language, clock=lambda: self.now_s
        )

    def look(self, picture=PICTURE, sample: FrameResult = SAMPLE) -> None:
        if picture is not None:
            self.showing.set_image(picture)
        self.showing.add_result(sample)

    def image(self) -> np.ndarray | None:
        jpeg = self.said.get(timeout=30).jpeg_base64
        return cv2.imdecode(np.frombuffer(base64.b64decode(jpeg), np.uint8), 1) if jpeg else None


@pytest.fixture
def watched():
    made = Watched()
    with made.showing:
        yield made


def test_nothing_is_made_unless_somebody_asks(watched: Watched) -> None:
    watched.look()
    watched.showing.request_frame()
    watched.look()
    image = watched.image()
    assert image is not None
    assert image.shape == (360, 1280, 3)
    assert (image[150, 50] != image[300, 900]).any(), "an outline"
    watched.look()
    assert watched.said.empty()


def test_two_a_second_are_enough_for_everybody(watched: Watched) -> None:
    watched.showing.request_frame()
    watched.look()
    assert watched.image() is not None
    watched.showing.request_frame()
    watched.look()
    watched.now_s += MIN_INTERVAL_S
    watched.look(np.zeros_like(PICTURE))
    image = watched.image()
    assert image is not None
    assert image[300, 900].max() < 30, "the newest, not the one that came too soon"
    assert watched.said.empty()


def test_who_asks_while_nothing_can_be_seen_is_told(watched: Watched) -> None:
    watched.showing.request_frame()
    watched.showing.refresh(is_recording=True)
    assert watched.said.empty()
    watched.showing.refresh(is_recording=False)
    assert watched.image() is None


def test_a_picture_that_could_not_be_masked_is_not_shown(watched: Watched) -> None:
    watched.look()
    watched.showing.request_frame()
    watched.look(None, FrameResult(1.5, (), 0, (2560, 720), analysed=False))
    assert watched.image() is None, "and not the one before either"


def test_where_it_may_not_be_shown_it_is_not() -> None:
    watched = Watched(allowed=False)
    with watched.showing:
        watched.showing.request_frame()
        watched.look()
        assert watched.image() is None


def test_where_nothing_may_be_told_of_anybody_faces_have_no_numbers() -> None:
    with_labels, without = Watched(), Watched(labels=None)
    images = []
    for one in (with_labels, without):
        with one.showing:
            one.showing.request_frame()
            one.look()
            images.append(one.image())
    above = slice(76, 94), slice(40, 80)
    shown, hidden = (int(abs(image[above].astype(int) - 90).max()) for image in images)
    assert shown > 80 > 40 > hidden, "but for what JPEG makes of the outline"


SEEN = FrameResult(
    1.0, (), 1, (1280, 720), (TrackedFace(1, 0, (100.0, 200.0, 300.0, 400.0), (0.0, 0, 0, 0.2, 0.8, 0, 0)),)
)


def tag_of(watched: Watched) -> np.ndarray:
    """Above the face of ``SEEN``: where its tag is, if there is one."""
    with watched.showing:
        watched.showing.request_frame()
        watched.look(np.full((720, 1280, 3), 90, np.uint8), SEEN)
        image = watched.image()
    assert image is not None
    return image[160:192, 100:300].astype(int)


def test_the_reading_of_a_student_stands_above_the_face() -> None:
    assert (abs(tag_of(Watched()) - 90).max(axis=2) > 40).mean() > 0.6


def test_in_aggregate_the_picture_shows_no_reading() -> None:
    assert abs(tag_of(Watched(labels=None)) - 90).max() < 40, "but for what JPEG makes of the outline"


def test_the_picture_is_in_the_language_of_the_settings() -> None:
    assert abs(tag_of(Watched()) - tag_of(Watched(language=Language.DE))).max() > 100


def test_noise_fits_into_an_answer_too(watched: Watched) -> None:
    watched.showing.request_frame()
    watched.look(np.random.default_rng(0).integers(0, 256, (1280, 1280, 3), np.uint8))
    assert len(base64.b64decode(watched.said.get(timeout=30).jpeg_base64)) <= MAX_JPEG_BYTES


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
