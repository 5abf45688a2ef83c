"""The students of an online lesson as a source: their newest pictures, fetched from the dashboard and laid
out.

The dashboard (``classpulse.online.feed``) listens on a private socket; its address and key come with the
order to record. It is asked twice a second, and answers with who is there (an ``Attendance``) and, of each
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

from db.records import ONLINE
from monitor.errors import SourceError
from monitor.imaging import GREY, fit, placed, size_of
from monitor.runtime.clock import steady_s
from monitor.sources.capture import Shot
from monitor.sources.capture_thread import Reading, Seen
from monitor.sources.freshness import EXACT, Freshness
from monitor.sources.live import LiveSource, Patience
from monitor.sources.participant_grid import TILE, Attendance, FaceAt, Gallery, Hung
from monitor.types import Box, Frame, Gap, ImageBGR

SCHEME = "online:"
ASK_S = 0.5
ANSWER_S = 5.0
"""The dashboard answers in milliseconds; longer, and it hangs."""

GONE_S = 60.0
"""So long a dashboard that has gone is sought: the browsers have stopped by then."""

NEVER_S = 7 * 86400.0
"""A connection is not given up because nobody has joined yet."""

REMEMBERED = 20
"""Of so many pictures of the wall it is known what hung on it; one of the last two is looked at next."""

MOST_BYTES = 1 << 20
"""Of one message."""

ATTENDANCE = TypeAdapter(Attendance)


@dataclass(frozen=True)
class Asked:
    """What the dashboard is asked for: pictures with a larger number than ``after``. ``erased`` says of which
    places it was understood that nothing may be kept, ``faces`` where faces were in the pictures that were
    looked at last."""

    after: int = 0
    erased: tuple[int, ...] = ()
    faces: tuple[FaceAt, ...] = ()


ASKED = TypeAdapter(Asked)


class Roll:
    """Who has joined, as last heard, and where faces were found; replaced whole, so any thread may look."""

    def __init__(self) -> None:
        self.attendance: Attendance | None = None
        self.begun = False
        self.faces: tuple[FaceAt, ...] = ()
        self._hung: dict[datetime, dict[int, Hung]] = {}
        self._looked_at: dict[int, Hung] = {}

    @property
    def gallery(self) -> Gallery:
        """How the places lie. Raises SourceError before anything was heard."""
        if self.attendance is None:
            raise SourceError("the online lesson has not answered yet; is the dashboard running?")
        return Gallery(self.attendance.places)

    def hang(self, captured_at: datetime, hung: dict[int, Hung]) -> None:
        """Which pictures hang on the wall as it was then."""
        recent = sorted(self._hung)[-REMEMBERED:]
        self._hung = {at: self._hung[at] for at in recent} | {captured_at: hung}

    def look_at(self, captured_at: datetime) -> None:
        """The wall of then is looked at next."""
        self._looked_at = self._hung.get(captured_at, {})

    def find(self, faces_xyxy: Mapping[int, Box]) -> None:
        """Where faces were found on the places that were looked at, in pixels of each place."""
        told = []
        for tile, hung in self._looked_at.items():
            box = None
            if tile in faces_xyxy:
                x1, y1, x2, y2 = faces_xyxy[tile]
                box = (*hung.share(x1, y1), *hung.share(x2, y2))
            told.append(FaceAt(tile, hung.picture, box))
        self.faces = tuple(told)

    def latest(self) -> Attendance:
        """Everybody; nobody before anything was heard."""
        return self.attendance or Attendance(1)


class GallerySource(LiveSource):
    """An online lesson; ``roll`` is who is in it."""

    def __init__(self, address: str, roll: Roll, connect: Callable[..., NewestGallery]) -> None:
        super().__init__(address, ONLINE, Patience(NEVER_S, GONE_S, EXACT), connect)
        self.roll = roll

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """See ``Source.frames``; the roll knows which pictures the last frame was made of."""
        for item in super().frames(sample_fps, stop):
            if isinstance(item, Frame):
                self.roll.look_at(item.captured_at)
            yield item


def open_gallery(spec: str) -> GallerySource:
    """The source of ``online:KEY@ADDRESS``. Raises SourceError where it is malformed."""
    key, at, address = spec.removeprefix(SCHEME).partition("@")
    try:
        secret = bytes.fromhex(key)
    except ValueError:
        secret = b""
    if not (at and address and secret):
        raise SourceError("this is no online lesson; open one in the dashboard")
    roll = Roll()
    return GallerySource(address, roll, partial(NewestGallery, key=secret, roll=roll))


def spec_of(address: str, key: bytes) -> str:
    """The specification that ``open_gallery`` takes. It holds the key: never an argument, never logged."""
    return f"{SCHEME}{key.hex()}@{address}"


class NewestGallery(Reading):
    """One connection to the dashboard, in a thread; ``monitor.sources.capture_thread.Connection``.

    A picture of the gallery is kept when somebody is shown in it, and the very first in any case, with which
    the session begins.
    """

    def __init__(
        self,
        address: int | str,
        _freshness: Freshness,
        *,
        key: bytes,
        roll: Roll,
        clock: Callable[[], float] = steady_s,
    ) -> None:
        super().__init__("gallery")
        self.seen = Seen(nobody=True)
        self._address = str(address)
        self._key = key
        self._roll = roll
        self._clock = clock
        self._wall = Wall()
        self._before_s: float | None = None
        self._thread.start()

    def _run(self) -> None:
        try:
            with Client(self._address) as connection:
                connection.send_bytes(self._key)
                while not self._closing.is_set():
                    self._fetch(connection)
                    self._closing.wait(ASK_S)
        except (OSError, EOFError, ValidationError, ValueError) as error:
            self._newest.fail(f"the dashboard cannot be reached ({type(error).__name__})")
        finally:
            self._newest.fail("the dashboard is not asked any more")

    def _fetch(self, connection: Connection) -> None:
        erased = tuple(sorted(self._roll.latest().erased))
        asked = Asked(self._wall.newest, erased, self._roll.faces)
        connection.send_bytes(ASKED.dump_json(asked))
        attendance = ATTENDANCE.validate_json(_received(connection))
        Gallery(attendance.places)
        fresh = [one for one in attendance.here if one.shown and one.picture > asked.after]
        pictures = {one.tile: _received(connection) for one in fresh}
        self._roll.attendance = attendance
        shown = self._wall.hang(attendance, pictures)
        if shown or not self._roll.begun:
            self._roll.begun = True
            self._keep(shown)

    def _keep(self, shown: frozenset[int]) -> None:
        now_s, captured_at = self._clock(), datetime.now(UTC)
        self._roll.hang(captured_at, {tile: self._wall.hung[tile] for tile in shown})
        shot = Shot(self._wall.image_bgr.copy(), captured_at, now_s, self._before_s, shown)
        self._before_s = now_s
        self._newest.put(shot)


def _received(connection: Connection) -> bytes:
    if not connection.poll(ANSWER_S):
        raise TimeoutError("no answer")
    return bytes(connection.recv_bytes(MOST_BYTES))


class Wall:
    """The gallery's picture as it hangs: each student's newest, grey where nobody is."""

    def __init__(self) -> None:
        self.newest = 0
        """The largest number of a picture that came."""
        self.image_bgr: ImageBGR = np.full((1, 1, 3), GREY, np.uint8)
        self.hung: dict[int, Hung] = {}

    def hang(self, attendance: Attendance, pictures: dict[int, bytes]) -> frozenset[int]:
        """Hang the new ``pictures`` (JPEG, by place) and take down those of who is not shown; returns the
        places with somebody to see."""
        gallery, numbers = Gallery(attendance.places), {one.tile: one.picture for one in attendance.here}
        if self.image_bgr.shape[1::-1] != gallery.size:
            self.image_bgr = np.full((gallery.size[1], gallery.size[0], 3), GREY, np.uint8)
        for tile, jpeg in pictures.items():
            picture = decoded(jpeg)
            if picture is None:
                self.hung.pop(tile, None)
            else:
                self._area(gallery, tile)[:] = fit(picture, TILE)
                self.hung[tile] = Hung(numbers[tile], placed(size_of(picture), TILE))
        self.newest = max([self.newest, *(one.picture for one in attendance.here if one.shown)])
        shown = frozenset(self.hung.keys() & attendance.shown)
        for tile in self.hung.keys() - shown:
            self._area(gallery, tile)[:] = GREY
        self.hung = {tile: hung for tile, hung in self.hung.items() if tile in shown}
        return shown

    def _area(self, gallery: Gallery, tile: int) -> ImageBGR:
        x, y = gallery.corner(tile)
        return self.image_bgr[y : y + TILE[1], x : x + TILE[0]]


def decoded(jpeg: bytes) -> ImageBGR | None:
    """The picture ``(H, W, 3)``, None where it is none. Its size was looked at before it was sent here."""
    try:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)
