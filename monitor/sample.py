"""What one frame gave, as it goes from the pipeline to the record and to whoever looks on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from monitor.domain import Box, Observation, Track, Unknown
from monitor.seating import Grounds


@dataclass(frozen=True)
class Sighting:
    """A face of one frame: where, on which track, and whose it is; ``student`` is None before the track is
    confirmed as a person. ``expression`` holds the seven probabilities read in this frame, in the order of
    ``model.emotions.EMOTIONS``, or the reason why there are none."""

    track_id: int
    student: int | None
    box_xyxy: Box
    expression: tuple[float, ...] | Unknown = Unknown.NOT_COMPUTED


@dataclass(frozen=True)
class Sample:
    """What one frame gave: the students' observations, for this frame and, once a face is confirmed as a
    person, for the earlier frames that had shown it. ``faces`` counts those that are no pictures;
    ``frame_size`` is (width, height) in pixels; ``sightings`` are the faces of this frame; ``note`` is what
    a person should know of it, for the timeline. ``late`` says whose tracks those were, ``{track_id:
    student}``, of which it became known after they had left. ``looked_at`` is False where it could not be
    told what to mask: then the frame is a gap. ``watched`` are the students whose places in a gallery show
    somebody, None where everybody is watched: of the others this frame tells nothing, not even absence."""

    media_s: float
    observations: tuple[Observation, ...]
    faces: int
    frame_size: tuple[int, int]
    sightings: tuple[Sighting, ...] = ()
    note: str | None = None
    late: Mapping[int, int] = field(default_factory=dict)
    looked_at: bool = True
    watched: frozenset[int] | None = None


def without_students(sample: Sample) -> Sample:
    """The sample with its faces as boxes only: no student and no expression (``mode: aggregate``)."""
    faces = (replace(one, student=None, expression=Unknown.NOT_COMPUTED) for one in sample.sightings)
    return replace(sample, sightings=tuple(faces))


@dataclass(frozen=True)
class Stretch:
    """A track that is somebody's, and how that was told, None for the first on a seat."""

    student: int
    track: Track
    grounds: Grounds | None
