"""The sentences at the top of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from db.records import AnalysisMode, SessionStatus
from model.emotions import Emotion
from reports.flags.base import ATTENTION_KIND as ATTENTION
from reports.flags.base import SADNESS_KIND as SADNESS
from reports.flags.base import FlagOutcome
from reports.narrative.small_faces import missed_faces_notice
from reports.report import Report, ReportStudent
from reports.text.formatting import (
    emotion_noun,
    format_count,
    format_duration,
    format_media_time,
    format_percent,
    join_items,
)
from reports.text.i18n import N_, _, ngettext, translate_word
from reports.text.names import isolate
from reports.timeline.change_points import MIN_STUDENTS, WINDOW_S, ChangeMeasure, ChangePoint
from reports.timeline.classroom import MIN_CLASS_SIZE
from reports.timeline.gaps import describe_gaps

_NO_FLAGS: Mapping[tuple[str, ...], tuple[str, str]] = {
    (SADNESS,): (
        N_("No check-in is suggested: no student mostly looked sad-like."),
        N_("No check-in is suggested: of the students with enough data, none mostly looked sad-like."),
    ),
    (ATTENTION,): (
        N_("No check-in is suggested: no student was away for much longer than the class."),
        N_(
            "No check-in is suggested: of the students with enough data, none was away for much longer than "
            "the class."
        ),
    ),
    (SADNESS, ATTENTION): (
        N_(
            "No check-in is suggested: no student mostly looked sad-like or was away for much longer than "
            "the class."
        ),
        N_(
            "No check-in is suggested: of the students with enough data, none mostly looked sad-like or was "
            "away for much longer than the class."
        ),
    ),
}
"""By flag kinds without any flag: if there is enough data on all students, and if only on some. "Away":
not seen, turned away or eyes closed."""

_REVIEW_SENTENCES = {
    "confirmed": N_("Confirmed on review: %(names)s."),
    "dismissed": N_("Dismissed on review: %(names)s."),
}

_UNREADABLE_TEXTS = {
    "too small": N_("too small"),
    "blurred": N_("blurred"),
    "turned away": N_("turned away"),
    "occluded": N_("occluded"),
    "head bowed": N_("bowed"),
    "pose unknown": N_("at an unknown angle"),
}
"""``monitor.types.UnreadableReason`` of seen faces as predicates of "it was"; an unlisted value is shown
unchanged."""

MAX_NAMES = 8
"""In one sentence; the table lists all."""

LOW_COVERAGE = 0.5
"""Students seen for a smaller share of the watched time are named."""

_MEASURE_TEXTS: Mapping[ChangeMeasure | Emotion, str] = {
    ChangeMeasure.SEEN: N_("the share of students seen"),
    ChangeMeasure.FACING: N_("heads facing the front"),
    ChangeMeasure.EYES_CLOSED: N_("closed eyes"),
    Emotion.ANGRY: N_("expressions resembling anger"),
    Emotion.DISGUST: N_("expressions resembling disgust"),
    Emotion.FEAR: N_("expressions resembling fear"),
    Emotion.HAPPY: N_("expressions resembling happiness"),
    Emotion.SAD: N_("expressions resembling sadness"),
    Emotion.SURPRISE: N_("expressions resembling surprise"),
    Emotion.NEUTRAL: N_("neutral expressions"),
}


def summary_sentences(report: Report) -> tuple[str, ...]:
    """The key sentences, the most important first."""
    if report.watched_s == 0:
        if report.gaps:
            return (_("Nothing was watched, so there is nothing to report."),)
        return (_("Nothing was watched: no frame arrived, so there is nothing to report."),)
    if not report.class_timeline.students_seen.any():
        none = _("No student was seen in the %(length)s watched.", length=format_duration(report.watched_s))
        return tuple(sentence for sentence in (none, missed_faces_notice(report.session)) if sentence)
    by_mode = {
        AnalysisMode.EMOTION: _emotion_sentences,
        AnalysisMode.BEHAVIOUR: _behaviour_sentences,
        AnalysisMode.AGGREGATE: _aggregate_sentences,
    }
    return tuple(sentence for sentence in by_mode[report.mode](report) if sentence)


def missing_data_notice(report: Report) -> str | None:
    """What is missing and why; None for a complete session."""
    parts = []
    if report.session.status is SessionStatus.INTERRUPTED:
        parts.append(_interrupted_sentence(report.session.status_reason.rstrip(".")))
    elif report.session.status is SessionStatus.RUNNING:
        parts.append(_("This lesson is still running; the report covers what has been recorded so far."))
    gaps = describe_gaps(report.gaps, report.session.end_s)
    parts += [part for part in (_missing_end(report), gaps, _missing_middle(report)) if part]
    return " ".join(parts) or None


def _interrupted_sentence(why: str) -> str:
    """``why`` as stored, in English."""
    if not why:
        return _("This lesson was interrupted. The report contains everything recorded before.")
    return _("This lesson was interrupted: %(why)s. The report contains everything recorded before.", why=why)


def missing_curve_reason(report: Report) -> str | None:
    """Why there is no class chart; None if there is one."""
    whole = report.class_timeline
    if not whole.students_seen.any():
        return _("There is no curve, because no student was seen.")
    if report.mode is AnalysisMode.AGGREGATE and whole.student_count < MIN_CLASS_SIZE:
        return _(
            "There is no curve: at most %(students)s could be seen at a time, and a class figure needs "
            "%(least)s or more, so that it reveals no single student.",
            students=format_count(whole.student_count, "student"),
            least=MIN_CLASS_SIZE,
        )
    if report.mode is AnalysisMode.BEHAVIOUR:
        return (
            None
            if whole.mean_facing_share is not None
            else _("There is no curve: no head direction could be read.")
        )
    if whole.students_usable.any() or whole.mean_facing_share is not None:
        return None
    return _("There is no curve: neither expressions nor head directions could be read.")


def unreadable_sentence(report: Report) -> str | None:
    """Why seen faces were not readable, in percent of the cases; None if all were."""
    reasons: Counter[str] = Counter()
    for student in report.students:
        reasons.update(student.timeline.unreadable_reasons)
    for no_face in ("absent", "not computed"):
        reasons.pop(no_face, None)
    total = reasons.total()
    if not total or report.mode is not AnalysisMode.EMOTION:
        return None
    shares = [
        f"{_reason(reason)} ({format_percent(number / total)})" for reason, number in reasons.most_common()
    ]
    return _("Where a face was seen but not readable, it was %(reasons)s.", reasons=join_items(shares))


def _reason(stored: str) -> str:
    return translate_word(_UNREADABLE_TEXTS[stored]) if stored in _UNREADABLE_TEXTS else stored


def masked_seats_notice(report: Report) -> str | None:
    """States that seats were masked; None if none was."""
    if not report.masked_seats:
        return None
    return ngettext(
        "%(num)d seat is opted out and was masked in every frame before it was analysed. Nothing is known "
        "about the student there.",
        "%(num)d seats are opted out and were masked in every frame before it was analysed. Nothing is known "
        "about the students there.",
        report.masked_seats,
    )


def describe_change_point(change: ChangePoint) -> str:
    """``At 23:10 heads facing the front fell from 87 % to 44 %.``"""
    return _("At %(at)s %(change)s", at=format_media_time(change.at_s), change=_direction_word(change))


def _direction_word(change: ChangePoint) -> str:
    text = (
        N_("%(what)s rose from %(before)s to %(after)s.")
        if change.after > change.before
        else N_("%(what)s fell from %(before)s to %(after)s.")
    )
    return _(
        text,
        what=translate_word(_MEASURE_TEXTS[change.measure]),
        before=format_percent(change.before),
        after=format_percent(change.after),
    )


def missing_changes_reason(report: Report) -> str | None:
    """States that there is no change point; None if there is one, or if there is too little data to
    search."""
    compared = len(report.students) >= MIN_STUDENTS and report.session.end_s >= 2 * WINDOW_S
    if report.change_points or not compared:
        return None
    return _("At no time did the class change by more than chance can explain.")


def join_names(students: tuple[ReportStudent, ...]) -> str:
    """``Student 1, Student 2 and 7 more``."""
    shown = [isolate(student.name) for student in students[:MAX_NAMES]]
    more = len(students) - len(shown)
    return join_items([*shown, ngettext("%(num)d more", "%(num)d more", more)] if more else shown)


def _emotion_sentences(report: Report) -> list[str]:
    return [
        _check_ins_sentence(report),
        _seen_sentence(report),
        missed_faces_notice(report.session) or "",
        _largest_change_sentence(report)
        or _class_expressions_sentence(report)
        or _("No face could be read, so the expressions are unknown."),
    ]


def _behaviour_sentences(report: Report) -> list[str]:
    facing = report.class_timeline.mean_facing_share
    heads = (
        ""
        if facing is None
        else _("Heads faced the front in %(share)s of the readable time.", share=format_percent(facing))
    )
    change = _largest_change_sentence(report)
    return [
        _check_ins_sentence(report),
        _seen_sentence(report),
        missed_faces_notice(report.session) or "",
        f"{heads} {change}".strip(),
        _eyes_sentence(report) + " " + _("No expression was computed in this mode."),
    ]


def _largest_change_sentence(report: Report) -> str:
    if not report.change_points:
        return ""
    largest = max(report.change_points, key=lambda change: change.size)
    return _(
        "The class changed most at %(at)s: %(change)s",
        at=format_media_time(largest.at_s),
        change=_direction_word(largest),
    )


def _eyes_sentence(report: Report) -> str:
    judged = [student for student in report.students if student.attention.most_closed_minute is not None]
    if not judged:
        return _(
            "No student's eyes could be judged for a whole minute: they were too small, turned away or "
            "bowed down."
        )
    if len(judged) == len(report.seen_students):
        return _("Whether eyes were open or closed could be judged for all students seen.")
    return _(
        "Whether eyes were open or closed could be judged for %(judged)s of the %(seen)s students seen.",
        judged=len(judged),
        seen=len(report.seen_students),
    )


def _aggregate_sentences(report: Report) -> list[str]:
    return [
        _(
            "Up to %(students)s were seen at a time.",
            students=format_count(report.class_timeline.student_count, "student"),
        ),
        missed_faces_notice(report.session) or "",
        _class_expressions_sentence(report),
        _("In this mode nothing is stored about single students."),
    ]


def _check_ins_sentence(report: Report) -> str:
    """The names of students with suggested check-ins; the page has the reasons."""
    unreviewed = tuple(student for student in report.flagged_students if "open" in student.reviews)
    if unreviewed:
        sentence = ngettext(
            "Suggested check-in: %(names)s.",
            "Suggested check-ins: %(names)s (%(num)d of %(students)s).",
            len(unreviewed),
            names=join_names(unreviewed),
            students=format_count(len(report.seen_students), "student"),
        )
    else:
        sentence = _("No check-in is open.") if report.flagged_students else _no_flags_sentence(report)
    parts = [sentence]
    for review, text in _REVIEW_SENTENCES.items():
        reviewed = tuple(student for student in report.flagged_students if review in student.reviews)
        parts += [_(text, names=join_names(reviewed))] if reviewed else []
    usual = tuple(student for student in report.students if student.within_baseline_decisions)
    if usual:
        parts.append(_("Not flagged, because usual for them: %(names)s.", names=join_names(usual)))
    return " ".join(parts)


def _no_flags_sentence(report: Report) -> str:
    """States that no student was flagged, for which kinds, and whether some had too little data."""
    kinds = [SADNESS, ATTENTION] if report.mode is AnalysisMode.EMOTION else [ATTENTION]
    judged = {
        kind: [p for p in report.seen_students if not p.has_outcome(FlagOutcome.INSUFFICIENT_DATA, kind)]
        for kind in kinds
    }
    decided = tuple(kind for kind in kinds if judged[kind])
    if not decided:
        return _("No check-in is suggested: there was not enough data on any student.")
    if any(student.within_baseline_decisions for student in report.students):
        return _("No check-in is suggested.")
    only_some = any(len(students) < len(report.seen_students) for students in judged.values())
    return translate_word(_NO_FLAGS[decided][only_some])


def _seen_sentence(report: Report) -> str:
    share, insufficient = report.class_timeline.mean_seen_share, report.insufficient_students
    sentence = ngettext(
        "%(num)d student was seen, on average for %(share)s of the %(length)s watched",
        "%(num)d students were seen, on average for %(share)s of the %(length)s watched",
        len(report.seen_students),
        share=format_percent(share),
        length=format_duration(report.watched_s),
    )
    seldom = tuple(p for p in report.seen_students if p.timeline.coverage < LOW_COVERAGE)
    if 0 < len(seldom) < len(report.seen_students):
        sentence += _("; less than half of it: %(names)s", names=join_names(seldom))
    if 0 < len(insufficient) < len(report.seen_students):
        return f"{sentence}. " + _("There was not enough data on %(names)s.", names=join_names(insufficient))
    return f"{sentence}."


def _class_expressions_sentence(report: Report) -> str:
    shares = report.class_timeline.expression_shares
    if not shares:
        return ""
    ranked = sorted(shares, key=lambda emotion: -shares[emotion])[:3]
    if Emotion.SAD not in ranked:
        ranked = [*ranked[:2], Emotion.SAD]
    texts = join_items([f"{emotion_noun(emotion)} {format_percent(shares[emotion])}" for emotion in ranked])
    return _("Averaged over the class, the readable faces resembled: %(told)s.", told=texts)


def _missing_end(report: Report) -> str | None:
    expected_s, end_s = report.session.expected_s, report.session.end_s
    if expected_s is None:
        live = report.session.status is SessionStatus.INTERRUPTED
        return _("How much is missing is unknown, because the length was not planned.") if live else None
    missing_s = expected_s - end_s
    # No warning for the last bin or the rounding of a video's length.
    if missing_s <= max(report.session.bin_s, expected_s / 100):
        return None
    missing, whole = format_duration(missing_s), format_duration(expected_s)
    return _("The last %(missing)s of %(whole)s are missing.", missing=missing, whole=whole)


def _missing_middle(report: Report) -> str | None:
    missing_s = report.unexplained_gap_s
    # No warning for the partial bins at the ends of gaps.
    if missing_s < report.session.bin_s or report.watched_s == 0:
        return None
    text = (
        N_("In addition, nothing was watched for %(length)s in between; the charts show when.")
        if report.gaps
        else N_("Nothing was watched for %(length)s in between; the charts show when.")
    )
    return _(text, length=format_duration(missing_s))
