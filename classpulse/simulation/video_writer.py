"""Writing frames as a video."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from classpulse.simulation.ground_truth import SimulationError
from monitor.types import ImageBGR

CODECS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("libx264", {"preset": "ultrafast"}, "crf"),
    # PyAV's wheels include x264; a PyAV without it still has FFmpeg's MPEG-4 encoder.
    ("mpeg4", {}, "qscale"),
)
"""Encoders in order of preference, with their options and the name of the quality option. For the demo's
video ``ultrafast`` takes 9 ms per frame and ``veryfast`` 23, for a file that is four times as large but
temporary."""


@dataclass(frozen=True)
class VideoFormat:
    """Frames per second, number of frames, frame size in pixels (even), and compression as x264's rate factor
    (higher is coarser)."""

    fps: int
    frames: int
    width: int
    height: int
    crf: int = 26


def encode_video(
    path: Path,
    video_format: VideoFormat,
    frames: Iterable[ImageBGR],
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write ``frames`` as an MP4: H.264, or MPEG-4 Part 2 if PyAV has no x264.

    ``progress`` is called with the completed share, 0..1, after every frame. The file is created atomically:
    an interrupted run leaves none. Raises ``SimulationError`` if no encoder is available or the file cannot
    be written.
    """
    partial = path.with_name(path.name + ".part")
    try:
        _encode(partial, video_format, frames, progress)
        os.replace(partial, path)
    except (OSError, av.FFmpegError) as error:
        raise SimulationError(
            f"The video cannot be written to {path} ({error}).", "Choose a folder with enough space."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _encode(
    path: Path,
    video_format: VideoFormat,
    frames: Iterable[ImageBGR],
    progress: Callable[[float], None] | None,
) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        codec, options = _find_encoder(video_format.crf)
        stream = cast(VideoStream, container.add_stream(codec, rate=video_format.fps, options=options))
        stream.width, stream.height, stream.pix_fmt = video_format.width, video_format.height, "yuv420p"
        for number, image_bgr in enumerate(frames, start=1):
            container.mux(stream.encode(_to_yuv_frame(image_bgr)))
            if progress is not None:
                progress(number / video_format.frames)
        container.mux(stream.encode(None))


def _to_yuv_frame(image_bgr: ImageBGR) -> av.VideoFrame:
    """The frame as YUV 4:2:0; OpenCV converts in 1 ms, PyAV in 5."""
    planes = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def _find_encoder(crf: int) -> tuple[str, dict[str, str]]:
    for name, options, quality in CODECS:
        if name in av.codecs_available:
            # Six more in x264's factor halves the bit rate, as does twice MPEG-4's scale (1 to 31); the demo
            # uses 26 and 4.
            value = crf if quality == "crf" else min(31, round(4 * 2 ** ((crf - 26) / 6)))
            return name, options | {quality: str(value)}
    choices = ", ".join(name for name, _, _ in CODECS)
    raise SimulationError(
        f"PyAV has none of the encoders {choices}.", "Reinstall it: pip install --force-reinstall av."
    )
