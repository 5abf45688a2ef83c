"""A report as data: JSON of what it says, CSV of the bins behind it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from db.records import EarlierLevel, FlagRecord, Mode
from model.emotions import EMOTIONS, Emotion
from reports.flags.attention import to_attention_record
from reports.flags.sadness import to_record
from reports.narrative.corrections import told
from reports.narrative.small_faces import as_data as missed_faces
from reports.narrative.summary import banner, no_curve, summary
from reports.report import Person, Report
from reports.text.i18n import Language, speaking
from reports.timeline.attention import Attention
from reports.timeline.change_points import Change
from reports.timeline.gaps import unseen_s
from reports.timeline.student import UNKNOWN, StudentTimeline, overlap_s

SCHEMA = "classpulse-report/1"
"""The number goes up when something goes or changes its meaning, not when something is added."""

_COMMON = ("start_s", "watched_s")
_STUDENT = (
    "student_id",
    "student",
    *_COMMON,
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
_GAP = ("gap_s", "gap_reason")
_CLASS = (*_COMMON, "people_seen", "facing_share")
_EXPRESSIONS = tuple(f"p_{label}" for label in EMOTIONS)


def csv_text(report: Report) -> str:
    """One row per student and bin of the session, or per bin of the class in ``mode: aggregate``.

    Columns: ``student_id``, ``student``; ``start_s`` (media seconds), ``watched_s``, ``seen_s``;
    ``samples``, ``seen_samples``, ``pose_samples``, ``facing_samples`` (numbers of sampled frames);
    ``yaw_deg`` (positive to the student's left) and ``pitch_deg`` (positive up); ``eye_samples``, and
    ``closed_samples`` of them; ``facing_change`` (of the share), ``yaw_change_deg`` and ``pitch_change_deg``
    against the student's own median over the session; and, unless the mode is ``behaviour``,
    ``usable_samples``, ``leading`` and ``p_angry`` to ``p_neutral`` (mean probabilities, 0..1). Empty means
    unknown. Of the class: ``start_s``, ``watched_s``, ``people_seen``, ``facing_share``, ``p_angry`` to
    ``p_neutral``. Last, of every bin, ``gap_s``: how much of it nothing could be seen, and ``gap_reason``:
    why (for the most of it).
    """
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(
        _class_rows(report) if report.mode is Mode.AGGREGATE else _student_rows(report)
    )
    return buffer.getvalue()


def as_data(report: Report) -> dict[str, Any]:
    """Everything the report says, ready for JSON: times as ISO 8601, unknown as None, no bins; its sentences
    in English whatever is spoken. The schema is ``reports/report.schema.json``."""
    with speaking(Language.EN):
        return _as_data(report)


def _as_data(report: Report) -> dict[str, Any]:
    session = report.session
    return {
        "schema": SCHEMA,
        "made_at": None if report.made_at is None else report.made_at.isoformat(),
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
            "unseen_s": unseen_s(report.gaps),
            "frames_sampled": session.frames_sampled,
            "frames_dropped": session.frames_dropped,
            "versions": dict(session.versions),
            "policy": session.settings.get("policy"),
        },
        "model_card": _card(session.settings.get("model")),
        "summary": [_plain(sentence) for sentence in summary(report)],
        "missing": _plain(banner(report)),
        "masked_seats": report.masked_seats,
        "small_faces": missed_faces(session.small_faces),
        "class": _class_data(report),
        "flag_settings": asdict(report.flag_settings) if report.mode is Mode.EMOTION else None,
        "attention_flag_settings": None
        if report.mode is Mode.AGGREGATE
        else asdict(report.attention_flag_settings),
        "students": [_person_data(report, person) for person in report.people],
        "markers": [{"at_s": marker.at_s, "text": marker.text} for marker in report.markers],
        "gaps": [asdict(gap) for gap in report.gaps],
        "corrections": [told(correction) for correction in report.corrections],
    }


def json_text(report: Report) -> str:
    """``as_data`` as indented JSON."""
    return json.dumps(as_data(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _class_data(report: Report) -> dict[str, Any]:
    whole = report.whole
    data: dict[str, Any] = {
        "students": whole.people,
        "seen_share": whole.mean_seen_share,
        "facing_share": whole.mean_facing_share,
        "no_curve": _plain(no_curve(report)),
    }
    if report.mode is not Mode.AGGREGATE:
        data["changes"] = [_change_data(change) for change in report.changes]
    if report.mode is not Mode.BEHAVIOUR:
        data["expressions"] = {emotion.label: share for emotion, share in whole.expression_shares.items()}
    return data


def _change_data(change: Change) -> dict[str, Any]:
    measure = change.measure
    return asdict(change) | {"measure": measure.label if isinstance(measure, Emotion) else measure.value}


def _person_data(report: Report, person: Person) -> dict[str, Any]:
    line = person.timeline
    data: dict[str, Any] = {
        "id": line.student_id,
        "name": line.pseudonym,
        "seat": person.seat,
        "first_seen_s": line.first_seen_s,
        "coverage": line.coverage,
        "facing_share": line.facing_share,
        "attention": _attention_data(person.attention),
        "uncertain_arrivals_s": list(person.arrivals_s),
    }
    away = to_attention_record(report.session.id, person.attention_verdict)
    data["attention_flag"] = _verdict_data(person, away)
    if person.verdict is None:
        return data
    return data | {
        "usable_share": line.usable_share,
        "unknown": dict(line.unknown),
        "dominant": None if line.dominant is None else line.dominant.label,
        **_verdict_data(person, to_record(report.session.id, person.verdict)),
    }


def _verdict_data(person: Person, record: FlagRecord) -> dict[str, Any]:
    """A verdict with its review and what earlier sessions had of its kind. The thresholds are the report's,
    and said once."""
    reasons = [_plain(reason) for reason in record.numbers["reasons"]]
    stored = person.flags.get(record.kind, record)
    return {
        "outcome": record.outcome,
        "review": stored.review,
        "reviewed_by": stored.reviewed_by,
        "reviewed_at": None if stored.reviewed_at is None else stored.reviewed_at.isoformat(),
        "note": stored.note,
        "earlier": [_earlier_data(one) for one in person.earlier if one.kind == record.kind],
        "numbers": {name: value for name, value in record.numbers.items() if name != "settings"}
        | {"reasons": reasons},
    }


def _earlier_data(earlier: EarlierLevel) -> dict[str, Any]:
    return {
        "session": earlier.session_id,
        "started_at": earlier.started_at.isoformat(),
        **earlier.level._asdict(),
        "outcome": earlier.outcome,
        "review": earlier.review,
    }


def _card(kept: Any) -> dict[str, Any] | None:
    """What the session's record keeps of how right its model is; None where it keeps nothing."""
    if not isinstance(kept, Mapping) or not isinstance(kept.get("card"), Mapping):
        return None
    return {"name": kept.get("name"), **kept["card"]}


def _attention_data(channel: Attention) -> dict[str, Any]:
    """The medians, the extreme minutes, and the minutes one after another; degrees, seconds, shares."""
    extremes = {
        "most_closed": channel.most_closed,
        "least_facing": channel.least_facing,
        "furthest_yaw": channel.furthest_yaw,
        "furthest_pitch": channel.furthest_pitch,
    }
    series = {
        "facing_change": channel.facing_minutes,
        "yaw_change_deg": channel.yaw_minutes,
        "pitch_change_deg": channel.pitch_minutes,
        "closed_share": channel.closed_minutes,
    }
    return {
        "own": None if channel.own is None else asdict(channel.own),
        **{name: None if minute is None else asdict(minute) for name, minute in extremes.items()},
        "longest_closed_s": channel.longest_closed_s,
        "minutes": [
            {"start_s": float(channel.start_s[b])}
            | {name: None if math.isnan(values[b]) else float(values[b]) for name, values in series.items()}
            for b in range(0, len(channel.start_s) - channel.per_minute + 1, channel.per_minute)
        ],
    }


def _student_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    emotion = report.mode is Mode.EMOTION
    yield (*_STUDENT, *(("usable_samples", "leading", *_EXPRESSIONS) if emotion else ()), *_GAP)
    gaps = _gaps(report)
    for person in report.people:
        line = person.timeline
        leading = line.leading
        for b, start_s in enumerate(line.grid.start_s):
            yield (
                *_bin(line, b, float(start_s)),
                *_attention(person, b),
                *(_expression(line, b, int(leading[b])) if emotion else ()),
                *gaps[b],
            )


def _bin(line: StudentTimeline, b: int, start_s: float) -> tuple[Any, ...]:
    return (
        line.student_id,
        _cell_text(line.pseudonym),
        _number(start_s),
        _number(line.watched_s[b]),
        _number(line.seen_s[b]),
        int(line.samples[b]),
        int(line.seen_samples[b]),
        int(line.pose_samples[b]),
        int(line.facing_samples[b]),
    )


def _attention(person: Person, b: int) -> tuple[Any, ...]:
    line, own = person.timeline, person.attention
    return (
        _number(line.yaw_deg[b]),
        _number(line.pitch_deg[b]),
        int(line.eye_samples[b]),
        int(line.closed_samples[b]),
        _number(own.facing_change[b]),
        _number(own.yaw_change_deg[b]),
        _number(own.pitch_change_deg[b]),
    )


def _expression(line: StudentTimeline, b: int, leading: int) -> tuple[Any, ...]:
    label = "" if leading == UNKNOWN else Emotion(leading).label
    return (int(line.usable_samples[b]), label, *(_number(p) for p in line.probabilities[b]))


def _class_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    whole = report.whole
    yield (*_CLASS, *_EXPRESSIONS, *_GAP)
    gaps = _gaps(report)
    for b, start_s in enumerate(whole.grid.start_s):
        shown = (whole.facing_share[b], *whole.probabilities[b])
        watched_s = _number(whole.grid.watched_s[b])
        yield (
            _number(float(start_s)),
            watched_s,
            int(whole.people_seen[b]),
            *(_number(p) for p in shown),
            *gaps[b],
        )


def _gaps(report: Report) -> list[tuple[str, str]]:
    """``_GAP`` of each bin of the session."""
    grid = report.whole.grid
    count = len(grid.watched_s)
    parts = [overlap_s([(gap.start_s, gap.end_s)], grid.bin_s, count) for gap in report.gaps]
    if not parts:
        return [("0", "")] * count
    whole_s, longest = np.sum(parts, axis=0), np.argmax(parts, axis=0)
    reasons = [report.gaps[n].reason for n in longest]
    return [(_number(float(s)), reason if s > 0 else "") for s, reason in zip(whole_s, reasons, strict=True)]


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}".rstrip("0").rstrip(".")


def _cell_text(text: str) -> str:
    """A name that begins like a formula would be run by a spreadsheet; an apostrophe keeps it text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _plain(text: str | None) -> str | None:
    """Without the non-breaking spaces that are meant for a page."""
    return None if text is None else text.replace("\u00a0", " ")
