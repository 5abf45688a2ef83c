"""What the product stored and reported, in the vocabulary of the reference files.

This module alone knows the product's names of columns, JSON keys and stored values. When one of them is
renamed, it is renamed here and the reference stays as it is. Numbers are rounded to what a person can read;
the tolerances (``replay.inputs``) decide what counts as a difference.
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
FIGURES = ("seen", "facing", "shut", *EMOTIONS)
"""The figures of a lesson in the order in which the history has them."""


def stored(engine: Engine, session_id: int, window_s: float) -> dict[str, Any]:
    """What the database holds of a session: of each student totals and counts per ``window_s`` seconds."""
    session = queries.get_session(engine, session_id)
    students = {one.id: one.pseudonym for one in queries.list_students(engine, session_id)}
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
            "notes_s": [round(one.at_s, 1) for one in queries.list_markers(engine, session_id)],
        },
        "students": {
            name: {
                "seats": [
                    {"box_px": [round(edge) for edge in seat.box_xyxy]}
                    for seat in seats
                    if seat.student_id == student
                ],
                "tracks": _tracks(
                    [(one.assignment_basis, one.hits) for one in tracks if one.student_id == student]
                ),
                "flags": {KINDS[one.kind]: _flag(one) for one in flags if one.student_id == student},
                **_student([one for one in bins if one.student_id == student], window_s),
            }
            for student, name in students.items()
        },
    }


def _tracks(tracks: Sequence[tuple[str | None, int]]) -> dict[str, Any]:
    """Hits are summed, because where one track ends and the next begins says little."""
    bases = Counter(BASES[grounds] for grounds, _ in tracks)
    return {"count": len(tracks), "hit_samples": sum(hits for _, hits in tracks), "bases": dict(bases)}


def _flag(flag: FlagRecord) -> dict[str, Any]:
    return {"decision": DECISIONS[flag.outcome], "review": flag.review}


def _student(bins: Sequence[TimelineBin], window_s: float) -> dict[str, Any]:
    windows: dict[float, list[TimelineBin]] = {}
    for one in bins:
        windows.setdefault(one.start_s // window_s * window_s, []).append(one)
    return {
        "bins": len(bins),
        "seen_s": round(sum(one.seen_s for one in bins), 1),
        "observed_s": round(sum(one.watched_s for one in bins), 1),
        # Sums and not means: a mean over two readable samples is decided by each of them.
        "expression_samples": {
            name: round(
                sum(one.probabilities[place] * one.usable_samples for one in bins if one.probabilities), 1
            )
            for place, name in enumerate(EMOTIONS)
        },
        "yaw_deg": _median(one.yaw_deg for one in bins),
        "pitch_deg": _median(one.pitch_deg for one in bins),
        "head_poses": _poses(bins),
        "window_samples": {f"from {start_s:.0f} s": _counts(part) for start_s, part in windows.items()},
    }


def _poses(bins: Sequence[TimelineBin]) -> dict[str, int]:
    """The readable samples by head pose."""
    counts = dict.fromkeys(POSES.values(), 0)
    for one in bins:
        for pose, count in one.pose_counts.items():
            counts[POSES[pose]] += count
    return counts


def _counts(bins: Sequence[TimelineBin]) -> dict[str, int]:
    """Numbers of samples; every reason is named, so that none goes missing at zero."""
    counts = dict.fromkeys(REASONS.values(), 0)
    for one in bins:
        for reason, count in one.unreadable_reasons.items():
            counts[REASONS[reason]] += count
    return counts | {
        "all": sum(one.samples for one in bins),
        "seen": sum(one.seen_samples for one in bins),
        "readable": sum(one.usable_samples for one in bins),
        "posed": sum(one.pose_samples for one in bins),
        "facing": sum(one.facing_samples for one in bins),
        "eyes": sum(one.eye_samples for one in bins),
        "shut": sum(one.closed_samples for one in bins),
    }


def _median(values: Iterable[float | None]) -> float | None:
    """Not the mean: the pose of a half-hidden face can be anything, and one such bin would decide it."""
    known = [value for value in values if value is not None]
    return round(median(known), 2) if known else None


def reported(engine: Engine, session_id: int, config: Config, folder: Path) -> dict[str, Any]:
    """What the report of a session says, from its JSON file. Texts are counted and not compared."""
    files = generate_report(engine, session_id, config, formats=("json", "csv"), folder=folder)
    said = json.loads(files["json"].read_text(encoding="utf-8"))
    whole = said["class"]
    return {
        "class": {
            "students": whole["students"],
            "seen_share": _rounded(whole["seen_share"]),
            "facing_share": _rounded(whole["facing_share"]),
            "expression_share": {name: _rounded(share) for name, share in whole["expressions"].items()},
            "changes": [[one["measure"], round(one["at_s"])] for one in whole["changes"]],
        },
        "missed_faces": said["small_faces"] and said["small_faces"]["count"],
        "masked_seats": said["masked_seats"],
        "corrections": len(said["corrections"]),
        "notes": len(said["markers"]),
        "gaps": len(said["gaps"]),
        "csv_rows": len(files["csv"].read_text(encoding="utf-8-sig").splitlines()),
        "students": {
            one["name"]: {
                "seen_share": _rounded(one["coverage"]),
                "facing_share": _rounded(one["facing_share"]),
                "readable_share": _rounded(one["usable_share"]),
                "dominant": one["dominant"],
                "first_seen_s": one["first_seen_s"],
                "arrivals": len(one["uncertain_arrivals_s"]),
                "longest_shut_s": one["attention"]["longest_closed_s"],
                "minutes": len(one["attention"]["minutes"]),
                "sadness": _verdict(one, "sad_share"),
                "attention": _verdict(one["attention_flag"], "away_share"),
            }
            for one in said["students"]
        },
    }


def _verdict(said: dict[str, Any], share: str) -> dict[str, Any]:
    numbers = said["numbers"]
    return {
        "decision": DECISIONS[said["outcome"]],
        "reasons": len(numbers["reasons"]),
        "estimate": _rounded(numbers[share]),
        "interval_ends": [_rounded(numbers[f"{share}_{end}"]) for end in ("low", "high")],
        "usual_share": _rounded(numbers["baseline_share"]),
        "usual_sessions": numbers["baseline_sessions"],
        "as_usual": numbers["within_baseline"],
        "earlier": len(said["earlier"]),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def scored(
    engine: Engine, session_id: int, truth: GroundTruth, samples: Sequence[FrameResult], *, tiles: bool
) -> dict[str, Any]:
    """How well a video was followed, against its ground truth. ``tiles``: the truth knows expressions and
    directions too."""
    found = score_tracking(truth, samples)
    identity, presence, detection = found.identity, found.presence, found.detection
    values: dict[str, Any] = {
        "frames": found.frames,
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
    """What the history of a class holds: stored summaries, the lessons, the weeks, the students' trends."""
    term = load_term(engine, class_name, ReportSettings(timezone=time_zone))
    history = class_history(engine, class_name, None)
    names = {number: one.pseudonym for number, one in history.students.items()}
    return {
        "summaries": {f"session {one.session.id:02}": _summary(one, names) for one in history.sessions},
        "lessons": [_lesson(one) for one in term.trends.sessions],
        "weeks": [_week(one) for one in term.trends.weeks],
        "interrupted": term.interrupted,
        "observed_s": round(term.watched_s, 1),
        "flags": [
            [one.class_session.session.id, one.name, KINDS[one.flag.kind], one.flag.review]
            for one in term.flags
        ],
        "students": {one.name: _over_lessons(one) for one in term.students},
    }


def _summary(lesson: ClassSession, names: dict[int, str]) -> dict[str, Any]:
    whole = lesson.summary
    return {
        "people": whole and whole.student_count,
        "seen_share": whole and _rounded(whole.seen_share),
        "students": {
            names[one.student_id]: {
                "seen_s": round(one.seen_s, 1),
                "readable_s": round(one.usable_s, 1),
                "facing_share": _rounded(one.facing_share),
                "shut_share": _rounded(one.closed_share),
                "sad_share": _level(one.sad),
                "away_share": _level(one.away),
            }
            for one in lesson.students
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


def _over_lessons(one: TermStudent) -> dict[str, Any]:
    return {
        "presence": [PRESENCES[cell.presence] for cell in one.cells],
        "flagged": [cell.flagged for cell in one.cells],
        "sad_share": _rounded(one.sad_share),
        "facing_share": _rounded(one.facing_share),
        "flags": one.flags.total,
        "sadness": _trend(one.trends.sadness),
        "facing": _trend(one.trends.facing),
        "away": _trend(one.trends.away),
    }


def _trend(trend: Trend) -> dict[str, Any]:
    return {
        "sessions": trend.sessions,
        "weekly_share": _rounded(trend.slope_per_week),
        "direction": trend.direction,
    }
