"""The students of an online lesson as a source: their newest pictures, fetched from the dashboard and laid
out.

The dashboard (``classpulse.online.feed``) listens on a private socket; its address and key come with the
order to record. It is asked twice a second, and answers with who is there (an ``ParticipantList``) and, of each
student whose picture is newer than the last that was fetched, that picture. Nothing queues up: who asks late
gets the newest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Client, Connection

import cv2
import numpy as np
from pydantic import TypeAdapter, ValidationError

from db.records import ONLINE_SOURCE
from monitor.errors import SourceError
from monitor.imaging import MASK_GREY, image_size, letterbox, letterbox_area
from monitor.runtime.clock import suspend_aware_s
from monitor.sources.capture import CapturedFrame
from monitor.sources.capture_thread import ConnectionStats, ReaderThread
from monitor.sources.freshness import EXACT_TOLERANCE, FrozenFrameDetector
from monitor.sources.live import LiveSource, ReconnectPolicy
from monitor.sources.participant_grid import TILE_SIZE_PX, ParticipantList, PlacedFrame, TileFace, TileGrid
from monitor.types import Box, Frame, Gap, ImageBGR

ONLINE_SCHEME = "online:"
POLL_INTERVAL_S = 0.5
RESPONSE_TIMEOUT_S = 5.0
"""The dashboard answers in milliseconds; longer, and it hangs."""

RECONNECT_TIMEOUT_S = 60.0
"""So long a dashboard that has gone is sought: the browsers have stopped by then."""

STALE_TIMEOUT_S = 7 * 86400.0
"""A connection is not given up because nobody has joined yet."""

PLACEMENT_HISTORY = 20
"""Of so many pictures of the wall it is known what hung on it; one of the last two is looked at next."""

MAX_MESSAGE_BYTES = 1 << 20
"""Of one message."""

PARTICIPANT_LIST_ADAPTER = TypeAdapter(ParticipantList)


@dataclass(frozen=True)
class ImageRequest:
    """What the dashboard is asked for: pictures with a larger number than ``after_number``. ``erased_tiles`` says of which
    places it was understood that nothing may be kept, ``faces`` where faces were in the pictures that were
    looked at last."""

    after_number: int = 0
    erased_tiles: tuple[int, ...] = ()
    faces: tuple[TileFace, ...] = ()


IMAGE_REQUEST_ADAPTER = TypeAdapter(ImageRequest)


class ParticipantRegistry:
    """Who has joined, as last heard, and where faces were found; replaced whole, so any thread may look."""

    def __init__(self) -> None:
        self.participants: ParticipantList | None = None
        self.has_started = False
        self.faces: tuple[TileFace, ...] = ()
        self._placements: dict[datetime, dict[int, PlacedFrame]] = {}
        self._current: dict[int, PlacedFrame] = {}

    @property
    def grid(self) -> TileGrid:
        """How the places lie. Raises SourceError before anything was heard."""
        if self.participants is None:
            raise SourceError("the online lesson has not answered yet; is the dashboard running?")
        return TileGrid(self.participants.tile_count)

    def record_placement(self, captured_at: datetime, placed_frames: dict[int, PlacedFrame]) -> None:
        """Which pictures hang on the wall as it was then."""
        recent = sorted(self._placements)[-PLACEMENT_HISTORY:]
        self._placements = {at: self._placements[at] for at in recent} | {captured_at: placed_frames}

    def set_current(self, captured_at: datetime) -> None:
        """The wall of then is looked at next."""
        self._current = self._placements.get(captured_at, {})

    def report_faces(self, faces_xyxy: Mapping[int, Box]) -> None:
        """Where faces were found on the places that were looked at, in pixels of each place."""
        told = []
        for tile, hung in self._current.items():
            box = None
            if tile in faces_xyxy:
                x1, y1, x2, y2 = faces_xyxy[tile]
                box = (*hung.to_relative(x1, y1), *hung.to_relative(x2, y2))
            told.append(TileFace(tile, hung.image_number, box))
        self.faces = tuple(told)

    def latest_participants(self) -> ParticipantList:
        """Everybody; nobody before anything was heard."""
        return self.participants or ParticipantList(1)


class OnlineLessonSource(LiveSource):
    """An online lesson; ``registry`` is who is in it."""

    def __init__(
        self, address: str, registry: ParticipantRegistry, connect: Callable[..., LessonConnection]
    ) -> None:
        super().__init__(
            address,
            ONLINE_SOURCE,
            ReconnectPolicy(STALE_TIMEOUT_S, RECONNECT_TIMEOUT_S, EXACT_TOLERANCE),
            connect,
        )
        self.registry = registry

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """See ``Source.frames``; the roll knows which pictures the last frame was made of."""
        for item in super().frames(sample_fps, stop):
            if isinstance(item, Frame):
                self.registry.set_current(item.captured_at)
            yield item


def open_lesson_source(spec: str) -> OnlineLessonSource:
    """The source of ``online:KEY@ADDRESS``. Raises SourceError where it is malformed."""
    key, at, address = spec.removeprefix(ONLINE_SCHEME).partition("@")
    try:
        secret = bytes.fromhex(key)
    except ValueError:
        secret = b""
    if not (at and address and secret):
        raise SourceError("this is no online lesson; open one in the dashboard")
    roll = ParticipantRegistry()
    return OnlineLessonSource(address, roll, partial(LessonConnection, key=secret, registry=roll))


def online_spec(address: str, key: bytes) -> str:
    """The specification that ``open_lesson_source`` takes. It holds the key: never an argument, never logged."""
    return f"{ONLINE_SCHEME}{key.hex()}@{address}"


class LessonConnection(ReaderThread):
    """One connection to the dashboard, in a thread; ``monitor.sources.capture_thread.Connection``.

    A picture of the gallery is kept when somebody is shown in it, and the very first in any case, with which
    the session begins.
    """

    def __init__(
        self,
        address: int | str,
        _freshness: FrozenFrameDetector,
        *,
        key: bytes,
        registry: ParticipantRegistry,
        clock: Callable[[], float] = suspend_aware_s,
    ) -> None:
        super().__init__("gallery")
        self.stats = ConnectionStats(no_participants=True)
        self._address = str(address)
        self._key = key
        self._registry = registry
        self._clock = clock
        self._mosaic = ParticipantMosaic()
        self._previous_s: float | None = None
        self._thread.start()

    def _run(self) -> None:
        try:
            with Client(self._address) as connection:
                connection.send_bytes(self._key)
                while not self._closing.is_set():
                    self._fetch(connection)
                    self._closing.wait(POLL_INTERVAL_S)
        except (OSError, EOFError, ValidationError, ValueError) as error:
            self._slot.fail(f"the dashboard cannot be reached ({type(error).__name__})")
        finally:
            self._slot.fail("the dashboard is not asked any more")

    def _fetch(self, connection: Connection) -> None:
        erased = tuple(sorted(self._registry.latest_participants().erased_tiles))
        asked = ImageRequest(self._mosaic.newest_number, erased, self._registry.faces)
        connection.send_bytes(IMAGE_REQUEST_ADAPTER.dump_json(asked))
        attendance = PARTICIPANT_LIST_ADAPTER.validate_json(_receive(connection))
        TileGrid(attendance.tile_count)
        fresh = [
            one for one in attendance.participants if one.has_image and one.image_number > asked.after_number
        ]
        pictures = {one.tile: _receive(connection) for one in fresh}
        self._registry.participants = attendance
        shown = self._mosaic.paste(attendance, pictures)
        if shown or not self._registry.has_started:
            self._registry.has_started = True
            self._publish(shown)

    def _publish(self, active_tiles: frozenset[int]) -> None:
        now_s, captured_at = self._clock(), datetime.now(UTC)
        self._registry.record_placement(
            captured_at, {tile: self._mosaic.placed[tile] for tile in active_tiles}
        )
        shot = CapturedFrame(
            self._mosaic.image_bgr.copy(), captured_at, now_s, self._previous_s, active_tiles
        )
        self._previous_s = now_s
        self._slot.put(shot)


def _receive(connection: Connection) -> bytes:
    if not connection.poll(RESPONSE_TIMEOUT_S):
        raise TimeoutError("no answer")
    return bytes(connection.recv_bytes(MAX_MESSAGE_BYTES))


class ParticipantMosaic:
    """The gallery's picture as it hangs: each student's newest, grey where nobody is."""

    def __init__(self) -> None:
        self.newest_number = 0
        """The largest number of a picture that came."""
        self.image_bgr: ImageBGR = np.full((1, 1, 3), MASK_GREY, np.uint8)
        self.placed: dict[int, PlacedFrame] = {}

    def paste(self, participants: ParticipantList, jpegs: dict[int, bytes]) -> frozenset[int]:
        """Hang the new ``jpegs`` (JPEG, by place) and take down those of who is not shown; returns the
        places with somebody to see."""
        gallery, numbers = (
            TileGrid(participants.tile_count),
            {one.tile: one.image_number for one in participants.participants},
        )
        if self.image_bgr.shape[1::-1] != gallery.size_px:
            self.image_bgr = np.full((gallery.size_px[1], gallery.size_px[0], 3), MASK_GREY, np.uint8)
        for tile, jpeg in jpegs.items():
            picture = decode_jpeg(jpeg)
            if picture is None:
                self.placed.pop(tile, None)
            else:
                self._tile_image(gallery, tile)[:] = letterbox(picture, TILE_SIZE_PX)
                self.placed[tile] = PlacedFrame(
                    numbers[tile], letterbox_area(image_size(picture), TILE_SIZE_PX)
                )
        self.newest_number = max(
            [self.newest_number, *(one.image_number for one in participants.participants if one.has_image)]
        )
        shown = frozenset(self.placed.keys() & participants.active_tiles)
        for tile in self.placed.keys() - shown:
            self._tile_image(gallery, tile)[:] = MASK_GREY
        self.placed = {tile: hung for tile, hung in self.placed.items() if tile in shown}
        return shown

    def _tile_image(self, grid: TileGrid, tile: int) -> ImageBGR:
        x, y = grid.corner(tile)
        return self.image_bgr[y : y + TILE_SIZE_PX[1], x : x + TILE_SIZE_PX[0]]


def decode_jpeg(jpeg: bytes) -> ImageBGR | None:
    """The picture ``(H, W, 3)``, None where it is none. Its size was looked at before it was sent here."""
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)
