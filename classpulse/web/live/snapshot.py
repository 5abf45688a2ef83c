"""A cache of the rendered live page parts, shared by all viewers of a session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.web.live.charts import WINDOW_S, LiveCharts, live_charts
from classpulse.web.live.people import SeatOccupant
from db import sessions as queries
from db.records import SessionRecord
from db.roster import load_student_names
from monitor.session.status import RecordingStatus

MAX_AGE_S = 5.0
"""Stored data are read again after this time even if the recorder reports no new write."""

EVICT_AFTER_S = 60.0
"""Entries without viewers are dropped after this time."""


@dataclass(frozen=True)
class SessionFacts:
    """A stored session, its students by seat label, and the charts of the last minutes."""

    session: SessionRecord
    occupants: Mapping[str, SeatOccupant]
    charts: LiveCharts


@dataclass
class _CacheEntry:
    facts: SessionFacts
    written_at: datetime | None
    loaded_s: float
    used_s: float
    stored: dict[str, tuple[SessionFacts, Mapping[str, str]]]
    live: dict[str, tuple[RecordingStatus | None, SessionFacts, Mapping[str, str]]]


RenderStored = Callable[[SessionFacts], Mapping[str, str]]
RenderLive = Callable[[SessionFacts, RecordingStatus | None], Mapping[str, str]]


class LivePageCache:
    """Reads the database once per commit of the recorder. Thread-safe."""

    def __init__(self, config: Config, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[int, _CacheEntry] = {}

    def parts(
        self,
        session_id: int,
        recording: RecordingStatus | None,
        language: str,
        render_stored: RenderStored,
        render_live: RenderLive,
    ) -> Mapping[str, str]:
        """The page parts by name, rendered once per language and change: those from stored data (charts and
        tables, which take most of the time) and those from the recorder's status. Raises NotFound."""
        with self._lock:
            entry = self._entry(session_id, recording)
            facts = entry.facts
            stored, now = entry.stored.get(language), entry.live.get(language)
            if stored is None or stored[0] is not facts:
                stored = entry.stored[language] = facts, render_stored(facts)
            if now is None or now[0] is not recording or now[1] is not facts:
                now = entry.live[language] = recording, facts, render_live(facts, recording)
            return {**stored[1], **now[2]}

    def _entry(self, session_id: int, recording: RecordingStatus | None) -> _CacheEntry:
        now_s = self._clock()
        self._entries = {
            n: cached for n, cached in self._entries.items() if now_s - cached.used_s < EVICT_AFTER_S
        }
        written_at = None if recording is None else recording.last_written_at
        entry = self._entries.get(session_id)
        if entry is None:
            entry = self._entries[session_id] = _CacheEntry(
                self._load(session_id), written_at, now_s, now_s, {}, {}
            )
        elif entry.written_at != written_at or now_s - entry.loaded_s >= MAX_AGE_S:
            entry.facts, entry.written_at, entry.loaded_s = self._load(session_id), written_at, now_s
        entry.used_s = now_s
        return entry

    def _load(self, session_id: int) -> SessionFacts:
        engine = self._engine
        session = queries.get_session(engine, session_id)
        students = queries.list_students(engine, session_id)
        since_s = max(0.0, session.end_s - WINDOW_S - session.bin_s)
        charts = live_charts(
            session,
            students,
            queries.load_bins(engine, session_id, since_s),
            queries.list_gaps(engine, session_id),
            queries.list_markers(engine, session_id),
        )
        names = load_student_names(engine, [student.id for student in students])
        occupants = {
            student.id: SeatOccupant(student.pseudonym, names.get(student.id)) for student in students
        }
        seats = queries.list_seats(engine, session_id)
        return SessionFacts(
            session,
            {seat.label: occupants[seat.student_id] for seat in seats if seat.student_id in occupants},
            charts,
        )
