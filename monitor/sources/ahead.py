"""The next frame is fetched while the present one is looked at."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

from monitor.domain import Frame


def ahead(frames: Iterator[Frame]) -> Generator[Frame, None, None]:
    """The same frames, each begun while its user is busy with the one before, in one thread of its own.

    At most one frame waits. What ``frames`` raises is raised here, in its place. ``frames`` must not be used
    by anybody else; when this iterator is closed, a frame that is being fetched is waited for.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode") as pool:
        coming = pool.submit(next, frames, None)
        while (frame := coming.result()) is not None:
            coming = pool.submit(next, frames, None)
            yield frame
