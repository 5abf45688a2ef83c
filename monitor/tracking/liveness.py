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

PlaceSampler = Callable[[Box], NDArray[np.float32] | None]
"""What a place of the room looks like in the present sample, ``(N, N)`` grey; None where there is nothing to
see (``monitor.tracking.patches``)."""

COMPARISON_LAG_S = 2.0
"""Over which time a place is compared with itself, seconds."""

CHANGE_CORRELATION = 0.945
"""A normalised correlation below this is a change. Sampled twice a second, the lowest of any twenty seconds
was never under 0.958 for twelve pictures on a simulated hall's wall, never over 0.933 for 55 people of it,
and never over 0.825 for eight people filmed by a webcam. Chosen on these."""

MIN_CHANGES = 3
"""So many samples must have changed, one is somebody who walks past. Not tuned."""

MIN_CHANGE_SPAN_S = 3.0
"""And this far apart at least, seconds: who walks past does so within a few samples."""

GONE_AFTER_S = 10.0
"""Nor does a picture go away: whose place has looked different for so long was a person, seconds. Longer than
most stand before a picture; not tuned."""

STATIC_AFTER_S = 20.0
"""Who has not changed for so long is taken for a picture, seconds; the time of the measurement above."""

CAMERA_MOVED_PX, CAMERA_MOVED_SHARE = 3.0, 0.05
"""The camera moved between two samples if a place lies elsewhere in the frame by more than both: pixels, and
widths of the face. The simulated camera on a stand shakes by 0.6 px. Heuristic, not tuned on data."""

CHANGE_CORRELATION_MOVING = 0.93
"""``CHANGE_CORRELATION`` where the camera moved, under the alignment of ``monitor.tracking.relative_motion``."""

CHANGE_SHIFT_MOVING = 0.022
"""There a shift of the face against its surroundings of more face widths is a change as well. On the
simulated hall warped as by a hand (seeds 100 to 103, faces of 14 to 70 px), the posters' similarities were
never below 0.943 and their shifts never over 0.019; of every person at least one comparison in eight is
beyond one of the two limits. Chosen on these; ``docs/explanation/detection-and-tracking.md`` has the figures on others."""

MAX_UNJUDGED_S = STATIC_AFTER_S
"""A face that changed for so long while the camera's motion was unknown is taken for a person, seconds: the
change may be the camera's, but it must not wait for ever."""

MEDIAN_BOXES = 5
"""The place is the median of so many boxes."""


@dataclass(frozen=True)
class CameraTransform:
    """How the camera stands in one sample: ``to_frame`` leads from the room to the frame, as last known, and
    ``is_known`` tells whether it is known now."""

    to_frame: Matrix
    is_known: bool


@dataclass(frozen=True)
class _CurrentFrame:
    """One sample: its time, what places look like, and the camera with what they look like with their
    surroundings; None where it stands."""

    media_s: float
    sample_patch: PlaceSampler
    camera: CameraTransform | None
    sample_context: PlaceSampler | None


@dataclass(frozen=True)
class _ReferencePatch:
    """What a place looked like, alone and with its surroundings, and the camera then; None where it
    stands."""

    media_s: float
    place: Box
    patch: NDArray[np.float32]
    context: NDArray[np.float32] | None = None
    camera: CameraTransform | None = None


@dataclass
class _FaceHistory:
    """One face that has not been seen to change yet: its last boxes, and what was seen where, and when.
    ``unjudged_s`` is the time in which the camera's motion was unknown and the face changed."""

    first_seen_s: float
    last_update_s: float
    boxes: deque[Box] = field(default_factory=lambda: deque(maxlen=MEDIAN_BOXES))
    references: deque[_ReferencePatch] = field(default_factory=deque)
    change_times_s: list[float] = field(default_factory=list)
    gone_since_s: float | None = None
    unjudged_s: float = 0.0


