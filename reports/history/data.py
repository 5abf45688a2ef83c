"""The history as JSON-ready values: shares 0..1, times with their zone, None for what is not known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from db.records import FlagRecord, Level
from reports.history.comparison import Comparison
from reports.history.labels import Tally
from reports.history.statistics import LEAST_SESSIONS, Estimate, Trend
from reports.history.student import StudentHistory, StudentLine, StudentTrends
from reports.history.term import Cell, Term, TermStudent
from reports.history.weeks import ClassTrends, Figures, LessonLine, WeekLine
from reports.text.i18n import Language, speaking


def student_data(history: StudentHistory) -> dict[str, Any]:
    """``classpulse student --json``."""
    trends = history.trends
    return {
        "student": history.name,
        "class": history.person.class_name if history.person else None,
        "people": history.people,
        "sessions": [_line(line) for line in history.lines],
        "trends": None if trends is None else _trends(trends),
    }


def comparison_data(found: Comparison) -> dict[str, Any]:
    """``classpulse compare --json``; its sentences in English whatever is spoken."""
    with speaking(Language.EN):
        remarks = list(found.remarks)
    return {
        "sessions": [found.before.session.id, found.after.session.id],
        "students_in_both": found.matched,
        "paired": found.pairs,
        "figures": [
            {"name": row.name, "first": row.before, "second": row.after, "difference": _estimate(row.change)}
            for row in found.rows
        ],
        "students": [
            {"name": one.name, "first": one.before, "second": one.after, "difference": _estimate(one.change)}
            for one in found.changes
        ],
        "flags": [asdict(one) for one in found.flags],
        "not_comparable": remarks,
    }


def trends_data(found: ClassTrends) -> dict[str, Any]:
    """``classpulse trends --json``."""
    return {
        "class": found.class_name,
        "lessons": [_lesson(line) for line in found.lessons],
        "weeks": [_week(line) for line in found.weeks],
    }


def term_data(term: Term) -> dict[str, Any]:
    """``classpulse term --json``."""
    return trends_data(term.trends) | {
        "interrupted": term.interrupted,
        "watched_s": term.watched_s,
        "known_by_seat_only": term.by_seat,
        "students": [_term_student(one) for one in term.students],
        "flags": [
            {"session_id": one.lesson.session.id, "student": one.name} | _flag(one.flag) for one in term.flags
        ],
    }


def _line(line: StudentLine) -> dict[str, Any]:
    return {
        "session_id": line.session_id,
        "class_name": line.class_name,
        "student_id": line.student_id,
        "started_at": line.started_at,
        "mode": line.mode,
        "status": line.status,
        "presence": line.presence.value,
        "coverage": line.coverage,
        "dominant": None if line.dominant is None else line.dominant.label,
        **_level("sad", line.sad),
        **_level("away", line.away),
        "facing_share": line.facing_share,
        "flags": [_flag(flag) for flag in line.flags],
    }


def _term_student(one: TermStudent) -> dict[str, Any]:
    return {
        "name": one.name,
        "sad_share": one.sad_share,
        "facing_share": one.facing_share,
        "flags": asdict(one.flags),
        "trends": _trends(one.trends),
        "lessons": [_cell(cell) for cell in one.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "presence": cell.presence.value,
        **_level("sad", cell.sad),
        **_level("away", cell.away),
        "facing_share": cell.facing_share,
        "flagged": cell.flagged,
    }


def _flag(flag: FlagRecord) -> dict[str, Any]:
    names = ("kind", "outcome", "review", "reviewed_by", "reviewed_at", "note")
    return {name: getattr(flag, name) for name in names}


def _lesson(line: LessonLine) -> dict[str, Any]:
    return {
        "session_id": line.session_id,
        "started_at": line.started_at,
        "mode": line.mode,
        "status": line.status,
        "students": line.people,
        "figures": _figures(line.figures),
        "flags": _tally(line.flags),
    }


def _week(line: WeekLine) -> dict[str, Any]:
    return {
        "week": line.name,
        "from": line.first,
        "lessons": line.lessons,
        "students": line.people if line.lessons else None,
        "figures": _figures(line.figures) if line.lessons else None,
        "flags": _tally(line.flags),
    }


def _figures(figures: Figures) -> Mapping[str, Any]:
    return {name: _estimate(figure) for name, figure in figures.items()}


def _estimate(one: Estimate | None) -> dict[str, Any] | None:
    return None if one is None else asdict(one)


def _tally(one: Tally | None) -> dict[str, Any] | None:
    return None if one is None else asdict(one)


def _trends(all_three: StudentTrends) -> dict[str, Any]:
    parts = {"sadness": all_three.sadness, "facing": all_three.facing, "away": all_three.away}
    return {name: _trend(one) for name, one in parts.items()}


def _trend(one: Trend) -> dict[str, Any]:
    known = {"per_week": one.per_week, "low": one.low, "high": one.high, "direction": one.direction}
    return {"sessions": one.sessions, "needed": LEAST_SESSIONS} | known


def _level(kind: str, level: Level | None) -> dict[str, float | None]:
    share, low, high = (None,) * 3 if level is None else (level.share, level.low, level.high)
    return {f"{kind}_share": share, f"{kind}_share_low": low, f"{kind}_share_high": high}
