"""Records a session: collects its timeline and hands it to the database writer in batches.

A lesson cannot be repeated. Therefore bins, including unfinished ones, are written every few seconds, and a
batch whose write failed stays in memory until it is written. Only bins, seats, tracks, gaps and notes are
kept, no image.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Gt, Le

from db.records import SessionProgress, SessionStatus, TimelineBin, TrackRecord
from db.small_faces import SmallFaces
from db.unit_of_work import Store
from monitor.geometry import Seat
from monitor.seating.seat_plan import SeatOwnerResolver
from monitor.timeline.batch import WHOLE_CLASS, WriteBatch
from monitor.timeline.binning import Binner, class_bin
from monitor.timeline.timeline import Timeline
from monitor.timeline.write_queue import CLOSE_TIMEOUT_S, BatchSink, SessionClose, SyncWriter, WriteQueue
from monitor.timeline.writer import Writer, student_labels
from monitor.types import FrameResult, Gap, SeatOwner, TrackAssignment


@dataclass(frozen=True)
class RecordingSettings:
    """``bin_s``: the length of a timeline bin, seconds; with five, an hour of 30 students has 21,600 rows.
    ``commit_s``: the longest time between two commits, on the clock or in media time, whichever comes first;
    a crash loses at most this much and the current sample."""

    bin_s: Annotated[float, Ge(1), Le(60)] = 5.0
    commit_s: Annotated[float, Gt(0), Le(10)] = 5.0


class StudentIdentities:
    """The seats, owners and labels of a session's students, as of the last commit."""

    def __init__(self, resolver: SeatOwnerResolver) -> None:
        self.seats: tuple[Seat, ...] = ()
        self.owners: Mapping[int, SeatOwner] = {}
        self.labels: Mapping[int, str] = {}
        self.erased: frozenset[int] = frozenset()
        self._resolver = resolver

    def update(self, seats: list[Seat], *, is_final: bool) -> None:
        """Resolve the owners of ``seats``; an empty list changes nothing."""
        if seats:
            self.seats = tuple(seats)
            self.owners = dict(self._resolver.update(seats, is_final=is_final))
            self.labels = student_labels(seats, self.owners)
            self.erased |= self._resolver.erased_students(seats)


