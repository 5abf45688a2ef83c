"""Faces that never move: a poster, a portrait on the wall, a face on the board or on a frozen tile.

A person who sits still blinks, breathes, turns; a picture does none of it. So the same place of the room is
compared with what it looked like two seconds before, and a face is a person only once it has changed there a
few times. Detectors' boxes are of no use for this: they jitter as much on a picture as on a person.

Places are those of the room, so a camera that moves does not restart anything. Where it moved between the two
moments, registration errors and blur change a poster too; then the face is compared against its own
surroundings (``monitor.tracking.relative_motion``). Where its motion is unknown, a change proves nothing, and a face
that could not be judged for long is given the benefit of the doubt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.geometry import Matrix
from monitor.tracking.relative_motion import relative_change
from monitor.types import Box

Glance = Callable[[Box], NDArray[np.float32] | None]
"""What a place of the room looks like in the present sample, ``(N, N)`` grey; None where there is nothing to
see (``monitor.tracking.patches``)."""

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

CAMERA_MOVED_PX, CAMERA_MOVED_SHARE = 3.0, 0.05
"""The camera moved between two samples if a place lies elsewhere in the frame by more than both: pixels, and
widths of the face. The simulated camera on a stand shakes by 0.6 px. Heuristic, not tuned on data."""

CHANGED_MOVING = 0.93
"""``CHANGED`` where the camera moved, under the alignment of ``monitor.tracking.relative_motion``."""

SHIFTED_MOVING = 0.022
"""There a shift of the face against its surroundings of more face widths is a change as well. On the
simulated hall warped as by a hand (seeds 100 to 103, faces of 14 to 70 px), the posters' similarities were
never below 0.943 and their shifts never over 0.019; of every person at least one comparison in eight is
beyond one of the two limits. Chosen on these; ``docs/decisions.md`` has the figures on others."""

UNTOLD_S = PICTURE_S
"""A face that changed for so long while the camera's motion was unknown is taken for a person, seconds: the
change may be the camera's, but it must not wait for ever."""

BOXES = 5
"""The place is the median of so many boxes."""


@dataclass(frozen=True)
class Camera:
    """How the camera stands in one sample: ``to_frame`` leads from the room to the frame, as last known, and
    ``is_known`` tells whether it is known now."""

    to_frame: Matrix
    is_known: bool


@dataclass(frozen=True)
class _Now:
    """One sample: its time, what places look like, and the camera with what they look like with their
    surroundings; None where it stands."""

    media_s: float
    glance: Glance
    camera: Camera | None
    around: Glance | None


@dataclass(frozen=True)
class _Seen:
    """What a place looked like, alone and with its surroundings, and the camera then; None where it
    stands."""

    media_s: float
    place: Box
    patch: NDArray[np.float32]
    around: NDArray[np.float32] | None = None
    camera: Camera | None = None


@dataclass
class _Watch:
    """One face that has not been seen to change yet: its last boxes, and what was seen where, and when.
    ``untold_s`` is the time in which the camera's motion was unknown and the face changed."""

    since_s: float
    last_s: float
    boxes: deque[Box] = field(default_factory=lambda: deque(maxlen=BOXES))
    seen: deque[_Seen] = field(default_factory=deque)
    changes_s: list[float] = field(default_factory=list)
    gone_since_s: float | None = None
    untold_s: float = 0.0


