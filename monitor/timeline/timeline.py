"""The part of a session's timeline that is not written yet. Pure: no database, no clock."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, replace

from db.records import GapRecord, SessionProgress, TimelineBin
from db.small_faces import SmallFaces
from monitor.timeline.binning import Binner
from monitor.types import FrameResult, Gap

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TimelineUpdate:
    """New entries of a timeline since the last update; fields as in ``WriteBatch``.

    ``bins`` are all open bins with samples, ``frame_size`` is that of the last analysed frame. The stored
    bins from ``rewritten_from_s`` on are replaced by ``bins``; None if only those in ``bins`` are.
    """

    progress: SessionProgress
    bins: dict[tuple[int, float], TimelineBin]
    notes: tuple[tuple[float, str], ...]
    gaps: dict[float, GapRecord]
    frame_size: tuple[int, int]
    small_faces: SmallFaces | None
    rewritten_from_s: float | None = None


MAX_RECENT_SAMPLES = 2000
"""Samples that can be discarded; more than 30 frames per second over the 40 s for which bins stay open."""


class Timeline:
    """Collects the results, gaps and notes of one session. One thread owns it; any thread may read
    ``progress``."""

    def __init__(self, binner: Binner) -> None:
        self.progress = SessionProgress(end_s=0.0, watched_s=0.0, frames_sampled=0, frames_dropped=0)
        """How far the session has advanced."""
        self.small_faces: SmallFaces | None = None
        """A new result of the search for missed faces, None without one."""
        self._binner = binner
        self._skipped_frames = 0
        self._frame_size = (0, 0)
        self._notes: list[tuple[float, str]] = []
        self._gaps: dict[float, GapRecord] = {}
        self._recent: deque[tuple[float, float, bool]] = deque(maxlen=MAX_RECENT_SAMPLES)
        self._rewritten_from_s: float | None = None

    def add(self, result: FrameResult, covers_s: float, frames_dropped: int) -> None:
        """Add a sample that stands for ``covers_s`` seconds; one that was not analysed counts as dropped."""
        if result.analysed:
            self._frame_size = result.frame_size
            self._binner.add_sample(result.media_s, covers_s, result.observed_students)
            self.add_observations(result)
        else:
            self._skipped_frames += 1
        if result.note is not None:
            self.add_note(result.media_s, result.note)
        self._recent.append((result.media_s, covers_s, result.analysed))
        self.progress = SessionProgress(
            end_s=result.media_s,
            watched_s=self.progress.watched_s + covers_s,
            frames_sampled=self.progress.frames_sampled + result.analysed,
            frames_dropped=frames_dropped + self._skipped_frames,
        )

    def add_observations(self, result: FrameResult) -> None:
        """Add observations of frames that were passed to :meth:`add` before."""
        late = sum(not self._binner.add(observation) for observation in result.observations)
        if late:
            log.warning("%d observations arrived after their bin was closed and were dropped", late)

    def discard_samples(self, after_s: float) -> None:
        """Remove the samples after ``after_s``, media seconds, and what was observed in them, also what was
        written already: the teacher had paused the recording by then. At most those of open bins."""
        discarded = []
        while self._recent and self._recent[-1][0] > after_s:
            discarded.append(self._recent.pop())
        if not discarded:
            return
        from_s = self._binner.discard_after(after_s)
        self._rewritten_from_s = (
            from_s if self._rewritten_from_s is None else min(from_s, self._rewritten_from_s)
        )
        self.progress = replace(
            self.progress,
            watched_s=max(0.0, self.progress.watched_s - sum(covers_s for _, covers_s, _ in discarded)),
            frames_sampled=self.progress.frames_sampled - sum(analysed for *_, analysed in discarded),
        )
        log.info("%d frames after the request to pause were discarded", len(discarded))

    def add_gap(self, gap: Gap, frames_dropped: int) -> None:
        """Add a gap: the session advances, but the time is not watched. A gap that continues (the same
        ``start_s``) replaces its earlier report."""
        self._gaps[gap.start_s] = GapRecord(gap.start_s, gap.end_s, gap.reason.value)
        self.progress = replace(
            self.progress,
            end_s=max(self.progress.end_s, gap.end_s),
            frames_dropped=frames_dropped + self._skipped_frames,
        )

    def add_note(self, at_s: float, text: str) -> None:
        """Add a note at ``at_s``, media seconds."""
        self._notes.append((at_s, text))

    def take_update(self) -> TimelineUpdate:
        """The new entries, which are then forgotten. Old bins are closed."""
        # A bin without samples says nothing about its student.
        bins = {key: bin_ for key, bin_ in self._binner.bins().items() if bin_.samples}
        self._binner.drop_old()
        notes, self._notes = tuple(self._notes), []
        gaps, self._gaps = self._gaps, {}
        small_faces, self.small_faces = self.small_faces, None
        from_s, self._rewritten_from_s = self._rewritten_from_s, None
        return TimelineUpdate(self.progress, bins, notes, gaps, self._frame_size, small_faces, from_s)
