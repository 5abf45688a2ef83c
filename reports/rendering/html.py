"""The report as one HTML page, for screen and print."""

from __future__ import annotations

from jinja2 import Environment
from markupsafe import Markup

from db.records import AnalysisMode, SessionStatus
from model.emotions import Emotion
from reports.charts.svg import make_ids_unique
from reports.flags.base import FlagOutcome
from reports.flags.confidence import ShareInterval
from reports.narrative import small_faces
from reports.narrative.method import describe_model_metrics, method_rows
from reports.narrative.summary import (
    describe_change_point,
    masked_seats_notice,
    missing_changes_reason,
    missing_curve_reason,
    missing_data_notice,
    summary_sentences,
    unreadable_sentence,
)
from reports.rendering.figures import report_figures
from reports.rendering.templates import style_sheet, template_environment
from reports.report import Report, ReportStudent
from reports.text import dates, formatting
from reports.text.i18n import N_, _, translate_word
from reports.timeline.gaps import gaps_to_list
from reports.timeline.uncertain_returns import (
    describe_uncertain_reidentifications,
    format_reidentification_time,
)

_CHECK_IN_TEXTS = {
    "open": N_("check-in suggested: %(about)s"),
    "confirmed": N_("check-in confirmed: %(about)s"),
    "dismissed": N_("dismissed: %(about)s"),
}


_REVIEW_TEXTS = {"open": N_("open"), "confirmed": N_("confirmed"), "dismissed": N_("dismissed")}


def render_report_html(report: Report) -> str:
    """The page in the current language, self-contained: inline styles and charts, no scripts, no external
    resources."""
    return make_ids_unique(
        _report_environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            title=report_title(report),
            css=Markup(style_sheet("report.css")),
            summary=summary_sentences(report),
            missing_data=missing_data_notice(report),
            facts=report_facts(report),
            missing_curve_reason=missing_curve_reason(report),
            unreadable=unreadable_sentence(report),
            masked_seats=masked_seats_notice(report),
            small_faces=small_faces.missed_faces_limit(report.session),
            missed_faces=small_faces.missed_faces_notice(report.session),
            method=method_rows(report.session, report.corrections),
            model_metrics=describe_model_metrics(report.session),
            change_points=[describe_change_point(change) for change in report.change_points],
            missing_changes_reason=missing_changes_reason(report),
            figures=report_figures(report),
            gaps=gaps_to_list(report.gaps),
        )
    )


def report_title(report: Report) -> str:
    """The title of page and PDF."""
    name, day = report.session.class_name, dates.format_day(report.started_at)
    return _("%(name)s, %(day)s: lesson report", name=name, day=day)


def report_facts(report: Report) -> tuple[tuple[str, str], ...]:
    """Facts (name, value) for the top of the page: watched time, students, seen share."""
    session, timeline = report.session, report.class_timeline
    # The planned length is printed only if it was not reached. A finished recording was read to its end: the
    # length that it announces may be that of its sound, or wrong.
    planned_s = None if session.status is SessionStatus.FINISHED else session.expected_s
    planned_s = planned_s or (session.end_s if report.gaps else None)
    watched = formatting.format_duration(report.watched_s)
    if planned_s and planned_s - report.watched_s > session.bin_s:
        watched = _("%(part)s of %(whole)s", part=watched, whole=formatting.format_duration(planned_s))
    students = (_("Students seen"), str(len(report.seen_students)))
    if report.mode is AnalysisMode.AGGREGATE:
        students = (_("Most seen at a time"), str(timeline.student_count))
    return (
        (_("Watched"), watched),
        students,
        (_("Seen, on average"), formatting.format_percent(timeline.mean_seen_share)),
    )


def _report_environment() -> Environment:
    return template_environment(
        {
            "percent": formatting.format_percent,
            "clock": lambda seconds: (
                formatting.NO_VALUE if seconds is None else formatting.format_media_time(seconds)
            ),
            "duration": formatting.format_duration,
            "moment": dates.format_datetime,
            "day": dates.format_day,
            "interval": _format_interval,
            "emotion": _format_emotion,
            "yaw": formatting.format_yaw,
            "pitch": formatting.format_pitch,
            "points": formatting.format_change_points,
            "format_points": formatting.format_points,
            "outcome": _format_outcome,
            "reidentifications": describe_uncertain_reidentifications,
            "reidentification_time": format_reidentification_time,
            "seat": _format_seat,
            "capitalised": formatting.capitalise_first,
            "word": translate_word,
            "review": _format_review,
        }
    )


def _format_review(stored: str) -> str:
    return translate_word(_REVIEW_TEXTS[stored]) if stored in _REVIEW_TEXTS else stored


def _format_interval(interval: ShareInterval | None) -> str:
    return (
        formatting.NO_VALUE
        if interval is None
        else formatting.format_percent_range(interval.low, interval.high)
    )


def _format_seat(label: str) -> str:
    """Without a seat plan, seats are named after the students recorded on them."""
    return _("recorded as %(name)s", name=label) if label.startswith("Student ") else label


def _format_emotion(emotion: Emotion | None) -> str:
    return formatting.NO_VALUE if emotion is None else formatting.emotion_noun(emotion)


def _format_outcome(student: ReportStudent) -> str:
    if not student.is_seen:
        return _("not seen")
    if student.flagged_decisions:
        return ", ".join(
            _(_CHECK_IN_TEXTS[student.review_of(d.kind)], about=formatting.flag_kind_name(d.kind))
            for d in student.flagged_decisions
        )
    if student.within_baseline_decisions:
        return _(
            "as usual: %(about)s",
            about=", ".join(formatting.flag_kind_name(d.kind) for d in student.within_baseline_decisions),
        )
    decision = student.sadness_decision or student.attention_decision
    return _("not enough data") if decision.outcome is FlagOutcome.INSUFFICIENT_DATA else _("no flag")
