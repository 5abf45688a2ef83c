"""A report as one page of HTML, for the browser and for paper, from one set of templates."""

from __future__ import annotations

from jinja2 import Environment
from markupsafe import Markup

from db.records import Mode
from model.emotions import Emotion
from reports.charts.svg import apart
from reports.flags.base import Outcome
from reports.flags.confidence import ShareInterval
from reports.narrative import small_faces
from reports.narrative.method import card_told, method
from reports.narrative.summary import banner, change_told, masked, no_change, no_curve, summary, unreadable
from reports.rendering.figures import drawings
from reports.rendering.templates import page_environment, style_sheet
from reports.report import Person, Report
from reports.text import dates
from reports.text import formatting as words
from reports.text.i18n import N_, _, word
from reports.timeline.gaps import listed
from reports.timeline.uncertain_returns import arrivals_told, came_at

_REVIEWED = {
    "open": N_("check-in suggested: %(about)s"),
    "confirmed": N_("check-in confirmed: %(about)s"),
    "dismissed": N_("dismissed: %(about)s"),
}


_REVIEWS = {"open": N_("open"), "confirmed": N_("confirmed"), "dismissed": N_("dismissed")}


def render_html(report: Report) -> str:
    """The whole page: style and charts inside, no script, nothing loaded from anywhere; in the language that
    is spoken."""
    return apart(
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            title=title(report),
            css=Markup(style_sheet("report.css")),
            summary=summary(report),
            banner=banner(report),
            facts=facts(report),
            no_curve=no_curve(report),
            unreadable=unreadable(report),
            masked=masked(report),
            small_faces=small_faces.limit(report.session),
            missed_faces=small_faces.in_report(report.session),
            method=method(report.session, report.corrections),
            card=card_told(report.session),
            changes=[change_told(change) for change in report.changes],
            no_change=no_change(report),
            drawings=drawings(report),
            gaps=listed(report.gaps),
        )
    )


def title(report: Report) -> str:
    """What the page and the PDF are called."""
    name, day = report.session.class_name, dates.day(report.started_at)
    return _("%(name)s, %(day)s: lesson report", name=name, day=day)


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """What was watched and how much was seen, as (name, value), for the head of the page."""
    session, whole = report.session, report.whole
    # The announced length is news only where it was not reached.
    announced_s = session.expected_s or (session.end_s if report.gaps else None)
    short = announced_s is not None and announced_s - report.watched_s > session.bin_s
    watched = words.length(report.watched_s)
    if short and announced_s:
        watched = _("%(part)s of %(whole)s", part=watched, whole=words.length(announced_s))
    people = (_("Students seen"), len(report.seen))
    if report.mode is Mode.AGGREGATE:
        people = (_("Most seen at a time"), whole.people)
    return (
        (_("Watched"), watched),
        (people[0], str(people[1])),
        (_("Seen, on average"), words.percent(whole.mean_seen_share)),
    )


def _environment() -> Environment:
    return page_environment(
        {
            "percent": words.percent,
            "clock": lambda seconds: words.NONE if seconds is None else words.clock(seconds),
            "length_of_time": words.length,
            "moment": dates.moment,
            "day": dates.day,
            "interval": _interval,
            "noun": _noun,
            "sideways": words.sideways,
            "upwards": words.upwards,
            "points": words.points,
            "points_of": words.points_of,
            "outcome": _outcome,
            "arrivals": arrivals_told,
            "came_at": came_at,
            "seat": _seat,
            "capitalised": words.capital,
            "word": word,
            "review": _review,
        }
    )


def _review(stored: str) -> str:
    return word(_REVIEWS[stored]) if stored in _REVIEWS else stored


def _interval(interval: ShareInterval | None) -> str:
    return words.NONE if interval is None else words.percent_range(interval.low, interval.high)


def _seat(label: str) -> str:
    """Where nobody planned the seats, they are called as the students recorded on them."""
    return _("recorded as %(name)s", name=label) if label.startswith("Student ") else label


def _noun(emotion: Emotion | None) -> str:
    return words.NONE if emotion is None else words.noun(emotion)


def _outcome(person: Person) -> str:
    if not person.seen:
        return _("not seen")
    if person.raised:
        told = (
            _(_REVIEWED[person.review_of(one.kind)], about=words.about(one.kind)) for one in person.raised
        )
        return ", ".join(told)
    if person.as_usual:
        return _("as usual: %(about)s", about=", ".join(words.about(one.kind) for one in person.as_usual))
    verdict = person.verdict or person.attention_verdict
    return _("not enough to tell") if verdict.outcome is Outcome.INSUFFICIENT_DATA else _("no flag")
