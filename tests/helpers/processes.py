"""A running session: its rows in the database, and the live students that the daemon reports."""

from __future__ import annotations

from sqlalchemy import Engine

from db.records import GapRecord, SessionProgress
from db.roster import save_student_names
from db.unit_of_work import Store
from monitor.session.status import LiveStudent
from tests.helpers.recorded import new_session, seat_all

PEOPLE = (
    LiveStudent("Student 1", True, True, False, "happy"),
    LiveStudent("Student 2", True, False, None, None, "too small"),
    LiveStudent("Student 3", False, None, None, None, "absent"),
    LiveStudent("Student 4", True, None, True, "sad"),
    LiveStudent("", True, True, None, "neutral"),
)


def begin(engine: Engine, mode: str = "emotion") -> int:
    """A running session of class 7b, five minutes old, with four students; the name of the first is Mia."""
    with Store(engine).unit_of_work() as unit:
        session = unit.start_session(new_session(mode))
        ids = seat_all(unit, session)
        save_student_names(unit, {ids[0]: "Mia <b>"})
        unit.add_marker(session, 250.0, "<i>quiz</i>")
        unit.save_gaps(session, [GapRecord(100.0, 130.0, "paused")])
        unit.save_progress(session, SessionProgress(300.0, 270.0, 600, 0))
        unit.commit()
    return session
