"""From what is stored of a session to its report as data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from db.records import (
    CorrectionRecord,
    EarlierLevel,
    FlagRecord,
    GapRecord,
    MarkerRecord,
    Mode,
    SeatRecord,
    SessionRecord,
    StudentRecord,
    TimelineBin,
    TrackRecord,
)
from reports.errors import ReportError
from reports.flags.attention import AttentionFlagSettings, AttentionVerdict, judge_attention
from reports.flags.base import SADNESS_KIND as SADNESS
from reports.flags.baseline import KeptLevels, UsualLevels, usual_levels, with_kept
from reports.flags.confusion import read_confusion
from reports.flags.sadness import FlagSettings, Verdict, judge
from reports.report import Person, Report
from reports.text.dates import ReportSettings, local_time
from reports.text.formatting import listing, reading_key
from reports.timeline.attention import attention
from reports.timeline.classroom import aggregate_timeline, class_timeline
from reports.timeline.gaps import unseen
from reports.timeline.student import Spans, StudentTimeline, session_grid, student_timelines
from reports.timeline.uncertain_returns import uncertain_arrivals


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
    earlier: Iterable[EarlierLevel] = (),
    kept: KeptLevels | None = None,
    tracks: Iterable[TrackRecord] = (),
    markers: Iterable[MarkerRecord] = (),
    corrections: Iterable[CorrectionRecord] = (),
    masked_seats: int = 0,
    made_at: datetime | None = None,
    gaps: Iterable[GapRecord] = (),
) -> Report:
    """The report of one session from what is stored of it, as the reads of ``db.sessions`` give it: of people
    as they are after the ``corrections``.

    Verdicts are made anew from the bins; of ``flags`` only the reviews are taken. ``earlier`` is what the
    students showed in earlier sessions, against which flags are held; ``kept`` are usual levels that were
    told from sessions that have been erased since, and hold instead. What lies in ``gaps`` was not watched.
    ``made_at`` is an aware time; without it the report does not say when it was made. Raises ReportError for
    an unknown mode or time zone, and for bins of somebody not in ``students``.
    """
    settings = settings or ReportSettings()
    thresholds = flag_settings or FlagSettings(), attention_flag_settings or AttentionFlagSettings()
    mode, rows = _mode(session), list(bins)
    started_at = local_time(session.started_at, settings)
    made_at = None if made_at is None else local_time(made_at, settings)
    notes = tuple(markers), tuple(one for one in corrections if one.active())
    unwatched = unseen(((gap.start_s, gap.end_s, gap.reason) for gap in gaps), session.end_s)
    spans = tuple((gap.start_s, gap.end_s) for gap in unwatched)
    if mode is Mode.AGGREGATE:
        return Report(
            session,
            mode,
            started_at,
            (),
            aggregate_timeline(session, rows, spans),
            *thresholds,
            *notes,
            masked_seats,
            made_at,
            unwatched,
        )
    lines = _lines(session, students, rows, spans)
    past = [replace(one, started_at=local_time(one.started_at, settings)) for one in earlier]
    flags = [_in_zone(flag, settings) for flag in flags if flag.session_id == session.id]
    verdicts = _verdicts(session, mode, lines, thresholds, with_kept(usual_levels(past), kept or {}))
    people = _people(lines, verdicts, seats, flags, tracks, past)
    whole = class_timeline(lines, lines[0].grid if lines else session_grid(session, rows, spans))
    return Report(
        session, mode, started_at, people, whole, *thresholds, *notes, masked_seats, made_at, unwatched
    )


def _in_zone(flag: FlagRecord, settings: ReportSettings) -> FlagRecord:
    at = flag.reviewed_at
    return flag if at is None else replace(flag, reviewed_at=local_time(at, settings))


def _mode(session: SessionRecord) -> Mode:
    try:
        return Mode(session.mode)
    except ValueError as error:
        raise ReportError(
            f"session {session.id} has the mode {session.mode!r}; expected one of {', '.join(Mode)}; "
            "was it recorded by a newer version of classpulse?"
        ) from error


def _lines(
    session: SessionRecord, students: Sequence[StudentRecord], rows: Sequence[TimelineBin], unseen_s: Spans
) -> tuple[StudentTimeline, ...]:
    try:
        in_order = sorted(students, key=lambda student: reading_key(student.pseudonym))
        return student_timelines(session, in_order, rows, unseen_s)
    except ValueError as error:
        raise ReportError(f"session {session.id} cannot be reported: {error}; check the database") from error


def _verdicts(
    session: SessionRecord,
    mode: Mode,
    lines: Sequence[StudentTimeline],
    thresholds: tuple[FlagSettings, AttentionFlagSettings],
    usual: UsualLevels,
) -> list[tuple[Verdict | None, AttentionVerdict]]:
    """Of sadness, where the mode computes expressions, and of attention, for each student."""
    confusion = read_confusion(session.settings)
    sadness = [
        judge(line, thresholds[0], confusion, usual.get(line.student_id, {}).get(SADNESS))
        if mode is Mode.EMOTION
        else None
        for line in lines
    ]
    return list(zip(sadness, judge_attention(lines, thresholds[1], usual), strict=True))


def _people(
    lines: Sequence[StudentTimeline],
    verdicts: Sequence[tuple[Verdict | None, AttentionVerdict]],
    seats: Iterable[SeatRecord],
    flags: Iterable[FlagRecord],
    tracks: Iterable[TrackRecord],
    earlier: Sequence[EarlierLevel],
) -> tuple[Person, ...]:
    labels = _seat_labels(seats)
    reviews: dict[int, dict[str, FlagRecord]] = defaultdict(dict)
    for flag in flags:
        reviews[flag.student_id][flag.kind] = flag
    arrivals = uncertain_arrivals(tracks)
    return tuple(
        Person(
            timeline=line,
            attention=attention(line),
            # People known by their seat alone are called as it is; once is enough.
            seat=listing([label for label in labels.get(line.student_id, ()) if label != line.pseudonym])
            or None,
            verdict=sadness,
            attention_verdict=away,
            flags={
                kind: flag
                for kind, flag in reviews.get(line.student_id, {}).items()
                if sadness is not None or kind != SADNESS
            },
            arrivals_s=arrivals.get(line.student_id, ()),
            earlier=tuple(one for one in earlier if one.student_id == line.student_id),
        )
        for line, (sadness, away) in zip(lines, verdicts, strict=True)
    )


def _seat_labels(seats: Iterable[SeatRecord]) -> Mapping[int, list[str]]:
    labels: dict[int, list[str]] = defaultdict(list)
    for seat in seats:
        labels[seat.student_id].append(seat.label)
    return labels
