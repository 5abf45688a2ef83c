"""The pipeline: analyses the frames of one session, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.faces.expression import ExpressionEstimator, HeadPoseEstimator
from monitor.faces.head_pose import KeypointPoseEstimator
from monitor.registration.base import Masker, MotionEstimator
from monitor.registration.camera_motion import CAMERA_LOST, NOT_ANALYSED, CameraMotion
from monitor.seating.assigner import SeatAssigner
from monitor.seating.layout_change import LayoutChangeDetector
from monitor.session.readings import PendingReadings
from monitor.session.stages.attributes import AttributesStage
from monitor.session.stages.camera import CameraStage
from monitor.session.stages.context import FrameContext, Stage
from monitor.session.stages.detection import DetectionStage, FaceDetector, FrameProbe
from monitor.session.stages.liveness import LivenessStage, PatchSampler
from monitor.session.stages.repeated_faces import RepeatedFaceStage
from monitor.session.stages.result import ResultStage
from monitor.session.stages.seating import SeatingStage
from monitor.session.stages.tile_layout import TileLayoutStage
from monitor.session.stages.tracking import TrackingStage
from monitor.session.track_log import TrackLog
from monitor.tracking.appearance import AppearanceExtractor, DescribeAppearance
from monitor.tracking.id_switch import IdSwitchCorrector
from monitor.tracking.liveness import LivenessFilter
from monitor.tracking.repeated_faces import RepeatedFaceFilter
from monitor.tracking.track_verification import WINDOW_SAMPLES, TrackVerifier
from monitor.tracking.tracker import Tracker
from monitor.types import Frame, FrameResult, Size, Track, TrackAssignment

MIN_FOLLOWED_S = 2.0
"""At the end of a session an unconfirmed track whose face is not visible in the last frame counts if it was
followed for this time, seconds. Heuristic, not tuned on data."""


class Pipeline:
    """Runs each frame through the stages; at the end of the session assigns the tracks that are still
    pending."""

    def __init__(
        self,
        stages: Sequence[Stage],
        assigner: SeatAssigner,
        readings: PendingReadings,
        track_log: TrackLog,
        liveness: LivenessStage,
        seating: SeatingStage,
    ) -> None:
        self.assigner = assigner
        self._stages = stages
        self._readings = readings
        self._track_log = track_log
        self._liveness = liveness
        self._seating = seating
        self._tracks: list[Track] = []
        self._last_analysed_s = 0.0
        self._frame_size: Size = (0, 0)
        self._frames = 0

    def process(self, frame: Frame) -> FrameResult:
        """The result of one frame. Frames come in order of time.

        Raises ValueError if time does not advance."""
        context = FrameContext(frame)
        self._frames, self._frame_size = self._frames + 1, context.frame_size
        for stage in self._stages:
            stage.process(context)
            if not context.is_analysed:
                return FrameResult(frame.media_s, (), 0, self._frame_size, note=context.note, analysed=False)
        self._tracks, self._last_analysed_s = context.tracks, frame.media_s
        if context.result is None:
            raise RuntimeError("no stage has set the result")
        return context.result

    def finish(self) -> FrameResult | None:
        """Observations of pending tracks at the end of the session, or None. A track counts if its face is
        visible in the last frame or was followed for ``MIN_FOLLOWED_S``, and it is neither static nor
        unverified.

        In a session of fewer frames than confirmation takes (one photograph, say) each face that is visible
        in the last frame counts; in one of fewer frames than verification takes unverified faces count
        too."""
        if not self.assigner.student_count and self._frames < self.assigner.min_hits:
            pending = [replace(track, hits=10**6) for track in self._tracks if track.face is not None]
        else:
            pending = [track for track in self._tracks if self._is_person_at_end(track)]
        students = self._seating.assign_late([track for track in pending if track.track_id in self._readings])
        observations = self._readings.pop_observations(students)
        self._track_log.record(pending, students, self.assigner.pop_reidentifications())
        if not observations:
            return None
        last_s = max(observation.media_s for observation in observations)
        return FrameResult(last_s, tuple(observations), len(pending), self._frame_size)

    def pop_changed_tracks(self) -> list[TrackAssignment]:
        """The tracks of students that have changed since the last call, for the database."""
        return self._track_log.pop_changed()

    def _is_person_at_end(self, track: Track) -> bool:
        times_s = self._readings.times_s(track.track_id)
        with_unverified = self._frames >= WINDOW_SAMPLES
        excluded = self._liveness.not_people(self._last_analysed_s, with_unverified=with_unverified)
        if not times_s or track.track_id in excluded:
            return False
        return track.face is not None or times_s[-1] - times_s[0] >= MIN_FOLLOWED_S


def build_pipeline(
    detector: FaceDetector,
    expression_estimator: ExpressionEstimator,
    tracker: Tracker,
    assigner: SeatAssigner,
    motion_estimator: MotionEstimator | None = None,
    describe_appearance: DescribeAppearance | None = None,
    sample_patch: PatchSampler | None = None,
    head_estimator: HeadPoseEstimator | None = None,
    masker: Masker | None = None,
    layout_detector: LayoutChangeDetector | None = None,
    probe: FrameProbe | None = None,
    repeated_faces: RepeatedFaceFilter | None = None,
) -> Pipeline:
    """The pipeline of one session. Each optional part that is None is left out; without ``head_estimator``
    head poses are estimated from the detector's keypoints.

    More than eight parameters, because all stages are composed here and nowhere else."""
    camera_motion = CameraMotion(motion_estimator, CAMERA_LOST if masker is None else NOT_ANALYSED)
    appearance = AppearanceExtractor(describe_appearance)
    readings, track_log = PendingReadings(), TrackLog()
    liveness = LivenessStage(LivenessFilter(), TrackVerifier(), sample_patch)
    seating = SeatingStage(assigner, appearance, readings, layout_detector)
    stages: list[Stage] = [CameraStage(camera_motion, masker), DetectionStage(detector, probe)]
    if layout_detector is not None:
        stages.append(TileLayoutStage(layout_detector, camera_motion))
    stages += [
        TrackingStage(tracker, appearance, IdSwitchCorrector()),
        AttributesStage(expression_estimator, head_estimator or KeypointPoseEstimator(), readings),
        liveness,
        *([] if repeated_faces is None else [RepeatedFaceStage(repeated_faces)]),
        seating,
        ResultStage(assigner, readings, track_log),
    ]
    return Pipeline(stages, assigner, readings, track_log, liveness, seating)
