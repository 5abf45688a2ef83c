"""Recordings with sound, several tracks or several sizes, written with PyAV."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Disposition

from monitor.types import ImageBGR

MATRIX_OFFSET = 44
"""Bytes from the name ``tkhd`` to the matrix of a track header of version 0 (ISO 14496-12, 8.3.2)."""


def write_with_sound(
    path: Path | io.RawIOBase,
    images: Iterable[ImageBGR],
    *,
    fps: int = 10,
    sound_s: float,
    video_codec: str = "libx264",
    audio_codec: str = "aac",
    container_format: str | None = None,
    rate: int = 44100,
    options: dict[str, str] | None = None,
) -> None:
    """Write ``images`` and ``sound_s`` seconds of silence."""
    target = str(path) if isinstance(path, Path) else path
    images = list(images)
    with av.open(target, "w", format=container_format, options=options or {}) as container:
        video = container.add_stream(video_codec, rate=fps)
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "yuv420p"
        if video_codec == "libx264":
            video.options = {"crf": "4", "g": "10", "bf": "0"}
        audio = container.add_stream(audio_codec, rate=rate)
        audio.layout = "mono"
        _mux(container, video, audio, images, fps, sound_s, rate)


def _mux(
    container: OutputContainer,
    video: av.VideoStream,
    audio: av.AudioStream,
    images: Sequence[ImageBGR],
    fps: int,
    sound_s: float,
    rate: int,
) -> None:
    chunk, sent = 1024, 0
    for second in range(int(max(sound_s, len(images) / fps)) + 1):
        for index in range(second * fps, min((second + 1) * fps, len(images))):
            frame = av.VideoFrame.from_ndarray(images[index], format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(video.encode(frame))
        while sent < min(second + 1, sound_s) * rate:
            form = "fltp" if audio.codec_context.format.name == "fltp" else "s16"
            dtype = np.float32 if form == "fltp" else np.int16
            samples = av.AudioFrame.from_ndarray(np.zeros((1, chunk), dtype), format=form, layout="mono")
            samples.sample_rate, samples.pts, samples.time_base = rate, sent, Fraction(1, rate)
            container.mux(audio.encode(samples))
            sent += chunk
    container.mux(video.encode(None))
    container.mux(audio.encode(None))


class Unseekable(io.RawIOBase):
    """A file that cannot be rewound, like the stream of a browser's recorder: no length, no index."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()


def write_tracks(path: Path, tracks: Sequence[Iterable[ImageBGR]], default: int | None = None) -> Path:
    """Write one video track for each sequence of images, ten a second; ``default`` is the index of the track
    that is marked as default."""
    with av.open(str(path), "w") as container:
        streams = []
        for images in tracks:
            images = list(images)
            stream = container.add_stream("libx264", rate=10)
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": "4", "bf": "0"}
            streams.append((stream, images))
        for index, (stream, _) in enumerate(streams):
            stream.disposition = Disposition.default if index == default else Disposition(0)
        for stream, images in streams:
            for index, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, 10)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def write_resized(path: Path, images: Iterable[ImageBGR], codec: str = "libvpx", fps: int = 10) -> Path:
    """Write images that change their size, as a conference server does: a new encoder for each size."""
    images = list(images)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        encoder, size = None, None
        for index, image in enumerate(images):
            if image.shape != size:
                if encoder is not None:
                    _mux_packets(container, stream, encoder.encode(None))
                encoder, size = _encoder(codec, image, fps), image.shape
            assert encoder is not None
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            _mux_packets(container, stream, encoder.encode(frame))
        assert encoder is not None
        _mux_packets(container, stream, encoder.encode(None))
    return path


def _encoder(codec: str, image: ImageBGR, fps: int) -> av.VideoCodecContext:
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width = image.shape[:2]
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, fps), Fraction(fps)
    encoder.options = {"deadline": "realtime", "lag-in-frames": "0", "b": "2000000"}
    return encoder


def _mux_packets(container: OutputContainer, stream: av.VideoStream, packets: list[av.Packet]) -> None:
    for packet in packets:
        packet.stream = stream
        packet.time_base = packet.time_base or Fraction(1, 10)
        container.mux(packet)


def set_display_matrix(path: Path, a: float, b: float, c: float, d: float) -> Path:
    """Set the matrix of an MP4's first track header."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + MATRIX_OFFSET
    values = [round(a * 65536), round(b * 65536), 0, round(c * 65536), round(d * 65536), 0, 0, 0, 1 << 30]
    data[start : start + 36] = struct.pack(">9i", *values)
    path.write_bytes(data)
    return path
