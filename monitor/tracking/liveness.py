"""Liveness: faces that never move are images, such as a poster, a face on the board or a frozen tile. Pure.

A person who sits still blinks, breathes and turns. Therefore a patch of the reference frame is compared with
the same patch two seconds before, and a face is confirmed as a person after a few changes. Detector boxes are
of no use for this: they jitter as much on an image as on a person.

Positions are in the reference frame, so a moving camera does not restart anything. If it moved between the
two frames, registration errors and blur change a poster too; the face is then compared against its own
surroundings (``monitor.tracking.relative_motion``). If its motion is unknown, a change proves nothing; a face
that could not be judged for long counts as a person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.geometry import Matrix, box_centre, box_width, median_box
from monitor.tracking.relative_motion import normalised_correlation, relative_change
from monitor.types import Box

PlaceSampler = Callable[[Box], NDArray[np.float32] | None]
"""Samples a box of the reference frame from the present frame, ``(N, N)`` grey; None if the contrast is too
low (``monitor.tracking.patches``)."""

COMPARISON_LAG_S = 2.0
"""Time between two compared patches, seconds."""

CHANGE_CORRELATION = 0.945
"""A normalised correlation below this is a change. At two frames a second, the minimum over any 20 s was
never below 0.958 for twelve images on the wall of a simulated hall, never above 0.933 for its 55 people, and
never above 0.825 for eight people recorded by a webcam. Chosen on these."""

MIN_CHANGES = 3
"""Changes after which a face is confirmed as a person; a single one may be a person walking past. Heuristic,
not tuned on data."""

MIN_CHANGE_SPAN_S = 3.0
"""Shortest time from the first to the last of these changes, seconds: walking past takes a few frames."""

GONE_AFTER_S = 10.0
"""A face whose patch has differed for this time after the face left was a person, seconds: images do not
leave. Longer than most people stand in front of an image. Heuristic, not tuned on data."""

STATIC_AFTER_S = 20.0
"""A face that has not changed for this time is static, seconds; the time of the measurement above."""

CAMERA_MOVED_PX, CAMERA_MOVED_SHARE = 3.0, 0.05
"""The camera moved between two frames if a position shifted in the frame by more than both: pixels, and
widths of the face. The simulated camera on a stand shakes by 0.6 px. Heuristic, not tuned on data."""

CHANGE_CORRELATION_MOVING = 0.93
"""``CHANGE_CORRELATION`` if the camera moved, after the alignment of ``monitor.tracking.relative_motion``."""

CHANGE_SHIFT_MOVING = 0.022
"""If the camera moved, a larger shift of the face against its surroundings, face widths, is a change too. In
the simulated hall, warped as by a hand-held camera (seeds 100 to 103, faces of 14 to 70 px), the similarities
of posters were never below 0.943 and their shifts never above 0.019; of every person at least one comparison
in eight is beyond one of the two limits. Chosen on these; ``docs/explanation/detection-and-tracking.md`` has
the figures on others."""

MAX_UNJUDGED_S = STATIC_AFTER_S
"""A face that changed for this time while the camera motion was unknown counts as a person, seconds."""

MEDIAN_BOXES = 5
"""The position of a face is the median of this many boxes."""


@dataclass(frozen=True)
class CameraTransform:
    """The camera motion of one frame: ``to_frame`` maps the reference frame to the frame, as last known;
    ``is_known`` states whether it is known for this frame."""

    to_frame: Matrix
    is_known: bool


@dataclass(frozen=True)
class _CurrentFrame:
    """One frame: its time, and samplers of patches without and with surroundings; ``camera`` and
    ``sample_context`` are None if the camera does not move."""

    media_s: float
    sample_patch: PlaceSampler
    camera: CameraTransform | None
    sample_context: PlaceSampler | None


@dataclass(frozen=True)
class _ReferencePatch:
    """An earlier patch at ``place``, without and with its surroundings, and the camera motion then; None if
    the camera does not move."""

    media_s: float
    place: Box
    patch: NDArray[np.float32]
    context: NDArray[np.float32] | None = None
    camera: CameraTransform | None = None


@dataclass
class _FaceHistory:
    """One face that is not confirmed yet: its last boxes and patches. ``unjudged_s`` is the time in which it
    changed while the camera motion was unknown."""

    first_seen_s: float
    last_update_s: float
    boxes: deque[Box] = field(default_factory=lambda: deque(maxlen=MEDIAN_BOXES))
    references: deque[_ReferencePatch] = field(default_factory=deque)
    change_times_s: list[float] = field(default_factory=list)
    gone_since_s: float | None = None
    unjudged_s: float = 0.0


class LivenessFilter:
    """Decides which tracks are people. Memory: two seconds of patches for each track that is not
    confirmed."""

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
        """Take the faces of one frame by track, in pixels of the reference frame; ``live_track_ids`` are all
        tracks.

        Without ``camera``, the camera does not move. ``sample_context`` samples a patch with its surroundings
        (``monitor.tracking.relative_motion.MARGIN_PX`` more on each side)."""
        current = _CurrentFrame(media_s, sample_patch, camera, sample_context)
        self._confirmed &= live_track_ids
        self._histories = {
            track_id: history for track_id, history in self._histories.items() if track_id in live_track_ids
        }
        for track_id in live_track_ids - self._confirmed:
            if track_id in boxes_xyxy:
                history = self._histories.setdefault(track_id, _FaceHistory(media_s, media_s))
                history.boxes.append(boxes_xyxy[track_id])
                is_person = _confirm_visible(history, current)
            else:
                is_person = track_id in self._histories and _has_gone(self._histories[track_id], current)
            if is_person:
                self._confirmed.add(track_id)
                self._histories.pop(track_id, None)
            elif track_id in self._histories:
                self._histories[track_id].last_update_s = media_s

    def continue_track(self, previous_track_id: int, track_id: int) -> None:
        """Move the history of an unconfirmed track to the track that continues it."""
        if previous_track_id in self._histories:
            self._histories[track_id] = self._histories.pop(previous_track_id)

    def reset_coordinates(self) -> None:
        """Drop positions and patches, because the reference frame changed. Confirmations and changes stay."""
        for history in self._histories.values():
            history.references.clear()
            history.boxes.clear()

    @property
    def unconfirmed(self) -> set[int]:
        """The tracks that have not been confirmed as people."""
        return set(self._histories)

    def static_faces(self, media_s: float) -> set[int]:
        """The unconfirmed tracks that are static at ``media_s`` seconds: images."""
        return {
            track_id
            for track_id, history in self._histories.items()
            if media_s - history.first_seen_s - history.unjudged_s >= STATIC_AFTER_S
        }


def _confirm_visible(history: _FaceHistory, current: _CurrentFrame) -> bool:
    """Compare a visible face with its earlier patch; returns whether it is confirmed as a person."""
    history.gone_since_s = None
    while len(history.references) > 1 and current.media_s - history.references[1].media_s >= COMPARISON_LAG_S:
        history.references.popleft()
    if history.references and current.media_s - history.references[0].media_s >= COMPARISON_LAG_S:
        reference = history.references.popleft()
        differs = _differs(reference, current)
        if differs and _is_camera_known(reference.camera, current.camera):
            history.change_times_s.append(current.media_s)
        elif differs:
            history.unjudged_s += min(current.media_s - history.last_update_s, COMPARISON_LAG_S)
    place = median_box(history.boxes)
    patch = current.sample_patch(place)
    if patch is None:
        return True
    context = None if current.sample_context is None else current.sample_context(place)
    history.references.append(_ReferencePatch(current.media_s, place, patch, context, current.camera))
    changes = history.change_times_s
    if len(changes) >= MIN_CHANGES and changes[-1] - changes[0] >= MIN_CHANGE_SPAN_S:
        return True
    return history.unjudged_s >= MAX_UNJUDGED_S


def _has_gone(history: _FaceHistory, current: _CurrentFrame) -> bool:
    """Compare the patch of a face that is not visible; returns whether the face has left, so was a person."""
    if not history.references or not _differs(history.references[-1], current):
        history.gone_since_s = None
        return False
    if not _is_camera_known(history.references[-1].camera, current.camera):
        history.unjudged_s += min(current.media_s - history.last_update_s, COMPARISON_LAG_S)
        return history.unjudged_s >= MAX_UNJUDGED_S
    history.gone_since_s = current.media_s if history.gone_since_s is None else history.gone_since_s
    return current.media_s - history.gone_since_s >= GONE_AFTER_S


def _is_camera_known(previous: CameraTransform | None, current: CameraTransform | None) -> bool:
    """Whether a change between two frames can be attributed to the face."""
    return all(camera is None or camera.is_known for camera in (previous, current))


def _differs(reference: _ReferencePatch, current: _CurrentFrame) -> bool:
    """Whether a patch has changed; one that has lost its contrast has."""
    if (
        reference.context is not None
        and current.sample_context is not None
        and _has_camera_moved(reference, current.camera)
    ):
        context = current.sample_context(reference.place)
        if context is not None:
            change = relative_change(reference.context, context)
            return change.similarity < CHANGE_CORRELATION_MOVING or change.shift > CHANGE_SHIFT_MOVING
    patch = current.sample_patch(reference.place)
    return patch is None or normalised_correlation(reference.patch, patch) < CHANGE_CORRELATION


def _has_camera_moved(reference: _ReferencePatch, camera: CameraTransform | None) -> bool:
    """Whether the camera has moved so far that the face is at another position in the frame."""
    if reference.camera is None or camera is None:
        return False
    centre = np.array([*box_centre(reference.place), 1.0])
    shift_px = float(np.hypot(*((camera.to_frame - reference.camera.to_frame) @ centre)))
    return shift_px > max(CAMERA_MOVED_PX, CAMERA_MOVED_SHARE * box_width(reference.place))
