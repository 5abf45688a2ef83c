"""The inputs of the replay check, and how each goes through the product."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from classpulse.config.settings import Config, Settings
from classpulse.services.assessment import reassess_session
from classpulse.services.corrections import CorrectionService, load_session_people
from classpulse.services.seat_plans.editor import create_plan, detect_seats, save_plan
from classpulse.simulation.demo.video import DemoClass, write_demo_class_video
from classpulse.simulation.ground_truth import GroundTruth
from classpulse.simulation.room.video import SimulatedRoom, write_room_video
from classpulse.simulation.term.writer import SimulatedTerm, TermSettings
from classpulse.simulation.video_call import CallSettings, build_call
from db.engine import open_database
from db.records import AnalysisMode
from db.roster import save_roster_entry
from db.unit_of_work import Store
from monitor.session.builder import SessionRunner
from monitor.types import FrameResult
from tests.replay.comparison import Tolerances
from tests.replay.picture import class_photograph
from tests.replay.readings import reported, scored, stored, summarised

BEGAN_AT = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
"""The recording time of the videos."""

VIDEO_TOLERANCES: Tolerances = {
    # On another processor pixels differ by a grey level or two and network outputs in the third digit, so
    # samples near a threshold (blurred, facing, a blink) may cross it. Without AVX and FMA no count changed
    # by more than 2 of the 20 samples of a window, and with the video encoded one step better or worse by at
    # most 3.
    "samples": 3.0,
    # Three samples at two a second.
    "s": 1.5,
    # Three of the 40 samples of a student in the demo.
    "share": 0.08,
    # Edges of faces 70 to 200 px wide, detected by networks at 40 to 100 px.
    "px": 4.0,
    # The medians of the bins moved by less than a degree without AVX and FMA.
    "deg": 2.0,
    # The correction for the model's mistakes multiplies a difference of the shares that were read, and the
    # interval over the three to eight bins of a video moves with every bin.
    "estimate": 0.15,
    "ends": 0.15,
    # The drawn heads are lowered by 4 to 8 degrees, and the limit of "lowered" is 5: of the 30 to 112 samples
    # of a student up to 18 crossed it with the video encoded one step worse.
    "poses": 20.0,
    # Segments with the right expression: one readable sample makes a segment readable.
    "spells": 1.0,
    # Texts with reasons for unreadable expressions; one sample can add or remove one.
    "reasons": 1.0,
}

TERM_TOLERANCES: Tolerances = {
    # Bins are drawn by NumPy, without networks or images: only the order of sums differs between processors,
    # which can change the last kept digit.
    "samples": 0.1,
    "share": 0.001,
    "estimate": 0.001,
    "ends": 0.001,
    "deg": 0.01,
}

REFERENCES = Path(__file__).resolve().parent
"""The folder with the reference values of each input, one JSON file each."""


@dataclass(frozen=True)
class Input:
    """``play`` takes a folder for files and returns the values to compare."""

    play: Callable[[Path], dict[str, Any]]
    tolerances: Tolerances


def demo(folder: Path) -> dict[str, Any]:
    """20 seconds of the demo class: six tiles; an absence, turned heads, expressions."""
    drawn = DemoClass(20.0, 10)
    write_demo_class_video(folder / "video.mp4", drawn)
    return _analyse(folder, drawn.ground_truth(), tiles=True)


def call(folder: Path) -> dict[str, Any]:
    """20 seconds of a video call of nine other students, drawn from a seed; small tiles."""
    drawn = build_call(CallSettings(seats=9, length_s=20.0, seed=18, fps=5, width=1280, height=720))
    write_demo_class_video(folder / "video.mp4", drawn)
    return _analyse(folder, drawn.ground_truth(), tiles=True)


def room(folder: Path) -> dict[str, Any]:
    """56 seconds of a room of six with a drifting camera: one student leaves and returns to the seat after
    the track has ended, two swap seats, a head is bowed, one walks in front of the others, a face is covered,
    and a person passes close to the camera."""
    drawn = SimulatedRoom(class_photograph(), 56.0, event_count=5, seed=2, passer_by_count=1)
    write_room_video(folder / "video.mp4", drawn)
    return _analyse(folder, drawn.ground_truth(), tiles=False)


def plan(folder: Path) -> dict[str, Any]:
    """15 seconds of the same room with a seat plan and a roster; one of the six students opted out and is
    masked."""
    drawn = SimulatedRoom(class_photograph(), 15.0, event_count=0, seed=4)
    write_room_video(folder / "video.mp4", drawn)
    settings = Settings()
    still = next(drawn.frames())
    seats = detect_seats(still, settings.detection, from_back=False)
    with _database(folder) as engine:
        save_plan(engine, create_plan(still, settings.class_.name, seats, BEGAN_AT))
        with Store(engine).unit_of_work() as unit:
            for number, seat in enumerate(seats):
                save_roster_entry(
                    unit, settings.class_.name, f"Pupil {seat.label}", seat.label, number != 1, BEGAN_AT
                )
            unit.commit()
    return _analyse(folder, drawn.ground_truth(), tiles=False)


def term(folder: Path) -> dict[str, Any]:
    """Eight lessons of eleven students, one of them interrupted with a gap; a correction made and undone."""
    config = Config(Settings(), folder)
    drawn = SimulatedTerm(TermSettings(students=11, weeks=4, per_week=2, minutes=8.0, seed=5, interrupted=1))
    name = drawn.settings.class_name
    values: dict[str, Any] = {}
    with _database(folder) as engine:
        sessions: list[int] = []

        def on_lesson(number: int) -> None:
            reassess_session(engine, number, config)
            sessions.append(number)

        drawn.write(engine, on_lesson)
        for number, planned in zip(sessions, drawn.planned_sessions, strict=True):
            # The history below covers all sessions. Compared in full are the interrupted one and the last
            # one, which has all earlier sessions as baseline.
            if planned.is_interrupted or number == sessions[-1]:
                values[f"session {number:02}"] = _session(engine, number, config, folder, 240.0)
        values["history"] = summarised(engine, name, "UTC")
        values["correction"] = _corrected(engine, sessions[-1], config, folder)
    return values


def _corrected(engine: Engine, session_id: int, config: Config, folder: Path) -> dict[str, Any]:
    """The second student is split after four minutes; then the correction is undone."""
    before = _session(engine, session_id, config, folder, 240.0)
    corrections = CorrectionService(engine, config, load_session_people(engine, session_id))
    result = corrections.split(corrections.people.students[1], 240.0)
    split = _session(engine, session_id, config, folder, 240.0)
    corrections.undo()
    return {
        "class": split["report"]["class"],
        "first part": {part: values["students"][result.student_pseudonym] for part, values in split.items()},
        "second part": {part: values["students"][result.person_pseudonym] for part, values in split.items()},
        "undone": _session(engine, session_id, config, folder, 240.0) == before,
    }


def _analyse(folder: Path, truth: GroundTruth, *, tiles: bool) -> dict[str, Any]:
    config, samples = Config(Settings(), folder), list[FrameResult]()
    with _database(folder) as engine:
        outcome = SessionRunner(config.settings, engine, AnalysisMode.EMOTION).run(
            str(folder / "video.mp4"), threading.Event(), on_result=samples.append, recorded_at=BEGAN_AT
        )
        number = outcome.session_id
        return {
            "scores": scored(engine, number, truth, samples, tiles=tiles),
            **_session(engine, number, config, folder, 10.0),
        }


def _session(
    engine: Engine, session_id: int, config: Config, folder: Path, window_s: float
) -> dict[str, Any]:
    # The report comes first, because it stores the decisions.
    report = reported(engine, session_id, config, folder / "report")
    return {"stored": stored(engine, session_id, window_s), "report": report}


@contextmanager
def _database(folder: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{folder / 'replay.db'}")
    try:
        yield engine
    finally:
        engine.dispose()


INPUTS: Mapping[str, Input] = {
    "term": Input(term, TERM_TOLERANCES),
    "demo": Input(demo, VIDEO_TOLERANCES),
    "call": Input(call, VIDEO_TOLERANCES),
    "room": Input(room, VIDEO_TOLERANCES),
    "plan": Input(plan, VIDEO_TOLERANCES),
}
"""The fastest first."""
