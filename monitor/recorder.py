"""Observations into the database, as the lecture goes.

A lecture cannot be repeated, so the recorder writes early and forgets late: bins go to the
database every few seconds, unfinished ones included, and what could not be written stays in
memory until it could. Nothing but bins, seats and stretches of tracks is kept: no picture.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Gt, Le

from db.errors import DatabaseError
from db.records import Progress, SeatRecord, SessionStatus, TimelineBin, TrackRecord
from db.store import Store
from db.unit import Unit
from monitor.aggregate import class_bin
from monitor.binning import Binner
from monitor.plan import Attribution, Owner
from monitor.sample import Sample, Stretch
from monitor.seating import Seat, reading_order

log = logging.getLogger(__name__)

_LAST_TRIES_S = 60.0
_RETRY_S = 1.0


@dataclass(frozen=True)
class RecordingSettings:
    """``bin_s``: the length of a timeline bin, seconds; five keep an hour of 30 students at 21,600
    rows. ``commit_s``: the longest time between two commits, on the clock or in the lecture,
    whichever comes first; a crash loses at most this much."""

    bin_s: Annotated[float, Ge(1), Le(60)] = 5.0
    commit_s: Annotated[float, Gt(0), Le(10)] = 5.0


class Recorder:
    """Writes one session. Not thread-safe: one loop owns it.

    ``patience_s`` is how long failing writes are put up with, counted on the monotonic clock, before
    the database's error is raised: none for a file, which can be analysed again; unlimited for a
    live lecture, which cannot. ``attribution`` says who of the students is of the roster.
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
    ) -> None:
        self.session_id = session_id
        self._store = store
        self._binner = binner
        self._settings = settings
        self._per_student = per_student
        self._patience_s = patience_s
        self._clock = clock
        self._attribution = attribution or Attribution((), {})
        self._owners: dict[int, Owner] = {}
        self._student_ids: dict[int, int] = {}
        self._not_looked_at = 0
        self._frame_size = (0, 0)
        self._unwritten: dict[tuple[int, float], TimelineBin] = {}
        self._tracks: dict[int, TrackRecord] = {}
        self._notes: list[tuple[float, str]] = []
        self._progress = Progress(end_s=0.0, watched_s=0.0, frames_sampled=0, frames_dropped=0)
        self._last_commit = (clock(), 0.0)
        self._failing_since: float | None = None
        self._last_error: DatabaseError | None = None
        self._seats: list[Seat] = []

    @property
    def progress(self) -> Progress:
        """How far the session has come."""
        return self._progress

    def add(self, sample: Sample, covers_s: float, frames_dropped: int) -> None:
        """Count a sample that stands for ``covers_s`` seconds; one that was not looked at is dropped."""
        if sample.looked_at:
            self._frame_size = sample.frame_size
            self._binner.add_sample(sample.media_s, covers_s)
            self.add_observations(sample)
        else:
            self._not_looked_at += 1
        if sample.note is not None:
            self._notes.append((sample.media_s, sample.note))
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

    def commit_if_due(self, seats: Callable[[], list[Seat]], tracks: Callable[[], list[Stretch]]) -> None:
        """Commit when ``commit_s`` has passed on the clock or in the lecture since the last commit.

        Raises DatabaseError when writing has failed for longer than the recorder's patience.
        """
        clock_s, media_s = self._last_commit
        due_s = self._settings.commit_s
        if self._clock() - clock_s >= due_s or self._progress.end_s - media_s >= due_s:
            self.commit(seats(), tracks())

    def commit(self, seats: list[Seat], tracks: list[Stretch], *, last: bool = False) -> None:
        """Write everything new; ``last`` says that the session is over. Raises DatabaseError as
        :meth:`commit_if_due` does."""
        self._last_commit = (self._clock(), self._progress.end_s)
        self._collect(tracks)
        if seats:
            self._seats = seats
            self._owners = self._attribution.update(seats, last=last)
        try:
            with self._store.unit() as unit:
                ids = self._write(unit, self._seats)
                unit.commit()
        except DatabaseError as error:
            self._complain(error)
            return
        self._student_ids = ids
        self._failing_since = None
        self._unwritten.clear()
        self._tracks.clear()
        self._notes.clear()

    def end(self, status: SessionStatus, ended_at: datetime, reason: str) -> None:
        """Write what is left and close the session's row, the row also where something is left that cannot
        be written. Raises DatabaseError.

        A recorder with patience tries again for up to a minute: the disk may be cleared, the
        other program may let the database go, and what is still in memory here is nowhere else.
        """
        deadline = self._clock() + min(self._patience_s, _LAST_TRIES_S)
        while self._unwritten and self._clock() < deadline:
            time.sleep(_RETRY_S)
            self.commit([], [])
        with self._store.unit() as unit:
            unit.end_session(self.session_id, status, ended_at, reason)
            unit.commit()
        if self._unwritten and self._last_error is not None:
            raise self._last_error

    def _collect(self, tracks: list[Stretch]) -> None:
        """Move what the binner may soon forget into what must still be written."""
        self._unwritten |= self._binner.bins()
        self._binner.close_old()
        for stretch in tracks:
            track, grounds = stretch.track, stretch.grounds
            self._tracks[track.track_id] = TrackRecord(
                stretch.student,
                track.track_id,
                track.first_s,
                track.last_s,
                track.hits,
                None if grounds is None else grounds.value,
            )

    def _write(self, unit: Unit, seats: list[Seat]) -> dict[int, int]:
        """Write into an open unit; return the database's id of each student number."""
        for at_s, text in self._notes:
            unit.add_marker(self.session_id, at_s, text)
        if not self._per_student:
            unit.write_bins(self.session_id, self._class_bins())
            unit.progress(self.session_id, self._progress)
            return {}
        ids = self._name_students(unit, seats)
        bins = [replace(b, student_id=ids[n]) for (n, _), b in self._unwritten.items()]
        unit.write_bins(self.session_id, bins)
        unit.save_tracks(
            self.session_id, [replace(t, student_id=ids[t.student_id]) for t in self._tracks.values()]
        )
        unit.progress(self.session_id, self._progress)
        return ids

    def _class_bins(self) -> list[TimelineBin]:
        starts = sorted({start_s for _, start_s in self._unwritten})
        return [class_bin([b for (_, at), b in self._unwritten.items() if at == start]) for start in starts]

    def _name_students(self, unit: Unit, seats: list[Seat]) -> dict[int, int]:
        """Students who are of the roster are taken for who they are, with all that was written of them before
        it was known. The others are named by seat, and renamed when a new one sits down before them."""
        ids = dict(self._student_ids)
        for number, owner in self._owners.items():
            if ids.get(number, owner.student_id) != owner.student_id:
                unit.attribute(self.session_id, ids[number], owner.student_id)
            ids[number] = owner.student_id
        others = [seat for seat in seats if seat.student not in self._owners]
        labels = {student: f"Student {place}" for place, student in enumerate(reading_order(others), 1)}
        # All renames in one call: two students may swap names when somebody sits down between them.
        renamed = {ids[n]: label for n, label in labels.items() if n in ids}
        unit.rename_students(self.session_id, renamed)
        for number, label in labels.items():
            if number not in ids:
                ids[number] = unit.add_student(self.session_id, label)
        labels |= {number: owner.label for number, owner in self._owners.items()}
        width, height = self._frame_size
        unit.save_seats(
            self.session_id,
            [SeatRecord(ids[s.student], labels[s.student], s.box_xyxy, width, height) for s in seats],
        )
        return ids

    def _complain(self, error: DatabaseError) -> None:
        now = self._clock()
        self._last_error = error
        self._failing_since = now if self._failing_since is None else self._failing_since
        if now - self._failing_since >= self._patience_s:
            raise error
        log.warning("not written, kept in memory to try again: %s", error)
