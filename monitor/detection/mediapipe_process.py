"""The process that runs MediaPipe: frames in on standard input, faces out on standard output.

``monitor.detection.mediapipe_backend`` starts it with the minimum score as its argument. Only this module
imports mediapipe. MediaPipe sends usage metrics to Google and has no switch for that. Its HTTP client uses
the proxy that the environment names, and here this is a port on which nothing listens.

In: per frame ``FRAME_HEADER`` and the pixels. The end of input ends the process.
Out: one JSON object per line, first ``{"version": ...}``, then per frame ``{"boxes_xyxy": ..., "scores": ...,
"keypoints": ...}`` as in ``monitor.detection.nms.Candidates``. ``{"error": ...}`` in place of any of them is
the last line.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from model.networks import FACE_DETECTION_SHORT_RANGE

FRAME_HEADER = struct.Struct("<II")
"""Height and width of a frame, pixels. ``height * width * 3`` bytes follow: rows of red-green-blue pixels."""

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")
"""libcurl and similar clients read these, partly in capitals."""

Answer = dict[str, Any]


def answer_frames() -> None:
    """Answer frames until standard input ends. Does not return."""
    # For Windows; elsewhere the parent starts this process with Ctrl-C blocked.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers, frames = take_stdout(), sys.stdin.buffer
    with reserve_silent_port() as port:
        set_proxy(port.getsockname()[1])
        try:
            task = MediaPipeTask(float(sys.argv[1]))
            send(answers, {"version": task.version})
            while (image_rgb := read_frame(frames)) is not None:
                send(answers, task.detect(image_rgb))
        except BaseException as error:  # noqa: BLE001 - the parent reports it
            with suppress(OSError):
                send(answers, {"error": f"{type(error).__name__}: {error}"})
        finally:
            # Without MediaPipe's own cleanup, which tries to send the rest of the metrics.
            os._exit(0)


def take_stdout() -> BinaryIO:
    """A private stream to standard output; whatever prints from now on prints to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def reserve_silent_port() -> socket.socket:
    """A socket on a free loopback port that does not listen: connections are refused, and while it is open no
    other program gets the port."""
    port = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    port.bind(("127.0.0.1", 0))
    return port


def set_proxy(port: int) -> None:
    """Name the loopback ``port`` as the proxy for all addresses, in place of any setting of the user's."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    for name in PROXY_VARIABLES:
        os.environ[name] = os.environ[name.upper()] = f"http://127.0.0.1:{port}"


class MediaPipeTask:
    """MediaPipe's ``FaceDetector`` with the bundled short-range network. ``version`` is MediaPipe's."""

    def __init__(self, min_score: float) -> None:
        # Not at the top: importing it starts its native code, which must find the proxy set.
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        self.version: str = mediapipe.__version__
        self._to_image = partial(mediapipe.Image, mediapipe.ImageFormat.SRGB)
        self.detector = vision.FaceDetector.create_from_options(
            vision.FaceDetectorOptions(
                base_options=BaseOptions(model_asset_buffer=FACE_DETECTION_SHORT_RANGE.read()),
                min_detection_confidence=min_score,
            )
        )

    def detect(self, image_rgb: NDArray[np.uint8]) -> Answer:
        """The faces in an image ``(H, W, 3)``, red-green-blue."""
        height, width = image_rgb.shape[:2]
        return to_answer(self.detector.detect(self._to_image(image_rgb)).detections, width, height)


def to_answer(detections: list[Any], width: int, height: int) -> Answer:
    """MediaPipe's ``Detection`` objects in pixels. Its boxes are in whole pixels, its keypoints in shares of
    the image."""
    boxes = [found.bounding_box for found in detections]
    return {
        "boxes_xyxy": [
            (box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height) for box in boxes
        ],
        "scores": [found.categories[0].score for found in detections],
        "keypoints": [
            [(point.x * width, point.y * height) for point in found.keypoints] for found in detections
        ],
    }


def read_frame(frames: BinaryIO) -> NDArray[np.uint8] | None:
    """The next frame ``(H, W, 3)``; None at the end of input, even within a frame."""
    header = frames.read(FRAME_HEADER.size)
    if len(header) < FRAME_HEADER.size:
        return None
    height, width = FRAME_HEADER.unpack(header)
    pixels = frames.read(height * width * 3)
    if len(pixels) < height * width * 3:
        return None
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def send(answers: BinaryIO, answer: Answer) -> None:
    """Write an answer as one line of JSON."""
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    answer_frames()
