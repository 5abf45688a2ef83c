"""An online lesson as a source: the newest images of its participants, fetched from the dashboard, in one
grid.

The dashboard (``classpulse.online.feed``) listens on a private socket; its address and key are part of the
recording request. It is polled twice a second and answers with a ``ParticipantList`` and the images that are
newer than the last poll. Images are not queued: a late poll gets the newest.
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
from monitor.imaging import MASK_GREY, image_size, letterbox, letterbox_area
from monitor.runtime.clock import suspend_aware_s
from monitor.sources.capture import CaptureAddress, CapturedFrame
from monitor.sources.capture_thread import ConnectionStats, ReaderThread
from monitor.sources.errors import InvalidLessonAddress, NoDashboardResponse
from monitor.sources.freshness import EXACT_TOLERANCE, FrozenFrameDetector
from monitor.sources.live import LiveSource, ReconnectSettings
from monitor.sources.participant_grid import TILE_SIZE_PX, ParticipantList, PlacedFrame, TileFace, TileGrid
from monitor.types import Box, Frame, Gap, ImageBGR

ONLINE_SCHEME = "online:"
POLL_INTERVAL_S = 0.5
RESPONSE_TIMEOUT_S = 5.0
"""The dashboard answers in milliseconds; after this long it hangs."""

RECONNECT_TIMEOUT_S = 60.0
"""How long a lost dashboard is retried: after that the browsers have stopped sending."""

STALE_TIMEOUT_S = 7 * 86400.0
"""A connection is not given up because no student has joined yet."""

PLACEMENT_HISTORY = 20
"""The number of grid frames whose images are remembered; one of the last two is analysed next."""

MAX_MESSAGE_BYTES = 1 << 20
"""The most bytes of one message."""

PARTICIPANT_LIST_ADAPTER = TypeAdapter(ParticipantList)


@dataclass(frozen=True)
class ImageRequest:
    """A request for the images with a number above ``after_number``. ``erased_tiles`` confirms the erased
    tiles that were received, ``faces`` are the faces of the images that were analysed last."""

    after_number: int = 0
    erased_tiles: tuple[int, ...] = ()
    faces: tuple[TileFace, ...] = ()


IMAGE_REQUEST_ADAPTER = TypeAdapter(ImageRequest)


class ParticipantRegistry:
    """The participants as last received, and the faces in their images. Values are replaced as a whole, so
    any thread may read them."""

    def __init__(self) -> None:
        self.participants: ParticipantList | None = None
        self.has_started = False
        self.faces: tuple[TileFace, ...] = ()
        self._placements: dict[datetime, dict[int, PlacedFrame]] = {}
        self._current: dict[int, PlacedFrame] = {}

    @property
    def grid(self) -> TileGrid:
        """The grid of tiles. Raises NoDashboardResponse before the first response."""
        if self.participants is None:
            raise NoDashboardResponse
        return TileGrid(self.participants.tile_count)

    def record_placement(self, captured_at: datetime, placed_frames: dict[int, PlacedFrame]) -> None:
        """Remember the images, by tile, of the grid frame captured at ``captured_at``."""
        recent = sorted(self._placements)[-PLACEMENT_HISTORY:]
        self._placements = {at: self._placements[at] for at in recent} | {captured_at: placed_frames}

    def set_current(self, captured_at: datetime) -> None:
        """The grid frame captured at ``captured_at`` is analysed next."""
        self._current = self._placements.get(captured_at, {})

    def report_faces(self, faces_xyxy: Mapping[int, Box]) -> None:
        """Set the faces of the analysed grid frame: boxes by tile, in pixels of the tile."""
        faces = []
        for tile, placed in self._current.items():
            box = None
            if tile in faces_xyxy:
                x1, y1, x2, y2 = faces_xyxy[tile]
                box = (*placed.to_relative(x1, y1), *placed.to_relative(x2, y2))
            faces.append(TileFace(tile, placed.image_number, box))
        self.faces = tuple(faces)

    def latest_participants(self) -> ParticipantList:
        """The participants; an empty list before the first response."""
        return self.participants or ParticipantList(1)


class OnlineLessonSource(LiveSource):
    """An online lesson; ``registry`` has its participants."""

    def __init__(
        self, address: str, registry: ParticipantRegistry, connect: Callable[..., LessonConnection]
    ) -> None:
        super().__init__(
            address,
            ONLINE_SOURCE,
            ReconnectSettings(STALE_TIMEOUT_S, RECONNECT_TIMEOUT_S, EXACT_TOLERANCE),
            connect,
        )
        self.registry = registry

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """See ``Source.frames``; ``registry`` remembers the images of the last frame."""
        for item in super().frames(sample_fps, stop):
            if isinstance(item, Frame):
                self.registry.set_current(item.captured_at)
            yield item


def open_lesson_source(spec: str) -> OnlineLessonSource:
    """The source of ``online:KEY@ADDRESS``. Raises InvalidLessonAddress if it is malformed."""
    key, at, address = spec.removeprefix(ONLINE_SCHEME).partition("@")
    try:
        secret = bytes.fromhex(key)
    except ValueError:
        secret = b""
    if not (at and address and secret):
        raise InvalidLessonAddress
    registry = ParticipantRegistry()
    return OnlineLessonSource(address, registry, partial(LessonConnection, key=secret, registry=registry))


def online_spec(address: str, key: bytes) -> str:
    """The specification for ``open_lesson_source``. It contains the key: do not log it or pass it as an
    argument."""
    return f"{ONLINE_SCHEME}{key.hex()}@{address}"


class LessonConnection(ReaderThread):
    """One connection to the dashboard, in a thread; a ``monitor.sources.capture_thread.Connection``.

    A grid frame is delivered if a tile has an image; the first one always, because the session starts with
    it.
    """

    def __init__(
        self,
        address: CaptureAddress,
        _frozen_detector: FrozenFrameDetector,
        _sample_fps: float,
        *,
        key: bytes,
        registry: ParticipantRegistry,
        clock: Callable[[], float] = suspend_aware_s,
    ) -> None:
        super().__init__("online-lesson")
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
            self._slot.fail("the connection to the dashboard was closed")

    def _fetch(self, connection: Connection) -> None:
        erased = tuple(sorted(self._registry.latest_participants().erased_tiles))
        request = ImageRequest(self._mosaic.newest_number, erased, self._registry.faces)
        connection.send_bytes(IMAGE_REQUEST_ADAPTER.dump_json(request))
        received = PARTICIPANT_LIST_ADAPTER.validate_json(_receive(connection))
        TileGrid(received.tile_count)  # raises ValueError for an invalid count
        fresh = [
            student
            for student in received.participants
            if student.has_image and student.image_number > request.after_number
        ]
        jpegs = {student.tile: _receive(connection) for student in fresh}
        self._registry.participants = received
        active_tiles = self._mosaic.paste(received, jpegs)
        if active_tiles or not self._registry.has_started:
            self._registry.has_started = True
            self._publish(active_tiles)

    def _publish(self, active_tiles: frozenset[int]) -> None:
        now_s, captured_at = self._clock(), datetime.now(UTC)
        self._registry.record_placement(
            captured_at, {tile: self._mosaic.placed[tile] for tile in active_tiles}
        )
        frame = CapturedFrame(
            self._mosaic.image_bgr.copy(), captured_at, now_s, self._previous_s, active_tiles
        )
        self._previous_s = now_s
        self._slot.put(frame)


def _receive(connection: Connection) -> bytes:
    if not connection.poll(RESPONSE_TIMEOUT_S):
        raise TimeoutError("no response")
    return bytes(connection.recv_bytes(MAX_MESSAGE_BYTES))


class ParticipantMosaic:
    """The grid as one image: the newest image of each student, grey in tiles without one."""

    def __init__(self) -> None:
        self.newest_number = 0
        """The largest number of a received image."""
        self.image_bgr: ImageBGR = np.full((1, 1, 3), MASK_GREY, np.uint8)
        self.placed: dict[int, PlacedFrame] = {}

    def paste(self, participants: ParticipantList, jpegs: dict[int, bytes]) -> frozenset[int]:
        """Paste new images (JPEG, by tile) and clear the tiles of students without one; returns the tiles
        that show an image."""
        grid = TileGrid(participants.tile_count)
        students = participants.participants
        numbers = {student.tile: student.image_number for student in students}
        if self.image_bgr.shape[1::-1] != grid.size_px:
            self.image_bgr = np.full((grid.size_px[1], grid.size_px[0], 3), MASK_GREY, np.uint8)
        for tile, jpeg in jpegs.items():
            image = decode_jpeg(jpeg)
            if image is None:
                self.placed.pop(tile, None)
            else:
                self._tile_image(grid, tile)[:] = letterbox(image, TILE_SIZE_PX)
                area = letterbox_area(image_size(image), TILE_SIZE_PX)
                self.placed[tile] = PlacedFrame(numbers[tile], area)
        newest = (student.image_number for student in students if student.has_image)
        self.newest_number = max([self.newest_number, *newest])
        active_tiles = frozenset(self.placed.keys() & participants.active_tiles)
        for tile in self.placed.keys() - active_tiles:
            self._tile_image(grid, tile)[:] = MASK_GREY
        self.placed = {tile: placed for tile, placed in self.placed.items() if tile in active_tiles}
        return active_tiles

    def _tile_image(self, grid: TileGrid, tile: int) -> ImageBGR:
        x, y = grid.corner(tile)
        return self.image_bgr[y : y + TILE_SIZE_PX[1], x : x + TILE_SIZE_PX[0]]


def decode_jpeg(jpeg: bytes) -> ImageBGR | None:
    """The image ``(H, W, 3)``, None if it cannot be decoded. The dashboard has checked its size."""
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)
