"""The history of sessions and of one student, as rows of data and of text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from db.records import FlagRecord, SessionRecord, SessionStatus, StudentSession
from model.emotions import Emotion
from reports.flags import KIND
from reports.report import ReportSettings, local_time
from reports.words import NONE, NOUNS, length, percent, percent_range

SESSION_HEADINGS = ("session", "class", "started", "watched", "mode", "status")
STUDENT_HEADINGS = (
    "session",
    "class",
    "started",
    "seen",
    "most resembling",
    "sadness led",
    "interval",
    "outcome",
    "review",
)


@dataclass(frozen=True)
class SessionLine:
    """One session of a list. ``started_at`` is in the report's time zone."""

    session_id: int
    class_name: str
    started_at: datetime
    watched_s: float
    expected_s: float | None
    mode: str
    status: SessionStatus
    status_reason: str

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``SESSION_HEADINGS``."""
        return (
            str(self.session_id),
            self.class_name,
            moment(self.started_at),
            length(self.watched_s),
            self.mode,
            self.status.value,
        )


@dataclass(frozen=True)
class StudentLine:
    """One session of one student. ``coverage`` is seen by watched time, 0..1. ``dominant`` is the
    expression with the highest mean probability. What was never computed is None."""

    session_id: int
    class_name: str
    student_id: int
    started_at: datetime
    coverage: float | None
    dominant: Emotion | None
    sad_share: float | None
    sad_share_low: float | None
    sad_share_high: float | None
    outcome: str | None
    review: str | None

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts under ``STUDENT_HEADINGS``."""
        known = self.sad_share_low is not None and self.sad_share_high is not None
        return (
            str(self.session_id),
            self.class_name,
            moment(self.started_at),
            percent(self.coverage),
            NONE if self.dominant is None else NOUNS[self.dominant],
            percent(self.sad_share),
            percent_range(self.sad_share_low or 0.0, self.sad_share_high or 0.0) if known else NONE,
            (self.outcome or NONE).replace("_", " "),
            self.review or NONE,
        )


def session_lines(sessions: Iterable[SessionRecord], settings: ReportSettings) -> list[SessionLine]:
    """A line for each session, in the order given. Raises ReportError for an unknown time zone."""
    return [
        SessionLine(
            session_id=session.id,
            class_name=session.class_name,
            started_at=local_time(session.started_at, settings),
            watched_s=session.watched_s,
            expected_s=session.expected_s,
            mode=session.mode,
            status=session.status,
            status_reason=session.status_reason,
        )
        for session in sessions
    ]


def student_lines(history: Iterable[StudentSession], settings: ReportSettings) -> list[StudentLine]:
    """A line for each session of a student, in the order given."""
    return [_student_line(part, settings) for part in history]


def _student_line(part: StudentSession, settings: ReportSettings) -> StudentLine:
    flag = next((flag for flag in part.flags if flag.kind == KIND), None)
    means = part.summary.probabilities if part.summary else None
    return StudentLine(
        session_id=part.session.id,
        class_name=part.session.class_name,
        student_id=part.student.id,
        started_at=local_time(part.session.started_at, settings),
        coverage=part.summary.coverage if part.summary else None,
        dominant=None if means is None else max(Emotion, key=lambda emotion: means[emotion]),
        sad_share=_number(flag, "sad_share"),
        sad_share_low=_number(flag, "sad_share_low"),
        sad_share_high=_number(flag, "sad_share_high"),
        outcome=flag.outcome if flag else None,
        review=flag.review if flag else None,
    )


def _number(flag: FlagRecord | None, name: str) -> float | None:
    value = None if flag is None else flag.numbers.get(name)
    return None if value is None else float(value)


def moment(at: datetime) -> str:
    """``2026-03-02 09:00``."""
    return f"{at:%Y-%m-%d %H:%M}"
