"""Builds the ``Report`` of one session from its records in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine

from db import sessions as queries
from db.erasure import frozen_baselines
from db.history import load_earlier_shares
from db.records import (
    AnalysisMode,
    CorrectionRecord,
    EarlierShare,
    FlagRecord,
    GapRecord,
    MarkerRecord,
    SeatRecord,
    SessionRecord,
    StudentRecord,
    TimelineBin,
    TrackRecord,
)
from db.seat_plans import list_opted_out_seats
from reports.errors import ReportError
from reports.flags.attention import AttentionDecision, AttentionFlagSettings, decide_attention_flags
from reports.flags.base import SADNESS_KIND
from reports.flags.baseline import Baseline, FrozenBaselines, compute_baselines, with_frozen_baselines
from reports.flags.confusion import confusion_from_settings
from reports.flags.sadness import FlagSettings, SadnessDecision, decide_sadness_flag
from reports.report import Report, ReportStudent
from reports.text.dates import ReportSettings, local_time
from reports.text.formatting import join_items, natural_sort_key
from reports.timeline.attention import attention_series
from reports.timeline.classroom import aggregate_timeline, class_timeline
from reports.timeline.gaps import find_unobserved_intervals
from reports.timeline.student import Spans, StudentTimeline, build_session_grid, build_student_timelines
from reports.timeline.uncertain_returns import find_uncertain_reidentifications


@dataclass(frozen=True, kw_only=True)
class SessionData:
    """The records of one session, with its corrections applied to the students, bins, seats and flags.

    ``earlier_shares``: the same students in earlier sessions, for their baselines. ``frozen_baselines``
    replace these: baselines whose sessions have been erased. ``masked_seats``: number of opted-out seats.
    """

    session: SessionRecord
    students: Sequence[StudentRecord]
    bins: Sequence[TimelineBin]
    seats: Sequence[SeatRecord] = ()
    flags: Sequence[FlagRecord] = ()
    tracks: Sequence[TrackRecord] = ()
    markers: Sequence[MarkerRecord] = ()
    corrections: Sequence[CorrectionRecord] = ()
    gaps: Sequence[GapRecord] = ()
    masked_seats: int = 0
    earlier_shares: Sequence[EarlierShare] = ()
    frozen_baselines: FrozenBaselines = field(default_factory=dict)


def load_session_data(engine: Engine, session_id: int) -> SessionData:
    """Read everything that a report needs. Raises db.errors.NotFound."""
    flags = queries.list_flags(engine, session_id)
    return SessionData(
        session=queries.get_session(engine, session_id),
        students=queries.list_students(engine, session_id),
        bins=queries.load_bins(engine, session_id),
        seats=queries.list_seats(engine, session_id),
        flags=flags,
        tracks=queries.list_tracks(engine, session_id),
        markers=queries.list_markers(engine, session_id),
        corrections=queries.list_corrections(engine, session_id),
        gaps=queries.list_gaps(engine, session_id),
        masked_seats=len(list_opted_out_seats(engine, session_id)),
        earlier_shares=load_earlier_shares(engine, session_id),
        frozen_baselines={
            key: Baseline(*baseline) if baseline else None
            for key, baseline in frozen_baselines(flags).items()
        },
    )


def build_report(
    data: SessionData,
    settings: ReportSettings | None = None,
    flag_settings: FlagSettings | None = None,
    attention_flag_settings: AttentionFlagSettings | None = None,
    created_at: datetime | None = None,
) -> Report:
    """The report of one session; None stands for the default settings.

    Flags are decided again from the bins; of the stored flags only the reviews are used. ``created_at``: an
    aware time; without it the report does not state when it was created. Raises ReportError for an unknown
    mode or time zone, and for bins of a student that is not in ``data.students``.
    """
    settings = settings or ReportSettings()
    flag_settings = flag_settings or FlagSettings()
    attention_flag_settings = attention_flag_settings or AttentionFlagSettings()
    session, mode = data.session, _parse_mode(data.session)
    gaps = find_unobserved_intervals(
        ((gap.start_s, gap.end_s, gap.reason) for gap in data.gaps), session.end_s
    )
    spans = tuple((gap.start_s, gap.end_s) for gap in gaps)
    students: tuple[ReportStudent, ...] = ()
    if mode is AnalysisMode.AGGREGATE:
        timeline = aggregate_timeline(session, data.bins, spans)
    else:
        lines = _timelines(data, spans)
        decisions = _decisions(data, lines, flag_settings, attention_flag_settings)
        students = _report_students(_in_report_zone(data, settings), lines, decisions)
        timeline = class_timeline(
            lines, lines[0].grid if lines else build_session_grid(session, data.bins, spans)
        )
    return Report(
        session=session,
        mode=mode,
        started_at=local_time(session.started_at, settings),
        students=students,
        class_timeline=timeline,
        flag_settings=flag_settings,
        attention_flag_settings=attention_flag_settings,
        markers=tuple(data.markers),
        corrections=tuple(correction for correction in data.corrections if correction.is_active()),
        masked_seats=data.masked_seats,
        created_at=None if created_at is None else local_time(created_at, settings),
        gaps=gaps,
    )


def _parse_mode(session: SessionRecord) -> AnalysisMode:
    try:
        return AnalysisMode(session.mode)
    except ValueError as error:
        raise ReportError(
            f"Session {session.id} has an unknown mode: {session.mode!r}, not {', '.join(AnalysisMode)}.",
            "If a newer version of Classpulse recorded it, use that version.",
        ) from error


def _in_report_zone(data: SessionData, settings: ReportSettings) -> SessionData:
    """``data`` with the session's own flags only, and with local times of reviews and earlier sessions."""
    return replace(
        data,
        flags=[
            flag
            if flag.reviewed_at is None
            else replace(flag, reviewed_at=local_time(flag.reviewed_at, settings))
            for flag in data.flags
            if flag.session_id == data.session.id
        ],
        earlier_shares=[
            replace(share, started_at=local_time(share.started_at, settings)) for share in data.earlier_shares
        ],
    )