class LivenessFilter:
    """Tells who has been seen to move. Memory: two seconds of small pictures of each who has not."""

    def __init__(self) -> None:
        self._histories: dict[int, _FaceHistory] = {}
        self._confirmed: set[int] = set()

    def update(
        self,
        boxes_xyxy: Mapping[int, Box],
        live_track_ids: set[int],
        sample_patch: PlaceSampler,
        media_s: float,
        camera: CameraTransform | None = None,
        sample_context: PlaceSampler | None = None,
    ) -> None:
        """Take the faces of one sample, by track, in pixels of the room; ``live_track_ids`` are all tracks there are.

        Without ``camera`` it stands. ``sample_context`` gives the patch of a place with its surroundings
        (``monitor.tracking.relative_motion.MARGIN_PX`` more on each side)."""
        now = _CurrentFrame(media_s, sample_patch, camera, sample_context)
        self._confirmed &= live_track_ids
        self._histories = {
            number: watch for number, watch in self._histories.items() if number in live_track_ids
        }
        for number in live_track_ids - self._confirmed:
            if number in boxes_xyxy:
                watch = self._histories.setdefault(number, _FaceHistory(media_s, media_s))
                watch.boxes.append(boxes_xyxy[number])
                has_moved = _has_changed(watch, now)
            else:
                has_moved = number in self._histories and _has_gone(self._histories[number], now)
            if has_moved:
                self._confirmed.add(number)
                self._histories.pop(number, None)
            elif number in self._histories:
                self._histories[number].last_update_s = media_s

    def continue_track(self, previous_track_id: int, track_id: int) -> None:
        """Who was followed as ``previous_track_id``, and not seen to change, goes on as ``track_id``."""
        if previous_track_id in self._histories:
            self._histories[track_id] = self._histories.pop(previous_track_id)

    def reset_coordinates(self) -> None:
        """The room has new coordinates, and no place can be compared with before. What was learnt of the
        faces stays."""
        for watch in self._histories.values():
            watch.references.clear()
            watch.boxes.clear()

    @property
    def unconfirmed(self) -> set[int]:
        """The tracks of those who have not been seen to change."""
        return set(self._histories)

    def static_faces(self, media_s: float) -> set[int]:
        """Those of them who have been watched for so long that they are taken for pictures."""
        return {
            number
            for number, watch in self._histories.items()
            if media_s - watch.first_seen_s - watch.unjudged_s >= STATIC_AFTER_S
        }


def _has_changed(history: _FaceHistory, current: _CurrentFrame) -> bool:
    """Compare a face that is seen with before; whether it is no picture."""
    history.gone_since_s = None
    while len(history.references) > 1 and current.media_s - history.references[1].media_s >= COMPARISON_LAG_S:
        history.references.popleft()
    if history.references and current.media_s - history.references[0].media_s >= COMPARISON_LAG_S:
        before = history.references.popleft()
        differs = _differs(before, current)
        if differs and _is_camera_known(before.camera, current.camera):
            history.change_times_s.append(current.media_s)
        elif differs:
            history.unjudged_s += min(current.media_s - history.last_update_s, COMPARISON_LAG_S)
    x1, y1, x2, y2 = (float(edge) for edge in np.median(np.array(history.boxes), axis=0))
    place = (x1, y1, x2, y2)
    patch = current.sample_patch(place)
    if patch is None:
        return True
    around = None if current.sample_context is None else current.sample_context(place)
    history.references.append(_ReferencePatch(current.media_s, place, patch, around, current.camera))
    changes = history.change_times_s
    if len(changes) >= MIN_CHANGES and changes[-1] - changes[0] >= MIN_CHANGE_SPAN_S:
        return True
    return history.unjudged_s >= MAX_UNJUDGED_S


def _has_gone(history: _FaceHistory, current: _CurrentFrame) -> bool:
    """Look at the place of a face that is not seen; whether the face is no longer there."""
    if not history.references or not _differs(history.references[-1], current):
        history.gone_since_s = None
        return False
    if not _is_camera_known(history.references[-1].camera, current.camera):
        history.unjudged_s += min(current.media_s - history.last_update_s, COMPARISON_LAG_S)
        return history.unjudged_s >= MAX_UNJUDGED_S
    history.gone_since_s = current.media_s if history.gone_since_s is None else history.gone_since_s
    return current.media_s - history.gone_since_s >= GONE_AFTER_S


def _is_camera_known(previous: CameraTransform | None, current: CameraTransform | None) -> bool:
    """Whether a change between two samples says something of the face."""
    return all(camera is None or camera.is_known for camera in (previous, current))


def _differs(reference: _ReferencePatch, current: _CurrentFrame) -> bool:
    """Whether a place has changed; where nothing is left to see, it has."""
    if (
        reference.context is not None
        and current.sample_context is not None
        and _has_camera_moved(reference, current.camera)
    ):
        around = current.sample_context(reference.place)
        if around is not None:
            change = relative_change(reference.context, around)
            return change.similarity < CHANGE_CORRELATION_MOVING or change.shift > CHANGE_SHIFT_MOVING
    patch = current.sample_patch(reference.place)
    return patch is None or _correlation(reference.patch, patch) < CHANGE_CORRELATION


def _has_camera_moved(reference: _ReferencePatch, camera: CameraTransform | None) -> bool:
    """Whether the camera has moved so far that the place lies elsewhere in the frame."""
    if reference.camera is None or camera is None:
        return False
    x1, y1, x2, y2 = reference.place
    middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2, 1.0])
    away_px = float(np.hypot(*((camera.to_frame - reference.camera.to_frame) @ middle)))
    return away_px > max(CAMERA_MOVED_PX, CAMERA_MOVED_SHARE * (x2 - x1))


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The normalised correlation of two small pictures, -1..1."""
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))
