"""The frozen dataclasses that go into the database and come out of it.

``db`` imports no sibling, so expressions appear here as seven plain floats in the order of
``model.emotions.EMOTIONS``, and reasons as plain strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from db.small_faces import SmallFaces


class SessionStatus(StrEnum):
    """How a session stands. ``interrupted`` sessions keep all that was recorded before."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class NewSession:
    """What is known of a session when it starts. ``started_at`` is aware UTC; ``expected_s`` is
    the length a file announces, None for a camera; ``settings`` is the whole configuration as
    JSON-ready values; ``versions`` names the application, detector and model. ``process_started`` tells the
    process ``pid`` from a later one with its number. ``room`` is None where nobody said."""

    class_name: str
    source: str
    started_at: datetime
    mode: str
    expected_s: float | None
    bin_s: float
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    pid: int
    process_started: float
    room: str | None = None


ONLINE_SOURCE = "online lesson"
"""The ``source`` of a session whose students were before their own cameras: each was watched while they had
joined, so bins of one student are missing where that student was not watched."""


@dataclass(frozen=True)
class SessionRecord:
    """One stored session. ``watched_s`` is the time covered by sampled frames (gaps excluded);
    ``end_s`` the media time of the last sample; ``last_written_at`` the last commit. ``small_faces`` is None
    where the session was not checked for missed faces."""

    id: int
    class_name: str
    source: str
    started_at: datetime
    ended_at: datetime | None
    last_written_at: datetime
    status: SessionStatus
    status_reason: str
    mode: str
    expected_s: float | None
    bin_s: float
    end_s: float
    watched_s: float
    frames_sampled: int
    frames_dropped: int
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    pid: int
    process_started: float
    room: str | None = None
    small_faces: SmallFaces | None = None


@dataclass(frozen=True)
class SessionProgress:
    """How far a session has come, written with every batch of bins."""

    end_s: float
    watched_s: float
    frames_sampled: int
    frames_dropped: int


@dataclass(frozen=True)
class SeatRecord:
    """Where a student sits: the median face box, pixels of the frame, and the frame's size."""

    student_id: int
    label: str
    box_xyxy: tuple[float, float, float, float]
    frame_width: int
    frame_height: int


@dataclass(frozen=True)
class StudentRecord:
    """One person of one class. ``pseudonym`` ("Student 3") is what everything else prints.
    ``session_id`` is set for people who are known by their seat in one session only."""

    id: int
    pseudonym: str
    class_name: str
    session_id: int | None


@dataclass(frozen=True)
class TrackRecord:
    """A stretch of unbroken following: which student, from and to when (media seconds), how many
    detections. ``assignment_basis`` is why whoever came to a known seat was taken for the student (a value of
    ``monitor.types.AssignmentBasis``); None for the first on a seat, and where nobody had asked."""

    student_id: int
    track_number: int
    first_s: float
    last_s: float
    hits: int
    assignment_basis: str | None = None