def _timelines(data: SessionData, unobserved_spans: Spans) -> tuple[StudentTimeline, ...]:
    students = sorted(data.students, key=lambda student: natural_sort_key(student.pseudonym))
    try:
        return build_student_timelines(data.session, students, data.bins, unobserved_spans)
    except ValueError as error:
        raise ReportError(
            f"The records of session {data.session.id} are inconsistent: {error}.",
            "Restore the database from a backup.",
        ) from error


_Decisions = tuple[SadnessDecision | None, AttentionDecision]


def _decisions(
    data: SessionData,
    lines: Sequence[StudentTimeline],
    flag_settings: FlagSettings,
    attention_flag_settings: AttentionFlagSettings,
) -> list[_Decisions]:
    """Per student: on sadness, if the mode computes expressions, and on attention."""
    confusion = confusion_from_settings(data.session.settings)
    baselines = with_frozen_baselines(compute_baselines(data.earlier_shares), data.frozen_baselines)
    sadness = [
        decide_sadness_flag(
            line, flag_settings, confusion, baselines.get(line.student_id, {}).get(SADNESS_KIND)
        )
        if data.session.mode == AnalysisMode.EMOTION
        else None
        for line in lines
    ]
    attention = decide_attention_flags(lines, attention_flag_settings, baselines)
    return list(zip(sadness, attention, strict=True))


def _report_students(
    data: SessionData, lines: Sequence[StudentTimeline], decisions: Sequence[_Decisions]
) -> tuple[ReportStudent, ...]:
    labels = _seat_labels(data.seats)
    flags: dict[int, dict[str, FlagRecord]] = defaultdict(dict)
    for flag in data.flags:
        if flag.kind != SADNESS_KIND or data.session.mode == AnalysisMode.EMOTION:
            flags[flag.student_id][flag.kind] = flag
    uncertain_s = find_uncertain_reidentifications(data.tracks)
    return tuple(
        ReportStudent(
            timeline=line,
            attention=attention_series(line),
            # Students without a name are named after their seat, which is printed once.
            seat=join_items([label for label in labels.get(line.student_id, ()) if label != line.pseudonym])
            or None,
            sadness_decision=sadness,
            attention_decision=attention,
            flags=flags.get(line.student_id, {}),
            uncertain_reidentifications_s=uncertain_s.get(line.student_id, ()),
            earlier_shares=tuple(
                share for share in data.earlier_shares if share.student_id == line.student_id
            ),
        )
        for line, (sadness, attention) in zip(lines, decisions, strict=True)
    )


def _seat_labels(seats: Sequence[SeatRecord]) -> Mapping[int, list[str]]:
    labels: dict[int, list[str]] = defaultdict(list)
    for seat in seats:
        labels[seat.student_id].append(seat.label)
    return labels
