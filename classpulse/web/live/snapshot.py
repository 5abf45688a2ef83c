"""What is known of a running session beside its recording's status: worked out once for all who watch."""

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
"""So long what was read is right even where nothing tells of news."""

EVICT_AFTER_S = 60.0
"""What nobody has watched for so long is forgotten."""


@dataclass(frozen=True)
class SessionFacts:
    """``session`` as stored, who sits where by the label of the seat, and the curves of the last minutes."""

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
    """Reads the database once for each time that the recording has written to it. Thread-safe."""

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
        """What is made of it, once for each language as long as nothing is new: of what is stored (charts
        and tables, which take most of the time) and of the last look. Raises NotFound."""
        with self._lock:
            kept = self._entry(session_id, recording)
            facts = kept.facts
            stored, now = kept.stored.get(language), kept.live.get(language)
            if stored is None or stored[0] is not facts:
                stored = kept.stored[language] = facts, render_stored(facts)
            if now is None or now[0] is not recording or now[1] is not facts:
                now = kept.live[language] = recording, facts, render_live(facts, recording)
            return {**stored[1], **now[2]}

    def _entry(self, session_id: int, recording: RecordingStatus | None) -> _CacheEntry:
        now_s = self._clock()
        self._entries = {n: one for n, one in self._entries.items() if now_s - one.used_s < EVICT_AFTER_S}
        written_at = None if recording is None else recording.last_written_at
        kept = self._entries.get(session_id)
        if kept is None:
            kept = self._entries[session_id] = _CacheEntry(
                self._load(session_id), written_at, now_s, now_s, {}, {}
            )
        elif kept.written_at != written_at or now_s - kept.loaded_s >= MAX_AGE_S:
            kept.facts, kept.written_at, kept.loaded_s = self._load(session_id), written_at, now_s
        kept.used_s = now_s
        return kept

    def _load(self, session_id: int) -> SessionFacts:
        engine = self._engine
        session = queries.get_session(engine, session_id)
        students = queries.list_students(engine, session_id)
        since_s = max(0.0, session.end_s - WINDOW_S - session.bin_s)
        found = live_charts(
            session,
            students,
            queries.load_bins(engine, session_id, since_s),
            queries.list_gaps(engine, session_id),
            queries.list_markers(engine, session_id),
        )
        called = load_student_names(engine, [student.id for student in students])
        known = {student.id: SeatOccupant(student.pseudonym, called.get(student.id)) for student in students}
        seats = queries.list_seats(engine, session_id)
        return SessionFacts(
            session,
            {seat.label: known[seat.student_id] for seat in seats if seat.student_id in known},
            found,
        )