class Stillness:
    """Tells who has been seen to move. Memory: two seconds of small pictures of each who has not."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watch] = {}
        self._moving: set[int] = set()

    def update(
        self,
        boxes_xyxy: Mapping[int, Box],
        live: set[int],
        glance: Glance,
        media_s: float,
        camera: Camera | None = None,
        around: Glance | None = None,
    ) -> None:
        """Take the faces of one sample, by track, in pixels of the room; ``live`` are all tracks there are.

        Without ``camera`` it stands. ``around`` gives the patch of a place with its surroundings
        (``monitor.tracking.relative_motion.MARGIN_PX`` more on each side)."""
        now = _Now(media_s, glance, camera, around)
        self._moving &= live
        self._watched = {number: watch for number, watch in self._watched.items() if number in live}
        for number in live - self._moving:
            if number in boxes_xyxy:
                watch = self._watched.setdefault(number, _Watch(media_s, media_s))
                watch.boxes.append(boxes_xyxy[number])
                has_moved = _has_changed(watch, now)
            else:
                has_moved = number in self._watched and _has_gone(self._watched[number], now)
            if has_moved:
                self._moving.add(number)
                self._watched.pop(number, None)
            elif number in self._watched:
                self._watched[number].last_s = media_s

    def continue_as(self, before: int, number: int) -> None:
        """Who was followed as ``before``, and not seen to change, goes on as ``number``."""
        if before in self._watched:
            self._watched[number] = self._watched.pop(before)

    def forget(self) -> None:
        """The room has new coordinates, and no place can be compared with before. What was learnt of the
        faces stays."""
        for watch in self._watched.values():
            watch.seen.clear()
            watch.boxes.clear()

    @property
    def unmoved(self) -> set[int]:
        """The tracks of those who have not been seen to change."""
        return set(self._watched)

    def pictures(self, media_s: float) -> set[int]:
        """Those of them who have been watched for so long that they are taken for pictures."""
        return {
            number
            for number, watch in self._watched.items()
            if media_s - watch.since_s - watch.untold_s >= PICTURE_S
        }


def _has_changed(watch: _Watch, now: _Now) -> bool:
    """Compare a face that is seen with before; whether it is no picture."""
    watch.gone_since_s = None
    while len(watch.seen) > 1 and now.media_s - watch.seen[1].media_s >= LAG_S:
        watch.seen.popleft()
    if watch.seen and now.media_s - watch.seen[0].media_s >= LAG_S:
        before = watch.seen.popleft()
        differs = _differ(before, now)
        if differs and _is_told(before.camera, now.camera):
            watch.changes_s.append(now.media_s)
        elif differs:
            watch.untold_s += min(now.media_s - watch.last_s, LAG_S)
    x1, y1, x2, y2 = (float(edge) for edge in np.median(np.array(watch.boxes), axis=0))
    place = (x1, y1, x2, y2)
    patch = now.glance(place)
    if patch is None:
        return True
    around = None if now.around is None else now.around(place)
    watch.seen.append(_Seen(now.media_s, place, patch, around, now.camera))
    changes = watch.changes_s
    if len(changes) >= CHANGES and changes[-1] - changes[0] >= CHANGES_S:
        return True
    return watch.untold_s >= UNTOLD_S


def _has_gone(watch: _Watch, now: _Now) -> bool:
    """Look at the place of a face that is not seen; whether the face is no longer there."""
    if not watch.seen or not _differ(watch.seen[-1], now):
        watch.gone_since_s = None
        return False
    if not _is_told(watch.seen[-1].camera, now.camera):
        watch.untold_s += min(now.media_s - watch.last_s, LAG_S)
        return watch.untold_s >= UNTOLD_S
    watch.gone_since_s = now.media_s if watch.gone_since_s is None else watch.gone_since_s
    return now.media_s - watch.gone_since_s >= GONE_S


def _is_told(before: Camera | None, now: Camera | None) -> bool:
    """Whether a change between two samples says something of the face."""
    return all(camera is None or camera.is_known for camera in (before, now))


def _differ(before: _Seen, now: _Now) -> bool:
    """Whether a place has changed; where nothing is left to see, it has."""
    if before.around is not None and now.around is not None and _has_moved(before, now.camera):
        around = now.around(before.place)
        if around is not None:
            change = relative_change(before.around, around)
            return change.similarity < CHANGED_MOVING or change.shift > SHIFTED_MOVING
    patch = now.glance(before.place)
    return patch is None or _alike(before.patch, patch) < CHANGED


def _has_moved(before: _Seen, camera: Camera | None) -> bool:
    """Whether the camera has moved so far that the place lies elsewhere in the frame."""
    if before.camera is None or camera is None:
        return False
    x1, y1, x2, y2 = before.place
    middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2, 1.0])
    away_px = float(np.hypot(*((camera.to_frame - before.camera.to_frame) @ middle)))
    return away_px > max(CAMERA_MOVED_PX, CAMERA_MOVED_SHARE * (x2 - x1))


def _alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The normalised correlation of two small pictures, -1..1."""
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))
