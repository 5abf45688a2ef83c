"""Our tracker beside well-known ones, on the same detections of a film with known truth.

    pip install norfair 'supervision<0.27'    # the last with ByteTrack that lives with NumPy 1
    python benchmarks/trackers.py room/film.mp4 room/truth.json

Each is asked twice: with its own numbers as people, and with ``monitor.tracking.id_switch`` and ``monitor.seating.assigner``
behind it, which put right who met and join a person's tracks by seat and clothes. Peers wait for a
lost face as long as ours (30 s); norfair also asks for three detections. The rest are their defaults, but for
the distances that stand beside their names.
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
class Look:
    """What was found in one sample: faces in the picture and in the room, and what is worn below each."""

    media_s: float
    pictured: list[Face]
    placed: list[Face]
    colours: list[NDArray[np.float32] | None]


Numbered = dict[int, int]
"""The index of a face of the sample to its track."""


class Ours:
    """``monitor.tracking.tracker``."""

    def __init__(self) -> None:
        self._tracker = Tracker()

    def update(self, look: Look) -> list[Track]:
        """Every track that lives."""
        return self._tracker.update(look.placed, look.media_s)


@dataclass
class Counted:
    """A peer's numbers as tracks: their beginnings and hits are counted here."""

    number: Callable[[Look], Numbered]
    first_s: dict[int, float] = field(default_factory=dict)
    hits: dict[int, int] = field(default_factory=dict)

    def update(self, look: Look) -> list[Track]:
        """The tracks seen in this sample."""
        tracks = []
        for index, track_id in self.number(look).items():
            face = look.placed[index]
            self.first_s.setdefault(track_id, look.media_s)
            self.hits[track_id] = self.hits.get(track_id, 0) + 1
            first_s, hits = self.first_s[track_id], self.hits[track_id]
            tracks.append(Track(track_id, face.box_xyxy, face, first_s, look.media_s, max(hits, HITS)))
        return tracks


def norfair_by(distance: Any, threshold: float) -> Counted:
    """norfair: Kalman filter, the distance that is given, Hungarian-like matching."""
    import norfair

    tracker = norfair.Tracker(
        distance_function=distance,
        distance_threshold=threshold,
        hit_counter_max=WAIT_SAMPLES,
        initialization_delay=HITS - 1,
        pointwise_hit_counter_max=WAIT_SAMPLES,
    )

    def number(look: Look) -> Numbered:
        found = [
            norfair.Detection(np.array(face.box_xyxy).reshape(2, 2), data=index)
            for index, face in enumerate(look.placed)
        ]
        tracked = tracker.update(detections=found)
        return {
            one.last_detection.data: one.id
            for one in tracked
            if any(one.last_detection is detection for detection in found)
        }

    return Counted(number)


def in_widths(detection: Any, tracked: Any) -> float:
    """The distance of two boxes' middles in face widths, as ours measures it."""
    width = max(1.0, tracked.estimate[1][0] - tracked.estimate[0][0])
    return float(np.linalg.norm(detection.points.mean(axis=0) - tracked.estimate.mean(axis=0)) / width)


def bytetrack() -> Counted:
    """supervision's ByteTrack (Zhang et al. 2022, arXiv 2110.06864): Kalman filter and overlap."""
    import supervision

    tracker = supervision.ByteTrack(
        track_activation_threshold=0.25,
        # In frames of a film of 30 a second.
        lost_track_buffer=round(WAIT_S * 30),
        frame_rate=round(SAMPLE_FPS),
        minimum_consecutive_frames=1,
    )

    def number(look: Look) -> Numbered:
        boxes = np.array([face.box_xyxy for face in look.placed], np.float32).reshape(-1, 4)
        found = supervision.Detections(
            xyxy=boxes,
            confidence=np.array([face.score for face in look.placed], np.float32),
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


def follow(looks: Sequence[Look], tracker: Any, *, seated: bool) -> tuple[list[FrameResult], float]:
    """Every sample with its people, and the seconds that following took."""
    seating, crossings, samples, spent_s = SeatAssigner(), IdSwitchCorrector(), [], 0.0
    for look in looks:
        began = time.perf_counter()
        live = tracker.update(look)
        index_of = {id(face): index for index, face in enumerate(look.placed)}
        if seated:
            seen = {track.track_id: index_of[id(track.face)] for track in live if track.face is not None}
            worn = {
                key: colours for key, index in seen.items() if (colours := look.colours[index]) is not None
            }
            live, worn = crossings.update(live, worn)
            students = seating.update(live, worn)
        else:
            students = {track.track_id: track.track_id for track in live}
        tracks = [track for track in live if track.face is not None]
        spent_s += time.perf_counter() - began
        sightings = tuple(
            TrackedFace(
                track.track_id,
                students.get(track.track_id),
                look.pictured[index_of[id(track.face)]].box_xyxy,
            )
            for track in tracks
        )
        samples.append(FrameResult(look.media_s, (), len(look.pictured), (0, 0), sightings))
    return samples, spent_s


def compare(looks: Sequence[Look], truth: GroundTruth) -> list[tuple[str, IdentityScore, float]]:
    """Name, identity score and milliseconds a sample of each tracker, alone and with seats."""
    rows = []
    for name, make in TRACKERS.items():
        for seated in (False, True):
            samples, spent_s = follow(looks, make(), seated=seated)
            identity = score_tracking(truth, samples).identity
            rows.append((f"{name}{', with seats' if seated else ''}", identity, 1000 * spent_s / len(looks)))
    return rows


def watch(film: Path) -> list[Look]:
    """Detections, the camera's motion and clothes, once for all trackers."""
    from monitor.detection.base import DetectionSettings
    from monitor.detection.factory import load_detector
    from monitor.registration.camera_motion import CameraMotionEstimator
    from monitor.sources.factory import open_source
    from monitor.tracking.appearance import colour_histogram

    detector, registration, looks = load_detector(DetectionSettings()), CameraMotionEstimator(), []
    to_room = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    with open_source(str(film)) as source:
        for frame in source.frames(SAMPLE_FPS, threading.Event()):
            faces = detector.detect(frame.image_bgr)
            found = registration.to_reference(frame.image_bgr)
            to_room = to_room if found is None else found
            # A face that has not moved is still another detection: trackers tell them apart by identity.
            placed = [replace(in_reference_frame(face, to_room)) for face in faces]
            worn = [colour_histogram(frame.image_bgr, face) for face in faces]
            looks.append(Look(frame.media_s, faces, placed, worn))
    return looks


def print_rows(rows: Sequence[tuple[str, IdentityScore, float]]) -> None:
    """The table."""
    print(f"{'':36}{'IDF1':>7}{'switches':>10}{'people':>8}{'ms a sample':>13}")
    for name, identity, ms in rows:
        people = f"{identity.tracked}/{identity.students}"
        print(f"{name:36}{identity.idf1:>7.3f}{len(identity.switches):>10}{people:>8}{ms:>13.2f}")


def main() -> None:
    """Compare the trackers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("truth", type=Path)
    arguments = parser.parse_args()
    print_rows(compare(watch(arguments.film), read_ground_truth(arguments.truth)))


if __name__ == "__main__":
    main()
