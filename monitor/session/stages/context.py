"""The data of one frame that the stages of the pipeline pass on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.geometry import IDENTITY, Matrix
from monitor.imaging import image_size
from monitor.seating.layout_change import LayoutMatch
from monitor.tracking.tracker import TileLookup
from monitor.types import Face, Frame, FrameResult, HeadEstimate, ImageBGR, Size, Track, UnreadableReason


@dataclass
class FrameContext:
    """One frame on its way through the stages. Each stage reads fields that earlier stages have set.

    ``faces`` and ``visible`` are in pixels of the frame; ``tracks`` in pixels of the reference frame, into
    which ``to_reference`` ``(2, 3)`` maps. Mappings and sets of tracks are keyed by track ID.
    """

    frame: Frame

    to_reference: Matrix = field(default_factory=IDENTITY.copy)
    is_motion_known: bool = False
    """Whether the camera motion of this frame is known."""
    is_motion_measured: bool = False
    """Whether it was ever measured in this session."""
    has_new_coordinates: bool = False
    """Whether positions of earlier frames cannot be compared with those of this one."""
    note: str | None = None
    """Note for the timeline."""
    is_analysed: bool = True

    faces: list[Face] = field(default_factory=list)
    layout_match: LayoutMatch | None = None
    """Set in the frame in which the tiles of a call have been rearranged."""
    tile_of: TileLookup | None = None
    """The tiles of the call, where its grid is confirmed and in place."""

    tracks: list[Track] = field(default_factory=list)
    visible: list[tuple[Track, Face]] = field(default_factory=list)
    descriptors: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)
    """Appearance descriptors of visible tracks."""

    heads: list[HeadEstimate] = field(default_factory=list)
    """One per entry of ``visible``."""
    expressions: Mapping[int, tuple[float, ...] | UnreadableReason] = field(default_factory=dict)
    continued: list[tuple[int, int]] = field(default_factory=list)
    """Previous and new ID of unassigned tracks that continue under a new ID."""

    static_faces: set[int] = field(default_factory=set)
    unconfirmed: set[int] = field(default_factory=set)
    """Tracks that must not become a new student yet."""
    rejected: set[int] = field(default_factory=set)
    """Tracks that failed face verification."""
    departed: list[Track] = field(default_factory=list)
    """Confirmed tracks without a face in this frame."""

    students: Mapping[int, int] = field(default_factory=dict)
    """Students of visible tracks."""
    late_assignments: Mapping[int, int] = field(default_factory=dict)
    observed_students: frozenset[int] | None = None

    result: FrameResult | None = None

    @property
    def image_bgr(self) -> ImageBGR:
        """The image of the frame; after the camera stage, with opted-out seats masked."""
        return self.frame.image_bgr

    @property
    def frame_size(self) -> Size:
        """Width and height, pixels."""
        return image_size(self.frame.image_bgr)

    @property
    def live_track_ids(self) -> set[int]:
        """The IDs of all tracks, visible or not."""
        return {track.track_id for track in self.tracks}

    def reject(self) -> None:
        """End the analysis: no later stage gets the frame, and it counts as a gap."""
        self.is_analysed = False


class Stage(Protocol):
    """One step of the analysis of a frame."""

    def process(self, context: FrameContext) -> None:
        """Fill in the fields of this stage."""
