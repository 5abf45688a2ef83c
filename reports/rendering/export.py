"""Exports of a report: JSON of its results, CSV of its bins."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from db.records import AnalysisMode, EarlierShare, FlagRecord
from model.emotions import EMOTIONS, Emotion
from reports.narrative.corrections import describe_correction
from reports.narrative.small_faces import missed_faces_data as missed_faces
from reports.narrative.summary import missing_curve_reason, missing_data_notice, summary_sentences
from reports.report import Report, ReportStudent
from reports.text.i18n import Language, use_language
from reports.timeline.attention import AttentionSeries
from reports.timeline.change_points import ChangePoint
from reports.timeline.gaps import sum_unobserved_s
from reports.timeline.student import NO_EXPRESSION, StudentTimeline, overlap_s

SCHEMA = "classpulse-report/1"
"""The number increases when a key is removed or changes its meaning, not when one is added."""

_COMMON_COLUMNS = ("start_s", "watched_s")
_STUDENT_COLUMNS = (
    "student_id",
    "student",
    *_COMMON_COLUMNS,
    "seen_s",
    "samples",
    "seen_samples",
    "pose_samples",
    "facing_samples",
    "yaw_deg",
    "pitch_deg",
    "eye_samples",
    "closed_samples",
    "facing_change",
    "yaw_change_deg",
    "pitch_change_deg",
)
_GAP_COLUMNS = ("gap_s", "gap_reason")
_CLASS_COLUMNS = (*_COMMON_COLUMNS, "students_seen", "facing_share")
_EXPRESSION_COLUMNS = tuple(f"p_{label}" for label in EMOTIONS)


def report_csv(report: Report) -> str:
    """One row per student and bin, or per bin of the class in ``mode: aggregate``; empty cells are unknown.

    Student columns: ``student_id``, ``student``; ``start_s`` (media seconds), ``watched_s``, ``seen_s``;
    ``samples``, ``seen_samples``, ``pose_samples``, ``facing_samples`` (sampled frames); ``yaw_deg``
    (positive to the student's left), ``pitch_deg`` (positive up); ``eye_samples``, ``closed_samples``;
    ``facing_change`` (of the share), ``yaw_change_deg``, ``pitch_change_deg`` against the student's own
    median; in ``mode: emotion``, ``usable_samples``, ``leading_expression`` and ``p_angry`` to ``p_neutral``
    (mean probabilities, 0..1). Class columns: ``start_s``, ``watched_s``, ``students_seen``,
    ``facing_share``, ``p_angry`` to ``p_neutral``. Both: ``gap_s`` (unobserved seconds) and ``gap_reason``
    (of most of them).
    """
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(
        _class_rows(report) if report.mode is AnalysisMode.AGGREGATE else _student_rows(report)
    )
    return buffer.getvalue()


def report_data(report: Report) -> dict[str, Any]:
    """The report's results without bins, JSON-ready: ISO 8601 times, None for unknown, English texts. The
    schema is ``reports/report.schema.json``."""
    with use_language(Language.EN):
        return _report_data(report)


def _report_data(report: Report) -> dict[str, Any]:
    session = report.session
    return {
        "schema": SCHEMA,
        "created_at": None if report.created_at is None else report.created_at.isoformat(),
        "session": {
            "id": session.id,
            "class": session.class_name,
            "room": session.room,
            "source": session.source,
            "started_at": report.started_at.isoformat(),
            "status": session.status.value,
            "status_reason": session.status_reason,
            "mode": report.mode.value,
            "expected_s": session.expected_s,
            "end_s": session.end_s,
            "watched_s": report.watched_s,
            "unwatched_s": report.unwatched_s,
            "unobserved_s": sum_unobserved_s(report.gaps),
            "frames_sampled": session.frames_sampled,
            "frames_dropped": session.frames_dropped,
            "versions": dict(session.versions),
            "policy": session.settings.get("policy"),
        },
        "model_metrics": _model_metrics(session.settings.get("model")),
        "summary": [_plain_spaces(sentence) for sentence in summary_sentences(report)],
        "missing_data": _plain_spaces(missing_data_notice(report)),
        "masked_seats": report.masked_seats,
        "small_faces": missed_faces(session.small_faces),
        "class": _class_data(report),
        "flag_settings": asdict(report.flag_settings) if report.mode is AnalysisMode.EMOTION else None,
        "attention_flag_settings": None
        if report.mode is AnalysisMode.AGGREGATE
        else asdict(report.attention_flag_settings),
        "students": [_student_data(report, student) for student in report.students],
        "markers": [{"at_s": marker.at_s, "text": marker.text} for marker in report.markers],
        "gaps": [asdict(gap) for gap in report.gaps],
        "corrections": [describe_correction(correction) for correction in report.corrections],
    }


def report_json(report: Report) -> str:
    """``report_data`` as indented JSON."""
    return json.dumps(report_data(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _class_data(report: Report) -> dict[str, Any]:
    whole = report.class_timeline
    data: dict[str, Any] = {
        "students": whole.student_count,
        "seen_share": whole.mean_seen_share,
        "facing_share": whole.mean_facing_share,
        "missing_curve_reason": _plain_spaces(missing_curve_reason(report)),
    }
    if report.mode is not AnalysisMode.AGGREGATE:
        data["change_points"] = [_change_data(change) for change in report.change_points]
    if report.mode is not AnalysisMode.BEHAVIOUR:
        data["expressions"] = {emotion.label: share for emotion, share in whole.expression_shares.items()}
    return data


def _change_data(change: ChangePoint) -> dict[str, Any]:
    measure = change.measure
    return asdict(change) | {"measure": measure.label if isinstance(measure, Emotion) else measure.value}


def _student_data(report: Report, student: ReportStudent) -> dict[str, Any]:
    line = student.timeline
    data: dict[str, Any] = {
        "id": line.student_id,
        "name": line.pseudonym,
        "seat": student.seat,
        "first_seen_s": line.first_seen_s,
        "coverage": line.coverage,
        "facing_share": line.facing_share,
        "attention": _attention_data(student.attention),
        "uncertain_reidentifications_s": list(student.uncertain_reidentifications_s),
    }
    attention = student.attention_decision.to_record(report.session.id)
    data["attention_flag"] = _decision_data(student, attention)
    if student.sadness_decision is None:
        return data
    return data | {
        "usable_share": line.usable_share,
        "unreadable_reasons": dict(line.unreadable_reasons),
        "dominant_expression": None if line.dominant_expression is None else line.dominant_expression.label,
        **_decision_data(student, student.sadness_decision.to_record(report.session.id)),
    }


def _decision_data(student: ReportStudent, flag: FlagRecord) -> dict[str, Any]:
    """A decision with its review and the student's earlier shares. The thresholds are in the report once."""
    reasons = [_plain_spaces(reason) for reason in flag.numbers["reasons"]]
    stored = student.flags.get(flag.kind, flag)
    return {
        "outcome": flag.outcome,
        "review": stored.review,
        "reviewed_by": stored.reviewed_by,
        "reviewed_at": None if stored.reviewed_at is None else stored.reviewed_at.isoformat(),
        "note": stored.note,
        "earlier": [
            _earlier_data(earlier) for earlier in student.earlier_shares if earlier.kind == flag.kind
        ],
        "numbers": {name: value for name, value in flag.numbers.items() if name != "settings"}
        | {"reasons": reasons},
    }


def _earlier_data(earlier: EarlierShare) -> dict[str, Any]:
    return {
        "session": earlier.session_id,
        "started_at": earlier.started_at.isoformat(),
        **earlier.estimate._asdict(),
        "outcome": earlier.outcome,
        "review": earlier.review,
    }


def _model_metrics(stored: Any) -> dict[str, Any] | None:
    """The model metrics stored with the session; None without them."""
    if not isinstance(stored, Mapping) or not isinstance(stored.get("scores"), Mapping):
        return None
    return {"name": stored.get("name"), **stored["scores"]}


def _attention_data(attention: AttentionSeries) -> dict[str, Any]:
    """Medians, extreme minutes, and all minutes; degrees, seconds, shares."""
    extremes = {
        "most_closed_minute": attention.most_closed_minute,
        "least_facing_minute": attention.least_facing_minute,
        "furthest_yaw_minute": attention.furthest_yaw_minute,
        "furthest_pitch_minute": attention.furthest_pitch_minute,
    }
    series = {
        "facing_change": attention.facing_by_minute,
        "yaw_change_deg": attention.yaw_by_minute,
        "pitch_change_deg": attention.pitch_by_minute,
        "closed_share": attention.closed_by_minute,
    }
    return {
        "medians": None if attention.medians is None else asdict(attention.medians),
        **{name: None if minute is None else asdict(minute) for name, minute in extremes.items()},
        "longest_closed_s": attention.longest_closed_s,
        "minutes": [
            {"start_s": float(attention.start_s[b])}
            | {name: None if math.isnan(values[b]) else float(values[b]) for name, values in series.items()}
            for b in range(
                0, len(attention.start_s) - attention.bins_per_minute + 1, attention.bins_per_minute
            )
        ],
    }


def _student_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    emotion = report.mode is AnalysisMode.EMOTION
    yield (
        *_STUDENT_COLUMNS,
        *(("usable_samples", "leading_expression", *_EXPRESSION_COLUMNS) if emotion else ()),
        *_GAP_COLUMNS,
    )
    gaps = _gap_cells(report)
    for student in report.students:
        line = student.timeline
        leading = line.leading_expression
        for b, start_s in enumerate(line.grid.start_s):
            yield (
                *_bin_cells(line, b, float(start_s)),
                *_attention_cells(student, b),
                *(_expression_cells(line, b, int(leading[b])) if emotion else ()),
                *gaps[b],
            )


def _bin_cells(line: StudentTimeline, b: int, start_s: float) -> tuple[Any, ...]:
    return (
        line.student_id,
        _escape_formula(line.pseudonym),
        _number(start_s),
        _number(line.watched_s[b]),
        _number(line.seen_s[b]),
        int(line.samples[b]),
        int(line.seen_samples[b]),
        int(line.pose_samples[b]),
        int(line.facing_samples[b]),
    )


def _attention_cells(student: ReportStudent, b: int) -> tuple[Any, ...]:
    line, attention = student.timeline, student.attention
    return (
        _number(line.yaw_deg[b]),
        _number(line.pitch_deg[b]),
        int(line.eye_samples[b]),
        int(line.closed_samples[b]),
        _number(attention.facing_change[b]),
        _number(attention.yaw_change_deg[b]),
        _number(attention.pitch_change_deg[b]),
    )


def _expression_cells(line: StudentTimeline, b: int, leading: int) -> tuple[Any, ...]:
    label = "" if leading == NO_EXPRESSION else Emotion(leading).label
    return (int(line.usable_samples[b]), label, *(_number(p) for p in line.probabilities[b]))


def _class_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    whole = report.class_timeline
    yield (*_CLASS_COLUMNS, *_EXPRESSION_COLUMNS, *_GAP_COLUMNS)
    gaps = _gap_cells(report)
    for b, start_s in enumerate(whole.grid.start_s):
        shown = (whole.facing_share[b], *whole.probabilities[b])
        watched_s = _number(whole.grid.watched_s[b])
        yield (
            _number(float(start_s)),
            watched_s,
            int(whole.students_seen[b]),
            *(_number(p) for p in shown),
            *gaps[b],
        )


def _gap_cells(report: Report) -> list[tuple[str, str]]:
    """``_GAP_COLUMNS`` of each bin of the session."""
    grid = report.class_timeline.grid
    count = len(grid.watched_s)
    parts = [overlap_s([(gap.start_s, gap.end_s)], grid.bin_s, count) for gap in report.gaps]
    if not parts:
        return [("0", "")] * count
    whole_s, longest = np.sum(parts, axis=0), np.argmax(parts, axis=0)
    reasons = [report.gaps[n].reason for n in longest]
    return [(_number(float(s)), reason if s > 0 else "") for s, reason in zip(whole_s, reasons, strict=True)]


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}".rstrip("0").rstrip(".")


def _escape_formula(text: str) -> str:
    """Spreadsheets would evaluate a name that starts like a formula; an apostrophe prevents it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _plain_spaces(text: str | None) -> str | None:
    """``text`` without non-breaking spaces."""
    return None if text is None else text.replace("\u00a0", " ")
