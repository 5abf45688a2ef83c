"""The dataclasses that cross the borders inside ``monitor``: Frame, Gap, Face, Track, Observation.

Pure: NumPy and dataclasses. What a detector, a video library or a model returns is converted to
one of these at the edge and goes no further in its own form.

What one frame gave, as it goes from the pipeline to the record and to whoever looks on. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

ImageBGR = NDArray[np.uint8]
"""An image ``(H, W, 3)``, uint8, blue-green-red."""

Box = tuple[float, float, float, float]
"""``(x1, y1, x2, y2)`` in pixels of the frame, ``x2 > x1`` and ``y2 > y1``."""


@dataclass(frozen=True)
class Frame:
    """One sampled picture of the class.

    ``captured_at`` is aware UTC, for records; ``media_s`` is seconds since the session's start
    (for a file: the container's own timestamp), for positions in the lecture. ``active_tiles`` are the places of a
    gallery (``monitor.sources.participant_grid``) on which there is something to see, None where all is one room.
    """

    image_bgr: ImageBGR
    captured_at: datetime
    media_s: float
    active_tiles: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.image_bgr.ndim != 3 or self.image_bgr.shape[2] != 3 or self.image_bgr.dtype != np.uint8:
            raise ValueError(
                f"image_bgr is {self.image_bgr.dtype} {self.image_bgr.shape}; expected uint8 (H, W, 3)"
            )
        if self.captured_at.tzinfo is None:
            raise ValueError("captured_at has no time zone; expected aware UTC")


class GapReason(StrEnum):
    """Why nothing could be seen for a while. The values are stored and printed."""

    NO_SIGNAL = "no signal"
    FROZEN = "frozen frame"
    BLACK = "black frame"
    PAUSED = "paused"
    NO_PARTICIPANTS = "no participants"
    """Of an online lesson that nobody has joined, or everybody has left."""


@dataclass(frozen=True)
class Gap:
    """A stretch of a live session in which there was nothing to look at; media seconds.

    While it lasts, a source gives it again about once a second with the same ``start_s`` and a later
    ``end_s``. What lies in a gap is time that was not watched, never somebody's absence.
    """

    start_s: float
    end_s: float
    reason: GapReason

    def __post_init__(self) -> None:
        if not 0 <= self.start_s <= self.end_s:
            raise ValueError(f"a gap from {self.start_s} to {self.end_s} s; expected 0 <= start_s <= end_s")


@dataclass(frozen=True)
class Face:
    """One detected face.

    ``score`` is the detector's confidence in 0..1. ``keypoints`` has shape ``(6, 2)``, float32,
    pixels of the frame, in BlazeFace's order: the subject's right eye, left eye, nose tip, mouth
    centre, right ear, left ear ("right" is the subject's, so it lies left in the picture). A
    detector that does not see a point gives NaN for it.

    ``verified`` is True once the detector has verified the face (a second network agrees, or the first is
    sure in repeated passes), False before, None where the detector does not verify.
    """

    box_xyxy: Box
    score: float
    keypoints: NDArray[np.float32]
    verified: bool | None = None

    def __post_init__(self) -> None:
        x1, y1, x2, y2 = self.box_xyxy
        if not (x2 > x1 and y2 > y1):
            raise ValueError(f"box_xyxy {self.box_xyxy} is empty; expected x2 > x1 and y2 > y1")
        if self.keypoints.shape != (6, 2):
            raise ValueError(f"keypoints have shape {self.keypoints.shape}; expected (6, 2)")

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box, pixels."""
        x1, y1, x2, y2 = self.box_xyxy
        return (x1 + x2) / 2, (y1 + y2) / 2

    @property
    def size_px(self) -> float:
        """The shorter side of the box, pixels."""
        x1, y1, x2, y2 = self.box_xyxy
        return min(x2 - x1, y2 - y1)


class UnreadableReason(StrEnum):
    """Why an observation carries no expression. The values are stored and printed."""

    ABSENT = "absent"
    TOO_SMALL = "too small"
    BLURRED = "blurred"
    TURNED_AWAY = "turned away"
    OCCLUDED = "occluded"
    HEAD_BOWED = "head bowed"
    """The head is bowed so far, or may be, that neutral faces are read as sad."""
    POSE_UNKNOWN = "pose unknown"
    """The direction of the head could not be estimated."""
    NOT_COMPUTED = "not computed"
    """The policy's mode computes no expression."""


@dataclass(frozen=True)
class Track:
    """One face followed over sampled time.

    ``face`` is the detection of this frame, or None while the track is lost; ``box_xyxy`` is
    then where the face was last seen. ``hits`` counts the detections, also those of the tracks before
    it on the same place; ``previous_track_id`` is the one of them that waited there, if one did.
    """

    track_id: int
    box_xyxy: Box
    face: Face | None
    first_seen_s: float
    last_seen_s: float
    hits: int
    previous_track_id: int | None = None


@dataclass(frozen=True)
class HeadPose:
    """Where a head points, degrees. Yaw 0 faces the camera, positive to the subject's left;
    pitch 0 is level, positive looks up. ``pitch_deg`` is None where the points do not tell.
    ``error_deg`` is the half-width of the 90 % interval of both angles; 0 where it is not known."""

    yaw_deg: float
    pitch_deg: float | None
    error_deg: float = 0.0


@dataclass(frozen=True)
class HeadEstimate:
    """What a face in one frame tells of its head: where it points, and how far the eyes are open (the
    distance of the lids over the width of the eye, ``monitor.faces.eye_closure.eye_aspect_ratio``). None is unknown.

    ``mesh_fits`` is True if the face mesh network found a face there, False if it was run and found none,
    None if it was not run."""

    pose: HeadPose | None
    eye_aspect_ratio: float | None = None
    mesh_fits: bool | None = None


@dataclass(frozen=True)
class Observation:
    """One student in one sampled frame.

    ``student`` numbers the people of this session from 0 in the order they were first followed.
    Either ``probabilities`` (seven, calibrated, summing to 1, in the order of
    ``model.emotions.EMOTIONS``) or ``unreadable_reason`` says why there are none; never both, never neither.
    ``head_pose`` is None where it could not be read, ``eyes_closed`` where it cannot be told.
    """

    student: int
    media_s: float
    seen: bool
    probabilities: tuple[float, ...] | None = None
    unreadable_reason: UnreadableReason | None = None
    head_pose: HeadPose | None = None
    eyes_closed: bool | None = None

    def __post_init__(self) -> None:
        if (self.probabilities is None) == (self.unreadable_reason is None):
            raise ValueError("an observation has either probabilities or a reason why there are none")
        if self.seen == (self.unreadable_reason is UnreadableReason.ABSENT):
            raise ValueError("exactly the observations that are not seen have the reason 'absent'")
        if self.probabilities is not None and len(self.probabilities) != 7:
            raise ValueError(f"{len(self.probabilities)} probabilities; expected 7")


@dataclass(frozen=True)
class TrackedFace:
    """A face of one frame: where, on which track, and whose it is; ``student`` is None before the track is
    confirmed as a person. ``expression`` holds the seven probabilities read in this frame, in the order of
    ``model.emotions.EMOTIONS``, or the reason why there are none."""

    track_id: int
    student: int | None
    box_xyxy: Box
    expression: tuple[float, ...] | UnreadableReason = UnreadableReason.NOT_COMPUTED


@dataclass(frozen=True)
class FrameResult:
    """What one frame gave: the students' observations, for this frame and, once a face is confirmed as a
    person, for the earlier frames that had shown it. ``face_count`` counts those that are no pictures;
    ``frame_size`` is (width, height) in pixels; ``tracked_faces`` are the faces of this frame; ``note`` is what
    a person should know of it, for the timeline. ``late_assignments`` says whose tracks those were, ``{track_id:
    student}``, of which it became known after they had left. ``analysed`` is False where it could not be
    told what to mask: then the frame is a gap. ``observed_students`` are the students whose places in a gallery show
    somebody, None where everybody is watched: of the others this frame tells nothing, not even absence."""

    media_s: float
    observations: tuple[Observation, ...]
    face_count: int
    frame_size: tuple[int, int]
    tracked_faces: tuple[TrackedFace, ...] = ()
    note: str | None = None
    late_assignments: Mapping[int, int] = field(default_factory=dict)
    analysed: bool = True
    observed_students: frozenset[int] | None = None


def without_students(result: FrameResult) -> FrameResult:
    """The sample with its faces as boxes only: no student and no expression (``mode: aggregate``)."""
    faces = (
        replace(one, student=None, expression=UnreadableReason.NOT_COMPUTED) for one in result.tracked_faces
    )
    return replace(result, tracked_faces=tuple(faces))


class AssignmentBasis(StrEnum):
    """Why a newcomer on a known seat was taken for whom. The values are stored and printed."""

    SEAT_AND_APPEARANCE = "seat and appearance"
    SEAT_ONLY = "seat only"
    DIFFERENT_PERSON = "different person"


@dataclass(frozen=True)
class TrackAssignment:
    """A track that is somebody's, and how that was told, None for the first on a seat."""

    student: int
    track: Track
    basis: AssignmentBasis | None


@dataclass(frozen=True)
class SeatOwner:
    """The person of the roster on the planned seat ``label``; with ``student_id`` None somebody who is known
    in this session alone, as ``label``."""

    student_id: int | None
    label: str


Size = tuple[int, int]
"""Width and height, pixels."""
