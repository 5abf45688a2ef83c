"""A page of the history as data: what is said, its charts, and the tables that hold the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.charts.style import Chart
from reports.charts.svg import apart, to_svg
from reports.history.tables import narrow
from reports.rendering.templates import page_environment, style_sheet
from reports.text.formatting import capital
from reports.text.i18n import _


@dataclass(frozen=True)
class Table:
    """Texts under headings, which are words as they were collected and are told in the language that is
    spoken; the first column names the row. ``words`` are the headings of columns that are
    set to the left, ``whole`` of those that do not break; all others are numbers. One that is ``dense`` has
    many short cells."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset({"started", "from", "week", "when"})
    caption: str = ""
    dense: bool = False

    def look(self, heading: str) -> str:
        """The class of a cell in the style sheet."""
        if heading in self.whole:
            return "whole"
        return "" if heading in self.words or heading == "no." else "number"


def listed(headings: Sequence[str], rows: Sequence[Sequence[str]], words: Collection[str] = ()) -> Table:
    """A table without what all rows have in common."""
    told = narrow(headings, rows)
    return Table(told.headings, told.rows, frozenset(words), caption=", ".join(told.common))


@dataclass(frozen=True, eq=False)
class Figure:
    """A chart and what there is to say below it."""

    chart: Chart
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the page: sentences, then charts, then tables, then notes."""

    heading: str
    sentences: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Document:
    """The whole page. ``answer`` are the sentences that matter; ``warning`` stands above them."""

    title: str
    lead: str
    facts: Sequence[tuple[str, str]]
    answer: Sequence[str]
    sections: Sequence[Section]
    warning: str | None = None


def to_html(document: Document) -> str:
    """One page with its style and charts inside, no script, nothing loaded from anywhere; everything is
    escaped."""
    environment = page_environment(
        {"svg": lambda chart: Markup(to_svg(chart)), "capital": capital, "word": _}
    )
    css = Markup(style_sheet("report.css", "history.css"))
    return apart(environment.get_template("history.html.j2").render(page=document, css=css))
