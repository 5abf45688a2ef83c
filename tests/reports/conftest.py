"""Sessions written as strings, one letter per bin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.records import SeatRecord, SessionRecord, SessionStatus, StudentRecord, TimelineBin
from model.emotions import EMOTIONS
from reports.timeline.student import StudentTimeline, build_student_timelines

LETTERS = {
    "a": "angry",
    "d": "disgust",
    "f": "fear",
    "h": "happy",
    "s": "sad",
    "u": "surprise",
    "n": "neutral",
}
"""A bin led by an expression. Besides: ``.`` absent, ``?`` seen but too small, ``<`` seen with the head
turned away, ``b`` seen facing the front with open eyes and no expression computed, ``z`` the same with shut
eyes, and a space for not watched."""

STARTED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Lessons:
    """Builders of literal records; by default, bins have 5 s and ten samples."""

    started_at = STARTED_AT

    def session(self, length: int = 15, bin_s: float = 5.0, **changes: Any) -> SessionRecord:
        end_s = length * bin_s
        values: dict[str, Any] = {
            "id": 7,
            "class_name": "Physics 10b",
            "source": "lesson.mp4",
            "started_at": STARTED_AT,
            "ended_at": STARTED_AT + timedelta(seconds=end_s),
            "last_written_at": STARTED_AT + timedelta(seconds=end_s),
            "status": SessionStatus.FINISHED,
            "status_reason": "",
            "mode": "emotion",
            "expected_s": end_s,
            "bin_s": bin_s,
            "end_s": end_s,
            "watched_s": end_s,
            "frames_sampled": int(end_s * 2),
            "frames_dropped": 0,
            "settings": {"policy": {"jurisdiction": "UK", "legal_basis": "demo"}, "model": self.model()},
            "versions": {"classpulse": "0.1.0", "detector": "blaze 1", "model": "cnn 1"},
            "pid": 1,
            "process_started": 0.0,
        }
        return SessionRecord(**(values | changes))

    def model(self) -> dict[str, Any]:
        """Model settings with the probabilities of ``bin`` as confusion matrix: corrected shares equal the
        letters'."""
        means = [self.probabilities(label) for label in EMOTIONS]
        return {"name": "cnn 1", "confusion": {"half": "choose", "faces": [10**9] * 7, "mean_answers": means}}

    def students(self, count: int) -> tuple[StudentRecord, ...]:
        return tuple(StudentRecord(n, f"Student {n}", "Physics 10b", 7) for n in range(1, count + 1))

    def seats(self, count: int) -> tuple[SeatRecord, ...]:
        return tuple(
            SeatRecord(n, f"seat {n}", (n * 50.0, 10.0, n * 50.0 + 40, 60.0), 1280, 720)
            for n in range(1, count + 1)
        )

    def probabilities(self, emotion: str, top: float = 0.7) -> tuple[float, ...]:
        rest = (1 - top) / (len(EMOTIONS) - 1)
        return tuple(top if label == emotion else rest for label in EMOTIONS)

    def bin(self, student: int | None, index: int, letter: str, bin_s: float = 5.0) -> TimelineBin:
        samples = int(bin_s * 2)
        seen = 0 if letter == "." else samples
        known = letter in LETTERS
        reason = {
            ".": "absent",
            "?": "too small",
            "<": "turned away",
            "b": "not computed",
            "z": "not computed",
        }.get(letter)
        return TimelineBin(
            student_id=student,
            start_s=index * bin_s,
            watched_s=bin_s,
            seen_s=bin_s if seen else 0.0,
            samples=samples,
            seen_samples=seen,
            usable_samples=samples if known else 0,
            probabilities=self.probabilities(LETTERS[letter]) if known else None,
            unreadable_reasons={reason: samples} if reason else {},
            pose_samples=0 if letter in ".?" else samples,
            facing_samples=0 if letter in ".?<" else samples,
            yaw_deg=None if letter in ".?" else 50.0 if letter == "<" else 5.0,
            pitch_deg=None if letter in ".?" else -10.0,
            eye_samples=samples if letter in "bz" else 0,
            closed_samples=samples if letter == "z" else 0,
        )

    def bins(self, scripts: Sequence[str], bin_s: float = 5.0) -> list[TimelineBin]:
        """Rows of students 1, 2, …; a space is no row."""
        return [
            self.bin(student, index, letter, bin_s)
            for student, script in enumerate(scripts, start=1)
            for index, letter in enumerate(script)
            if letter != " "
        ]

    def timelines(self, *scripts: str, bin_s: float = 5.0) -> tuple[StudentTimeline, ...]:
        session = self.session(max(map(len, scripts)), bin_s)
        return build_student_timelines(session, self.students(len(scripts)), self.bins(scripts, bin_s))

    def timeline(self, script: str, bin_s: float = 5.0) -> StudentTimeline:
        return self.timelines(script, bin_s=bin_s)[0]

    def aggregate(self, people: Sequence[int], letter: str = "n") -> list[TimelineBin]:
        """Class bins with this number of students each; 0 is an empty room."""
        rows = []
        for index, count in enumerate(people):
            row = self.bin(None, index, letter if count else ".")
            rows.append(TimelineBin(**(vars(row) | {"student_count": count, "seen_s": row.seen_s * count})))
        return rows


@pytest.fixture(scope="session")
def lessons() -> Lessons:
    return Lessons()
