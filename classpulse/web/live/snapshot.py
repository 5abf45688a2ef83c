"""What is known of a running session beside its recording's status: worked out once for all who watch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.web.live.charts import WINDOW_S, Curves, curves
from classpulse.web.live.people import Known
from db import sessions as queries
from db.records import SessionRecord
from db.roster import names
from monitor.session.status import RecordingStatus

OLDEST_S = 5.0
"""So long what was read is right even where nothing tells of news."""

FORGET_S = 60.0
"""What nobody has watched for so long is forgotten."""


@dataclass(frozen=True)
class Facts:
    """``session`` as stored, who sits where by the label of the seat, and the curves of the last minutes."""

    session: SessionRecord
    known: Mapping[str, Known]
    curves: Curves


@dataclass
class _Kept:
    facts: Facts
    written_at: datetime | None
    read_s: float
    used_s: float
    stored: dict[str, tuple[Facts, Mapping[str, str]]]
    now: dict[str, tuple[RecordingStatus | None, Facts, Mapping[str, str]]]


OfStored = Callable[[Facts], Mapping[str, str]]
OfNow = Callable[[Facts, RecordingStatus | None], Mapping[str, str]]


class LiveBoard:
    """Reads the database once for each time that the recording has written to it. Thread-safe."""

    def __init__(self, config: Config, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._of: dict[int, _Kept] = {}

    def parts(
        self,
        session_id: int,
        recording: RecordingStatus | None,
        language: str,
        of_stored: OfStored,
        of_now: OfNow,
    ) -> Mapping[str, str]:
        """What is made of it, once for each language as long as nothing is new: of what is stored (charts
        and tables, which take most of the time) and of the last look. Raises NotFound."""
        with self._lock:
            kept = self._kept(session_id, recording)
            facts = kept.facts
            stored, now = kept.stored.get(language), kept.now.get(language)
            if stored is None or stored[0] is not facts:
                stored = kept.stored[language] = facts, of_stored(facts)
            if now is None or now[0] is not recording or now[1] is not facts:
                now = kept.now[language] = recording, facts, of_now(facts, recording)
            return {**stored[1], **now[2]}

    def _kept(self, session_id: int, recording: RecordingStatus | None) -> _Kept:
        now_s = self._clock()
        self._of = {n: one for n, one in self._of.items() if now_s - one.used_s < FORGET_S}
        written_at = None if recording is None else recording.last_written_at
        kept = self._of.get(session_id)
        if kept is None:
            kept = self._of[session_id] = _Kept(self._read(session_id), written_at, now_s, now_s, {}, {})
        elif kept.written_at != written_at or now_s - kept.read_s >= OLDEST_S:
            kept.facts, kept.written_at, kept.read_s = self._read(session_id), written_at, now_s
        kept.used_s = now_s
        return kept

    def _read(self, session_id: int) -> Facts:
        engine = self._engine
        session = queries.session(engine, session_id)
        students = queries.students(engine, session_id)
        since_s = max(0.0, session.end_s - WINDOW_S - session.bin_s)
        found = curves(
            session,
            students,
            queries.bins(engine, session_id, since_s),
            queries.gaps(engine, session_id),
            queries.markers(engine, session_id),
        )
        called = names(engine, [student.id for student in students])
        known = {student.id: Known(student.pseudonym, called.get(student.id)) for student in students}
        seats = queries.seats(engine, session_id)
        return Facts(
            session,
            {seat.label: known[seat.student_id] for seat in seats if seat.student_id in known},
            found,
        )
