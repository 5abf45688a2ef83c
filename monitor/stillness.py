"""Faces that never move: a poster, a portrait on the wall, a face on the board or on a frozen tile.

A person who sits still blinks, breathes, turns; a picture does none of it. So the same place of the room is
compared with what it looked like two seconds before, and a face is a person only once it has changed there a
few times. Detectors' boxes are of no use for this: they jitter as much on a picture as on a person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.domain import Box

Glance = Callable[[Box], NDArray[np.float32] | None]
"""What a place of the room looks like in the present sample, ``(N, N)`` grey; None where there is nothing to
see (``monitor.glance``)."""

LAG_S = 2.0
"""Over which time a place is compared with itself, seconds."""

CHANGED = 0.945
"""A normalised correlation below this is a change. Sampled twice a second, the lowest of any twenty seconds
was never under 0.958 for twelve pictures on a simulated hall's wall, never over 0.933 for 55 people of it,
and never over 0.825 for eight people filmed by a webcam. Chosen on these."""

CHANGES = 3
"""So many samples must have changed, one is somebody who walks past. Not tuned."""

CHANGES_S = 3.0
"""And this far apart at least, seconds: who walks past does so within a few samples."""

GONE_S = 10.0
"""Nor does a picture go away: whose place has looked different for so long was a person, seconds. Longer than
most stand before a picture; not tuned."""

PICTURE_S = 20.0
"""Who has not changed for so long is taken for a picture, seconds; the time of the measurement above."""

BOXES = 5
"""The place is the median of so many boxes."""


@dataclass
class _Watch:
    """One face that has not been seen to change yet: its last boxes, and what was seen where, and when."""

    since_s: float
    boxes: deque[Box] = field(default_factory=lambda: deque(maxlen=BOXES))
    seen: deque[tuple[float, Box, NDArray[np.float32]]] = field(default_factory=deque)
    changes_s: list[float] = field(default_factory=list)
    gone_since_s: float | None = None


class Stillness:
    """Tells who has been seen to move. Memory: two seconds of small pictures of each who has not."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watch] = {}
        self._moving: set[int] = set()

    def update(self, boxes_xyxy: Mapping[int, Box], live: set[int], glance: Glance, media_s: float) -> None:
        """Take the faces of one sample, by track, in pixels of the room; ``live`` are all tracks there
        are."""
        self._moving &= live
        self._watched = {number: watch for number, watch in self._watched.items() if number in live}
        for number in live - self._moving:
            if number in boxes_xyxy:
                watch = self._watched.setdefault(number, _Watch(media_s))
                watch.boxes.append(boxes_xyxy[number])
                has_moved = _has_changed(watch, glance, media_s)
            else:
                has_moved = number in self._watched and _has_gone(self._watched[number], glance, media_s)
            if has_moved:
                self._moving.add(number)
                self._watched.pop(number, None)

    def continue_as(self, before: int, number: int) -> None:
        """Who was followed as ``before``, and not seen to change, goes on as ``number``."""
        if before in self._watched:
            self._watched[number] = self._watched.pop(before)

    def forget(self) -> None:
        """What is in the picture now cannot be compared with before: the camera was moved."""
        for watch in self._watched.values():
            watch.seen.clear()
            watch.boxes.clear()

    @property
    def unmoved(self) -> set[int]:
        """The tracks of those who have not been seen to change."""
        return set(self._watched)

    def pictures(self, media_s: float) -> set[int]:
        """Those of them who have been watched for so long that they are taken for pictures."""
        return {number for number, watch in self._watched.items() if media_s - watch.since_s >= PICTURE_S}


def _has_changed(watch: _Watch, glance: Glance, media_s: float) -> bool:
    """Look once more at a face that is seen; whether it is no picture."""
    watch.gone_since_s = None
    while len(watch.seen) > 1 and media_s - watch.seen[1][0] >= LAG_S:
        watch.seen.popleft()
    if watch.seen and media_s - watch.seen[0][0] >= LAG_S:
        _, place, before = watch.seen.popleft()
        if _differ(before, glance(place)):
            watch.changes_s.append(media_s)
    x1, y1, x2, y2 = (float(edge) for edge in np.median(np.array(watch.boxes), axis=0))
    seen = glance((x1, y1, x2, y2))
    if seen is None:
        return True
    watch.seen.append((media_s, (x1, y1, x2, y2), seen))
    changes = watch.changes_s
    return len(changes) >= CHANGES and changes[-1] - changes[0] >= CHANGES_S


def _has_gone(watch: _Watch, glance: Glance, media_s: float) -> bool:
    """Look at the place of a face that is not seen; whether nobody is there any more."""
    if not watch.seen or not _differ(watch.seen[-1][2], glance(watch.seen[-1][1])):
        watch.gone_since_s = None
        return False
    watch.gone_since_s = media_s if watch.gone_since_s is None else watch.gone_since_s
    return media_s - watch.gone_since_s >= GONE_S


def _differ(before: NDArray[np.float32], now: NDArray[np.float32] | None) -> bool:
    """Whether a place has changed; where nothing is left to see, it has."""
    return now is None or _alike(before, now) < CHANGED


def _alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The normalised correlation of two small pictures, -1..1."""
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))
