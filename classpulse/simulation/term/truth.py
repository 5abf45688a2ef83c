"""What was true in a simulated term, as the document ``truth.json``.

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

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from classpulse.simulation.term.lecture import Acted, sad_share, taken_of
from classpulse.simulation.term.plan import Planned

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
