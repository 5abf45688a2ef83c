"""From what is stored of a session to its report as data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

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
from reports.errors import ReportError
from reports.flags.attention import AttentionDecision, AttentionFlagSettings, decide_attention_flags
from reports.flags.base import SADNESS_KIND as SADNESS
from reports.flags.baseline import Baselines, FrozenBaselines, compute_baselines, with_frozen_baselines
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


def build_report(
    session: SessionRecord,
    students: Sequence[StudentRecord],
    bins: Iterable[TimelineBin],
    seats: Iterable[SeatRecord] = (),
    flags: Iterable[FlagRecord] = (),
    settings: ReportSettings | None = None,
    flag_settings: FlagSettings | None = None,
    *,
    attention_flag_settings: AttentionFlagSettings | None = None,
    earlier_shares: Iterable[EarlierShare] = (),
    frozen_baselines: FrozenBaselines | None = None,
    tracks: Iterable[TrackRecord] = (),
    markers: Iterable[MarkerRecord] = (),
    corrections: Iterable[CorrectionRecord] = (),
    masked_seats: int = 0,
    created_at: datetime | None = None,
    gaps: Iterable[GapRecord] = (),
) -> Report:
    """The report of one session from what is stored of it, as the reads of ``db.sessions`` give it: of people
    as they are after the ``corrections``.

    Verdicts are made anew from the bins; of ``flags`` only the reviews are taken. ``earlier_shares`` is what the
    students showed in earlier sessions, against which flags are held; ``frozen_baselines`` are usual levels that were
    told from sessions that have been erased since, and hold instead. What lies in ``gaps`` was not watched.
    ``created_at`` is an aware time; without it the report does not say when it was made. Raises ReportError for
    an unknown mode or time zone, and for bins of somebody not in ``students``.
    """
    settings = settings or ReportSettings()
    thresholds = flag_settings or FlagSettings(), attention_flag_settings or AttentionFlagSettings()
    mode, rows = _parse_mode(session), list(bins)
    started_at = local_time(session.started_at, settings)
    created_at = None if created_at is None else local_time(created_at, settings)
    notes = tuple(markers), tuple(one for one in corrections if one.is_active())
    unwatched = find_unobserved_intervals(
        ((gap.start_s, gap.end_s, gap.reason) for gap in gaps), session.end_s
    )
    spans = tuple((gap.start_s, gap.end_s) for gap in unwatched)
    if mode is AnalysisMode.AGGREGATE:
        return Report(
            session,
            mode,
            started_at,
            (),
            aggregate_timeline(session, rows, spans),
            *thresholds,
            *notes,
            masked_seats,
            created_at,
            unwatched,
        )
    lines = _timelines(session, students, rows, spans)
    past = [replace(one, started_at=local_time(one.started_at, settings)) for one in earlier_shares]
    flags = [_in_report_zone(flag, settings) for flag in flags if flag.session_id == session.id]
    verdicts = _decisions(
        session,
        mode,
        lines,
        thresholds,
        with_frozen_baselines(compute_baselines(past), frozen_baselines or {}),
    )
    people = _report_students(lines, verdicts, seats, flags, tracks, past)
    whole = class_timeline(lines, lines[0].grid if lines else build_session_grid(session, rows, spans))
    return Report(
        session, mode, started_at, people, whole, *thresholds, *notes, masked_seats, created_at, unwatched
    )


def _in_report_zone(flag: FlagRecord, settings: ReportSettings) -> FlagRecord:
    at = flag.reviewed_at
    return flag if at is None else replace(flag, reviewed_at=local_time(at, settings))


def _parse_mode(session: SessionRecord) -> AnalysisMode:
    try:
        return AnalysisMode(session.mode)
    except ValueError as error:
        raise ReportError(
            f"session {session.id} has the mode {session.mode!r}; expected one of {', '.join(AnalysisMode)}; "
            "was it recorded by a newer version of classpulse?"
        ) from error


def _timelines(
    session: SessionRecord,
    students: Sequence[StudentRecord],
    rows: Sequence[TimelineBin],
    unobserved_spans: Spans,
) -> tuple[StudentTimeline, ...]:
    try:
        in_order = sorted(students, key=lambda student: natural_sort_key(student.pseudonym))
        return build_student_timelines(session, in_order, rows, unobserved_spans)
    except ValueError as error:
        raise ReportError(f"session {session.id} cannot be reported: {error}; check the database") from error


def _decisions(
    session: SessionRecord,
    mode: AnalysisMode,
    lines: Sequence[StudentTimeline],
    thresholds: tuple[FlagSettings, AttentionFlagSettings],
    baselines: Baselines,
) -> list[tuple[SadnessDecision | None, AttentionDecision]]:
    """Of sadness, where the mode computes expressions, and of attention, for each student."""
    confusion = confusion_from_settings(session.settings)
    sadness = [
        decide_sadness_flag(line, thresholds[0], confusion, baselines.get(line.student_id, {}).get(SADNESS))
        if mode is AnalysisMode.EMOTION
        else None
        for line in lines
    ]
    return list(zip(sadness, decide_attention_flags(lines, thresholds[1], baselines), strict=True))


def _report_students(
    lines: Sequence[StudentTimeline],
    decisions: Sequence[tuple[SadnessDecision | None, AttentionDecision]],
    seats: Iterable[SeatRecord],
    flags: Iterable[FlagRecord],
    tracks: Iterable[TrackRecord],
    earlier_shares: Sequence[EarlierShare],
) -> tuple[ReportStudent, ...]:
    labels = _seat_labels(seats)
    reviews: dict[int, dict[str, FlagRecord]] = defaultdict(dict)
    for flag in flags:
        reviews[flag.student_id][flag.kind] = flag
    arrivals = find_uncertain_reidentifications(tracks)
    return tuple(
        ReportStudent(
            timeline=line,
            attention=attention_series(line),
            # People known by their seat alone are called as it is; once is enough.
            seat=join_items([label for label in labels.get(line.student_id, ()) if label != line.pseudonym])
            or None,
            sadness_decision=sadness,
            attention_decision=away,
            flags={
                kind: flag
                for kind, flag in reviews.get(line.student_id, {}).items()
                if sadness is not None or kind != SADNESS
            },
            uncertain_reidentifications_s=arrivals.get(line.student_id, ()),
            earlier_shares=tuple(one for one in earlier_shares if one.student_id == line.student_id),
        )
        for line, (sadness, away) in zip(lines, decisions, strict=True)
    )


def _seat_labels(seats: Iterable[SeatRecord]) -> Mapping[int, list[str]]:
    labels: dict[int, list[str]] = defaultdict(list)
    for seat in seats:
        labels[seat.student_id].append(seat.label)
    return labels
