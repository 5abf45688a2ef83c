"""When a recording was made, by what its container says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import av
from av.error import FFmpegError

from monitor.sources.video import OPTIONS

TAGS = ("com.apple.quicktime.creationdate", "creation_time")
"""The first is the beginning of the recording with the camera's own offset from UTC; the second is UTC, and
some cameras write into it their local time, or the end."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before it is a clock that was never set: 1904 and 1970 are where containers count from."""


def made_at(path: Path, now: datetime) -> datetime | None:
    """When ``path`` says it was made, aware UTC; None where it says nothing, or what cannot be: no time, one
    without a zone, before 2000 or after ``now``. Nothing is decoded."""
    if not path.is_file():
        return None
    try:
        with av.open(str(path), options=dict(OPTIONS)) as container:
            tags = [dict(container.metadata), *(dict(stream.metadata) for stream in container.streams.video)]
    except (FFmpegError, UnicodeError, OSError):
        return None
    return next((at for at in _said(tags) if EARLIEST <= at <= now), None)


def _said(tags: Sequence[Mapping[str, str]]) -> Iterator[datetime]:
    for name in TAGS:
        for one in tags:
            try:
                at = datetime.fromisoformat(one.get(name, ""))
            except ValueError:
                continue
            if at.tzinfo is not None:
                yield at.astimezone(UTC)
