"""The pipeline in speaker view: whoever is in the large tile is counted once, and the session says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.faces.expression import NullExpressionEstimator
from monitor.seating.assigner import SeatAssigner
from monitor.session.pipeline import Pipeline, build_pipeline
from monitor.session.stages.repeated_faces import POSSIBLE_REPETITION_NOTE, REPEATED_FACE_NOTE
from monitor.tracking.patches import surroundings_patch
from monitor.tracking.repeated_faces import RepeatedFaceFilter
from monitor.tracking.tracker import Tracker
from monitor.types import Box, Face, Frame, FrameResult, ImageBGR
from tests.helpers.faces import face
from tests.helpers.speaker_view_drawn import SIDES, speaker_view


class GivenFaces:
    """A detector that returns faces at ``boxes``."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        return [face((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1) for x1, y1, x2, y2 in self.boxes]


def followed(side: str, strip: list[int], speakers: list[int]) -> tuple[Pipeline, list[FrameResult]]:
    """The results of a pipeline that is told the faces, one frame per speaker, two frames a second."""
    detector, results = GivenFaces(), []
    pipeline = build_pipeline(
        detector,
        NullExpressionEstimator(),
        Tracker(),
        SeatAssigner(),
        repeated_faces=RepeatedFaceFilter(surroundings_patch),
    )
    start = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
    for sample, speaker in enumerate(speakers):
        image, faces, large = speaker_view(side, strip, speaker, sample / 2)
        detector.boxes = [*faces, large]
        results.append(pipeline.process(Frame(image, start + timedelta(seconds=sample / 2), sample / 2)))
    return pipeline, results


def notes(results: list[FrameResult]) -> list[str]:
    return [result.note for result in results if result.note]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("speakers", [[3] * 24, [1] * 6 + [4] * 5 + [2] * 7 + [5] * 6], ids=["one", "many"])
def test_speaker_is_counted_once_and_the_session_says_so(side: str, speakers: list[int]) -> None:
    pipeline, results = followed(side, [1, 2, 3, 4, 5], speakers)
    assert pipeline.assigner.student_count == 5
    assert all(result.face_count == 5 for result in results)
    assert notes(results) == [REPEATED_FACE_NOTE]
    assert pipeline.finish() is None, "no pending face becomes a student at the end"


def test_session_that_ends_before_a_decision_counts_the_speaker_once() -> None:
    pipeline, _ = followed("above", [1, 2, 3, 4], [2])
    rest = pipeline.finish()
    assert rest is not None
    assert pipeline.assigner.student_count == 4


def test_speaker_outside_the_strip_is_a_student() -> None:
    pipeline, results = followed("left", [1, 2, 3, 4], [7] * 12)
    assert pipeline.assigner.student_count == 5
    assert notes(results) == []


def test_possible_repetition_is_counted_and_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.tracking.repeated_faces.content_similarity", lambda first, second: 0.84)
    pipeline, results = followed("above", [1, 2, 3], [2] * 12)
    assert pipeline.assigner.student_count == 4
    assert notes(results) == [POSSIBLE_REPETITION_NOTE]
