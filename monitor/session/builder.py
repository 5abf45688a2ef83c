"""Composes a session from the settings (source, models, pipeline, recorder) and runs it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from db.clock import now_utc
from db.records import AnalysisMode, NewSession, SessionProgress
from db.seat_plans import save_opted_out_seats
from db.unit_of_work import Store
from model.inference.classifier import ExpressionClassifier, load_classifier
from model.inference.crop import crop_face
from monitor.detection.base import Detector
from monitor.detection.factory import load_detector
from monitor.errors import RunError
from monitor.faces.expression import ExpressionEstimator, NullExpressionEstimator, QualityGatedEstimator
from monitor.faces.head_pose import is_facing
from monitor.faces.head_reader import MeshPoseEstimator
from monitor.faces.quality import QualitySettings, assess_face
from monitor.geometry import Matrix
from monitor.registration.base import Masker
from monitor.runtime.process import current_process
from monitor.seating.classroom import Classroom, read_classroom
from monitor.seating.session_setup import SessionSetup, online_setup
from monitor.session.pipeline import build_pipeline
from monitor.session.presence import LiveSnapshot
from monitor.session.session import Session, SessionOutcome
from monitor.settings import MonitorSettings
from monitor.sources.base import Source
from monitor.sources.factory import is_online_lesson, open_source
from monitor.sources.images import ImageFolder
from monitor.sources.online import OnlineLessonSource
from monitor.timeline.binning import Binner
from monitor.timeline.recorder import Recorder
from monitor.tracking.patches import sample_patch
from monitor.types import Face, Frame, FrameResult, Gap, ImageBGR


class SessionCallbacks(TypedDict, total=False):
    """Callbacks for the events of a session, called in the thread of the session."""

    on_start: Callable[[int, float | None], None]
    """Gets the session ID and the expected length in seconds, at the first frame."""
    on_ready: Callable[[Source, Session], None]
    """Gets source and session before the first frame is analysed, to control them from another thread."""
    on_progress: Callable[[SessionProgress, int], None]
    """Gets the progress and the number of students, after each frame and during gaps."""
    on_result: Callable[[FrameResult], None]
    """Gets the result of each frame."""
    on_image: Callable[[ImageBGR], None]
    """Gets each image before its analysis, with opted-out seats masked."""


@dataclass(frozen=True)
class Models:
    """The models of a session; ``classifier`` is None if the mode computes no expression."""

    detector: Detector
    classifier: ExpressionClassifier | None
    head_estimator: MeshPoseEstimator

    @property
    def versions(self) -> dict[str, str]:
        """Program and models, as stored with the session."""
        return {
            "classpulse": version("classpulse"),
            "detector": self.detector.version,
            "model": self.classifier.version if self.classifier else "none",
            "head_pose": self.head_estimator.version,
        }

    @property
    def metrics(self) -> dict[str, Any]:
        """Metrics of the classifier, stored with the session because another one may be installed later."""
        metrics = None if self.classifier is None else self.classifier.model_metrics
        return {} if metrics is None else {"model": dict(metrics)}

    def expression_estimator(self, quality: QualitySettings) -> ExpressionEstimator:
        """Estimates the expressions of faces that are good enough."""
        if self.classifier is None:
            return NullExpressionEstimator()

        def crop(image_bgr: ImageBGR, face: Face) -> NDArray[np.uint8]:
            return crop_face(image_bgr, face.box_xyxy, face.keypoints)

        return QualityGatedEstimator(
            partial(assess_face, settings=quality), crop, self.classifier.probabilities
        )


def load_models(settings: MonitorSettings, mode: AnalysisMode) -> Models:
    """The models for a session in ``mode``. Raises DetectorError and ModelError."""
    detector, head_estimator = load_detector(settings.detection), MeshPoseEstimator(settings.attention)
    if mode is AnalysisMode.BEHAVIOUR:
        return Models(detector, None, head_estimator)
    classifier = load_classifier(settings.expression.model, threads=settings.expression.threads)
    return Models(detector, classifier, head_estimator)


class SessionRunner:
    """Records sessions of one class in the database.

    ``mode`` comes from the policy, which the caller has checked; the built-in demo class shows no real person
    and needs none. ``classroom`` is read from the database if it is not given.
    """

    def __init__(
        self,
        settings: MonitorSettings,
        engine: Engine,
        mode: AnalysisMode,
        classroom: Classroom | None = None,
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
        source_name: str | None = None,
        recorded_at: datetime | None = None,
        track: int | None = None,
        **callbacks: Unpack[SessionCallbacks],
    ) -> SessionOutcome:
        """Record ``source_spec`` until it ends or ``stop`` is set.

        ``source_name`` replaces the source's own name in the database; ``recorded_at`` (aware) is when a
        recording began, by default now; ``track`` is the number of its video track, by default the file's own
        choice.

        Raises CannotMaskError before any frame is analysed; SourceError, DetectorError, ModelError,
        PlanError, and RunError if ``stop`` was set before the first frame, before a session is created;
        DatabaseError.
        """
        settings = self._settings
        if not is_online_lesson(source_spec):
            self._classroom.require_masks()
        with open_source(
            source_spec,
            started_at=recorded_at,
            stale_s=settings.capture.stale_s,
            reconnect_s=settings.capture.reconnect_s,
            adjustment=settings.capture.adjustment,
            rtsp_transport=settings.capture.rtsp_transport,
            track=track,
        ) as source:
            models = load_models(settings, self._mode)
            frames = source.frames(settings.capture.sample_fps, stop)
            gaps, first = _first_frame(frames)
            if first is None:
                raise RunError("The run was stopped before the first frame. Nothing was recorded.")
            setup: SessionSetup = (
                online_setup(source)
                if isinstance(source, OnlineLessonSource)
                else self._classroom.session_setup(first.image_bgr, settings.seating)
            )
            session_id = self._create_session(source, source_name or source.name, first, models, setup)
            if "on_start" in callbacks:
                callbacks["on_start"](session_id, source.expected_s)
            items: Iterator[Frame | Gap] = itertools.chain(gaps, [first], frames)
            if "on_image" in callbacks:
                if setup.masker is None:
                    items = _with_callback(items, callbacks["on_image"])
                else:
                    setup = replace(setup, masker=_ReportingMasker(setup.masker, callbacks["on_image"]))
            session = self._session(source, items, session_id, models, setup, callbacks)
            if "on_ready" in callbacks:
                callbacks["on_ready"](source, session)
            return session.run(stop)

    def _create_session(
        self, source: Source, source_name: str, first_frame: Frame, models: Models, setup: SessionSetup
    ) -> int:
        """Store the new session; returns its ID."""
        pid, process_started = current_process()
        new = NewSession(
            class_name=self._settings.class_.name,
            source=source_name,
            started_at=first_frame.captured_at,
            mode=self._mode.value,
            expected_s=source.expected_s,
            bin_s=self._settings.recording.bin_s,
            settings=self._settings.as_session_json() | models.metrics,
            versions=models.versions,
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
        items: Iterator[Frame | Gap],
        session_id: int,
        models: Models,
        setup: SessionSetup,
        callbacks: SessionCallbacks,
    ) -> Session:
        settings = self._settings
        facing = partial(is_facing, settings=settings.attention)
        probe = setup.small_face_probe(settings.detection)
        pipeline = build_pipeline(
            setup.detector(models.detector),
            models.expression_estimator(settings.quality),
            setup.tracker(settings.tracking),
            setup.assigner(settings.seating, settings.tracking.min_hits),
            setup.motion_estimator,
            setup.describe_appearance,
            sample_patch,
            models.head_estimator,
            setup.masker,
            setup.layout_detector(settings.capture.kind, is_video=not isinstance(source, ImageFolder)),
            probe,
            setup.repeated_face_filter(settings.capture.kind),
        )
        is_aggregate = self._mode is AnalysisMode.AGGREGATE
        recorder = Recorder(
            Store(self._engine),
            session_id,
            Binner(settings.recording.bin_s, facing),
            settings.recording,
            per_student=not is_aggregate,
            retry_timeout_s=float("inf") if source.is_live else 0.0,
            owner_resolver=setup.owner_resolver,
            in_background=source.is_live,
        )
        return Session(
            source,
            items,
            pipeline,
            recorder,
            sample_fps=settings.capture.sample_fps,
            on_progress=callbacks.get("on_progress"),
            on_result=callbacks.get("on_result"),
            live_snapshot=None if is_aggregate else LiveSnapshot(facing),
            probe=probe,
        )


def _first_frame(frames: Iterator[Frame | Gap]) -> tuple[list[Gap], Frame | None]:
    """The gaps before the first frame, each in its latest state, and that frame; None if there is none."""
    gaps: dict[float, Gap] = {}
    for item in frames:
        if isinstance(item, Frame):
            return list(gaps.values()), item
        gaps[item.start_s] = item
    return [], None


def _with_callback(
    items: Iterator[Frame | Gap], on_image: Callable[[ImageBGR], None]
) -> Iterator[Frame | Gap]:
    for item in items:
        if isinstance(item, Frame):
            on_image(item.image_bgr)
        yield item


class _ReportingMasker:
    """A masker that passes each masked image on to ``on_image``."""

    def __init__(self, masker: Masker, on_image: Callable[[ImageBGR], None]) -> None:
        self._masker = masker
        self._on_image = on_image

    def mask(self, image_bgr: ImageBGR, to_reference: Matrix) -> ImageBGR:
        masked = self._masker.mask(image_bgr, to_reference)
        self._on_image(masked)
        return masked
