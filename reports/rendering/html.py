"""A report as one page of HTML, for the browser and for paper, from one set of templates."""

from __future__ import annotations

from jinja2 import Environment
from markupsafe import Markup

from db.records import AnalysisMode
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
from reports.text import dates
from reports.text import formatting as words
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
    """The whole page: style and charts inside, no script, nothing loaded from anywhere; in the language that
    is spoken."""
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
    """What the page and the PDF are called."""
    name, day = report.session.class_name, dates.format_day(report.started_at)
    return _("%(name)s, %(day)s: lesson report", name=name, day=day)


def report_facts(report: Report) -> tuple[tuple[str, str], ...]:
    """What was watched and how much was seen, as (name, value), for the head of the page."""
    session, whole = report.session, report.class_timeline
    # The announced length is news only where it was not reached.
    announced_s = session.expected_s or (session.end_s if report.gaps else None)
    short = announced_s is not None and announced_s - report.watched_s > session.bin_s
    watched = words.format_duration(report.watched_s)
    if short and announced_s:
        watched = _("%(part)s of %(whole)s", part=watched, whole=words.format_duration(announced_s))
    people = (_("Students seen"), len(report.seen_students))
    if report.mode is AnalysisMode.AGGREGATE:
        people = (_("Most seen at a time"), whole.student_count)
    return (
        (_("Watched"), watched),
        (people[0], str(people[1])),
        (_("Seen, on average"), words.format_percent(whole.mean_seen_share)),
    )


def _report_environment() -> Environment:
    return template_environment(
        {
            "percent": words.format_percent,
            "clock": lambda seconds: words.NO_VALUE if seconds is None else words.format_media_time(seconds),
            "duration": words.format_duration,
            "moment": dates.format_datetime,
            "day": dates.format_day,
            "interval": _format_interval,
            "emotion": _format_emotion,
            "yaw": words.format_yaw,
            "pitch": words.format_pitch,
            "points": words.format_change_points,
            "format_points": words.format_points,
            "outcome": _format_outcome,
            "reidentifications": describe_uncertain_reidentifications,
            "reidentification_time": format_reidentification_time,
            "seat": _format_seat,
            "capitalised": words.capitalise_first,
            "word": translate_word,
            "review": _format_review,
        }
    )


def _format_review(stored: str) -> str:
    return translate_word(_REVIEW_TEXTS[stored]) if stored in _REVIEW_TEXTS else stored


def _format_interval(interval: ShareInterval | None) -> str:
    return words.NO_VALUE if interval is None else words.format_percent_range(interval.low, interval.high)


def _format_seat(label: str) -> str:
    """Where nobody planned the seats, they are called as the students recorded on them."""
    return _("recorded as %(name)s", name=label) if label.startswith("Student ") else label


def _format_emotion(emotion: Emotion | None) -> str:
    return words.NO_VALUE if emotion is None else words.emotion_noun(emotion)


def _format_outcome(student: ReportStudent) -> str:
    if not student.is_seen:
        return _("not seen")
    if student.flagged_decisions:
        told = (
            _(_CHECK_IN_TEXTS[student.review_of(one.kind)], about=words.flag_kind_name(one.kind))
            for one in student.flagged_decisions
        )
        return ", ".join(told)
    if student.within_baseline_decisions:
        return _(
            "as usual: %(about)s",
            about=", ".join(words.flag_kind_name(one.kind) for one in student.within_baseline_decisions),
        )
    verdict = student.sadness_decision or student.attention_decision
    return _("not enough to tell") if verdict.outcome is FlagOutcome.INSUFFICIENT_DATA else _("no flag")
