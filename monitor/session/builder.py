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

from classpulse.config.settings import Config, Settings
from classpulse.errors import RunError
from db.clock import now_utc
from db.records import Mode, NewSession, Progress
from db.seat_plans import save_opted_out
from db.unit_of_work import Store
from model.inference.classifier import ExpressionClassifier, load_classifier
from model.inference.crop import crop_face
from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.factory import load_detector
from monitor.detection.small_faces import SmallFaceProbe, load_small_face_probe
from monitor.faces.expression import ExpressionReader, NoExpressions
from monitor.faces.head_pose import is_facing
from monitor.faces.head_reader import MeshHeads
from monitor.faces.quality import assess
from monitor.geometry import Matrix
from monitor.registration.base import Masker
from monitor.runtime.process import current_process
from monitor.seating.assigner import Seating
from monitor.seating.call_grid import FrameKind, GridConfirmation
from monitor.seating.call_grid_detection import find_grid, shows_grid
from monitor.seating.classroom import Arrangement, Classroom, gathered, read_classroom
from monitor.seating.layout_change import Layouts
from monitor.seating.tiles import OneFaceATile, TileSeating, TileTracker
from monitor.session.pipeline import Pipeline
from monitor.session.presence import Presence
from monitor.session.session import Outcome, Session
from monitor.sources.base import Source
from monitor.sources.factory import is_online, open_source
from monitor.sources.images import ImageFolder
from monitor.sources.online import GallerySource
from monitor.timeline.binning import Binner
from monitor.timeline.recorder import Recorder
from monitor.tracking.appearance import colours
from monitor.tracking.patches import glance, surroundings
from monitor.tracking.tracker import Tracker
from monitor.types import Face, Frame, Gap, ImageBGR, Sample

OnStart = Callable[[int, float | None], None]
OnProgress = Callable[[Progress, int], None]
OnSample = Callable[[Sample], None]
OnPicture = Callable[[ImageBGR], None]
OnReady = Callable[[Source, Session], None]


class Lecture:
    """Watches one source into the database. ``mode`` comes from the policy, which the caller has
    required; the built-in demo class shows no real person and needs none. ``classroom`` is the class with
    its roster and plan; the one that the database knows unless another is given."""

    def __init__(
        self, config: Config, engine: Engine, mode: Mode, classroom: Classroom | None = None
    ) -> None:
        self._config = config
        self._classroom = classroom or read_classroom(engine, config.settings.class_.name)
        self._engine = engine
        self._mode = mode

    def watch(
        self,
        source_spec: str,
        stop: threading.Event,
        *,
        on_start: OnStart | None = None,
        on_progress: OnProgress | None = None,
        on_sample: OnSample | None = None,
        on_ready: OnReady | None = None,
        on_picture: OnPicture | None = None,
        called: str | None = None,
        began_at: datetime | None = None,
    ) -> Outcome:
        """Watch ``source_spec`` until it ends or ``stop`` is set.

        ``on_start`` gets the session's number and expected length once the first frame is there,
        ``on_sample`` what each frame gave, ``on_ready`` source and session before the first frame is looked
        at, for whoever asks or commands them from another thread, ``on_picture`` each picture before it
        is looked at, with those who opted out in grey. ``called`` is what the record calls the source, by
        default what it calls itself; ``began_at`` (aware) is when a
        recorded lesson was, by default now.

        Raises SourceError before a session is begun, DatabaseError, DetectorError, ModelError,
        PlanError, RunError when ``stop`` was set before the first frame, and UserError where somebody opted
        out whom it cannot mask: then nothing is looked at.
        """
        settings = self._config.settings
        if not is_online(source_spec):
            self._classroom.require_masks()
        with open_source(
            source_spec,
            started_at=began_at,
            stale_s=settings.capture.stale_s,
            reconnect_s=settings.capture.reconnect_s,
        ) as source:
            detector, classifier, heads = self._load()
            frames = source.frames(settings.capture.sample_fps, stop)
            gaps, first = _first_frame(frames)
            if first is None:
                raise RunError("stopped before the first frame came: nothing was recorded")
            arrangement = (
                gathered(source)
                if isinstance(source, GallerySource)
                else self._classroom.arranged(first.image_bgr, settings.seating)
            )
            session_id = self._begin(
                called or source.name, source.expected_s, first, detector, classifier, heads, arrangement
            )
            if on_start is not None:
                on_start(session_id, source.expected_s)
            items: Iterator[Frame | Gap] = itertools.chain(gaps, [first], frames)
            if on_picture is not None:
                if arrangement.masker is None:
                    items = _told_of(items, on_picture)
                else:
                    arrangement = replace(arrangement, masker=_Telling(arrangement.masker, on_picture))
            session = self._session(
                source,
                items,
                session_id,
                detector,
                classifier,
                heads,
                arrangement,
                on_progress,
                on_sample,
            )
            if on_ready is not None:
                on_ready(source, session)
            return session.run(stop)

    def _load(self) -> tuple[Detector, ExpressionClassifier | None, MeshHeads]:
        """The detector, unless the mode computes no expression the classifier, and the reader of heads."""
        settings = self._config.settings
        detector, heads = load_detector(settings.detection), MeshHeads(settings.attention)
        if self._mode is Mode.BEHAVIOUR:
            return detector, None, heads
        classifier = load_classifier(settings.expression.model, threads=settings.expression.threads)
        return detector, classifier, heads

    def _begin(
        self,
        called: str,
        expected_s: float | None,
        first: Frame,
        detector: Detector,
        classifier: ExpressionClassifier | None,
        heads: MeshHeads,
        arrangement: Arrangement,
    ) -> int:
        pid, process_started = current_process()
        new = NewSession(
            class_name=self._config.settings.class_.name,
            source=called,
            started_at=first.captured_at,
            mode=self._mode.value,
            expected_s=expected_s,
            bin_s=self._config.settings.recording.bin_s,
            settings=self._config.settings.as_json() | _about(classifier),
            versions={
                "classpulse": version("classpulse"),
                "detector": detector.version,
                "model": classifier.version if classifier else "none",
                "heads": heads.version,
            },
            pid=pid,
            process_started=process_started,
            room=self._config.settings.class_.room,
        )
        with Store(self._engine).unit() as unit:
            session_id = unit.start_session(new)
            save_opted_out(unit, session_id, arrangement.opted_out)
            for note in arrangement.notes:
                unit.add_marker(session_id, 0.0, note)
            unit.audit("start", f"session {session_id}", now_utc(), f"mode {new.mode}")
            unit.commit()
        return session_id

    def _session(
        self,
        source: Source,
        frames: Iterator[Frame | Gap],
        session_id: int,
        detector: Detector,
        classifier: ExpressionClassifier | None,
        heads: MeshHeads,
        arrangement: Arrangement,
        on_progress: OnProgress | None,
        on_sample: OnSample | None,
    ) -> Session:
        settings, gallery = self._config.settings, arrangement.gallery
        hits = settings.tracking.confirm_hits
        facing = partial(is_facing, settings=settings.attention)
        probe = small_face_probe(settings.detection, arrangement)
        pipeline = Pipeline(
            detector if gallery is None else OneFaceATile(detector, gallery, arrangement.tell),
            _reader(settings, classifier),
            Tracker(settings.tracking) if gallery is None else TileTracker(gallery, settings.tracking),
            Seating(settings.seating, confirm_hits=hits)
            if gallery is None
            else TileSeating(gallery, confirm_hits=hits),
            arrangement.registrar,
            colours if gallery is None else None,
            glance,
            heads,
            arrangement.masker,
            _layouts(settings.capture.kind, is_film=not isinstance(source, ImageFolder))
            if arrangement.is_free
            else None,
            probe,
        )
        recorder = Recorder(
            Store(self._engine),
            session_id,
            Binner(settings.recording.bin_s, facing),
            settings.recording,
            per_student=self._mode is not Mode.AGGREGATE,
            patience_s=float("inf") if source.live else 0.0,
            attribution=arrangement.attribution,
            in_background=source.live,
        )
        return Session(
            source,
            frames,
            pipeline,
            recorder,
            sample_fps=settings.capture.sample_fps,
            on_progress=on_progress,
            on_sample=on_sample,
            presence=None if self._mode is Mode.AGGREGATE else Presence(facing),
            probe=probe,
        )


