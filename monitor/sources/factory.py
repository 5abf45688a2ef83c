"""Opens the source that a specification names: one explicit table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from monitor.sources.address import looks_like_an_address, parse_stream_address
from monitor.sources.adjustment import Adjustment
from monitor.sources.base import Source
from monitor.sources.capture import CaptureAddress, CaptureFactory, has_device_paths
from monitor.sources.capture_thread import CaptureThread
from monitor.sources.errors import MalformedAddress, NoSourceGiven, NoTracks, UnsupportedDevicePath
from monitor.sources.freshness import EXACT_TOLERANCE, RECODED_TOLERANCE
from monitor.sources.images import ImageFolder
from monitor.sources.live import LiveSource, ReconnectSettings
from monitor.sources.local_path import local_path
from monitor.sources.online import ONLINE_SCHEME, open_lesson_source
from monitor.sources.open_capture import open_capture
from monitor.sources.video_file import VideoFile

STALE_S = 10.0
"""A live source without a fresh frame for this long is reopened. A Wi-Fi camera that changes its access point
is silent for some seconds; the bins of the timeline have five."""

RECONNECT_S = 900.0
"""The budget of retries for a lost live source: a switch or a network recorder restarts in two minutes, and a
technician who was called to the room has found the cable in a quarter of an hour."""

_DEVICE_PATH = re.compile(r"/dev/(?:video\d+|v4l/.+)")


@dataclass(frozen=True)
class SourceOptions:
    """Options of the kinds of source; see ``open_source``."""

    started_at: datetime
    stale_s: float = STALE_S
    reconnect_s: float = RECONNECT_S
    adjustment: Adjustment = field(default_factory=Adjustment)
    capture_factory: CaptureFactory = open_capture
    track: int | None = None


@dataclass(frozen=True)
class SourceKind:
    """A row of ``SOURCES``: how a kind of source is recognised and opened."""

    name: str
    matches: Callable[[str], bool]
    open: Callable[[str, SourceOptions], Source]


def is_online_lesson(spec: str) -> bool:
    """Whether ``spec`` names an online lesson."""
    return spec.startswith(ONLINE_SCHEME)


def _is_camera(spec: str) -> bool:
    return spec.isascii() and spec.isdecimal()


def _is_device(spec: str) -> bool:
    """Whether ``spec`` is the path of a camera; it need not be plugged in."""
    is_device = spec.startswith("/dev/") and Path(spec).is_char_device()
    return is_device or _DEVICE_PATH.fullmatch(spec) is not None


def _is_url(spec: str) -> bool:
    return "://" in spec or looks_like_an_address(spec)


def _open_camera(spec: str, options: SourceOptions) -> Source:
    return _live(int(spec), f"camera {int(spec)}", EXACT_TOLERANCE, options)


def _open_device(spec: str, options: SourceOptions) -> Source:
    name = Path(spec).name
    if not has_device_paths():
        raise UnsupportedDevicePath(name)
    return _live(spec, f"camera {name}", EXACT_TOLERANCE, options)


def _open_url(spec: str, options: SourceOptions) -> Source:
    if "://" not in spec:
        raise MalformedAddress("its scheme is missing or incomplete")
    address = parse_stream_address(spec)
    # HTTP streams are nearly always single JPEGs, in which a repeated image is identical.
    recoded = address.scheme in {"rtsp", "rtsps"}
    return _live(address, address.name, RECODED_TOLERANCE if recoded else EXACT_TOLERANCE, options)


def _live(address: CaptureAddress, name: str, tolerance: int, options: SourceOptions) -> Source:
    settings = ReconnectSettings(options.stale_s, options.reconnect_s, tolerance)
    connect = partial(CaptureThread, factory=options.capture_factory)
    return LiveSource(address, name, settings, connect, adjustment=options.adjustment)


VIDEO_FILE = SourceKind(
    "video file",
    lambda _: True,
    lambda spec, options: VideoFile(Path(spec), options.started_at, options.track, options.adjustment),
)

FILE_SOURCES: tuple[SourceKind, ...] = (
    SourceKind(
        "folder of images",
        lambda spec: Path(spec).is_dir(),
        lambda spec, options: ImageFolder(Path(spec), options.started_at, options.adjustment),
    ),
    VIDEO_FILE,
)
"""The kinds for a path that exists, whatever it is called (``monitor.sources.local_path``)."""

SOURCES: tuple[SourceKind, ...] = (
    SourceKind("online lesson", is_online_lesson, lambda spec, _: open_lesson_source(spec)),
    SourceKind("camera", _is_camera, _open_camera),
    SourceKind("device of a camera", _is_device, _open_device),
    SourceKind("stream", _is_url, _open_url),
    *FILE_SOURCES,
)
"""The kinds of source; the first that matches is used."""


def open_source(
    spec: str | int | Path,
    *,
    started_at: datetime | None = None,
    stale_s: float = STALE_S,
    reconnect_s: float = RECONNECT_S,
    adjustment: Adjustment | None = None,
    rtsp_transport: str = "tcp",
    capture_factory: CaptureFactory | None = None,
    track: int | None = None,
) -> Source:
    """Open the source that ``spec`` names: the index of a camera or the path of its device, a URL, a folder
    of images, a video file or an online lesson.

    ``started_at`` (aware UTC, default now) is the capture time of the first frame of files and folders; live
    frames have the time when they were read. ``adjustment`` is applied to every image, except those of an
    online lesson. ``stale_s``, ``reconnect_s``, ``rtsp_transport`` (``tcp`` or ``udp``) and
    ``capture_factory`` are for live sources. ``track`` is the number of a video file's track, from 1, None
    for the default.

    Raises:
        SourceError: the source does not exist or cannot be opened (``monitor.sources.errors``).
        ValueError: ``started_at`` has no time zone.
    """
    options = SourceOptions(
        started_at or datetime.now(UTC),
        stale_s,
        reconnect_s,
        adjustment or Adjustment(),
        capture_factory or partial(open_capture, transport=rtsp_transport),
        track,
    )
    if options.started_at.tzinfo is None:
        raise ValueError("started_at has no time zone; expected aware UTC")
    text = str(spec).strip()
    if not text:
        raise NoSourceGiven
    path = spec if isinstance(spec, Path) else local_path(text)
    if path is not None:
        text = str(path)
    kind = next(kind for kind in (SOURCES if path is None else FILE_SOURCES) if kind.matches(text))
    if track is not None and kind is not VIDEO_FILE:
        raise NoTracks
    return kind.open(text, options)
