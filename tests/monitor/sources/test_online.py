"""Pictures of an online lesson over a real socket."""

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
from monitor.errors import SourceError, SourceLost
from monitor.imaging import MASK_GREY
from monitor.sources.factory import open_source
from monitor.sources.online import ParticipantMosaic, decode_jpeg, open_lesson_source
from monitor.sources.participant_grid import Participant, ParticipantList, TileFace, TileGrid
from monitor.types import Frame, Gap, GapReason

GREEN, RED = (40, 200, 40), (40, 40, 200)


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (320, 240)) -> bytes:
    return cv2.imencode(".jpg", np.full((size[1], size[0], 3), colour, np.uint8))[1].tobytes()


def colour_at(image, tile: int, places: int = 4) -> tuple[int, ...]:
    x, y = TileGrid(places).corner(tile)
    return tuple(int(v) for v in image[y + 120, x + 160])


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(one, other, strict=True))


class Lesson:
    """Answers with what it was told."""

    def __init__(self) -> None:
        self.attendance = ParticipantList(4)
        self.pictures: dict[int, bytes] = {}
        self.asked: list = []

    def __call__(self, asked):
        self.asked.append(asked)
        sent = [
            self.pictures[p.tile]
            for p in self.attendance.participants
            if p.has_image and p.image_number > asked.after
        ]
        return self.attendance, sent


@pytest.fixture
def lesson() -> Lesson:
    return Lesson()


@pytest.fixture
def feed(tmp_path: Path, lesson: Lesson) -> Iterator[FrameServer]:
    made = FrameServer(tmp_path, lesson)
    yield made
    made.close()


def test_the_socket_is_its_owners_alone(tmp_path: Path, feed: FrameServer) -> None:
    (folder,) = tmp_path.iterdir()
    (socket,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o777, socket.stat().st_mode & 0o777) == (0o700, 0o600)
    with Client(str(socket)) as guesser:

        def ask() -> bytes:
            guesser.send_bytes(b'{"after": 0}')
            return guesser.recv_bytes()

        guesser.send_bytes(b"guessed")
        with pytest.raises((EOFError, ConnectionError)):  # sending or receiving, as it comes
            ask()
    feed.close()
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_with_a_long_path_is_no_obstacle(tmp_path: Path, lesson: Lesson) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    feed = FrameServer(deep, lesson)
    with open_source(feed.source_spec) as source:
        assert isinstance(next(source.frames(1.0, threading.Event())), Frame)
    feed.close()


def test_the_first_picture_is_there_before_anybody_has_joined_then_it_is_a_gap(feed: FrameServer) -> None:
    with open_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        first = next(frames)
        assert (first.active_tiles, colour_at(first.image_bgr, 0)) == (frozenset(), (MASK_GREY,) * 3)
        gap = next(frames)
        assert isinstance(gap, Gap)
        assert gap.reason is GapReason.NO_PARTICIPANTS
    assert (source.name, source.is_live) == ("online lesson", True)


def test_students_hang_on_their_places_and_come_down_when_they_leave(
    feed: FrameServer, lesson: Lesson
) -> None:
    lesson.pictures = {0: jpeg(GREEN), 2: jpeg(RED, (640, 480))}
    lesson.attendance = ParticipantList(
        4, (Participant(0, "Robin", None, True, 1), Participant(2, "Mia", 7, True, 2))
    )
    with open_lesson_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        first = next(frames)
        assert first.active_tiles == {0, 2}
        assert near(colour_at(first.image_bgr, 0), GREEN)
        assert near(colour_at(first.image_bgr, 2), RED)
        assert colour_at(first.image_bgr, 1) == (MASK_GREY,) * 3
        assert source.registry.latest_participants() == lesson.attendance
        lesson.attendance = ParticipantList(4, (Participant(2, "Mia", 7, True, 2),), frozenset({0}))
        later = next(one for one in frames if isinstance(one, Frame) and one.active_tiles != {0, 2})
        assert later.active_tiles == {2}
        assert colour_at(later.image_bgr, 0) == (MASK_GREY,) * 3
        while not any(one.erased == (0,) for one in lesson.asked):
            next(frames)
    # What was fetched once is not sent again.
    assert lesson.asked[0].after == 0
    assert lesson.asked[-1].after == 2


def test_the_dashboard_is_told_in_which_picture_faces_were_and_where(
    feed: FrameServer, lesson: Lesson
) -> None:
    """Shares of the picture that was sent, also where it does not fill its place: 0 is upright."""
    lesson.pictures = {0: jpeg(GREEN, (180, 240)), 2: jpeg(RED)}
    lesson.attendance = ParticipantList(
        4, (Participant(0, "Robin", None, True, 11), Participant(2, "Mia", 7, True, 12))
    )
    with open_lesson_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        next(frames)
        # Newer pictures come while the old are looked at.
        lesson.pictures = {0: jpeg(RED), 2: jpeg(GREEN)}
        lesson.attendance = ParticipantList(
            4, (Participant(0, "Robin", None, True, 13), Participant(2, "Mia", 7, True, 14))
        )
        source.registry.report_faces({0: (70 + 45, 60, 70 + 90, 250)})
        while lesson.asked[-1].after < 14 or not lesson.asked[-1].faces:
            time.sleep(0.01)
        told = next(one.faces for one in lesson.asked if one.faces)
        assert set(told) == {TileFace(0, 11, (0.25, 0.25, 0.5, 1.0)), TileFace(2, 12, None)}
        next(one for one in frames if isinstance(one, Frame))
        source.registry.report_faces({})
        assert {one.image_number for one in source.registry.faces} == {13, 14}


def test_a_pause_asks_nothing(feed: FrameServer, lesson: Lesson) -> None:
    with open_lesson_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        next(frames)
        source.pause()
        gap = next(one for one in frames if isinstance(one, Gap))
        while source._connections.stuck_count:  # the last question may be under way
            time.sleep(0.01)
        before = len(lesson.asked)
        next(frames)
        assert (gap.reason, len(lesson.asked)) == (GapReason.PAUSED, before)


def test_a_dashboard_that_ends_is_a_lesson_that_broke_off(feed: FrameServer, monkeypatch) -> None:
    monkeypatch.setattr("monitor.sources.online.RECONNECT_TIMEOUT_S", 0.0)
    with open_lesson_source(feed.source_spec) as source:
        frames = source.frames(1.0, threading.Event())
        next(frames)
        feed.close()
        with pytest.raises(SourceLost, match="online lesson broke off"):
            list(frames)


@pytest.mark.parametrize("spec", ["online:", "online:zz@/x", "online:aa@", "online:@/x"])
def test_what_is_no_online_lesson_is_refused_without_its_key(spec: str) -> None:
    with pytest.raises(SourceError, match="open one in the dashboard"):
        open_source(spec)


def test_where_nobody_answers_there_is_no_picture(tmp_path: Path) -> None:
    with open_source(f"online:aa@{tmp_path}/none.sock") as source, pytest.raises(SourceError):
        next(source.frames(1.0, threading.Event()))


@pytest.mark.parametrize("data", [b"", b"no picture", jpeg(GREEN)[:100]])
def test_what_cannot_be_decoded_is_nobodys_picture(data: bytes) -> None:
    wall = ParticipantMosaic()
    attendance = ParticipantList(1, (Participant(0, "Robin", None, True, 1),))
    assert decode_jpeg(data) is None or data
    shown = wall.paste(attendance, {0: data})
    assert shown == (frozenset() if decode_jpeg(data) is None else {0})
