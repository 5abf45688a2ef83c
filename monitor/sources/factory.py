"""Which source a specification means: one explicit table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from monitor.errors import SourceError
from monitor.sources.base import Source
from monitor.sources.capture import CaptureFactory, open_capture
from monitor.sources.capture_thread import CaptureThread
from monitor.sources.freshness import EXACT_TOLERANCE, RECODED_TOLERANCE
from monitor.sources.images import ImageFolder
from monitor.sources.live import LiveSource, ReconnectPolicy
from monitor.sources.online import ONLINE_SCHEME, open_lesson_source
from monitor.sources.video_file import VideoFile

STALE_S = 10.0
"""A live source without a fresh picture for so long is opened again. A Wi-Fi camera that changes its
access point is silent for some seconds; a lecture's timeline is kept in bins of five."""

RECONNECT_S = 900.0
"""For so long a live source that is gone is sought: a switch or a recorder starts anew in two minutes, and
somebody who was called to the room has found the cable in a quarter of an hour."""

URL_SCHEMES = ("rtsp", "rtsps", "http", "https")


@dataclass(frozen=True)
class SourceOptions:
    """What the kinds of source need beside their specification."""

    started_at: datetime
    stale_s: float = STALE_S
    reconnect_s: float = RECONNECT_S
    capture_factory: CaptureFactory = open_capture


@dataclass(frozen=True)
class SourceKind:
    """A row of the table: how a kind of source is recognised and opened."""

    name: str
    matches: Callable[[str], bool]
    open: Callable[[str, SourceOptions], Source]


def is_online_lesson(spec: str) -> bool:
    """Whether that is an online lesson."""
    return spec.startswith(ONLINE_SCHEME)


def _is_camera(spec: str) -> bool:
    return spec.isascii() and spec.isdecimal()


def _is_url(spec: str) -> bool:
    return "://" in spec


def _open_camera(spec: str, opening: SourceOptions) -> Source:
    return _live(int(spec), f"camera {int(spec)}", EXACT_TOLERANCE, opening)


def _open_url(spec: str, opening: SourceOptions) -> Source:
    # What comes over HTTP is nearly always single JPEGs, equal where the picture is.
    recoded = spec.lower().startswith("rtsp")
    return _live(spec, _url_name(spec), RECODED_TOLERANCE if recoded else EXACT_TOLERANCE, opening)


def _live(address: int | str, name: str, tolerance: int, opening: SourceOptions) -> Source:
    patience = ReconnectPolicy(opening.stale_s, opening.reconnect_s, tolerance)
    return LiveSource(address, name, patience, partial(CaptureThread, factory=opening.capture_factory))


def _url_name(url: str) -> str:
    """Scheme, host, port and path: neither user and password nor the query, which may hold a token."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise SourceError(
            f"the address of the stream is malformed ({error}); expected rtsp://host/path"
        ) from error
    if parts.scheme.lower() not in URL_SCHEMES or not parts.hostname:
        known = ", ".join(f"{scheme}://" for scheme in URL_SCHEMES)
        raise SourceError(
            f"{parts.scheme}://{parts.hostname or ''} is no stream; expected an address with one of: {known}"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme.lower()}://{host}{port}{parts.path}"


SOURCES: tuple[SourceKind, ...] = (
    SourceKind("online lesson", is_online_lesson, lambda spec, _: open_lesson_source(spec)),
    SourceKind("camera", _is_camera, _open_camera),
    SourceKind("stream", _is_url, _open_url),
    SourceKind(
        "folder of images",
        lambda spec: Path(spec).is_dir(),
        lambda spec, opening: ImageFolder(Path(spec), opening.started_at),
    ),
    SourceKind("video file", lambda _: True, lambda spec, opening: VideoFile(Path(spec), opening.started_at)),
)
"""The kinds of source; the first that matches is taken. A file called ``0`` is reached as ``./0``."""


def open_source(
    spec: str | int | Path,
    *,
    started_at: datetime | None = None,
    stale_s: float = STALE_S,
    reconnect_s: float = RECONNECT_S,
    capture_factory: CaptureFactory = open_capture,
) -> Source:
    """Open what ``spec`` means: a camera's number, a URL, a folder of images, or a video file.

    ``started_at`` (aware UTC, default now) dates the frames of files and folders; live pictures are
    dated when they are read. ``stale_s``, ``reconnect_s`` and ``capture_factory`` concern live sources.

    Raises:
        SourceError: there is nothing of that kind, or it cannot be read.
        ValueError: ``started_at`` has no time zone.
    """
    opening = SourceOptions(started_at or datetime.now(UTC), stale_s, reconnect_s, capture_factory)
    if opening.started_at.tzinfo is None:
        raise ValueError("started_at has no time zone; expected aware UTC")
    text = str(spec).strip()
    if not text:
        raise SourceError(
            "no source is given; expected a video, a folder of images, a camera's number or a URL"
        )
    kinds = SOURCES[3:] if isinstance(spec, Path) else SOURCES
    return next(kind for kind in kinds if kind.matches(text)).open(text, opening)
