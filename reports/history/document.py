"""A page of the history as data: what is said, its charts, and the tables that hold the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.charts.style import FigureWithAlt
from reports.charts.svg import make_ids_unique, to_svg
from reports.history.tables import drop_common_columns
from reports.rendering.templates import style_sheet, template_environment
from reports.text.formatting import capitalise_first
from reports.text.i18n import _


@dataclass(frozen=True)
class DocumentTable:
    """Texts under headings, which are words as they were collected and are told in the language that is
    spoken; the first column names the row. ``text_columns`` are the headings of columns that are
    set to the left, ``nowrap_columns`` of those that do not break; all others are numbers. One that is ``is_dense`` has
    many short cells."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: frozenset[str] = frozenset()
    nowrap_columns: frozenset[str] = frozenset({"started", "from", "week", "when"})
    caption: str = ""
    is_dense: bool = False

    def cell_class(self, heading: str) -> str:
        """The class of a cell in the style sheet."""
        if heading in self.nowrap_columns:
            return "whole"
        return "" if heading in self.text_columns or heading == "no." else "number"


def compact_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Collection[str] = ()
) -> DocumentTable:
    """A table without what all rows have in common."""
    told = drop_common_columns(headings, rows)
    return DocumentTable(told.headings, told.rows, frozenset(text_columns), caption=", ".join(told.common))


@dataclass(frozen=True, eq=False)
class DocumentFigure:
    """A chart and what there is to say below it."""

    chart: FigureWithAlt
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the page: sentences, then charts, then tables, then notes."""

    heading: str
    sentences: Sequence[str] = ()
    figures: Sequence[DocumentFigure] = ()
    tables: Sequence[DocumentTable] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Document:
    """The whole page. ``key_sentences`` are the sentences that matter; ``warning`` stands above them."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    key_sentences: Sequence[str]
    sections: Sequence[Section]
    warning: str | None = None


def render_document_html(document: Document) -> str:
    """One page with its style and charts inside, no script, nothing loaded from anywhere; everything is
    escaped."""
    environment = template_environment(
        {"svg": lambda chart: Markup(to_svg(chart)), "capital": capitalise_first, "word": _}
    )
    css = Markup(style_sheet("report.css", "history.css"))
    return make_ids_unique(environment.get_template("history.html.j2").render(page=document, css=css))
