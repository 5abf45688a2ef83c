"""The history as JSON-ready data: shares 0..1, aware times, None for unknown, English texts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from db.records import FlagRecord, ShareEstimate
from reports.history.comparison import Comparison
from reports.history.labels import ReviewCounts
from reports.history.statistics import MIN_SESSIONS, Estimate, Trend
from reports.history.student import StudentHistory, StudentLine, StudentTrends
from reports.history.term import TermCell, TermHistory, TermStudent
from reports.history.weeks import ClassSessionLine, ClassTrends, MeasureEstimates, WeekLine
from reports.text.i18n import Language, use_language


def student_data(history: StudentHistory) -> dict[str, Any]:
    """``classpulse student --json``."""
    trends = history.trends
    return {
        "student": history.name,
        "class": history.roster_student.class_name if history.roster_student else None,
        "student_count": history.student_count,
        "sessions": [_student_line_data(line) for line in history.lines],
        "trends": None if trends is None else _trends_data(trends),
    }


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """``classpulse compare --json``."""
    with use_language(Language.EN):
        remarks = list(comparison.remarks)
    return {
        "sessions": [comparison.before.session.id, comparison.after.session.id],
        "students_in_both": comparison.matched,
        "paired": comparison.is_paired,
        "figures": [
            {
                "name": row.name,
                "first": row.before,
                "second": row.after,
                "difference": _estimate_data(row.difference),
            }
            for row in comparison.rows
        ],
        "students": [
            {
                "name": change.name,
                "first": change.before,
                "second": change.after,
                "difference": _estimate_data(change.difference),
            }
            for change in comparison.changes
        ],
        "flags": [asdict(counts) for counts in comparison.flags],
        "not_comparable": remarks,
    }


def trends_data(trends: ClassTrends) -> dict[str, Any]:
    """``classpulse trends --json``."""
    return {
        "class": trends.class_name,
        "sessions": [_session_line_data(line) for line in trends.sessions],
        "weeks": [_week_data(line) for line in trends.weeks],
    }


def term_data(history: TermHistory) -> dict[str, Any]:
    """``classpulse term --json``."""
    return trends_data(history.trends) | {
        "interrupted": history.interrupted,
        "watched_s": history.watched_s,
        "seat_only_count": history.seat_only_count,
        "students": [_term_student_data(student) for student in history.students],
        "flags": [
            {"session_id": flag.class_session.session.id, "student": flag.name} | _flag_data(flag.flag)
            for flag in history.flags
        ],
    }


def _student_line_data(line: StudentLine) -> dict[str, Any]:
    return {
        "session_id": line.session_id,
        "class_name": line.class_name,
        "student_id": line.student_id,
        "started_at": line.started_at,
        "mode": line.mode,
        "status": line.status,
        "presence": line.presence.value,
        "coverage": line.coverage,
        "dominant_expression": None if line.dominant_expression is None else line.dominant_expression.label,
        **_share_data("sad", line.sad),
        **_share_data("away", line.away),
        "facing_share": line.facing_share,
        "flags": [_flag_data(flag) for flag in line.flags],
    }


def _term_student_data(student: TermStudent) -> dict[str, Any]:
    return {
        "name": student.name,
        "sad_share": student.sad_share,
        "facing_share": student.facing_share,
        "flags": asdict(student.flags),
        "trends": _trends_data(student.trends),
        "sessions": [_cell_data(cell) for cell in student.cells],
    }


def _cell_data(cell: TermCell) -> dict[str, Any]:
    return {
        "presence": cell.presence.value,
        **_share_data("sad", cell.sad),
        **_share_data("away", cell.away),
        "facing_share": cell.facing_share,
        "flagged": cell.flagged,
    }


def _flag_data(flag: FlagRecord) -> dict[str, Any]:
    names = ("kind", "outcome", "review", "reviewed_by", "reviewed_at", "note")
    return {name: getattr(flag, name) for name in names}


def _session_line_data(line: ClassSessionLine) -> dict[str, Any]:
    return {
        "session_id": line.session_id,
        "started_at": line.started_at,
        "mode": line.mode,
        "status": line.status,
        "students": line.student_count,
        "figures": _figures_data(line.figures),
        "flags": _review_counts_data(line.flags),
    }


def _week_data(line: WeekLine) -> dict[str, Any]:
    return {
        "week": line.name,
        "from": line.monday,
        "sessions": line.session_count,
        "students": line.student_count if line.session_count else None,
        "figures": _figures_data(line.figures) if line.session_count else None,
        "flags": _review_counts_data(line.flags),
    }


def _figures_data(figures: MeasureEstimates) -> Mapping[str, Any]:
    return {name: _estimate_data(figure) for name, figure in figures.items()}


def _estimate_data(estimate: Estimate | None) -> dict[str, Any] | None:
    return None if estimate is None else asdict(estimate)


def _review_counts_data(counts: ReviewCounts | None) -> dict[str, Any] | None:
    return None if counts is None else asdict(counts)


def _trends_data(trends: StudentTrends) -> dict[str, Any]:
    return {
        "sadness": _trend_data(trends.sadness),
        "facing": _trend_data(trends.facing),
        "away": _trend_data(trends.away),
    }


def _trend_data(trend: Trend) -> dict[str, Any]:
    return {
        "sessions": trend.sessions,
        "min_sessions": MIN_SESSIONS,
        "slope_per_week": trend.slope_per_week,
        "low": trend.low,
        "high": trend.high,
        "direction": trend.direction,
    }


def _share_data(kind: str, estimate: ShareEstimate | None) -> dict[str, float | None]:
    share, low, high = (None, None, None) if estimate is None else estimate
    return {f"{kind}_share": share, f"{kind}_share_low": low, f"{kind}_share_high": high}
