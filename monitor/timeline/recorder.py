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

from db.records import GapRecord, Progress, SessionStatus, TimelineBin, TrackRecord
from db.small_faces import SmallFaces
from db.unit_of_work import Store
from monitor.geometry import Seat
from monitor.seating.seat_plan import Attribution
from monitor.timeline.batch import CLASS, Batch
from monitor.timeline.binning import Binner, class_bin
from monitor.timeline.write_queue import LAST_TRIES_S, Background, Delivery, Ending, Inline
from monitor.timeline.writer import Writer, labels_of
from monitor.types import Gap, Owner, Sample, Stretch

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
    ``progress``, ``unwritten``, ``last_written_at`` and ``labels``.

    ``patience_s`` is how long failing writes are put up with, counted on the monotonic clock, before
    the database's error is raised: none for a file, which can be analysed again; unlimited for a
    live lecture, which cannot. ``in_background`` writes in a thread of its own, so that the lecture never
    waits for the database (``monitor.timeline.write_queue``). ``attribution`` says who of the students is of the roster.
    """

    def __init__(
        self,
        store: Store,
        session_id: int,
        binner: Binner,
        settings: RecordingSettings,
        *,
        per_student: bool = True,
        patience_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        attribution: Attribution | None = None,
        in_background: bool = False,
    ) -> None:
        self.session_id = session_id
        self._binner = binner
        self._settings = settings
        self._per_student = per_student
        self._patience_s = patience_s
        self._clock = clock
        self._attribution = attribution or Attribution((), {})
        delivery = Background if in_background else Inline
        self._delivery: Delivery = delivery(Writer(store, session_id), patience_s, clock)
        self._owners: Mapping[int, Owner] = {}
        self._not_looked_at = 0
        self._frame_size = (0, 0)
        self._notes: list[tuple[float, str]] = []
        self._gaps: dict[float, GapRecord] = {}
        self._small_faces: SmallFaces | None = None
        self._progress = Progress(end_s=0.0, watched_s=0.0, frames_sampled=0, frames_dropped=0)
        self._last_commit = (clock(), 0.0)
        self._seats: list[Seat] = []
        self._labels: Mapping[int, str] = {}
        self._erased: frozenset[int] = frozenset()

    @property
    def progress(self) -> Progress:
        """How far the session has come."""
        return self._progress

    @property
    def unwritten(self) -> int:
        """How many bins were handed over and wait for the database."""
        return self._delivery.unwritten

    @property
    def last_written_at(self) -> datetime | None:
        """When something was last committed, aware UTC; None before the first time."""
        return self._delivery.last_written_at

    @property
    def labels(self) -> Mapping[int, str]:
        """What the students are called, by number, since the last commit."""
        return self._labels

    def add(self, sample: Sample, covers_s: float, frames_dropped: int) -> None:
        """Count a sample that stands for ``covers_s`` seconds; one that was not looked at is dropped."""
        if sample.looked_at:
            self._frame_size = sample.frame_size
            self._binner.add_sample(sample.media_s, covers_s, sample.watched)
            self.add_observations(sample)
        else:
            self._not_looked_at += 1
        if sample.note is not None:
            self.add_note(sample.media_s, sample.note)
        self._progress = Progress(
            end_s=sample.media_s,
            watched_s=self._progress.watched_s + covers_s,
            frames_sampled=self._progress.frames_sampled + sample.looked_at,
            frames_dropped=frames_dropped + self._not_looked_at,
        )

    def add_observations(self, sample: Sample) -> None:
        """Count observations of frames that were already announced by :meth:`add`."""
        late = sum(not self._binner.add(observation) for observation in sample.observations)
        if late:
            log.warning("%d observations came after their bin was closed and are not counted", late)

    def add_gap(self, gap: Gap, frames_dropped: int) -> None:
        """Nothing could be seen in ``gap``: the session goes on, none of it is watched. One that goes on
        (the same ``start_s``) replaces what was known of it."""
        self._gaps[gap.start_s] = GapRecord(gap.start_s, gap.end_s, gap.reason.value)
        self._progress = replace(
            self._progress,
            end_s=max(self._progress.end_s, gap.end_s),
            frames_dropped=frames_dropped + self._not_looked_at,
        )

    def add_note(self, at_s: float, text: str) -> None:
        """Put a note on the timeline at ``at_s``, media seconds."""
        self._notes.append((at_s, text))

    def set_small_faces(self, found: SmallFaces) -> None:
        """Store the result of the search for missed faces with the next commit."""
        self._small_faces = found

    def commit_if_due(self, seats: Callable[[], list[Seat]], tracks: Callable[[], list[Stretch]]) -> None:
        """Commit when ``commit_s`` has passed on the clock or in the lecture since the last commit.

        Raises DatabaseError when writing has failed for longer than the recorder's patience.
        """
        clock_s, media_s = self._last_commit
        due_s = self._settings.commit_s
        if self._clock() - clock_s >= due_s or self._progress.end_s - media_s >= due_s:
            self.commit(seats(), tracks())

    def commit(self, seats: list[Seat], tracks: list[Stretch], *, last: bool = False) -> None:
        """Hand everything new over to be written; ``last`` says that the session is over. Raises
        DatabaseError as :meth:`commit_if_due` does."""
        self._last_commit = (self._clock(), self._progress.end_s)
        if seats:
            self._seats = seats
            self._owners = dict(self._attribution.update(seats, last=last))
            self._labels = labels_of(seats, self._owners)
            self._erased |= self._attribution.erased(seats)
        self._delivery.hand_over(self._batch(tracks))

    def end(
        self, status: SessionStatus, ended_at: datetime, reason: str, within_s: float = LAST_TRIES_S
    ) -> None:
        """Write what is left and close the session's row, the row also where something is left that cannot
        be written. Raises DatabaseError.

        A recorder with patience tries again, for at most ``within_s`` seconds.
        """
        within_s = min(self._patience_s, within_s)
        self._delivery.finish(Ending(status, ended_at, reason), within_s)

    def _batch(self, tracks: list[Stretch]) -> Batch:
        """Everything new, and what the binner may soon forget; in ``mode: aggregate`` nothing of anybody."""
        # Of whom nothing was watched in a bin, it says nothing.
        bins = {
            key: one for key, one in self._binner.bins().items() if one.samples and key[0] not in self._erased
        }
        self._binner.close_old()
        notes, self._notes = tuple(self._notes), []
        gaps, self._gaps = self._gaps, {}
        small_faces, self._small_faces = self._small_faces, None
        if not self._per_student:
            return Batch(self._progress, _class_bins(bins), {}, notes, gaps, small_faces=small_faces)
        return Batch(
            progress=self._progress,
            bins=bins,
            tracks={one.track.track_id: _track_record(one) for one in tracks},
            notes=notes,
            gaps=gaps,
            seats=tuple(self._seats),
            owners=self._owners,
            frame_size=self._frame_size,
            erased=self._erased,
            small_faces=small_faces,
        )


def _class_bins(bins: Mapping[tuple[int, float], TimelineBin]) -> dict[tuple[int, float], TimelineBin]:
    starts = sorted({start_s for _, start_s in bins})
    return {(CLASS, at): class_bin([b for (_, when), b in bins.items() if when == at]) for at in starts}


def _track_record(stretch: Stretch) -> TrackRecord:
    track, grounds = stretch.track, stretch.grounds
    return TrackRecord(
        stretch.student,
        track.track_id,
        track.first_s,
        track.last_s,
        track.hits,
        None if grounds is None else grounds.value,
    )
