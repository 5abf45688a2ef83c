"""Pictures into a film."""

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
    # PyAV's wheels carry x264; a PyAV built without it still has FFmpeg's own MPEG-4.
    ("mpeg4", {}, "qscale"),
)
"""The encoders in order of preference, with their options and the name of the one for quality. On the demo's
film ``ultrafast`` takes 9 ms a frame where ``veryfast`` takes 23, for a file four times as large that
nobody keeps."""


@dataclass(frozen=True)
class VideoFormat:
    """What a film is besides its pictures: frames a second, how many, their size in pixels (even), and how
    strongly they are compressed: x264's rate factor, the higher the coarser."""

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
    """Write ``frames`` as an MP4: H.264, or MPEG-4 Part 2 where PyAV has no x264.

    ``progress`` is called with the share done, 0..1, after every frame. The file appears when it is whole;
    an interrupted run leaves none. Raises ``SimulationError`` if no encoder is there, or the file cannot
    be written.
    """
    partial = path.with_name(path.name + ".part")
    try:
        _encode(partial, video_format, frames, progress)
        os.replace(partial, path)
    except (OSError, av.FFmpegError) as error:
        raise SimulationError(
            f"the film cannot be written to {path}: {error}; choose a folder with space"
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
    """OpenCV converts in 1 ms where PyAV's own way takes 5."""
    planes = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def _find_encoder(crf: int) -> tuple[str, dict[str, str]]:
    for name, options, quality in CODECS:
        if name in av.codecs_available:
            # Six more of x264's factor is about half the rate, as is twice MPEG-4's scale (1 to 31); the pair
            # 26 and 4 is the demo's.
            value = crf if quality == "crf" else min(31, round(4 * 2 ** ((crf - 26) / 6)))
            return name, options | {quality: str(value)}
    choices = ", ".join(name for name, _, _ in CODECS)
    raise SimulationError(
        f"PyAV has none of the encoders {choices}; expected one: pip install --force-reinstall av"
    )
