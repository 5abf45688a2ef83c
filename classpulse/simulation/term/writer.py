"""A simulated term into a database, as the recorder would have written it.

What was true in a simulated term, as the document ``truth.json``.

::

    {"version": 1, "class": "Physics 10b", "mode": "emotion", "seed": 0, "sample_fps": 2.0, "bin_s": 5.0,
     "answers": {"source": "mean answers of cp-fer-3 ...", "means": [[...7], ...7]},
     "students": [{"student": "Student 1", "trait": "nothing special"}, ...],
     "sessions": [{"session": 1, "started_at": "2026-01-12T10:00:00+00:00", "length_s": 3000.0,
                   "end_s": 3000.0, "gap_s": null,
                   "events": [{"text": "quiz handed out", "start_s": 750.0, "end_s": 750.0}, ...],
                   "students": [{"student": "Student 1", "there": true, "sad_share": 0.06,
                                 "states": {"neutral": 0.61, "absent": 0.02, ...}}, ...]}, ...]}

``states`` are shares of the watched time, by the state of a student (``states.State``), summing to 1;
``sad_share`` is that of sadness in the time in which the face could be read, null where it never could. Who
was not ``there`` was absent all along and has no bins. ``session`` is the number in the database.
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
from classpulse.simulation.term.bins import Answers, shipped_answers
from classpulse.simulation.term.calendar import Planned, plan_term
from classpulse.simulation.term.lecture import Acted, act, class_bins, sad_share, taken_of
from classpulse.simulation.term.names import Names, pseudonyms
from classpulse.simulation.term.student_model import Lecture, trait_of
from db.records import Mode, NewSession, Progress, SeatRecord, SessionStatus, TimelineBin
from db.roster import save_entry
from db.unit_of_work import Store, Unit
from monitor.timeline.binning import class_bin

VERSION = 1


def session_truth(session_id: int, planned: Planned, acted: Sequence[Acted], names: Sequence[str]) -> Any:
    """One of ``sessions``."""
    taken = taken_of(planned)
    students = []
    for one in acted:
        shares = one.shares(taken)
        students.append(
            {
                "student": names[one.student],
                "there": one.script is not None,
                "sad_share": sad_share(shares),
                "states": {state.value: share for state, share in shares.items()},
            }
        )
    return {
        "session": session_id,
        "started_at": planned.started_at.isoformat(),
        "length_s": planned.length_s,
        "end_s": planned.end_s,
        "gap_s": planned.gap_s,
        "events": [asdict(event) for event in planned.events],
        "students": students,
    }


SOURCE = "simulated lecture"
BROKEN = "simulated: the camera was unplugged"
_FRAME_WH = (1920, 1080)
_A_ROW = 8


@dataclass(frozen=True)
class TermSettings:
    """Which class, how many students and lectures, and the seed of everything drawn. ``start`` is a Monday;
    ``interrupted`` of the lectures break off."""

    class_name: str = "Physics 10b"
    room: str | None = None
    students: int = 30
    weeks: int = 6
    per_week: int = 2
    minutes: float = 50.0
    seed: int = 0
    names: Names = Names.PLAIN
    mode: Mode = Mode.EMOTION
    interrupted: int = 0
    start: date = date(2026, 1, 12)


class Term:
    """The lectures of a class. Equal settings give equal ones."""

    def __init__(self, settings: TermSettings, answers: Answers | None = None) -> None:
        """Raises ``SimulationError`` as ``plan_term`` does."""
        self.settings = settings
        self.answers = answers or shipped_answers()
        self.names = pseudonyms(settings.students, settings.names)
        self.traits = tuple(trait_of(student) for student in range(settings.students))
        rng = np.random.default_rng((settings.seed, 30))
        self.planned = plan_term(
            settings.start, settings.weeks, settings.per_week, settings.minutes, settings.interrupted, rng
        )

    def write(self, engine: Engine, on_lecture: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
        """Store everything; returns the document of ``truth``. ``on_lecture`` gets the number of each session
        once it is stored. Raises ``DatabaseError``."""
        sessions = []
        for index, planned in enumerate(self.planned):
            lecture = Lecture(index, len(self.planned))
            acted = act(planned, lecture, self.traits, self.settings.seed)
            number = self._record(engine, planned, lecture, acted)
            sessions.append(session_truth(number, planned, acted, self.names))
            on_lecture(number)
        return {
            "version": VERSION,
            "class": self.settings.class_name,
            "mode": self.settings.mode.value,
            "seed": self.settings.seed,
            "sample_fps": 2.0,
            "bin_s": 5.0,
            "answers": {"source": self.answers.source, "means": self.answers.means.tolist()},
            "students": [
                {"student": name, "trait": trait.value}
                for name, trait in zip(self.names, self.traits, strict=True)
            ],
            "sessions": sessions,
        }

    def _record(self, engine: Engine, planned: Planned, lecture: Lecture, acted: Sequence[Acted]) -> int:
        """One lecture in one transaction; returns the session's number."""
        ended_at = planned.started_at + timedelta(seconds=planned.end_s)
        taken, mode = taken_of(planned), self.settings.mode
        # The lecture's own time and not now: the same settings give the same database.
        with Store(engine, lambda: ended_at).unit() as unit:
            number = unit.start_session(self._new_session(planned))
            unit.audit("start", f"session {number}", planned.started_at, f"mode {mode.value}, simulated")
            ids = {} if mode is Mode.AGGREGATE else self._seat(unit, number, acted, planned.started_at)
            drawn = class_bins(
                acted,
                ids or {one.student: one.student for one in acted},
                taken,
                self.answers,
                lecture,
                self.settings.seed,
                expressions=mode is not Mode.BEHAVIOUR,
            )
            unit.write_bins(number, _of_class(drawn) if mode is Mode.AGGREGATE else drawn)
            for event in planned.events:
                if event.start_s < planned.end_s:
                    unit.add_marker(number, event.start_s, event.text)
            frames = len(taken.times_s)
            unit.progress(number, Progress(float(taken.times_s[-1]), frames * taken.period_s, frames, 0))
            unit.end_session(number, *_how_it_ended(planned, ended_at))
            unit.commit()
        return number

    def _new_session(self, planned: Planned) -> NewSession:
        kept = Settings.model_validate(
            {"class": {"name": self.settings.class_name, "room": self.settings.room}}
        ).as_json()
        if self.answers.measured is not None and self.settings.mode is not Mode.BEHAVIOUR:
            kept["model"] = dict(self.answers.measured)
        return NewSession(
            class_name=self.settings.class_name,
            source=SOURCE,
            started_at=planned.started_at,
            mode=self.settings.mode.value,
            expected_s=planned.length_s,
            bin_s=taken_of(planned).bin_s,
            room=self.settings.room,
            settings=kept,
            versions={
                "classpulse": version("classpulse"),
                "detector": "none, simulated",
                "model": f"none, simulated from the {self.answers.source}",
                "heads": "none, simulated",
            },
            pid=0,
            process_started=0.0,
        )

    def _seat(self, unit: Unit, number: int, acted: Sequence[Acted], at: datetime) -> dict[int, int]:
        """The roster, and the seats of who is there; returns the database's number of each student."""
        labels = [f"{chr(ord('A') + n // _A_ROW)}{n % _A_ROW + 1}" for n in range(len(self.names))]
        ids = {
            n: save_entry(unit, self.settings.class_name, name, labels[n], True, self.planned[0].started_at)
            for n, name in enumerate(self.names)
        }
        there = [one.student for one in acted if one.script is not None]
        unit.save_seats(number, [SeatRecord(ids[n], labels[n], _box(n), *_FRAME_WH) for n in there])
        return ids


def _how_it_ended(planned: Planned, ended_at: datetime) -> tuple[SessionStatus, datetime, str]:
    if planned.is_interrupted:
        return SessionStatus.INTERRUPTED, ended_at, BROKEN
    return SessionStatus.FINISHED, ended_at, ""


def _box(student: int) -> tuple[float, float, float, float]:
    row, place = divmod(student, _A_ROW)
    x, y = 120.0 + 220.0 * place, 120.0 + 110.0 * row
    return x, y, x + 80.0, y + 90.0


def _of_class(bins: Sequence[TimelineBin]) -> list[TimelineBin]:
    """The bins of single students as those of the class."""
    by_time = sorted(bins, key=lambda one: one.start_s)
    return [class_bin(group) for _, group in groupby(by_time, key=lambda one: one.start_s)]
