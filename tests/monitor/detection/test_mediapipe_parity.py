"""MediaPipe itself: its faces compared with ours, and its usage metrics."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from monitor.detection.base import DetectionSettings
from monitor.detection.blazeface import SHORT_RANGE, BlazeFace
from monitor.detection.mediapipe_backend import MediaPipeDetector
from monitor.detection.nms import weighted_nms
from monitor.types import ImageBGR
from tests.helpers.pictures import PORTRAIT_BOX_XYXY, iou, pasted, pasted_box, portrait
from tests.helpers.real_mediapipe import NEEDS_MEDIAPIPE
from tests.helpers.waiting import PATIENCE_S

pytestmark = NEEDS_MEDIAPIPE

SIDE = SHORT_RANGE.input_px


def scaled(image_bgr: ImageBGR) -> ImageBGR:
    """The image at the size of the network's input, so that MediaPipe does not scale it."""
    return np.asarray(cv2.resize(image_bgr, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


IMAGES: dict[str, tuple[int, Callable[[], ImageBGR]]] = {
    "portrait": (1, lambda: scaled(portrait()[:512])),
    "mirrored portrait": (1, lambda: scaled(portrait()[:512, ::-1])),
    "wide portrait": (1, lambda: scaled(portrait())),
    "dark portrait": (1, lambda: scaled(portrait()[:512] // 3)),
    "large face": (1, lambda: scaled(portrait()[100:370, 120:390])),
    "face at the edge": (1, lambda: scaled(portrait()[60:400, 240:])),
    "small face": (1, lambda: pasted(SIDE, SIDE, 30, [(20, 40)])),
    "two faces": (2, lambda: pasted(SIDE, SIDE, 24, [(0, 20), (64, 40)])),
    "no face": (0, lambda: np.full((SIDE, SIDE, 3), 90, np.uint8)),
}
"""The number of faces in each image, and the image."""


@pytest.fixture(scope="module")
def detector() -> MediaPipeDetector:
    return MediaPipeDetector(DetectionSettings(backend="mediapipe"))


@pytest.mark.parametrize("name", IMAGES)
def test_our_decoding_of_the_network_equals_mediapipe(detector, name):
    count, draw = IMAGES[name]
    image = draw()
    theirs = detector.candidates(image)
    ours = weighted_nms(BlazeFace(SHORT_RANGE, 1).candidates(image, 0.5))
    assert len(theirs) == len(ours) == count
    np.testing.assert_allclose(theirs.scores, ours.scores, atol=1e-4)
    np.testing.assert_allclose(theirs.keypoints, ours.keypoints, atol=1e-3)
    # MediaPipe cuts off the fractions of a box's corner, which it moves into the frame, and of its size.
    our_corner, corner = ours.boxes_xyxy[:, :2], theirs.boxes_xyxy[:, :2]
    our_size, size = ours.boxes_xyxy[:, 2:] - our_corner, theirs.boxes_xyxy[:, 2:] - corner
    fractions = np.concatenate([np.maximum(our_corner, 0) - corner, our_size - size])
    assert (fractions > -0.001).all()
    assert (fractions < 1.001).all()


def test_detect_portrait_gives_one_unverified_face(detector):
    (face,) = detector.detect(portrait())
    assert iou(face.box_xyxy, PORTRAIT_BOX_XYXY) > 0.7
    assert face.score > 0.8
    assert face.verified is False
    right_eye, left_eye, nose, mouth, right_ear, left_ear = face.keypoints
    np.testing.assert_allclose(right_eye, (222, 192), atol=12)
    np.testing.assert_allclose(left_eye, (307, 188), atol=12)
    np.testing.assert_allclose(nose, (268, 232), atol=14)
    np.testing.assert_allclose(mouth, (270, 276), atol=14)
    assert right_ear[0] < right_eye[0] < left_eye[0] < left_ear[0]


def test_detect_large_faces_in_a_wide_frame(detector):
    places = [(0, 0), (700, 150)]
    faces = detector.detect(pasted(1280, 720, 160, places))
    assert len(faces) == 2
    for x, y in places:
        assert max(iou(face.box_xyxy, pasted_box(160, x, y)) for face in faces) > 0.6


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 500), (500, 3), (1281, 719)], ids=str)
def test_detect_uniform_image_of_any_size_has_no_face(detector, width, height):
    assert detector.detect(np.full((height, width, 3), 90, dtype=np.uint8)) == []


def test_detect_clips_boxes_at_frame_edge(detector):
    image = portrait()[:, 230:]
    (face,) = detector.detect(image)
    x1, y1, x2, y2 = face.box_xyxy
    assert 0 <= x1 < x2 <= image.shape[1]
    assert 0 <= y1 < y2 <= image.shape[0]


ASK_PROXY = f"""
import fcntl, socket, struct
import numpy as np
from monitor.detection.mediapipe_process import MediaPipeTask, set_proxy

# The only interface of this network namespace is the loopback, which is down.
SET_INTERFACE_FLAGS, UP = 0x8914, 1
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, SET_INTERFACE_FLAGS, struct.pack("16sh", b"lo", UP))
with socket.create_server(("127.0.0.1", 0)) as proxy:
    proxy.settimeout({PATIENCE_S})
    set_proxy(proxy.getsockname()[1])
    task = MediaPipeTask(0.5)
    task.detect(np.zeros((128, 128, 3), np.uint8))
    task.detector.close()
    connection, _ = proxy.accept()
    with connection:
        print(connection.makefile().readline())
"""


def test_mediapipe_sends_its_metrics_through_the_proxy_that_the_process_sets():
    """In the product the proxy refuses connections. Here it listens, in a network namespace with no way out:
    a release of MediaPipe that does not keep to the proxy fails this test, as one without metrics does."""
    isolated = ["unshare", "--map-root-user", "--net"]
    try:
        subprocess.run([*isolated, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs Linux and the right to create a network namespace")
    done = subprocess.run(
        [*isolated, sys.executable, "-c", ASK_PROXY],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("CONNECT play.googleapis.com:443 ")
