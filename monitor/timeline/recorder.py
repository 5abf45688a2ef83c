"""Observations into batches for the database, as the lecture goes.

A lecture cannot be repeated, so the recorder writes early and forgets late: bins go to the
database every few seconds, unfinished ones included, and what could not be written stays in
memory until it could. Nothing but bins, seats and stretches of tracks is kept: no picture.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Gt, Le

from db.records import GapRecord, SessionProgress, SessionStatus, TimelineBin, TrackRecord
from db.small_faces import SmallFaces
from db.unit_of_work import Store
from monitor.geometry import Seat
from monitor.seating.seat_plan import SeatOwnerResolver
from monitor.timeline.batch import WHOLE_CLASS, WriteBatch
from monitor.timeline.binning import Binner, class_bin
from monitor.timeline.write_queue import CLOSE_TIMEOUT_S, BatchSink, SessionClose, SyncWriter, WriteQueue
from monitor.timeline.writer import Writer, student_labels
from monitor.types import FrameResult, Gap, SeatOwner, TrackAssignment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecordingSettings:
    """``bin_s``: the length of a timeline bin, seconds; five keep an hour of 30 students at 21,600
    rows. ``commit_s``: the longest time between two commits, on the clock or in the lecture,
    whichever comes first; a crash loses at most this much and the sample at hand."""

    bin_s: Annotated[float, Ge(1), Le(60)] = 5.0
    commit_s: Annotated[float, Gt(0), Le(10)] = 5.0


class Recorder:
    """Collects one session and hands it over to be written. Not thread-safe: one loop owns it, but for
    ``progress``, ``unwritten_bins``, ``last_written_at`` and ``labels``.

    ``retry_timeout_s`` is how long failing writes are put up with, counted on the monotonic clock, before
    the database's error is raised: none for a file, which can be analysed again; unlimited for a
    live lecture, which cannot. ``in_background`` writes in a thread of its own, so that the lecture never
    waits for the database (``monitor.timeline.write_queue``). ``owner_resolver`` says who of the students is of the roster.
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
        self._binner = binner
        self._settings = settings
        self._per_student = per_student
        self._retry_timeout_s = retry_timeout_s
        self._clock = clock
        self._owner_resolver = owner_resolver or SeatOwnerResolver((), {})
        delivery = WriteQueue if in_background else SyncWriter
        self._sink: BatchSink = delivery(Writer(store, session_id), retry_timeout_s, clock)
        self._owners: Mapping[int, SeatOwner] = {}
        self._skipped_frames = 0
        self._frame_size = (0, 0)
        self._notes: list[tuple[float, str]] = []
        self._gaps: dict[float, GapRecord] = {}
        self._small_faces: SmallFaces | None = None
        self._progress = SessionProgress(end_s=0.0, watched_s=0.0, frames_sampled=0, frames_dropped=0)
        self._last_commit = (clock(), 0.0)
        self._seats: list[Seat] = []
        self._labels: Mapping[int, str] = {}
        self._erased: frozenset[int] = frozenset()

    @property
    def progress(self) -> SessionProgress:
        """How far the session has come."""
        return self._progress

    @property
    def unwritten_bins(self) -> int:
        """How many bins were handed over and wait for the database."""
        return self._sink.unwritten_bins

    @property
    def last_written_at(self) -> datetime | None:
        """When something was last committed, aware UTC; None before the first time."""
        return self._sink.last_written_at

    @property
    def labels(self) -> Mapping[int, str]:
        """What the students are called, by number, since the last commit."""
        return self._labels

    def add(self, result: FrameResult, covers_s: float, frames_dropped: int) -> None:
        """Count a sample that stands for ``covers_s`` seconds; one that was not looked at is dropped."""
        if result.analysed:
            self._frame_size = result.frame_size
            self._binner.add_sample(result.media_s, covers_s, result.observed_students)
            self.add_observations(result)
        else:
            self._skipped_frames += 1
        if result.note is not None:
            self.add_note(result.media_s, result.note)
        self._progress = SessionProgress(
            end_s=result.media_s,
            watched_s=self._progress.watched_s + covers_s,
            frames_sampled=self._progress.frames_sampled + result.analysed,
            frames_dropped=frames_dropped + self._skipped_frames,
        )

    def add_observations(self, result: FrameResult) -> None:
        """Count observations of frames that were already announced by :meth:`add`."""
        late = sum(not self._binner.add(observation) for observation in result.observations)
        if late:
            log.warning("%d observations came after their bin was closed and are not counted", late)

    def add_gap(self, gap: Gap, frames_dropped: int) -> None:
        """Nothing could be seen in ``gap``: the session goes on, none of it is watched. One that goes on
        (the same ``start_s``) replaces what was known of it."""
        self._gaps[gap.start_s] = GapRecord(gap.start_s, gap.end_s, gap.reason.value)
        self._progress = replace(
            self._progress,
            end_s=max(self._progress.end_s, gap.end_s),
            frames_dropped=frames_dropped + self._skipped_frames,
        )

    def add_note(self, at_s: float, text: str) -> None:
        """Put a note on the timeline at ``at_s``, media seconds."""
        self._notes.append((at_s, text))

    def set_small_faces(self, small_faces: SmallFaces) -> None:
        """Store the result of the search for missed faces with the next commit."""
        self._small_faces = small_faces

    def commit_if_due(
        self, seats: Callable[[], list[Seat]], tracks: Callable[[], list[TrackAssignment]]
    ) -> None:
        """Commit when ``commit_s`` has passed on the clock or in the lecture since the last commit.

        Raises DatabaseError when writing has failed for longer than the recorder's patience.
        """
        clock_s, media_s = self._last_commit
        due_s = self._settings.commit_s
        if self._clock() - clock_s >= due_s or self._progress.end_s - media_s >= due_s:
            self.commit(seats(), tracks())

    def commit(self, seats: list[Seat], tracks: list[TrackAssignment], *, is_final: bool = False) -> None:
        """Hand everything new over to be written; ``is_final`` says that the session is over. Raises
        DatabaseError as :meth:`commit_if_due` does."""
        self._last_commit = (self._clock(), self._progress.end_s)
        if seats:
            self._seats = seats
            self._owners = dict(self._owner_resolver.update(seats, is_final=is_final))
            self._labels = student_labels(seats, self._owners)
            self._erased |= self._owner_resolver.erased_students(seats)
        self._sink.submit(self._batch(tracks))

    def end(
        self, status: SessionStatus, ended_at: datetime, reason: str, timeout_s: float = CLOSE_TIMEOUT_S
    ) -> None:
        """Write what is left and close the session's row, the row also where something is left that cannot
        be written. Raises DatabaseError.

        A recorder with patience tries again, for at most ``timeout_s`` seconds.
        """
        timeout_s = min(self._retry_timeout_s, timeout_s)
        self._sink.finish(SessionClose(status, ended_at, reason), timeout_s)

    def _batch(self, tracks: list[TrackAssignment]) -> WriteBatch:
        """Everything new, and what the binner may soon forget; in ``mode: aggregate`` nothing of anybody."""
        # Of whom nothing was watched in a bin, it says nothing.
        bins = {
            key: one for key, one in self._binner.bins().items() if one.samples and key[0] not in self._erased
        }
        self._binner.drop_old()
        notes, self._notes = tuple(self._notes), []
        gaps, self._gaps = self._gaps, {}
        small_faces, self._small_faces = self._small_faces, None
        if not self._per_student:
            return WriteBatch(self._progress, _class_bins(bins), {}, notes, gaps, small_faces=small_faces)
        return WriteBatch(
            progress=self._progress,
            bins=bins,
            tracks={one.track.track_id: _track_record(one) for one in tracks},
            notes=notes,
            gaps=gaps,
            seats=tuple(self._seats),
            owners=self._owners,
            frame_size=self._frame_size,
            erased_students=self._erased,
            small_faces=small_faces,
        )


def _class_bins(bins: Mapping[tuple[int, float], TimelineBin]) -> dict[tuple[int, float], TimelineBin]:
    starts = sorted({start_s for _, start_s in bins})
    return {(WHOLE_CLASS, at): class_bin([b for (_, when), b in bins.items() if when == at]) for at in starts}


def _track_record(assignment: TrackAssignment) -> TrackRecord:
    track, grounds = assignment.track, assignment.basis
    return TrackRecord(
        assignment.student,
        track.track_id,
        track.first_seen_s,
        track.last_seen_s,
        track.hits,
        None if grounds is None else grounds.value,
    )
