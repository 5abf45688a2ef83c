"""Writing a simulated term to a database, as the recorder would have written it, and its ground truth.

The ground truth is the document ``truth.json``::

    {"version": 1, "class": "Physics 10b", "mode": "emotion", "seed": 0, "sample_fps": 2.0, "bin_s": 5.0,
     "model_answers": {"source": "mean answers of cp-fer-3 ...", "means": [[...7], ...7]},
     "students": [{"student": "Student 1", "trait": "nothing special"}, ...],
     "sessions": [{"session": 1, "started_at": "2026-01-12T10:00:00+00:00", "length_s": 3000.0,
                   "end_s": 3000.0, "gap_s": null,
                   "events": [{"text": "quiz handed out", "start_s": 750.0, "end_s": 750.0}, ...],
                   "students": [{"student": "Student 1", "present": true, "sad_share": 0.06,
                                 "states": {"neutral": 0.61, "absent": 0.02, ...}}, ...]}, ...]}

``states`` are shares of the recorded time by ``StudentState``, summing to 1; ``sad_share`` is the share of
sadness in the readable time, null without any. A student that is not ``present`` has no bins. ``session`` is
the number in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Engine

from classpulse.config.settings import Settings
from classpulse.simulation.term.bins import AnswerModel, shipped_answer_model
from classpulse.simulation.term.calendar import PlannedLecture, plan_term
from classpulse.simulation.term.lecture import (
    StudentActivity,
    class_bins,
    sad_share,
    sampling_of,
    simulate_students,
)
from classpulse.simulation.term.names import PseudonymStyle, make_pseudonyms
from classpulse.simulation.term.student_model import LecturePosition, trait_of_student
from db.records import AnalysisMode, NewSession, SeatRecord, SessionProgress, SessionStatus, TimelineBin
from db.roster import save_roster_entry
from db.unit_of_work import Store, UnitOfWork
from monitor.timeline.binning import class_bin

TERM_TRUTH_VERSION = 1


def session_ground_truth(
    session_id: int, session: PlannedLecture, activities: Sequence[StudentActivity], names: Sequence[str]
) -> Any:
    """The ground truth of one session."""
    sampling = sampling_of(session)
    students = []
    for activity in activities:
        shares = activity.state_shares(sampling)
        students.append(
            {
                "student": names[activity.student],
                "present": activity.sequence is not None,
                "sad_share": sad_share(shares),
                "states": {state.value: share for state, share in shares.items()},
            }
        )
    return {
        "session": session_id,
        "started_at": session.started_at.isoformat(),
        "length_s": session.length_s,
        "end_s": session.end_s,
        "gap_s": session.gap_s,
        "events": [asdict(event) for event in session.events],
        "students": students,
    }


SOURCE_NAME = "simulation"
INTERRUPTION_REASON = "simulated: the camera was unplugged"
_FRAME_WH = (1920, 1080)
_SEATS_PER_ROW = 8


@dataclass(frozen=True)
class TermSettings:
    """The class, the number of students and lectures, and the seed. ``start`` is a Monday; ``interrupted``
    lectures end early."""

    class_name: str = "Physics 10b"
    room: str | None = None
    students: int = 30
    weeks: int = 6
    per_week: int = 2
    minutes: float = 50.0
    seed: int = 0
    names: PseudonymStyle = PseudonymStyle.PLAIN
    mode: AnalysisMode = AnalysisMode.EMOTION
    interrupted: int = 0
    start: date = date(2026, 1, 12)


class SimulatedTerm:
    """The lectures of a class. Equal settings give equal lectures."""

    def __init__(self, settings: TermSettings, model_answers: AnswerModel | None = None) -> None:
        """Raise ``SimulationError`` like ``plan_term``."""
        self.settings = settings
        self.answers = model_answers or shipped_answer_model()
        self.names = make_pseudonyms(settings.students, settings.names)
        self.traits = tuple(trait_of_student(student) for student in range(settings.students))
        rng = np.random.default_rng((settings.seed, 30))
        self.planned_sessions = plan_term(
            settings.start, settings.weeks, settings.per_week, settings.minutes, settings.interrupted, rng
        )

    def write(self, engine: Engine, on_lecture: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
        """Store all sessions; returns the ground truth document.

        ``on_lecture`` gets the number of each stored session. Raises ``DatabaseError``.
        """
        sessions = []
        for index, planned in enumerate(self.planned_sessions):
            lecture = LecturePosition(index, len(self.planned_sessions))
            activities = simulate_students(planned, lecture, self.traits, self.settings.seed)
            number = self._write_session(engine, planned, lecture, activities)
            sessions.append(session_ground_truth(number, planned, activities, self.names))
            on_lecture(number)
        return {
            "version": TERM_TRUTH_VERSION,
            "class": self.settings.class_name,
            "mode": self.settings.mode.value,
            "seed": self.settings.seed,
            "sample_fps": 2.0,
            "bin_s": 5.0,
            "model_answers": {"source": self.answers.source, "means": self.answers.means.tolist()},
            "students": [
                {"student": name, "trait": trait.value}
                for name, trait in zip(self.names, self.traits, strict=True)
            ],
            "sessions": sessions,
        }

    def _write_session(
        self,
        engine: Engine,
        session: PlannedLecture,
        lecture: LecturePosition,
        activities: Sequence[StudentActivity],
    ) -> int:
        """Store one lecture in one transaction; returns the session's number."""
        ended_at = session.started_at + timedelta(seconds=session.end_s)
        sampling, mode = sampling_of(session), self.settings.mode
        # The lecture's time instead of now, so that equal settings give equal databases.
        with Store(engine, lambda: ended_at).unit_of_work() as unit:
            number = unit.start_session(self._new_session(session))
            unit.add_audit_entry(
                "start", f"session {number}", session.started_at, f"mode {mode.value}, simulated"
            )
            ids = (
                {}
                if mode is AnalysisMode.AGGREGATE
                else self._save_roster_and_seats(unit, number, activities, session.started_at)
            )
            bins = class_bins(
                activities,
                ids or {activity.student: activity.student for activity in activities},
                sampling,
                self.answers,
                lecture,
                self.settings.seed,
                expressions=mode is not AnalysisMode.BEHAVIOUR,
            )
            unit.write_bins(number, _aggregate_bins(bins) if mode is AnalysisMode.AGGREGATE else bins)
            for event in session.events:
                if event.start_s < session.end_s:
                    unit.add_marker(number, event.start_s, event.text)
            frames = len(sampling.times_s)
            unit.save_progress(
                number, SessionProgress(float(sampling.times_s[-1]), frames * sampling.period_s, frames, 0)
            )
            unit.end_session(number, *_end_status(session, ended_at))
            unit.commit()
        return number

    def _new_session(self, session: PlannedLecture) -> NewSession:
        stored_settings = Settings.model_validate(
            {"class": {"name": self.settings.class_name, "room": self.settings.room}}
        ).as_session_json()
        if self.answers.model_metrics is not None and self.settings.mode is not AnalysisMode.BEHAVIOUR:
            stored_settings["model"] = dict(self.answers.model_metrics)
        return NewSession(
            class_name=self.settings.class_name,
            source=SOURCE_NAME,
            started_at=session.started_at,
            mode=self.settings.mode.value,
            expected_s=session.length_s,
            bin_s=sampling_of(session).bin_s,
            room=self.settings.room,
            settings=stored_settings,
            versions={
                "classpulse": version("classpulse"),
                "detector": "none, simulated",
                "model": f"none, simulated from the {self.answers.source}",
                "head_pose": "none, simulated",
            },
            pid=0,
            process_started=0.0,
        )

    def _save_roster_and_seats(
        self, unit: UnitOfWork, number: int, activities: Sequence[StudentActivity], at: datetime
    ) -> dict[int, int]:
        """Store the roster and the seats of the present students; returns the database's number of each
        student."""
        labels = [
            f"{chr(ord('A') + n // _SEATS_PER_ROW)}{n % _SEATS_PER_ROW + 1}" for n in range(len(self.names))
        ]
        ids = {
            n: save_roster_entry(
                unit, self.settings.class_name, name, labels[n], True, self.planned_sessions[0].started_at
            )
            for n, name in enumerate(self.names)
        }
        present = [activity.student for activity in activities if activity.sequence is not None]
        unit.save_seats(number, [SeatRecord(ids[n], labels[n], _seat_box(n), *_FRAME_WH) for n in present])
        return ids


def _end_status(session: PlannedLecture, ended_at: datetime) -> tuple[SessionStatus, datetime, str]:
    if session.is_interrupted:
        return SessionStatus.INTERRUPTED, ended_at, INTERRUPTION_REASON
    return SessionStatus.FINISHED, ended_at, ""


def _seat_box(student: int) -> tuple[float, float, float, float]:
    row, place = divmod(student, _SEATS_PER_ROW)
    x, y = 120.0 + 220.0 * place, 120.0 + 110.0 * row
    return x, y, x + 80.0, y + 90.0


def _aggregate_bins(bins: Sequence[TimelineBin]) -> list[TimelineBin]:
    """The bins of single students combined into those of the class."""
    by_time = sorted(bins, key=lambda b: b.start_s)
    return [class_bin(group) for _, group in groupby(by_time, key=lambda b: b.start_s)]
