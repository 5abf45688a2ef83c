"""A report as one page of HTML, for the browser and for paper, from one set of templates."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from model.emotions import Emotion
from reports import words
from reports.arrivals import arrivals_told, came_at
from reports.charts.svg import apart
from reports.drawings import drawings
from reports.environment import page_environment
from reports.flags import Outcome
from reports.gaps import listed
from reports.intervals import ShareInterval
from reports.method import card_told, method
from reports.report import Mode, Person, Report
from reports.sentences import banner, change_told, masked, no_change, no_curve, summary, unreadable

_REVIEWED = {
    "open": "check-in suggested: {}",
    "confirmed": "check-in confirmed: {}",
    "dismissed": "dismissed: {}",
}


def render_html(report: Report) -> str:
    """The whole page: style and charts inside, no script, nothing loaded from anywhere."""
    return apart(
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            title=title(report),
            css=Markup((files("templates") / "report.css").read_text("utf-8")),
            summary=summary(report),
            banner=banner(report),
            facts=facts(report),
            no_curve=no_curve(report),
            unreadable=unreadable(report),
            masked=masked(report),
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
    return f"{report.session.class_name}, {_day(report.started_at)}: lesson report"


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """What was watched and how much was seen, as (name, value), for the head of the page."""
    session, whole = report.session, report.whole
    # The announced length is news only where it was not reached.
    announced_s = session.expected_s or (session.end_s if report.gaps else None)
    short = announced_s is not None and announced_s - report.watched_s > session.bin_s
    of = f" of {words.length(announced_s)}" if short and announced_s else ""
    people = ("Students seen", len(report.seen))
    if report.mode is Mode.AGGREGATE:
        people = ("Most seen at a time", whole.people)
    return (
        ("Watched", words.length(report.watched_s) + of),
        (people[0], str(people[1])),
        ("Seen, on average", words.percent(whole.mean_seen_share)),
    )


def _environment() -> Environment:
    return page_environment(
        {
            "percent": words.percent,
            "clock": lambda seconds: words.NONE if seconds is None else words.clock(seconds),
            "length_of_time": words.length,
            "moment": _moment,
            "day": _day,
            "interval": _interval,
            "noun": _noun,
            "sideways": words.sideways,
            "upwards": words.upwards,
            "points": words.points,
            "points_of": lambda share: words.points(share).lstrip("+"),
            "outcome": _outcome,
            "arrivals": arrivals_told,
            "came_at": came_at,
            "seat": _seat,
            "capitalised": lambda text: text[:1].upper() + text[1:],
        }
    )


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _moment(moment: datetime) -> str:
    return f"{moment:%A} {_day(moment)}, {moment:%H:%M} ({moment.tzname()})"


def _interval(interval: ShareInterval | None) -> str:
    return words.NONE if interval is None else words.percent_range(interval.low, interval.high)


def _seat(label: str) -> str:
    """Where nobody planned the seats, they are called as the students recorded on them."""
    return f"recorded as {label}" if label.startswith("Student ") else label


def _noun(emotion: Emotion | None) -> str:
    return words.NONE if emotion is None else words.NOUNS[emotion]


def _outcome(person: Person) -> str:
    if not person.seen:
        return "not seen"
    if person.raised:
        told = (_REVIEWED[person.review_of(one.kind)].format(words.about(one.kind)) for one in person.raised)
        return ", ".join(told)
    if person.as_usual:
        return f"as usual: {', '.join(words.about(one.kind) for one in person.as_usual)}"
    verdict = person.verdict or person.attention_verdict
    return "not enough to tell" if verdict.outcome is Outcome.INSUFFICIENT_DATA else "no flag"
