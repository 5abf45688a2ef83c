"""The page of ``classpulse compare``."""

from __future__ import annotations

from db.records import Lesson
from reports.charts.differences import Difference, difference_chart
from reports.history.comparison import CHANGE_HEADINGS, HEADINGS, MOST_CHANGES, Comparison
from reports.history.document import Document, Figure, Section, Table
from reports.history.sessions import moment
from reports.history.statistics import Estimate
from reports.text.dates import ReportSettings, local_time
from reports.text.formatting import points
from reports.text.i18n import _, word


def comparison_page(found: Comparison, settings: ReportSettings) -> Document:
    """Both lessons side by side, and who changed most."""
    one, other = found.before.session, found.after.session
    return Document(
        title=_("Session %(one)s and session %(other)s", one=one.id, other=other.id),
        lead=_("Comparison") + f" · {_named(found.before, settings)}; {_named(found.after, settings)}",
        facts=((_("Students in both"), str(found.matched)), *_flags(found)),
        answer=sentences(found),
        sections=_sections(found),
        warning=" ".join(found.remarks) or None,
    )


def sentences(found: Comparison) -> tuple[str, ...]:
    """What changed clearly, and of whom that is."""
    clear = [row for row in found.rows if row.change and row.change.clear and round(row.change.value * 100)]
    told = [f"{word(row.name)} {points(row.change.value)}" for row in clear if row.change]
    answer = (
        _("Clearly different: %(figures)s.", figures="; ".join(told))
        if told
        else _("No difference is clear.")
    )
    return (answer, found.grounds)


def _sections(found: Comparison) -> list[Section]:
    drawn = [Difference(word(row.name), *_ends(row.change)) for row in found.rows if row.change]
    told = _("Differences of the class's figures with their intervals; the same figures are in the table.")
    chart = difference_chart(drawn, told, label=_("points, second less first")) if drawn else None
    sections = [
        Section(
            _("The class"),
            figures=[Figure(chart, _("Filled: the interval leaves zero out."))] if chart else [],
            tables=[Table(HEADINGS, [row.cells for row in found.rows])],
            notes=[
                _(
                    "Every student counts once, however long they were readable. The interval is over "
                    "students (Student's t); it covers neither mistakes of the model nor that a lesson has a "
                    "topic of its own."
                )
            ],
        )
    ]
    if found.changes:
        sections.append(_changed(found))
    return sections


def _changed(found: Comparison) -> Section:
    most = found.changes[:MOST_CHANGES]
    drawn = [Difference(one.name, *_ends(one.change)) for one in most]
    told = _(
        "The largest changes of the share of sadness, student by student; the same figures are in the table."
    )
    whose = _(
        "The share of sadness of the %(most)s with the largest change, of %(all)s.",
        most=len(most),
        all=len(found.changes),
    )
    return Section(
        _("Who changed most"),
        [whose],
        [Figure(difference_chart(drawn, told, label=_("points, second less first")))],
        [Table(CHANGE_HEADINGS, [one.cells for one in most])],
        [
            _(
                "The two intervals of a student are joined by Newcombe's method (1998). The largest of many "
                "changes is large by chance too."
            )
        ],
    )


def _flags(found: Comparison) -> tuple[tuple[str, str], ...]:
    first, second = found.flags
    return ((_("Flags, first"), first.told), (_("Flags, second"), second.told))


def _ends(change: Estimate) -> tuple[float, float | None, float | None]:
    return change.value, change.low, change.high


def _named(lesson: Lesson, settings: ReportSettings) -> str:
    return f"{lesson.session.class_name}, {moment(local_time(lesson.session.started_at, settings))}"