@dataclass(frozen=True)
class TimelineBin:
    """A few seconds (``SessionRecord.bin_s``) of one student; what is kept instead of samples.

    ``student_id`` None means the whole class (``mode: aggregate``), with ``students`` the number of
    students behind it. ``start_s`` is media time. ``watched_s`` is how much of the bin sampled
    frames cover, ``seen_s`` how much of that the student was seen. ``samples`` counts sampled frames,
    ``seen_samples`` those with the student, ``usable_samples`` those with an expression;
    ``probabilities`` is the mean over the usable ones, seven values summing to 1, or None if there
    are none. ``unreadable_reasons`` maps a reason to its number of samples. ``facing_samples`` of
    ``pose_samples`` had the head turned to the front; ``yaw_deg`` and ``pitch_deg`` are means. Of the
    ``eye_samples`` in which the eyes could be judged, ``closed_samples`` had them shut. ``pose_counts`` splits the
    usable samples by head pose (``model.poses.HeadPoseClass`` values); it is empty in bins recorded before version
    0.2, whose poses were not stored.
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
class FlagRecord:
    """A verdict as stored. ``outcome`` is flagged, not_flagged or insufficient_data; ``numbers``
    what decided it; ``review`` open, confirmed or dismissed."""

    session_id: int
    student_id: int
    kind: str
    outcome: str
    numbers: Mapping[str, Any]
    review: str = "open"
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True)
class MarkerRecord:
    """A note on the timeline: ``text`` at ``at_s`` seconds of media time."""

    id: int
    session_id: int
    at_s: float
    text: str


@dataclass(frozen=True)
class GapRecord:
    """From ``start_s`` to ``end_s`` (media seconds) there was no picture to look at; ``reason`` is a value of
    ``monitor.types.GapReason`` ("no signal", "paused")."""

    start_s: float
    end_s: float
    reason: str


class ShareEstimate(NamedTuple):
    """A share of time 0..1 with its interval, as a verdict has it. A named tuple, as the summary below: of
    500 lessons of 30 students there are 45,000, which as frozen dataclasses take more than twice the time to
    make."""

    share: float
    low: float
    high: float


class StudentSummary(NamedTuple):
    """What one session holds of one person, after the corrections.

    ``watched_s`` is the session's, ``seen_s`` how much of it they were seen, ``usable_s`` how much of that an
    expression was read, ``head_pose_s`` a direction of the head. ``probabilities`` is the mean over the usable
    samples (each bin's mean weighted by its ``usable_samples``), None if there were none. ``facing_share`` is
    of the samples with a direction, ``closed_share`` of those whose eyes could be judged. ``sad`` and
    ``away`` are the shares that the verdicts are about, None where there was not enough to tell or no such
    verdict.
    """

    student_id: int
    watched_s: float
    seen_s: float
    usable_s: float
    usable_samples: int
    head_pose_s: float
    facing_share: float | None
    closed_share: float | None
    probabilities: tuple[float, ...] | None
    sad: ShareEstimate | None = None
    away: ShareEstimate | None = None

    @property
    def coverage(self) -> float:
        """Seen time by watched time, 0..1; 0 if nothing was watched."""
        return min(1.0, self.seen_s / self.watched_s) if self.watched_s > 0 else 0.0


@dataclass(frozen=True)
class SessionSummary:
    """What one session holds of its class. ``rules_version`` is the version of the rules behind it; ``students``
    how many were seen, in ``mode: aggregate`` at most at a time. Shares are 0..1, means over the students
    seen in which each counts once; in ``mode: aggregate`` over time, and None where nothing may be shown."""

    session_id: int
    rules_version: int
    student_count: int
    seen_share: float | None
    facing_share: float | None
    closed_share: float | None
    probabilities: tuple[float, ...] | None


@dataclass(frozen=True)
class StudentSession:
    """What one session holds of one student. ``summary`` is None while the session is running: it is made at
    its end. ``flags`` has one verdict of each kind that was made."""

    session: SessionRecord
    student: StudentRecord
    summary: StudentSummary | None
    flags: tuple[FlagRecord, ...]


@dataclass(frozen=True)
class ClassSession:
    """One session as the history of a class has it. ``summary`` is None, and ``students`` empty, while it is
    running; ``students`` are by number, none in ``mode: aggregate``. ``flags`` are the verdicts of outcome
    ``flagged`` of the people there are after the corrections, with the reviews that stand."""

    session: SessionRecord
    summary: SessionSummary | None
    students: tuple[StudentSummary, ...] = ()
    flags: tuple[FlagRecord, ...] = ()


@dataclass(frozen=True)
class ClassHistory:
    """Lessons, the oldest first, and everybody who is in one, by number."""

    sessions: tuple[ClassSession, ...]
    students: Mapping[int, StudentRecord]


@dataclass(frozen=True)
class EarlierShare:
    """One earlier session of a person of the roster: ``estimate`` is the share of the verdict ``kind``
    (``FlagRecord.kind``), ``outcome`` what came of it, ``review`` what a person made of that."""

    student_id: int
    session_id: int
    started_at: datetime
    kind: str
    estimate: ShareEstimate
    outcome: str
    review: str = "open"


@dataclass(frozen=True)
class AuditRecord:
    """Who did what to which data: ``action`` a verb, ``subject`` in words ("session 3")."""

    at: datetime
    action: str
    subject: str
    detail: str


class CorrectionKind(StrEnum):
    """What a teacher corrected of who is who."""

    NAME = "name"
    MERGE = "merge"
    SPLIT = "split"


@dataclass(frozen=True)
class Correction:
    """From ``at_s`` (media seconds; None: all along) on, whoever of the session had been ``student_id``
    until then was ``person_id``. Of ``kind`` only a split has ``at_s``."""

    kind: CorrectionKind
    student_id: int
    person_id: int
    at_s: float | None = None


@dataclass(frozen=True)
class CorrectionRecord:
    """A correction as stored, with the pseudonyms of both. ``created_at`` and ``undone_at`` are aware UTC;
    one that was taken back has ``undone_at`` and counts no more."""

    id: int
    session_id: int
    created_at: datetime
    undone_at: datetime | None
    correction: Correction
    student_pseudonym: str
    person_pseudonym: str

    def is_active(self, at: datetime | None = None) -> bool:
        """Whether it counted at that moment; without one, now."""
        if at is None:
            return self.undone_at is None
        return self.created_at <= at and (self.undone_at is None or self.undone_at > at)


@dataclass(frozen=True)
class RosterEntry:
    """A student of the roster: ``seat_label`` is the label of a seat of the plan, None where they have none;
    whose ``consent`` is False is masked; it is None, as is ``changed_at``, where nobody has been asked.
    Their name is in ``db.roster`` alone."""

    student_id: int
    class_name: str
    pseudonym: str
    seat_label: str | None
    consent: bool | None
    changed_at: datetime | None


@dataclass(frozen=True)
class PlannedSeat:
    """A seat of a plan: its label, and where the face of who sits there is, pixels of the plan's picture."""

    label: str
    box_xyxy: tuple[float, float, float, float]


@dataclass(frozen=True)
class SeatPlan:
    """The seats of a class over a picture of so many pixels. ``reference_view`` are what the camera's view is told
    by (``monitor.registration.landmarks``), as bytes."""

    class_name: str
    frame_width: int
    frame_height: int
    created_at: datetime
    seats: tuple[PlannedSeat, ...]
    reference_view: bytes


class AnalysisMode(StrEnum):
    """What is computed. ``behaviour``: presence, head direction and eyes, no emotion at all.
    ``aggregate``: class curves only, never fewer than five students."""

    EMOTION = "emotion"
    BEHAVIOUR = "behaviour"
    AGGREGATE = "aggregate"


MAX_SUGGESTIONS = 3  # how many near names or numbers an error line offers
