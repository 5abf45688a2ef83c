from __future__ import annotations

from monitor.session.stages.detection import DetectionStage
from tests.helpers.faces import face
from tests.helpers.frames import context_at

FACES = [face(100, 100), face(300, 100)]


class Detector:
    def detect(self, image_bgr):
        return FACES


class Probe:
    def __init__(self) -> None:
        self.submitted: list[tuple] = []

    def submit(self, image_bgr, faces, media_s) -> None:
        self.submitted.append((image_bgr, faces, media_s))


def test_faces_are_set() -> None:
    context = context_at()
    DetectionStage(Detector()).process(context)
    assert context.faces == FACES


def test_probe_gets_the_image_and_its_faces() -> None:
    probe, context = Probe(), context_at(1.5)
    DetectionStage(Detector(), probe).process(context)
    ((image, faces, media_s),) = probe.submitted
    assert image is context.image_bgr
    assert (faces, media_s) == (FACES, 1.5)
