"""Compares our tracker with well-known ones on the same detections of a video with ground truth.

    pip install norfair 'supervision<0.27'    # the last version with ByteTrack for NumPy 1
    python benchmarks/trackers.py room/film.mp4 room/truth.json

Each runs twice: with its own IDs as students, and followed by ``monitor.tracking.id_switch`` and
``monitor.seating.assigner``, which correct ID switches and join tracks by seat and appearance. All wait for a
lost face for 30 s; norfair also requires three detections. Other settings are defaults, except for the named
distances.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classpulse.evaluation.tracking import IdentityScore, score_tracking
from classpulse.simulation.ground_truth import GroundTruth, read_ground_truth
from monitor.geometry import in_reference_frame
from monitor.seating.assigner import SeatAssigner
from monitor.tracking.id_switch import IdSwitchCorrector
from monitor.tracking.tracker import Tracker, TrackingSettings
from monitor.types import Face, FrameResult, Track, TrackedFace

SAMPLE_FPS = 2.0
WAIT_S = TrackingSettings().max_lost_s
WAIT_SAMPLES = round(WAIT_S * SAMPLE_FPS)
HITS = TrackingSettings().min_hits


@dataclass(frozen=True)
class Detections:
    """The faces of one frame, in the frame and in the reference frame, and the appearance below each."""

    media_s: float
    in_frame: list[Face]
    in_reference: list[Face]
    descriptors: list[NDArray[np.float32] | None]


Numbered = dict[int, int]
"""Track ID by index of the face in the frame."""


class Ours:
    """``monitor.tracking.tracker``."""

    def __init__(self) -> None:
        self._tracker = Tracker()

    def update(self, detections: Detections) -> list[Track]:
        """All live tracks."""
        return self._tracker.update(detections.in_reference, detections.media_s)


@dataclass
class Counted:
    """The IDs of another tracker as tracks; start and hits are counted here."""

    number: Callable[[Detections], Numbered]
    first_s: dict[int, float] = field(default_factory=dict)
    hits: dict[int, int] = field(default_factory=dict)

    def update(self, detections: Detections) -> list[Track]:
        """The tracks visible in this frame."""
        tracks = []
        for index, track_id in self.number(detections).items():
            face = detections.in_reference[index]
            self.first_s.setdefault(track_id, detections.media_s)
            self.hits[track_id] = self.hits.get(track_id, 0) + 1
            first_s, hits = self.first_s[track_id], self.hits[track_id]
            tracks.append(Track(track_id, face.box_xyxy, face, first_s, detections.media_s, max(hits, HITS)))
        return tracks


def norfair_by(distance: Any, threshold: float) -> Counted:
    """norfair: Kalman filter, matching by ``distance``."""
    import norfair

    tracker = norfair.Tracker(
        distance_function=distance,
        distance_threshold=threshold,
        hit_counter_max=WAIT_SAMPLES,
        initialization_delay=HITS - 1,
        pointwise_hit_counter_max=WAIT_SAMPLES,
    )

    def number(detections: Detections) -> Numbered:
        found = [
            norfair.Detection(np.array(face.box_xyxy).reshape(2, 2), data=index)
            for index, face in enumerate(detections.in_reference)
        ]
        tracked = tracker.update(detections=found)
        return {
            item.last_detection.data: item.id
            for item in tracked
            if any(item.last_detection is detection for detection in found)
        }

    return Counted(number)


def in_widths(detection: Any, tracked: Any) -> float:
    """Distance of the box centres in face widths, as in our tracker."""
    width = max(1.0, tracked.estimate[1][0] - tracked.estimate[0][0])
    return float(np.linalg.norm(detection.points.mean(axis=0) - tracked.estimate.mean(axis=0)) / width)


def bytetrack() -> Counted:
    """supervision's ByteTrack (Zhang et al. 2022, arXiv 2110.06864): Kalman filter and overlap."""
    import supervision

    tracker = supervision.ByteTrack(
        track_activation_threshold=0.25,
        # In frames of a video with 30 frames a second.
        lost_track_buffer=round(WAIT_S * 30),
        frame_rate=round(SAMPLE_FPS),
        minimum_consecutive_frames=1,
    )

    def number(detections: Detections) -> Numbered:
        boxes = np.array([face.box_xyxy for face in detections.in_reference], np.float32).reshape(-1, 4)
        found = supervision.Detections(
            xyxy=boxes,
            confidence=np.array([face.score for face in detections.in_reference], np.float32),
            class_id=np.zeros(len(boxes), int),
            data={"index": np.arange(len(boxes))},
        )
        tracked = tracker.update_with_detections(found)
        if tracked.tracker_id is None or not len(tracked):
            return {}
        pairs = zip(tracked.data["index"], tracked.tracker_id, strict=True)
        return {int(index): int(track_id) for index, track_id in pairs}

    return Counted(number)