def small_face_probe(settings: DetectionSettings, arrangement: Arrangement) -> SmallFaceProbe | None:
    """The search for missed faces; None for an online lesson, in which each face fills a tile."""
    return load_small_face_probe(settings) if arrangement.gallery is None else None


def _layouts(kind: FrameKind, *, is_film: bool) -> Layouts | None:
    """What searches for rearranged tiles; None for a room, which has none."""
    if kind is FrameKind.ROOM:
        return None
    return Layouts(
        surroundings, GridConfirmation(find_grid, kind, shows_grid, is_film=is_film), may_slide=is_film
    )


def _first_frame(frames: Iterator[Frame | Gap]) -> tuple[list[Gap], Frame | None]:
    """The first frame, None where none came, after what was said of the time before it."""
    gaps: dict[float, Gap] = {}
    for item in frames:
        if isinstance(item, Frame):
            return list(gaps.values()), item
        gaps[item.start_s] = item
    return [], None


def _told_of(items: Iterator[Frame | Gap], on_picture: OnPicture) -> Iterator[Frame | Gap]:
    for item in items:
        if isinstance(item, Frame):
            on_picture(item.image_bgr)
        yield item


class _Telling:
    """A masker that tells of each picture once nobody is in it any more who opted out."""

    def __init__(self, masker: Masker, on_picture: OnPicture) -> None:
        self._masker = masker
        self._on_picture = on_picture

    def masked(self, image_bgr: ImageBGR, to_room: Matrix) -> ImageBGR:
        masked = self._masker.masked(image_bgr, to_room)
        self._on_picture(masked)
        return masked


def _about(classifier: ExpressionClassifier | None) -> dict[str, Any]:
    """What a report needs to know of the model later, when another may be installed."""
    measured = None if classifier is None else classifier.measured
    return {} if measured is None else {"model": dict(measured)}


def _reader(settings: Settings, classifier: ExpressionClassifier | None) -> ExpressionReader | NoExpressions:
    if classifier is None:
        return NoExpressions()

    def crop(image_bgr: ImageBGR, face: Face) -> NDArray[np.uint8]:
        return crop_face(image_bgr, face.box_xyxy, face.keypoints)

    return ExpressionReader(partial(assess, settings=settings.quality), crop, classifier.probabilities)
