"""Camera stills for creating a seat plan: in memory only, for one account and a short time, because they show
faces. They are never written to disk."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2

from db.records import PlannedSeat
from monitor.types import ImageBGR

STILL_LIFETIME_S = 15 * 60.0

MAX_STILLS = 10
"""For all accounts together; a still of 12 megapixels takes 36 MB."""

MAX_SHOWN_PX = 2000
"""The longer side of the JPEG on the page."""


@dataclass(frozen=True)
class RoomStill:
    """A still with its proposed seats, in pixels of ``image_bgr``; ``jpeg``: the scaled image for the page."""

    id: str
    image_bgr: ImageBGR
    jpeg: bytes
    seats: tuple[PlannedSeat, ...]


Timer = Callable[[float, Callable[[], None]], threading.Timer]


def _start_timer(after_s: float, callback: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(after_s, callback)
    timer.daemon = True
    timer.start()
    return timer


class StillStore:
    """Stores at most one still per account and class. Thread-safe."""

    def __init__(self, timer: Timer = _start_timer) -> None:
        self._timer = timer
        self._lock = threading.Lock()
        self._stills: dict[tuple[int, str], RoomStill] = {}

    def put(
        self, account_id: int, class_name: str, image_bgr: ImageBGR, seats: Sequence[PlannedSeat]
    ) -> RoomStill:
        """Store a still, which replaces the previous one and expires after ``STILL_LIFETIME_S``."""
        still = RoomStill(secrets.token_hex(8), image_bgr, _encode_jpeg(image_bgr), tuple(seats))
        with self._lock:
            self._stills.pop((account_id, class_name), None)
            self._stills[account_id, class_name] = still
            while len(self._stills) > MAX_STILLS:
                del self._stills[next(iter(self._stills))]
        self._timer(STILL_LIFETIME_S, lambda: self.drop(account_id, class_name, still.id))
        return still

    def get(self, account_id: int, class_name: str) -> RoomStill | None:
        """The still, None if there is none or it has expired."""
        with self._lock:
            return self._stills.get((account_id, class_name))

    def drop(self, account_id: int, class_name: str, still_id: str | None = None) -> None:
        """Delete the still; with ``still_id`` only if it is that one."""
        with self._lock:
            still = self._stills.get((account_id, class_name))
            if still is not None and still_id in {None, still.id}:
                del self._stills[account_id, class_name]


def _encode_jpeg(image_bgr: ImageBGR) -> bytes:
    height, width = image_bgr.shape[:2]
    scale = min(1.0, MAX_SHOWN_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    scaled = cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA) if scale < 1 else image_bgr
    return bytes(cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
