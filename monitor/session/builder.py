"""One lecture, assembled from the settings: source, pipeline, recorder, session."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from db.clock import now_utc
from db.records import AnalysisMode, NewSession, SessionProgress
from db.seat_plans import save_opted_out_seats
from db.unit_of_work import Store
from model.inference.classifier import ExpressionClassifier, load_classifier
from model.inference.crop import crop_face
from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.factory import load_detector
from monitor.detection.small_faces import SmallFaceProbe, load_small_face_probe
from monitor.errors import RunError
from monitor.faces.expression import NullExpressionEstimator, QualityGatedEstimator
from monitor.faces.head_pose import is_facing
from monitor.faces.head_reader import MeshPoseEstimator
from monitor.faces.quality import assess_face
from monitor.geometry import Matrix
from monitor.registration.base import Masker
from monitor.runtime.process import current_process
from monitor.seating.assigner import SeatAssigner
from monitor.seating.call_grid import CallGridConfirmation, FrameKind
from monitor.seating.call_grid_detection import find_grid, shows_grid
from monitor.seating.classroom import Classroom, SessionSetup, online_setup, read_classroom
from monitor.seating.layout_change import LayoutChangeDetector
from monitor.seating.tiles import LargestFacePerTile, TileAssigner, TileTracker
from monitor.session.pipeline import Pipeline
from monitor.session.presence import LiveSnapshot
from monitor.session.session import Session, SessionOutcome
from monitor.settings import MonitorSettings
from monitor.sources.base import Source
from monitor.sources.factory import is_online_lesson, open_source
from monitor.sources.images import ImageFolder
from monitor.sources.online import OnlineLessonSource
from monitor.timeline.binning import Binner
from monitor.timeline.recorder import Recorder
from monitor.tracking.appearance import colour_histogram
from monitor.tracking.patches import context_patch, sample_patch
from monitor.tracking.tracker import Tracker
from monitor.types import Face, Frame, FrameResult, Gap, ImageBGR

OnStart = Callable[[int, float | None], None]
OnProgress = Callable[[SessionProgress, int], None]
OnResult = Callable[[FrameResult], None]
OnImage = Callable[[ImageBGR], None]
OnReady = Callable[[Source, Session], None]


class SessionRunner:
    """Watches one source into the database. ``mode`` comes from the policy, which the caller has
    required; the built-in demo class shows no real person and needs none. ``classroom`` is the class with
    its roster and plan; the one that the database knows unless another is given."""

    def __init__(
        self, settings: MonitorSettings, engine: Engine, mode: AnalysisMode, classroom: Classroom | None = None
    ) -> None:
        self._settings = settings
        self._classroom = classroom or read_classroom(engine, settings.class_.name)
        self._engine = engine
        self._mode = mode

    def run(
        self,
        source_spec: str,
        stop: threading.Event,
        *,
        on_start: OnStart | None = None,
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        on_ready: OnReady | None = None,
        on_image: OnImage | None = None,
        source_name: str | None = None,
        recorded_at: datetime | None = None,
    ) -> SessionOutcome:
        """Watch ``source_spec`` until it ends or ``stop`` is set.

        ``on_start`` gets the session's number and expected length once the first frame is there,
        ``on_result`` what each frame gave, ``on_ready`` source and session before the first frame is looked
        at, for whoever asks or commands them from another thread, ``on_image`` each picture before it
        is looked at, with those who opted out in grey. ``source_name`` is what the record calls the source, by
        default what it calls itself; ``recorded_at`` (aware) is when a
        recorded lesson was, by default now.

        Raises SourceError before a session is begun, DatabaseError, DetectorError, ModelError,
        PlanError, RunError when ``stop`` was set before the first frame, and SetupError where somebody opted
        out whom it cannot mask: then nothing is looked at.
        """
        settings = self._settings
        if not is_online_lesson(source_spec):
            self._classroom.require_masks()
        with open_source(
            source_spec,
            started_at=recorded_at,
            stale_s=settings.capture.stale_s,
            reconnect_s=settings.capture.reconnect_s,
        ) as source:
            detector, classifier, heads = self._load()
            frames = source.frames(settings.capture.sample_fps, stop)
            gaps, first = _first_frame(frames)
            if first is None:
                raise RunError("stopped before the first frame came: nothing was recorded")
            arrangement = (
                online_setup(source)
                if isinstance(source, OnlineLessonSource)
                else self._classroom.session_setup(first.image_bgr, settings.seating)
            )
            session_id = self._begin(
                source_name or source.name, source.expected_s, first, detector, classifier, heads, arrangement
            )
            if on_start is not None:
                on_start(session_id, source.expected_s)
            items: Iterator[Frame | Gap] = itertools.chain(gaps, [first], frames)
            if on_image is not None:
                if arrangement.masker is None:
                    items = _with_callback(items, on_image)
                else:
                    arrangement = replace(arrangement, masker=_ReportingMasker(arrangement.masker, on_image))
            session = self._session(
                source,
                items,
                session_id,
                detector,
                classifier,
                heads,
                arrangement,
                on_progress,
                on_result,
            )
            if on_ready is not None:
                on_ready(source, session)
            return session.run(stop)

    def _load(self) -> tuple[Detector, ExpressionClassifier | None, MeshPoseEstimator]:
        """The detector, unless the mode computes no expression the classifier, and the reader of heads."""
        settings = self._settings
        detector, heads = load_detector(settings.detection), MeshPoseEstimator(settings.attention)
        if self._mode is AnalysisMode.BEHAVIOUR:
            return detector, None, heads
        classifier = load_classifier(settings.expression.model, threads=settings.expression.threads)
        return detector, classifier, heads

    def _begin(
        self,
        source_name: str,
        expected_s: float | None,
        first_frame: Frame,
        detector: Detector,
        classifier: ExpressionClassifier | None,
        head_estimator: MeshPoseEstimator,
        setup: SessionSetup,
    ) -> int:
        pid, process_started = current_process()
        new = NewSession(
            class_name=self._settings.class_.name,
            source=source_name,
            started_at=first_frame.captured_at,
            mode=self._mode.value,
            expected_s=expected_s,
            bin_s=self._settings.recording.bin_s,
            settings=self._settings.as_session_json() | _model_record(classifier),
            versions={
                "classpulse": version("classpulse"),
                "detector": detector.version,
                "model": classifier.version if classifier else "none",
                "heads": head_estimator.version,
            },
            pid=pid,
            process_started=process_started,
            room=self._settings.class_.room,
        )
        with Store(self._engine).unit_of_work() as unit:
            session_id = unit.start_session(new)
            save_opted_out_seats(unit, session_id, setup.opted_out)
            for note in setup.notes:
                unit.add_marker(session_id, 0.0, note)
            unit.add_audit_entry("start", f"session {session_id}", now_utc(), f"mode {new.mode}")
            unit.commit()
        return session_id

    def _session(
        self,
        source: Source,
        frames: Iterator[Frame | Gap],
        session_id: int,
        detector: Detector,
        classifier: ExpressionClassifier | None,
        head_estimator: MeshPoseEstimator,
        setup: SessionSetup,
        on_progress: OnProgress | None,
        on_result: OnResult | None,
    ) -> Session:
        settings, gallery = self._settings, setup.grid
        hits = settings.tracking.min_hits
        facing = partial(is_facing, settings=settings.attention)
        probe = small_face_probe(settings.detection, setup)
        pipeline = Pipeline(
            detector if gallery is None else LargestFacePerTile(detector, gallery, setup.on_tile_faces),
            _expression_estimator(settings, classifier),
            Tracker(settings.tracking) if gallery is None else TileTracker(gallery, settings.tracking),
            SeatAssigner(settings.seating, min_hits=hits)
            if gallery is None
            else TileAssigner(gallery, min_hits=hits),
            setup.motion_estimator,
            colour_histogram if gallery is None else None,
            sample_patch,
            head_estimator,
            setup.masker,
            _layout_detector(settings.capture.kind, is_video=not isinstance(source, ImageFolder))
            if setup.may_be_call
            else None,
            probe,
        )
        recorder = Recorder(
            Store(self._engine),
            session_id,
            Binner(settings.recording.bin_s, facing),
            settings.recording,
            per_student=self._mode is not AnalysisMode.AGGREGATE,
            retry_timeout_s=float("inf") if source.is_live else 0.0,
            owner_resolver=setup.owner_resolver,
            in_background=source.is_live,
        )
        return Session(
            source,
            frames,
            pipeline,
            recorder,
            sample_fps=settings.capture.sample_fps,
            on_progress=on_progress,
            on_sample=on_result,
            live_snapshot=None if self._mode is AnalysisMode.AGGREGATE else LiveSnapshot(facing),
            probe=probe,
        )


def small_face_probe(settings: DetectionSettings, setup: SessionSetup) -> SmallFaceProbe | None:
    """The search for missed faces; None for an online lesson, in which each face fills a tile."""
    return load_small_face_probe(settings) if setup.grid is None else None


def _layout_detector(kind: FrameKind, *, is_video: bool) -> LayoutChangeDetector | None:
    """What searches for rearranged tiles; None for a room, which has none."""
    if kind is FrameKind.ROOM:
        return None
    return LayoutChangeDetector(
        context_patch, CallGridConfirmation(find_grid, kind, shows_grid, is_video=is_video), is_video=is_video
    )


def _first_frame(frames: Iterator[Frame | Gap]) -> tuple[list[Gap], Frame | None]:
    """The first frame, None where none came, after what was said of the time before it."""
    gaps: dict[float, Gap] = {}
    for item in frames:
        if isinstance(item, Frame):
            return list(gaps.values()), item
        gaps[item.start_s] = item
    return [], None


def _with_callback(items: Iterator[Frame | Gap], on_image: OnImage) -> Iterator[Frame | Gap]:
    for item in items:
        if isinstance(item, Frame):
            on_image(item.image_bgr)
        yield item


class _ReportingMasker:
    """A masker that tells of each picture once nobody is in it any more who opted out."""

    def __init__(self, masker: Masker, on_image: OnImage) -> None:
        self._masker = masker
        self._on_image = on_image

    def mask(self, image_bgr: ImageBGR, to_reference: Matrix) -> ImageBGR:
        masked = self._masker.mask(image_bgr, to_reference)
        self._on_image(masked)
        return masked


def _model_record(classifier: ExpressionClassifier | None) -> dict[str, Any]:
    """What a report needs to know of the model later, when another may be installed."""
    measured = None if classifier is None else classifier.model_metrics
    return {} if measured is None else {"model": dict(measured)}


def _expression_estimator(
    settings: MonitorSettings, classifier: ExpressionClassifier | None
) -> QualityGatedEstimator | NullExpressionEstimator:
    if classifier is None:
        return NullExpressionEstimator()

    def crop(image_bgr: ImageBGR, face: Face) -> NDArray[np.uint8]:
        return crop_face(image_bgr, face.box_xyxy, face.keypoints)

    return QualityGatedEstimator(
        partial(assess_face, settings=settings.quality), crop, classifier.probabilities
    )
