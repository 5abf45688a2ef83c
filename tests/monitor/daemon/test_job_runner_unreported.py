"""Sessions that ended without a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from db.engine import open_database
from db.records import SessionStatus
from db.unit_of_work import Store
from monitor.daemon.job_runner import MAX_AGE, sessions_without_report
from tests.helpers.recorded import START, new_session

NOW = START + timedelta(days=1)


def test_recent_live_sessions_without_a_report() -> None:
    engine = open_database("sqlite://")

    def session(*, ended: bool = True, reported: bool = False, **changes: object) -> int:
        with Store(engine).unit_of_work() as unit:
            session_id = unit.start_session(replace(new_session(), expected_s=None, **changes))
            if ended:
                unit.end_session(
                    session_id, SessionStatus.INTERRUPTED, START + timedelta(minutes=5), "a crash"
                )
            if reported:
                unit.add_audit_entry("report", f"session {session_id}", START)
            unit.commit()
        return session_id

    first = session()
    session(reported=True)
    session(ended=False)
    session(started_at=NOW - MAX_AGE - timedelta(minutes=1))
    with Store(engine).unit_of_work() as unit:
        analysed = unit.start_session(new_session())
        unit.end_session(analysed, SessionStatus.INTERRUPTED, START, "stopped")
        unit.commit()
    last = session(started_at=START + timedelta(hours=1))
    for _ in range(8):
        session(reported=True)  # "session 1" is not in "session 11"
    assert sessions_without_report(engine, NOW) == [first, last]
    engine.dispose()