class Recorder:
    """Records one session. One thread owns it; any thread may read ``progress``, ``unwritten_bins``,
    ``last_written_at`` and ``labels``.

    ``retry_timeout_s``: how long failing writes are retried, on the monotonic clock, before the database's
    error is raised: 0 for a file, which can be analysed again; unlimited for a live session, which cannot be
    repeated. ``in_background``: write in a thread, so that analysis never waits for the database
    (``monitor.timeline.write_queue``). ``owner_resolver`` assigns students of the roster.
    """

    def __init__(
        self,
        store: Store,
        session_id: int,
        binner: Binner,
        settings: RecordingSettings,
        *,
        per_student: bool = True,
        retry_timeout_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        owner_resolver: SeatOwnerResolver | None = None,
        in_background: bool = False,
    ) -> None:
        self.session_id = session_id
        self._timeline = Timeline(binner)
        self._identities = StudentIdentities(owner_resolver or SeatOwnerResolver((), {}))
        self._settings = settings
        self._per_student = per_student
        self._retry_timeout_s = retry_timeout_s
        self._clock = clock
        make_sink = WriteQueue if in_background else SyncWriter
        self._sink: BatchSink = make_sink(Writer(store, session_id), retry_timeout_s, clock)
        self._last_commit = (clock(), 0.0)

    @property
    def progress(self) -> SessionProgress:
        """How far the session has advanced."""
        return self._timeline.progress

    @property
    def unwritten_bins(self) -> int:
        """The number of submitted bins that are not written yet."""
        return self._sink.unwritten_bins

    @property
    def last_written_at(self) -> datetime | None:
        """Time of the last commit, aware UTC; None before the first."""
        return self._sink.last_written_at

    @property
    def labels(self) -> Mapping[int, str]:
        """The labels of the students by number, as of the last commit."""
        return self._identities.labels

    def add(self, result: FrameResult, covers_s: float, frames_dropped: int) -> None:
        """See ``Timeline.add``."""
        self._timeline.add(result, covers_s, frames_dropped)

    def add_observations(self, result: FrameResult) -> None:
        """See ``Timeline.add_observations``."""
        self._timeline.add_observations(result)

    def add_gap(self, gap: Gap, frames_dropped: int) -> None:
        """See ``Timeline.add_gap``."""
        self._timeline.add_gap(gap, frames_dropped)

    def discard_samples(self, after_s: float) -> None:
        """See ``Timeline.discard_samples``."""
        self._timeline.discard_samples(after_s)

    def add_note(self, at_s: float, text: str) -> None:
        """See ``Timeline.add_note``."""
        self._timeline.add_note(at_s, text)

    def set_small_faces(self, small_faces: SmallFaces) -> None:
        """Store the result of the search for missed faces with the next commit."""
        self._timeline.small_faces = small_faces

    def commit_if_due(
        self, seats: Callable[[], list[Seat]], tracks: Callable[[], list[TrackAssignment]]
    ) -> None:
        """Commit if ``commit_s`` has passed on the clock or in media time since the last commit.

        Raises DatabaseError if writing has failed for longer than ``retry_timeout_s``.
        """
        clock_s, media_s = self._last_commit
        due_s = self._settings.commit_s
        if self._clock() - clock_s >= due_s or self.progress.end_s - media_s >= due_s:
            self.commit(seats(), tracks())

    def commit(self, seats: list[Seat], tracks: list[TrackAssignment], *, is_final: bool = False) -> None:
        """Submit all new entries to be written; ``is_final``: the session is over. Raises DatabaseError as
        :meth:`commit_if_due` does."""
        self._last_commit = (self._clock(), self.progress.end_s)
        self._identities.update(seats, is_final=is_final)
        self._sink.submit(self._batch(tracks))

    def end(
        self, status: SessionStatus, ended_at: datetime, reason: str, timeout_s: float = CLOSE_TIMEOUT_S
    ) -> None:
        """Write pending batches and close the session's row, also if some batch cannot be written.

        Writes are retried for at most ``timeout_s`` and ``retry_timeout_s``. Raises DatabaseError.
        """
        timeout_s = min(self._retry_timeout_s, timeout_s)
        self._sink.finish(SessionClose(status, ended_at, reason), timeout_s)

    def _batch(self, tracks: list[TrackAssignment]) -> WriteBatch:
        """All new entries; in ``mode: aggregate`` without data of single students."""
        update, identities = self._timeline.take_update(), self._identities
        bins = {key: bin_ for key, bin_ in update.bins.items() if key[0] not in identities.erased}
        batch = WriteBatch(
            update.progress,
            {},
            {},
            update.notes,
            update.gaps,
            small_faces=update.small_faces,
            rewritten_from_s=update.rewritten_from_s,
        )
        if not self._per_student:
            return replace(batch, bins=_class_bins(bins))
        return replace(
            batch,
            bins=bins,
            tracks={assignment.track.track_id: _track_record(assignment) for assignment in tracks},
            seats=identities.seats,
            owners=identities.owners,
            frame_size=update.frame_size,
            erased_students=identities.erased,
        )


def _class_bins(bins: Mapping[tuple[int, float], TimelineBin]) -> dict[tuple[int, float], TimelineBin]:
    starts = sorted({start_s for _, start_s in bins})
    return {
        (WHOLE_CLASS, start_s): class_bin([bin_ for (_, other_s), bin_ in bins.items() if other_s == start_s])
        for start_s in starts
    }


def _track_record(assignment: TrackAssignment) -> TrackRecord:
    track, basis = assignment.track, assignment.basis
    return TrackRecord(
        assignment.student,
        track.track_id,
        track.first_seen_s,
        track.last_seen_s,
        track.hits,
        None if basis is None else basis.value,
    )
