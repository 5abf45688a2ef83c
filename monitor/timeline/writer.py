"""Writes the batches of one session to the database, one transaction per batch."""

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
    """Writes batches and maps the student numbers of one session to ids of the database. Used by one thread
    at a time. ``clock`` returns aware UTC."""

    def __init__(self, store: Store, session_id: int, clock: Callable[[], datetime] = now_utc) -> None:
        self._store = store
        self._session_id = session_id
        self._clock = clock
        self._student_ids: dict[int, int] = {}
        self.last_written_at: datetime | None = None

    def write(self, batch: WriteBatch) -> None:
        """Write a batch atomically. Raises DatabaseError."""
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
        """Write into an open unit; returns the database id of each student number."""
        batch = _without_erased(batch)
        erased = {number: id_ for number, id_ in self._student_ids.items() if number in batch.erased_students}
        for id_ in erased.values():
            bin_count = erase_student(unit, self._session_id, id_)
            detail = f"consent withdrawn; {bin_count} bins deleted"
            unit.add_audit_entry("erase", f"session {self._session_id}", self._clock(), detail)
        known = {number: id_ for number, id_ in self._student_ids.items() if number not in erased}
        ids = self._save_students(unit, batch, known)
        bins = [
            replace(bin_, student_id=None if number == WHOLE_CLASS else ids[number])
            for (number, _), bin_ in batch.bins.items()
        ]
        if batch.rewritten_from_s is not None:
            unit.delete_bins(self._session_id, batch.rewritten_from_s)
        unit.write_bins(self._session_id, bins)
        tracks = [replace(track, student_id=ids[track.student_id]) for track in batch.tracks.values()]
        unit.save_tracks(self._session_id, tracks)
        unit.save_gaps(self._session_id, list((batch.gaps or {}).values()))
        for at_s, text in batch.notes:
            unit.add_marker(self._session_id, at_s, text)
        if batch.small_faces is not None:
            unit.save_small_faces(self._session_id, batch.small_faces)
        unit.save_progress(self._session_id, batch.progress)
        return ids

    def _save_students(self, unit: UnitOfWork, batch: WriteBatch, known: Mapping[int, int]) -> dict[int, int]:
        """Save students and seats; returns the database id of each student number.

        Data of a student who turns out to be on the roster is moved to the roster student. The others are
        labelled by their owner, else by seat, and relabelled when a new student sits down in front of them.
        """
        owners, ids = dict(batch.owners or {}), dict(known)
        of_roster = {
            number: owner.student_id for number, owner in owners.items() if owner.student_id is not None
        }
        for number, id_ in of_roster.items():
            if ids.get(number, id_) != id_:
                unit.reassign_to_roster_student(self._session_id, ids[number], id_)
            ids[number] = id_
        labels = student_labels(batch.seats, owners)
        # All renames in one call: two students may swap labels when a third one sits down between them.
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
    """The batch without the data of its ``erased_students``."""
    erased = batch.erased_students
    if not erased:
        return batch
    return replace(
        batch,
        bins={key: bin_ for key, bin_ in batch.bins.items() if key[0] not in erased},
        tracks={key: track for key, track in batch.tracks.items() if track.student_id not in erased},
        seats=tuple(seat for seat in batch.seats if seat.student not in erased),
        owners={number: owner for number, owner in (batch.owners or {}).items() if number not in erased},
    )


def student_labels(seats: Sequence[Seat], owners: Mapping[int, SeatOwner]) -> dict[int, str]:
    """The label of each student: that of the planned seat, or ``Student N`` in reading order."""
    others = [seat for seat in seats if seat.student not in owners]
    labels = {student: f"Student {number}" for number, student in enumerate(reading_order(others), 1)}
    return labels | {number: owner.label for number, owner in owners.items()}
