"""The measurements of a session: bins, seats and tracks of its students."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TimelineBin:
    """A few seconds (``SessionRecord.bin_s``) of one student; stored instead of the samples.

    ``student_id`` is None for the whole class (``mode: aggregate``); ``student_count`` is then the number of
    students behind the bin. ``start_s`` is media time. ``watched_s`` is the part of the bin that sampled
    frames cover, ``seen_s`` the part of that in which the student was seen. ``samples`` counts sampled
    frames, ``seen_samples`` those with the student, ``usable_samples`` those with an expression.
    ``probabilities`` is the mean over the usable samples, seven values that sum to 1, or None without usable
    samples. ``unreadable_reasons`` counts samples by reason. In ``facing_samples`` of ``pose_samples`` the
    head faced the front; ``yaw_deg`` and ``pitch_deg`` are means. In ``closed_samples`` of ``eye_samples``
    the eyes were closed. ``pose_counts`` divides the usable samples by ``model.poses.HeadPoseClass``; it is
    empty in bins without stored poses.
    """

    student_id: int | None
    start_s: float
    watched_s: float
    seen_s: float
    samples: int
    seen_samples: int
    usable_samples: int
    probabilities: tuple[float, ...] | None
    unreadable_reasons: Mapping[str, int] = field(default_factory=dict)
    pose_samples: int = 0
    facing_samples: int = 0
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    eye_samples: int = 0
    closed_samples: int = 0
    student_count: int = 1
    pose_counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SeatRecord:
    """A student's seat: the median face box in pixels of the frame, and the size of the frame."""

    student_id: int
    label: str
    box_xyxy: tuple[float, float, float, float]
    frame_width: int
    frame_height: int


@dataclass(frozen=True)
class TrackRecord:
    """A track: its student, first and last media time, and number of detections. ``assignment_basis`` states
    why a track at a known seat was assigned to that student (a value of ``monitor.types.AssignmentBasis``);
    None for the first track of a seat or if not recorded."""

    student_id: int
    track_number: int
    first_s: float
    last_s: float
    hits: int
    assignment_basis: str | None = None
