"""Stored and reported results, in the vocabulary of the reference files.

Only this module knows the names of columns, JSON keys and stored values. When one of them is renamed, it is
renamed here and the references stay the same. Numbers are rounded for readability; the tolerances
(``tests.replay.inputs``) decide what counts as a difference.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.evaluation.expressions import score_stored_session
from classpulse.evaluation.tracking import score_tracking
from classpulse.services.history import load_term
from classpulse.services.reports import generate_report
from classpulse.simulation.ground_truth import GroundTruth
from db import sessions as queries
from db.history import class_history
from db.records import ClassSession, FlagRecord, ShareEstimate, TimelineBin
from model.emotions import EMOTIONS
from model.poses import HeadPoseClass
from monitor.types import AssignmentBasis, FrameResult, UnreadableReason
from reports.flags.base import ATTENTION_KIND as ATTENTION
from reports.flags.base import SADNESS_KIND as SADNESS
from reports.flags.base import FlagOutcome
from reports.history.presence import SessionPresence
from reports.history.statistics import Trend
from reports.history.term import TermStudent
from reports.history.weeks import ClassSessionLine, WeekLine
from reports.text.dates import ReportSettings

REASONS = {
    UnreadableReason.ABSENT.value: "absent",
    UnreadableReason.TOO_SMALL.value: "small",
    UnreadableReason.BLURRED.value: "blurred",
    UnreadableReason.TURNED_AWAY.value: "turned away",
    UnreadableReason.OCCLUDED.value: "hidden",
    UnreadableReason.HEAD_BOWED.value: "bowed",
    UnreadableReason.POSE_UNKNOWN.value: "no pose",
    UnreadableReason.NOT_COMPUTED.value: "not computed",
}
POSES = {
    HeadPoseClass.LEVEL.value: "level",
    HeadPoseClass.LOWERED.value: "lowered",
    HeadPoseClass.TURNED.value: "turned",
}
BASES = {
    None: "first on the seat",
    AssignmentBasis.SEAT_AND_APPEARANCE.value: "seat and appearance",
    AssignmentBasis.SEAT_ONLY.value: "seat only",
    AssignmentBasis.DIFFERENT_PERSON.value: "another person",
}
DECISIONS = {
    FlagOutcome.FLAGGED.value: "flagged",
    FlagOutcome.NOT_FLAGGED.value: "not flagged",
    FlagOutcome.INSUFFICIENT_DATA.value: "insufficient data",
}
KINDS = {SADNESS: "sadness", ATTENTION: "attention"}
PRESENCES = {
    SessionPresence.SEEN: "seen",
    SessionPresence.MISSED: "missed",
    SessionPresence.NOT_YET: "not yet",
    SessionPresence.NOT_KEPT: "not kept",
    SessionPresence.RUNNING: "running",
}
MEASURES = {"eyes_closed": "shut"}
"""Other measures of change points have the same name in the reference."""
FIGURES = ("seen", "facing", "shut", *EMOTIONS)
"""The figures of a lesson in the order of the history."""


def stored(engine: Engine, session_id: int, window_s: float) -> dict[str, Any]:
    """The stored results of a session: totals per student, and counts per ``window_s`` seconds."""
    session = queries.get_session(engine, session_id)
    students = {row.id: row.pseudonym for row in queries.list_students(engine, session_id)}
    bins, tracks = queries.load_bins(engine, session_id), queries.list_tracks(engine, session_id)
    seats, flags = queries.list_seats(engine, session_id), queries.list_flags(engine, session_id)
    return {
        "session": {
            "status": session.status.value,
            "end_s": round(session.end_s, 1),
            "observed_s": round(session.watched_s, 1),
            "frames": session.frames_sampled,
            "dropped": session.frames_dropped,
            "gaps": [
                [round(gap.start_s, 1), round(gap.end_s, 1)] for gap in queries.list_gaps(engine, session_id)
            ],
            "notes_s": [round(row.at_s, 1) for row in queries.list_markers(engine, session_id)],
        },
        "students": {
            name: {
                "seats": [
                    {"box_px": [round(edge) for edge in seat.box_xyxy]}
                    for seat in seats
                    if seat.student_id == student
                ],
                "tracks": _tracks(
                    [(row.assignment_basis, row.hits) for row in tracks if row.student_id == student]
                ),
                "flags": {KINDS[row.kind]: _flag(row) for row in flags if row.student_id == student},
                **_student([row for row in bins if row.student_id == student], window_s),
            }
            for student, name in students.items()
        },
    }


def _tracks(tracks: Sequence[tuple[str | None, int]]) -> dict[str, Any]:
    """Hits are summed, because the boundaries between tracks vary."""
    bases = Counter(BASES[basis] for basis, _ in tracks)
    return {"count": len(tracks), "hit_samples": sum(hits for _, hits in tracks), "bases": dict(bases)}


def _flag(flag: FlagRecord) -> dict[str, Any]:
    return {"decision": DECISIONS[flag.outcome], "review": flag.review}


def _student(bins: Sequence[TimelineBin], window_s: float) -> dict[str, Any]:
    windows: dict[float, list[TimelineBin]] = {}
    for row in bins:
        windows.setdefault(row.start_s // window_s * window_s, []).append(row)
    return {
        "bins": len(bins),
        "seen_s": round(sum(row.seen_s for row in bins), 1),
        "observed_s": round(sum(row.watched_s for row in bins), 1),
        # Sums and not means, because a mean over two readable samples depends on each of them.
        "expression_samples": {
            name: round(
                sum(row.probabilities[place] * row.usable_samples for row in bins if row.probabilities), 1
            )
            for place, name in enumerate(EMOTIONS)
        },
        "yaw_deg": _median(row.yaw_deg for row in bins),
        "pitch_deg": _median(row.pitch_deg for row in bins),
        "head_poses": _poses(bins),
        "window_samples": {f"from {start_s:.0f} s": _counts(part) for start_s, part in windows.items()},
    }


def _poses(bins: Sequence[TimelineBin]) -> dict[str, int]:
    """Numbers of readable samples by head pose."""
    counts = dict.fromkeys(POSES.values(), 0)
    for row in bins:
        for pose, count in row.pose_counts.items():
            counts[POSES[pose]] += count
    return counts


def _counts(bins: Sequence[TimelineBin]) -> dict[str, int]:
    """Numbers of samples; reasons with zero samples are included."""
    counts = dict.fromkeys(REASONS.values(), 0)
    for row in bins:
        for reason, count in row.unreadable_reasons.items():
            counts[REASONS[reason]] += count
    return counts | {
        "all": sum(row.samples for row in bins),
        "seen": sum(row.seen_samples for row in bins),
        "readable": sum(row.usable_samples for row in bins),
        "posed": sum(row.pose_samples for row in bins),
        "facing": sum(row.facing_samples for row in bins),
        "eyes": sum(row.eye_samples for row in bins),
        "shut": sum(row.closed_samples for row in bins),
    }


def _median(values: Iterable[float | None]) -> float | None:
    """The median and not the mean, because one bin of a half-occluded face can have any pose."""
    known = [value for value in values if value is not None]
    return round(median(known), 2) if known else None


def reported(engine: Engine, session_id: int, config: Config, folder: Path) -> dict[str, Any]:
    """The report of a session, from its JSON file. Texts are counted and not compared."""
    files = generate_report(engine, session_id, config, formats=("json", "csv"), folder=folder)
    report = json.loads(files["json"].read_text(encoding="utf-8"))
    class_values = report["class"]
    return {
        "class": {
            "students": class_values["students"],
            "seen_share": _rounded(class_values["seen_share"]),
            "facing_share": _rounded(class_values["facing_share"]),
            "expression_share": {
                name: _rounded(share) for name, share in class_values["expressions"].items()
            },
            "changes": [
                [MEASURES.get(row["measure"], row["measure"]), round(row["at_s"])]
                for row in class_values["change_points"]
            ],
        },
        "missed_faces": report["small_faces"] and report["small_faces"]["missed"],
        "masked_seats": report["masked_seats"],
        "corrections": len(report["corrections"]),
        "notes": len(report["markers"]),
        "gaps": len(report["gaps"]),
        "csv_rows": len(files["csv"].read_text(encoding="utf-8-sig").splitlines()),
        "students": {
            row["name"]: {
                "seen_share": _rounded(row["coverage"]),
                "facing_share": _rounded(row["facing_share"]),
                "readable_share": _rounded(row["usable_share"]),
                "dominant": row["dominant_expression"],
                "first_seen_s": row["first_seen_s"],
                "arrivals": len(row["uncertain_reidentifications_s"]),
                "longest_shut_s": row["attention"]["longest_closed_s"],
                "minutes": len(row["attention"]["minutes"]),
                "sadness": _decision(row, "sad_share"),
                "attention": _decision(row["attention_flag"], "away_share"),
            }
            for row in report["students"]
        },
    }


def _decision(values: dict[str, Any], share: str) -> dict[str, Any]:
    numbers = values["numbers"]
    return {
        "decision": DECISIONS[values["outcome"]],
        "reasons": len(numbers["reasons"]),
        "estimate": _rounded(numbers[share]),
        "interval_ends": [_rounded(numbers[f"{share}_{end}"]) for end in ("low", "high")],
        "usual_share": _rounded(numbers["baseline_share"]),
        "usual_sessions": numbers["baseline_sessions"],
        "as_usual": numbers["within_baseline"],
        "earlier": len(values["earlier"]),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def scored(
    engine: Engine, session_id: int, truth: GroundTruth, samples: Sequence[FrameResult], *, tiles: bool
) -> dict[str, Any]:
    """The tracking scores of a video. ``tiles``: the ground truth includes expressions and head poses."""
    scores = score_tracking(truth, samples)
    identity, presence, detection = scores.identity, scores.presence, scores.detection
    values: dict[str, Any] = {
        "frames": scores.frames,
        "recall_share": _rounded(detection.recall),
        "precision_share": _rounded(detection.precision),
        "students": identity.students,
        "followed": identity.tracked,
        "idf1_share": _rounded(identity.idf1),
        "switches": len(identity.switches),
        "fragmentation_samples": identity.fragmentations,
        "absences": presence.absences,
        "absences_missed": presence.reported_present,
        "presence_error_share": _rounded(presence.error),
    }
    if tiles:
        timeline = score_stored_session(engine, session_id, truth)
        values["timeline"] = {
            "found": timeline.found_students,
            "strays": len(timeline.unmatched),
            "presence_error_share": _rounded(timeline.presence_error),
            "facing_right_share": _rounded(timeline.facing_accuracy),
            "right_spells": list(timeline.matching_segments),
            "flags_right": timeline.matching_flags,
        }
    return values


def summarised(engine: Engine, class_name: str, time_zone: str) -> dict[str, Any]:
    """The history of a class: stored summaries, lessons, weeks, and trends of students."""
    term = load_term(engine, class_name, ReportSettings(timezone=time_zone))
    history = class_history(engine, class_name, None)
    names = {number: row.pseudonym for number, row in history.students.items()}
    return {
        "summaries": {f"session {row.session.id:02}": _summary(row, names) for row in history.sessions},
        "lessons": [_lesson(row) for row in term.trends.sessions],
        "weeks": [_week(row) for row in term.trends.weeks],
        "interrupted": term.interrupted,
        "observed_s": round(term.watched_s, 1),
        "flags": [
            [row.class_session.session.id, row.name, KINDS[row.flag.kind], row.flag.review]
            for row in term.flags
        ],
        "students": {row.name: _over_lessons(row) for row in term.students},
    }


def _summary(lesson: ClassSession, names: dict[int, str]) -> dict[str, Any]:
    whole = lesson.summary
    return {
        "people": whole and whole.student_count,
        "seen_share": whole and _rounded(whole.seen_share),
        "students": {
            names[row.student_id]: {
                "seen_s": round(row.seen_s, 1),
                "readable_s": round(row.usable_s, 1),
                "facing_share": _rounded(row.facing_share),
                "shut_share": _rounded(row.closed_share),
                "sad_share": _level(row.sad),
                "away_share": _level(row.away),
            }
            for row in lesson.students
        },
    }


def _level(level: ShareEstimate | None) -> list[float] | None:
    return None if level is None else [round(value, 3) for value in (level.share, level.low, level.high)]


def _lesson(line: ClassSessionLine) -> dict[str, Any]:
    return {
        "people": line.student_count,
        "status": line.status,
        "flags": line.flags and line.flags.total,
        **_figures(line),
    }


def _week(line: WeekLine) -> dict[str, Any]:
    return {
        "week": line.name,
        "lessons": line.session_count,
        "people": line.student_count,
        "flags": line.flags and line.flags.total,
        **_figures(line),
    }


def _figures(line: ClassSessionLine | WeekLine) -> dict[str, Any]:
    return {
        f"{name}_share": figure and _rounded(figure.value)
        for name, figure in zip(FIGURES, line.figures.values(), strict=True)
    }


def _over_lessons(row: TermStudent) -> dict[str, Any]:
    return {
        "presence": [PRESENCES[cell.presence] for cell in row.cells],
        "flagged": [cell.flagged for cell in row.cells],
        "sad_share": _rounded(row.sad_share),
        "facing_share": _rounded(row.facing_share),
        "flags": row.flags.total,
        "sadness": _trend(row.trends.sadness),
        "facing": _trend(row.trends.facing),
        "away": _trend(row.trends.away),
    }


def _trend(trend: Trend) -> dict[str, Any]:
    return {
        "sessions": trend.sessions,
        "weekly_share": _rounded(trend.slope_per_week),
        "direction": trend.direction,
    }
