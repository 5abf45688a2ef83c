"""The history as JSON-ready values: shares 0..1, times with their zone, None for what is not known. Pure."""

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
    """``classpulse compare --json``; its sentences in English whatever is spoken."""
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
                "name": one.name,
                "first": one.before,
                "second": one.after,
                "difference": _estimate_data(one.difference),
            }
            for one in comparison.changes
        ],
        "flags": [asdict(one) for one in comparison.flags],
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
        "students": [_term_student_data(one) for one in history.students],
        "flags": [
            {"session_id": one.class_session.session.id, "student": one.name} | _flag_data(one.flag)
            for one in history.flags
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


def _term_student_data(one: TermStudent) -> dict[str, Any]:
    return {
        "name": one.name,
        "sad_share": one.sad_share,
        "facing_share": one.facing_share,
        "flags": asdict(one.flags),
        "trends": _trends_data(one.trends),
        "sessions": [_cell_data(cell) for cell in one.cells],
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


def _estimate_data(one: Estimate | None) -> dict[str, Any] | None:
    return None if one is None else asdict(one)


def _review_counts_data(counts: ReviewCounts | None) -> dict[str, Any] | None:
    return None if counts is None else asdict(counts)


def _trends_data(all_three: StudentTrends) -> dict[str, Any]:
    parts = {"sadness": all_three.sadness, "facing": all_three.facing, "away": all_three.away}
    return {name: _trend_data(one) for name, one in parts.items()}


def _trend_data(one: Trend) -> dict[str, Any]:
    known = {"slope_per_week": one.slope_per_week, "low": one.low, "high": one.high, "direction": one.direction}
    return {"sessions": one.sessions, "min_sessions": MIN_SESSIONS} | known


def _share_data(kind: str, level: ShareEstimate | None) -> dict[str, float | None]:
    share, low, high = (None,) * 3 if level is None else (level.share, level.low, level.high)
    return {f"{kind}_share": share, f"{kind}_share_low": low, f"{kind}_share_high": high}
