"""The dataclasses that cross package borders inside ``monitor``. Pure: NumPy and dataclasses.

What a detector, a video library or a model returns is converted to one of these at the edge.
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
"""``(x1, y1, x2, y2)`` in pixels, ``x2 > x1`` and ``y2 > y1``."""

Size = tuple[int, int]
"""Width and height, pixels."""


@dataclass(frozen=True)
class Frame:
    """One sampled frame.

    ``captured_at`` is aware UTC, for the database; ``media_s`` is seconds since the start of the session (for
    a file: the container's timestamp). ``active_tiles`` are the tiles of an online lesson that show a
    participant, None for other sources.
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
    """Why nothing was observed for a while. The values are stored and printed."""

    NO_SIGNAL = "no signal"
    FROZEN = "frozen frame"
    BLACK = "black frame"
    PAUSED = "paused"
    NO_PARTICIPANTS = "no participants"
    """An online lesson without participants."""
    NO_FRAMES = "no frames"
    """A recording without frames for a while: it was paused, or its clock jumped."""


@dataclass(frozen=True)
class Gap:
    """An interval without frames to analyse; media seconds.

    While it lasts, a live source repeats it about once a second with the same ``start_s`` and a later
    ``end_s``. A gap is time that was not observed, never the absence of a student.
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

    ``score`` is the detector's confidence, 0..1. ``keypoints`` ``(6, 2)``, float32, pixels of the frame, in
    BlazeFace's order: the subject's right eye, left eye, nose tip, mouth centre, right ear, left ear ("right"
    is the subject's and lies on the left of the image). Points that a detector does not report are NaN.

    ``verified`` is True once the detector has verified the face (a second network agrees, or the first is
    certain in repeated passes), False before, None if the detector does not verify.
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
        """The centre of the box, pixels."""
        x1, y1, x2, y2 = self.box_xyxy
        return (x1 + x2) / 2, (y1 + y2) / 2

    @property
    def size_px(self) -> float:
        """The shorter side of the box, pixels."""
        x1, y1, x2, y2 = self.box_xyxy
        return min(x2 - x1, y2 - y1)


class UnreadableReason(StrEnum):
    """Why an observation has no expression. The values are stored and printed."""

    ABSENT = "absent"
    TOO_SMALL = "too small"
    BLURRED = "blurred"
    TURNED_AWAY = "turned away"
    OCCLUDED = "occluded"
    HEAD_BOWED = "head bowed"
    """The head is bowed, or may be, so far that neutral faces are read as sad."""
    POSE_UNKNOWN = "pose unknown"
    """The head pose could not be estimated."""
    NOT_COMPUTED = "not computed"
    """The policy's mode computes no expression."""


@dataclass(frozen=True)
class Track:
    """One face tracked over sampled time.

    ``face`` is the detection in this frame, None while the track is lost; ``box_xyxy`` is then the last
    position. ``hits`` counts detections, including those of the track that this one continues;
    ``previous_track_id`` is the ID of that track.
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
    """The direction of a head, degrees. Yaw 0 faces the camera, positive to the subject's left; pitch 0 is
    level, positive upwards, None if unknown. ``error_deg`` is the half-width of the 90 % interval of both
    angles, 0 if unknown."""

    yaw_deg: float
    pitch_deg: float | None
    error_deg: float = 0.0


@dataclass(frozen=True)
class HeadEstimate:
    """Head pose and eye opening of a face in one frame (``monitor.faces.eye_closure.eye_aspect_ratio``); None
    is unknown.

    ``mesh_fits`` is True if the face mesh network found a face, False if it found none, None if it was not
    run."""

    pose: HeadPose | None
    eye_aspect_ratio: float | None = None
    mesh_fits: bool | None = None


@dataclass(frozen=True)
class Observation:
    """One student in one sampled frame.

    ``student`` numbers the students of a session from 0 in order of confirmation. Either ``probabilities``
    (seven, calibrated, summing to 1, in the order of ``model.emotions.EMOTIONS``) or ``unreadable_reason`` is
    set. ``head_pose`` and ``eyes_closed`` are None if unknown.
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
    """A face of one frame with its track and student; ``student`` is None until the track is assigned.
    ``expression`` holds the seven probabilities of this frame, in the order of ``model.emotions.EMOTIONS``,
    or the reason why there are none."""

    track_id: int
    student: int | None
    box_xyxy: Box
    expression: tuple[float, ...] | UnreadableReason = UnreadableReason.NOT_COMPUTED


@dataclass(frozen=True)
class FrameResult:
    """The result of one frame.

    ``observations`` are of this frame and, once a track is assigned, of its earlier frames. ``face_count``
    excludes static and rejected faces; ``frame_size`` is (width, height), pixels. ``note`` goes on the
    timeline. ``late_assignments`` are students of tracks that were assigned after their faces had left,
    ``{track_id: student}``. ``analysed`` is False if the frame had to be skipped; it then counts as a gap.
    ``observed_students`` are the students whose tiles show a participant, None for all: about others the
    frame states nothing, not even absence.
    """

    media_s: float
    observations: tuple[Observation, ...]
    face_count: int
    frame_size: Size
    tracked_faces: tuple[TrackedFace, ...] = ()
    note: str | None = None
    late_assignments: Mapping[int, int] = field(default_factory=dict)
    analysed: bool = True
    observed_students: frozenset[int] | None = None


def without_students(result: FrameResult) -> FrameResult:
    """The result with its faces as boxes only: no student, no expression (``mode: aggregate``)."""
    faces = (
        replace(face, student=None, expression=UnreadableReason.NOT_COMPUTED) for face in result.tracked_faces
    )
    return replace(result, tracked_faces=tuple(faces))


class AssignmentBasis(StrEnum):
    """The basis on which a new track at a known seat was assigned. The values are stored and printed."""

    SEAT_AND_APPEARANCE = "seat and appearance"
    SEAT_ONLY = "seat only"
    DIFFERENT_PERSON = "different person"


@dataclass(frozen=True)
class TrackAssignment:
    """A track with its student, and the basis of the assignment; None for the first track at a seat."""

    student: int
    track: Track
    basis: AssignmentBasis | None


@dataclass(frozen=True)
class SeatOwner:
    """The student on the seat ``label``: a student of the roster, or with ``student_id`` None a student known
    only in this session, by the name ``label``."""

    student_id: int | None
    label: str
