"""Images of an online lesson over a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Client
from pathlib import Path

import cv2
import numpy as np
import pytest

from classpulse.online.feed import FrameServer
from monitor.imaging import MASK_GREY
from monitor.sources.errors import InvalidLessonAddress, NoSignal, SignalLost
from monitor.sources.factory import open_source
from monitor.sources.online import ImageRequest, ParticipantMosaic, decode_jpeg, open_lesson_source
from monitor.sources.participant_grid import Participant, ParticipantList, TileFace, TileGrid
from monitor.types import Frame, Gap, GapReason

GREEN, RED = (40, 200, 40), (40, 40, 200)


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (320, 240)) -> bytes:
    return cv2.imencode(".jpg", np.full((size[1], size[0], 3), colour, np.uint8))[1].tobytes()


def colour_at(image, tile: int, tile_count: int = 4) -> tuple[int, ...]:
    x, y = TileGrid(tile_count).corner(tile)
    return tuple(int(v) for v in image[y + 120, x + 160])


def near(colour: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(colour, expected, strict=True))


class Lesson:
    """Answers each request with ``participants`` and their new ``images``."""

    def __init__(self) -> None:
        self.participants = ParticipantList(4)
        self.images: dict[int, bytes] = {}
        self.requests: list[ImageRequest] = []

    def __call__(self, request: ImageRequest) -> tuple[ParticipantList, list[bytes]]:
        self.requests.append(request)
        sent = [
            self.images[student.tile]
            for student in self.participants.participants
            if student.has_image and student.image_number > request.after_number
        ]
        return self.participants, sent


@pytest.fixture
def lesson() -> Lesson:
    return Lesson()


@pytest.fixture
def feed(tmp_path: Path, lesson: Lesson) -> Iterator[FrameServer]:
    server = FrameServer(tmp_path, lesson)
    yield server
    server.close()


def test_socket_is_private_and_requires_key(tmp_path: Path, feed: FrameServer) -> None:
    (folder,) = tmp_path.iterdir()
    (socket,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, socket.stat().st_mode & 0o777) == (0o700, 0o600)
    with Client(str(socket)) as client:

        def request() -> bytes:
            client.send_bytes(b'{"after_number": 0}')
            return client.recv_bytes()

        client.send_bytes(b"wrong key")
        with pytest.raises((EOFError, ConnectionError)):  # while sending or while receiving
            request()
    feed.close()
    assert list(tmp_path.iterdir()) == []


def test_feed_works_in_folder_with_long_path(tmp_path: Path, lesson: Lesson) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    feed = FrameServer(deep, lesson)
    with open_source(feed.source_spec) as source:
        assert isinstance(next(source.frames(1.0, threading.Event())), Frame)
    feed.close()


def test_empty_lesson_yields_first_frame_then_gap(feed: FrameServer) -> None:
    with open_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        first = next(frames)
        assert (first.active_tiles, colour_at(first.image_bgr, 0)) == (frozenset(), (MASK_GREY,) * 3)
        gap = next(frames)
        assert isinstance(gap, Gap)
        assert gap.reason is GapReason.NO_PARTICIPANTS
    assert (source.name, source.is_live) == ("online lesson", True)


def test_images_appear_in_tiles_and_are_cleared_after_leaving(feed: FrameServer, lesson: Lesson) -> None:
    lesson.images = {0: jpeg(GREEN), 2: jpeg(RED, (640, 480))}
    lesson.participants = ParticipantList(
        4, (Participant(0, "Robin", None, True, 1), Participant(2, "Mia", 7, True, 2))
    )
    with open_lesson_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        first = next(frames)
        assert first.active_tiles == {0, 2}
        assert near(colour_at(first.image_bgr, 0), GREEN)
        assert near(colour_at(first.image_bgr, 2), RED)
        assert colour_at(first.image_bgr, 1) == (MASK_GREY,) * 3
        assert source.registry.latest_participants() == lesson.participants
        lesson.participants = ParticipantList(4, (Participant(2, "Mia", 7, True, 2),), frozenset({0}))
        later = next(item for item in frames if isinstance(item, Frame) and item.active_tiles != {0, 2})
        assert later.active_tiles == {2}
        assert colour_at(later.image_bgr, 0) == (MASK_GREY,) * 3
        while not any(request.erased_tiles == (0,) for request in lesson.requests):
            next(frames)
    # An image that was fetched is not sent again.
    assert lesson.requests[0].after_number == 0
    assert lesson.requests[-1].after_number == 2


def test_request_reports_faces_with_image_number_and_relative_box(feed: FrameServer, lesson: Lesson) -> None:
    """Boxes are shares of the image that was sent, also if it does not fill its tile: tile 0 is upright."""
    lesson.images = {0: jpeg(GREEN, (180, 240)), 2: jpeg(RED)}
    lesson.participants = ParticipantList(
        4, (Participant(0, "Robin", None, True, 11), Participant(2, "Mia", 7, True, 12))
    )
    with open_lesson_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        next(frames)
        # Newer images arrive while the old ones are analysed.
        lesson.images = {0: jpeg(RED), 2: jpeg(GREEN)}
        lesson.participants = ParticipantList(
            4, (Participant(0, "Robin", None, True, 13), Participant(2, "Mia", 7, True, 14))
        )
        source.registry.report_faces({0: (70 + 45, 60, 70 + 90, 250)})
        while lesson.requests[-1].after_number < 14 or not lesson.requests[-1].faces:
            time.sleep(0.01)
        faces = next(request.faces for request in lesson.requests if request.faces)
        assert set(faces) == {TileFace(0, 11, (0.25, 0.25, 0.5, 1.0)), TileFace(2, 12, None)}
        next(item for item in frames if isinstance(item, Frame))
        source.registry.report_faces({})
        assert {face.image_number for face in source.registry.faces} == {13, 14}


def test_pause_stops_polling(feed: FrameServer, lesson: Lesson) -> None:
    with open_lesson_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        next(frames)
        source.pause()
        gap = next(item for item in frames if isinstance(item, Gap))
        while source._connections.stuck_count:  # the last request may be in flight
            time.sleep(0.01)
        before = len(lesson.requests)
        next(frames)
        assert (gap.reason, len(lesson.requests)) == (GapReason.PAUSED, before)


def test_closed_dashboard_raises_signal_lost(feed: FrameServer, monkeypatch) -> None:
    monkeypatch.setattr("monitor.sources.online.RECONNECT_TIMEOUT_S", 0.0)
    with open_lesson_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        next(frames)
        feed.close()
        with pytest.raises(SignalLost) as caught:
            list(frames)
    assert caught.value.name == "online lesson"


@pytest.mark.parametrize("spec", ["online:", "online:zz@/x", "online:aa@", "online:@/x"])
def test_invalid_lesson_address_raises_without_key(spec: str) -> None:
    with pytest.raises(InvalidLessonAddress):
        open_source(spec)


def test_missing_dashboard_raises(tmp_path: Path) -> None:
    with open_source(f"online:aa@{tmp_path}/none.sock") as source, pytest.raises(NoSignal):
        next(source.frames(1.0, threading.Event()))


@pytest.mark.parametrize("data", [b"", b"not an image", jpeg(GREEN)[:100]])
def test_undecodable_image_leaves_tile_inactive(data: bytes) -> None:
    participants = ParticipantList(1, (Participant(0, "Robin", None, True, 1),))
    active_tiles = ParticipantMosaic().paste(participants, {0: data})
    assert active_tiles == (frozenset() if decode_jpeg(data) is None else {0})
