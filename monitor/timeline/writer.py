"""One session's batches into the database, a transaction each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from db.clock import now_utc
from db.erasure import erase_student
from db.records import SeatRecord, SessionStatus
from db.unit_of_work import Store, UnitOfWork
from monitor.geometry import Seat, reading_order
from monitor.timeline.batch import WHOLE_CLASS, WriteBatch
from monitor.types import SeatOwner


class Writer:
    """Knows which number in the database each student of one session has. One thread at a time may use it.

    ``clock`` gives aware UTC.
    """

    def __init__(self, store: Store, session_id: int, clock: Callable[[], datetime] = now_utc) -> None:
        self._store = store
        self._session_id = session_id
        self._clock = clock
        self._student_ids: dict[int, int] = {}
        self.last_written_at: datetime | None = None

    def write(self, batch: WriteBatch) -> None:
        """Write a batch, all of it or nothing. Raises DatabaseError."""
        with self._store.unit_of_work() as unit:
            ids = self._write(unit, batch)
            unit.commit()
        self._student_ids = ids
        self.last_written_at = self._clock()

    def end(self, status: SessionStatus, ended_at: datetime, reason: str) -> None:
        """Close the session's row. Raises DatabaseError."""
        with self._store.unit_of_work() as unit:
            unit.end_session(self._session_id, status, ended_at, reason)
            unit.commit()

    def _write(self, unit: UnitOfWork, batch: WriteBatch) -> dict[int, int]:
        """Write into an open unit; return the database's id of each student number."""
        batch = _without_erased(batch)
        gone = {number: who for number, who in self._student_ids.items() if number in batch.erased_students}
        for who in gone.values():
            bins_gone = erase_student(unit, self._session_id, who)
            detail = f"somebody withdrew; {bins_gone} bins with it"
            unit.add_audit_entry("erase", f"session {self._session_id}", self._clock(), detail)
        known = {number: who for number, who in self._student_ids.items() if number not in gone}
        ids = self._name_students(unit, batch, known)
        bins = [
            replace(b, student_id=None if n == WHOLE_CLASS else ids[n]) for (n, _), b in batch.bins.items()
        ]
        unit.write_bins(self._session_id, bins)
        tracks = [replace(t, student_id=ids[t.student_id]) for t in batch.tracks.values()]
        unit.save_tracks(self._session_id, tracks)
        unit.save_gaps(self._session_id, list((batch.gaps or {}).values()))
        for at_s, text in batch.notes:
            unit.add_marker(self._session_id, at_s, text)
        if batch.small_faces is not None:
            unit.save_small_faces(self._session_id, batch.small_faces)
        unit.save_progress(self._session_id, batch.progress)
        return ids

    def _name_students(self, unit: UnitOfWork, batch: WriteBatch, known: Mapping[int, int]) -> dict[int, int]:
        """Students who are of the roster are taken for who they are, with all that was written of them before
        it was known. The others are named as they are known, else by seat, and then renamed when a new one
        sits down before them."""
        owners, ids = dict(batch.owners or {}), dict(known)
        of_roster = {
            number: owner.student_id for number, owner in owners.items() if owner.student_id is not None
        }
        for number, who in of_roster.items():
            if ids.get(number, who) != who:
                unit.reassign_to_roster_student(self._session_id, ids[number], who)
            ids[number] = who
        labels = student_labels(batch.seats, owners)
        # All renames in one call: two students may swap names when somebody sits down between them.
        others = {number: label for number, label in labels.items() if number not in of_roster}
        unit.rename_students(self._session_id, {ids[n]: label for n, label in others.items() if n in ids})
        for number, label in others.items():
            if number not in ids:
                ids[number] = unit.add_student(self._session_id, label)
        width, height = batch.frame_size
        unit.save_seats(
            self._session_id,
            [SeatRecord(ids[s.student], labels[s.student], s.box_xyxy, width, height) for s in batch.seats],
        )
        return ids


def _without_erased(batch: WriteBatch) -> WriteBatch:
    """The same without what it holds of those of whom nothing may be kept."""
    gone = batch.erased_students
    if not gone:
        return batch
    return replace(
        batch,
        bins={key: one for key, one in batch.bins.items() if key[0] not in gone},
        tracks={key: one for key, one in batch.tracks.items() if one.student_id not in gone},
        seats=tuple(seat for seat in batch.seats if seat.student not in gone),
        owners={number: owner for number, owner in (batch.owners or {}).items() if number not in gone},
    )


def student_labels(seats: Sequence[Seat], owners: Mapping[int, SeatOwner]) -> dict[int, str]:
    """What each student is called: the planned seat's label, or ``Student N`` in reading order."""
    others = [seat for seat in seats if seat.student not in owners]
    labels = {student: f"Student {place}" for place, student in enumerate(reading_order(others), 1)}
    return labels | {number: owner.label for number, owner in owners.items()}
