"""How a session analyses its frames: a room in front of one camera, or the tiles of an online lesson."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.small_faces import SmallFaceProbe, load_small_face_probe
from monitor.registration.base import Masker, MotionEstimator
from monitor.seating.assigner import SeatAssigner, SeatingSettings
from monitor.seating.call_grid import CallGridConfirmation, FrameKind
from monitor.seating.call_grid_detection import find_grid, shows_grid
from monitor.seating.layout_change import LayoutChangeDetector
from monitor.seating.seat_plan import SeatOwnerResolver
from monitor.seating.tiles import LargestFacePerTile, TileAssigner, TileOwnerResolver, TileTracker
from monitor.sources.online import OnlineLessonSource
from monitor.sources.participant_grid import TileGrid
from monitor.tracking.appearance import DescribeAppearance, colour_histogram
from monitor.tracking.patches import context_patch, surroundings_patch
from monitor.tracking.repeated_faces import RepeatedFaceFilter
from monitor.tracking.tracker import Tracker, TrackingSettings
from monitor.types import Box


@dataclass(frozen=True, kw_only=True)
class SessionSetup(ABC):
    """The parts of a session that depend on where its frames come from.

    ``motion_estimator`` is None if nothing can move the camera, ``masker`` None if no seat is masked.
    ``opted_out`` are the labels of the masked seats; ``notes`` go on the timeline.
    """

    owner_resolver: SeatOwnerResolver
    motion_estimator: MotionEstimator | None = None
    masker: Masker | None = None
    opted_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    @abstractmethod
    def describe_appearance(self) -> DescribeAppearance | None:
        """Measures the appearance below a face; None if appearance is not compared."""

    @abstractmethod
    def detector(self, detector: Detector) -> Detector:
        """The detector of the session, which uses ``detector``."""

    @abstractmethod
    def tracker(self, settings: TrackingSettings) -> Tracker:
        """A new tracker."""

    @abstractmethod
    def assigner(self, settings: SeatingSettings, min_hits: int) -> SeatAssigner:
        """A new assigner; a track needs ``min_hits`` detections."""

    @abstractmethod
    def layout_detector(self, kind: FrameKind, *, is_video: bool) -> LayoutChangeDetector | None:
        """Detects rearranged tiles of a recorded call; None if the frames cannot be one."""

    @abstractmethod
    def repeated_face_filter(self, kind: FrameKind) -> RepeatedFaceFilter | None:
        """Detects people that a call shows twice; None if the frames cannot be one."""

    @abstractmethod
    def small_face_probe(self, settings: DetectionSettings) -> SmallFaceProbe | None:
        """Searches for missed faces; None if they are not searched for."""


@dataclass(frozen=True, kw_only=True)
class RoomSetup(SessionSetup):
    """A camera or a recording. ``may_be_call``: no seat plan matches, so the frames may also be a video call,
    whose tiles may be rearranged."""

    may_be_call: bool = False

    @property
    def describe_appearance(self) -> DescribeAppearance:
        """The colour histogram below the face."""
        return colour_histogram

    def detector(self, detector: Detector) -> Detector:
        """``detector`` itself."""
        return detector

    def tracker(self, settings: TrackingSettings) -> Tracker:
        """A tracker of the whole frame."""
        return Tracker(settings)

    def assigner(self, settings: SeatingSettings, min_hits: int) -> SeatAssigner:
        """Assigns by seat and appearance."""
        return SeatAssigner(settings, min_hits=min_hits)

    def layout_detector(self, kind: FrameKind, *, is_video: bool) -> LayoutChangeDetector | None:
        """None if the setting ``capture.kind`` or the seat plan states that the frames show a room."""
        if not self.may_be_call or kind is FrameKind.ROOM:
            return None
        confirmation = CallGridConfirmation(find_grid, kind, shows_grid, is_video=is_video)
        return LayoutChangeDetector(context_patch, confirmation, is_video=is_video)

    def repeated_face_filter(self, kind: FrameKind) -> RepeatedFaceFilter | None:
        """None if the setting ``capture.kind`` or the seat plan states that the frames show a room."""
        if not self.may_be_call or kind is FrameKind.ROOM:
            return None
        return RepeatedFaceFilter(surroundings_patch)

    def small_face_probe(self, settings: DetectionSettings) -> SmallFaceProbe | None:
        """None if the frames are not searched."""
        return load_small_face_probe(settings)


@dataclass(frozen=True, kw_only=True)
class OnlineSetup(SessionSetup):
    """An online lesson: each participant has a tile of ``grid``, and each face fills one. ``on_tile_faces``
    gets the boxes of the faces in pixels of their tiles."""

    grid: TileGrid
    on_tile_faces: Callable[[Mapping[int, Box]], None] = lambda _: None

    @property
    def describe_appearance(self) -> None:
        """Appearance is not compared: the tile identifies the student."""
        return None

    def detector(self, detector: Detector) -> Detector:
        """The largest face of each tile."""
        return LargestFacePerTile(detector, self.grid, self.on_tile_faces)

    def tracker(self, settings: TrackingSettings) -> Tracker:
        """A tracker per tile."""
        return TileTracker(self.grid, settings)

    def assigner(self, settings: SeatingSettings, min_hits: int) -> SeatAssigner:
        """Assigns by tile."""
        return TileAssigner(self.grid, min_hits=min_hits)

    def layout_detector(self, kind: FrameKind, *, is_video: bool) -> None:
        """The tiles never change."""
        return

    def repeated_face_filter(self, kind: FrameKind) -> None:
        """Each participant has one tile."""
        return

    def small_face_probe(self, settings: DetectionSettings) -> None:
        """No face is small."""
        return


def online_setup(source: OnlineLessonSource) -> OnlineSetup:
    """The setup of an online lesson. Raises ``SourceError`` before its first response."""
    registry = source.registry
    grid = registry.grid
    return OnlineSetup(
        owner_resolver=TileOwnerResolver(grid, registry.latest_participants),
        grid=grid,
        on_tile_faces=registry.report_faces,
    )
