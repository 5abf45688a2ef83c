"""The page of ``classpulse compare``."""

from __future__ import annotations

from db.records import ClassSession
from reports.charts.differences import Difference, difference_chart
from reports.history.comparison import CHANGE_HEADINGS, COMPARISON_HEADINGS, MAX_CHANGES, Comparison
from reports.history.document import Document, DocumentFigure, DocumentTable, Section
from reports.history.sessions import format_started_at
from reports.history.statistics import Estimate
from reports.text.dates import ReportSettings, local_time
from reports.text.formatting import format_change_points
from reports.text.i18n import _, translate_word


def comparison_page(comparison: Comparison, settings: ReportSettings) -> Document:
    """Both sessions with their differences, and the largest changes of students."""
    one, other = comparison.before.session, comparison.after.session
    return Document(
        title=_("Session %(one)s and session %(other)s", one=one.id, other=other.id),
        subtitle=_("Comparison")
        + f" · {_session_name(comparison.before, settings)}; {_session_name(comparison.after, settings)}",
        facts=((_("Students in both"), str(comparison.matched)), *_flag_facts(comparison)),
        key_sentences=comparison_sentences(comparison),
        sections=_sections(comparison),
        warning=" ".join(comparison.remarks) or None,
    )


def comparison_sentences(comparison: Comparison) -> tuple[str, ...]:
    """The clear differences (interval without zero), and which students they refer to."""
    clear = [
        f"{translate_word(row.name)} {format_change_points(row.difference.value)}"
        for row in comparison.rows
        if row.difference and row.difference.excludes_zero and round(row.difference.value * 100)
    ]
    if not clear:
        return (_("No difference is clear."), comparison.basis)
    return (_("Clearly different: %(figures)s.", figures="; ".join(clear)), comparison.basis)


def _sections(comparison: Comparison) -> list[Section]:
    differences = [
        Difference(translate_word(row.name), *_with_interval(row.difference))
        for row in comparison.rows
        if row.difference
    ]
    alt = _("Differences of the class's figures with their intervals; the same figures are in the table.")
    chart = difference_chart(differences, alt, label=_("points, second minus first")) if differences else None
    sections = [
        Section(
            _("The class"),
            figures=[DocumentFigure(chart, _("Filled: the interval does not contain zero."))]
            if chart
            else [],
            tables=[DocumentTable(COMPARISON_HEADINGS, [row.cells for row in comparison.rows])],
            notes=[
                _(
                    "Every student counts once, regardless of the readable time. The interval is over "
                    "students (Student's t); it covers neither errors of the model nor differences between "
                    "lesson topics."
                )
            ],
        )
    ]
    if comparison.changes:
        sections.append(_changes_section(comparison))
    return sections


def _changes_section(comparison: Comparison) -> Section:
    changes = comparison.changes[:MAX_CHANGES]
    differences = [Difference(change.name, *_with_interval(change.difference)) for change in changes]
    alt = _(
        "The largest changes of the share of sadness, student by student; the same figures are in the table."
    )
    lead = _(
        "The share of sadness of the %(most)s students with the largest change, of %(all)s.",
        most=len(changes),
        all=len(comparison.changes),
    )
    return Section(
        _("Largest changes"),
        [lead],
        [DocumentFigure(difference_chart(differences, alt, label=_("points, second minus first")))],
        [DocumentTable(CHANGE_HEADINGS, [change.cells for change in changes])],
        [
            _(
                "The two intervals of a student are combined by Newcombe's method (1998). The largest of "
                "many changes is partly due to chance."
            )
        ],
    )


def _flag_facts(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    first, second = comparison.flags
    return ((_("Flags, first"), first.text), (_("Flags, second"), second.text))


def _with_interval(estimate: Estimate) -> tuple[float, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _session_name(class_session: ClassSession, settings: ReportSettings) -> str:
    session = class_session.session
    return f"{session.class_name}, {format_started_at(local_time(session.started_at, settings))}"
