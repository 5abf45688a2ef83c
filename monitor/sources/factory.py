"""Opens the source that a specification names: one explicit table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from monitor.sources.base import Source
from monitor.sources.capture import CaptureFactory, open_capture
from monitor.sources.capture_thread import CaptureThread
from monitor.sources.errors import MalformedAddress, NoSourceGiven, NoTracks, UnsupportedAddress
from monitor.sources.freshness import EXACT_TOLERANCE, RECODED_TOLERANCE
from monitor.sources.images import ImageFolder
from monitor.sources.live import LiveSource, ReconnectSettings
from monitor.sources.local_path import local_path
from monitor.sources.online import ONLINE_SCHEME, open_lesson_source
from monitor.sources.video_file import VideoFile

STALE_S = 10.0
"""A live source without a fresh frame for this long is reopened. A Wi-Fi camera that changes its access point
is silent for some seconds; the bins of the timeline have five."""

RECONNECT_S = 900.0
"""The budget of retries for a lost live source: a switch or a network recorder restarts in two minutes, and a
technician who was called to the room has found the cable in a quarter of an hour."""

URL_SCHEMES = ("rtsp", "rtsps", "http", "https")


@dataclass(frozen=True)
class SourceOptions:
    """Options of the kinds of source; see ``open_source``."""

    started_at: datetime
    stale_s: float = STALE_S
    reconnect_s: float = RECONNECT_S
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


def _is_url(spec: str) -> bool:
    return "://" in spec


def _open_camera(spec: str, options: SourceOptions) -> Source:
    return _live(int(spec), f"camera {int(spec)}", EXACT_TOLERANCE, options)


def _open_url(spec: str, options: SourceOptions) -> Source:
    # HTTP streams are nearly always single JPEGs, in which a repeated image is identical.
    recoded = spec.lower().startswith("rtsp")
    return _live(spec, _url_name(spec), RECODED_TOLERANCE if recoded else EXACT_TOLERANCE, options)


def _live(address: int | str, name: str, tolerance: int, options: SourceOptions) -> Source:
    settings = ReconnectSettings(options.stale_s, options.reconnect_s, tolerance)
    return LiveSource(address, name, settings, partial(CaptureThread, factory=options.capture_factory))


def _url_name(url: str) -> str:
    """Scheme, host, port and path, without user, password and query, which may contain a token."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise MalformedAddress(str(error)) from error
    if parts.scheme.lower() not in URL_SCHEMES or not parts.hostname:
        raise UnsupportedAddress(f"{parts.scheme}://{parts.hostname or ''}", URL_SCHEMES)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme.lower()}://{host}{port}{parts.path}"


VIDEO_FILE = SourceKind(
    "video file",
    lambda _: True,
    lambda spec, options: VideoFile(Path(spec), options.started_at, options.track),
)

FILE_SOURCES: tuple[SourceKind, ...] = (
    SourceKind(
        "folder of images",
        lambda spec: Path(spec).is_dir(),
        lambda spec, options: ImageFolder(Path(spec), options.started_at),
    ),
    VIDEO_FILE,
)
"""The kinds for a path that exists, whatever it is called (``monitor.sources.local_path``)."""

SOURCES: tuple[SourceKind, ...] = (
    SourceKind("online lesson", is_online_lesson, lambda spec, _: open_lesson_source(spec)),
    SourceKind("camera", _is_camera, _open_camera),
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
    capture_factory: CaptureFactory = open_capture,
    track: int | None = None,
) -> Source:
    """Open the source that ``spec`` names: the number of a camera, a URL, a folder of images, a video file or
    an online lesson.

    ``started_at`` (aware UTC, default now) is the capture time of the first frame of files and folders; live
    frames have the time when they were read. ``stale_s``, ``reconnect_s`` and ``capture_factory`` are for
    live sources. ``track`` is the number of a video file's track, from 1, None for the default.

    Raises:
        SourceError: the source does not exist or cannot be opened (``monitor.sources.errors``).
        ValueError: ``started_at`` has no time zone.
    """
    options = SourceOptions(started_at or datetime.now(UTC), stale_s, reconnect_s, capture_factory, track)
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