TRACKERS: Mapping[str, Callable[[], Any]] = {
    "ours": Ours,
    "norfair, in face widths": lambda: norfair_by(in_widths, 1.5),
    "norfair, overlap": lambda: norfair_by("iou", 0.8),
    "supervision ByteTrack": bytetrack,
}


def follow(frames: Sequence[Detections], tracker: Any, *, seated: bool) -> tuple[list[FrameResult], float]:
    """The result of each frame, and the seconds of tracking."""
    assigner, corrector, results, spent_s = SeatAssigner(), IdSwitchCorrector(), [], 0.0
    for detections in frames:
        began = time.perf_counter()
        live = tracker.update(detections)
        index_of = {id(face): index for index, face in enumerate(detections.in_reference)}
        if seated:
            visible = {track.track_id: index_of[id(track.face)] for track in live if track.face is not None}
            descriptors = {
                track_id: descriptor
                for track_id, index in visible.items()
                if (descriptor := detections.descriptors[index]) is not None
            }
            live, descriptors = corrector.update(live, descriptors)
            students = assigner.update(live, descriptors)
        else:
            students = {track.track_id: track.track_id for track in live}
        tracks = [track for track in live if track.face is not None]
        spent_s += time.perf_counter() - began
        tracked_faces = tuple(
            TrackedFace(
                track.track_id,
                students.get(track.track_id),
                detections.in_frame[index_of[id(track.face)]].box_xyxy,
            )
            for track in tracks
        )
        results.append(FrameResult(detections.media_s, (), len(detections.in_frame), (0, 0), tracked_faces))
    return results, spent_s


def compare(frames: Sequence[Detections], truth: GroundTruth) -> list[tuple[str, IdentityScore, float]]:
    """Name, identity score and milliseconds per frame of each tracker, alone and with seats."""
    rows = []
    for name, make in TRACKERS.items():
        for seated in (False, True):
            results, spent_s = follow(frames, make(), seated=seated)
            identity = score_tracking(truth, results).identity
            rows.append((f"{name}{', with seats' if seated else ''}", identity, 1000 * spent_s / len(frames)))
    return rows


def watch(video: Path) -> list[Detections]:
    """Detections, camera motion and appearance, computed once for all trackers."""
    from monitor.detection.base import DetectionSettings
    from monitor.detection.factory import load_detector
    from monitor.registration.camera_motion import CameraMotionEstimator
    from monitor.sources.factory import open_source
    from monitor.tracking.appearance import colour_histogram

    detector, estimator, frames = load_detector(DetectionSettings()), CameraMotionEstimator(), []
    to_reference = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    with open_source(str(video)) as source:
        for frame in source.frames(SAMPLE_FPS, threading.Event()):
            faces = detector.detect(frame.image_bgr)
            motion = estimator.to_reference(frame.image_bgr)
            to_reference = to_reference if motion is None else motion
            # Copied even if the camera has not moved, because faces are distinguished by identity.
            in_reference = [replace(in_reference_frame(face, to_reference)) for face in faces]
            descriptors = [colour_histogram(frame.image_bgr, face) for face in faces]
            frames.append(Detections(frame.media_s, faces, in_reference, descriptors))
    return frames


def print_rows(rows: Sequence[tuple[str, IdentityScore, float]]) -> None:
    """The table."""
    print(f"{'':36}{'IDF1':>7}{'switches':>10}{'students':>9}{'ms per frame':>13}")
    for name, identity, ms in rows:
        students = f"{identity.tracked}/{identity.students}"
        print(f"{name:36}{identity.idf1:>7.3f}{len(identity.switches):>10}{students:>9}{ms:>13.2f}")


def main() -> None:
    """Compare the trackers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("truth", type=Path)
    arguments = parser.parse_args()
    print_rows(compare(watch(arguments.video), read_ground_truth(arguments.truth)))


if __name__ == "__main__":
    main()
