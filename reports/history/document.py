"""A history page as data, and its rendering to HTML."""

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
    """A table of texts; its first column names the row. ``headings`` are message IDs. ``text_columns``:
    headings of left-aligned columns; ``nowrap_columns``: of columns without line breaks; all others are
    numbers. ``is_dense``: many short cells."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: frozenset[str] = frozenset()
    nowrap_columns: frozenset[str] = frozenset({"started", "from", "week", "when"})
    caption: str = ""
    is_dense: bool = False

    def cell_class(self, heading: str) -> str:
        """The CSS class of a cell."""
        if heading in self.nowrap_columns:
            return "whole"
        return "" if heading in self.text_columns or heading == "no." else "number"


def compact_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Collection[str] = ()
) -> DocumentTable:
    """A table without common columns, which its caption lists."""
    columns = drop_common_columns(headings, rows)
    return DocumentTable(
        columns.headings, columns.rows, frozenset(text_columns), caption=", ".join(columns.common)
    )


@dataclass(frozen=True, eq=False)
class DocumentFigure:
    """A chart with its caption."""

    chart: FigureWithAlt
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Section:
    """A section of the page, in the order of the fields."""

    heading: str
    sentences: Sequence[str] = ()
    figures: Sequence[DocumentFigure] = ()
    tables: Sequence[DocumentTable] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Document:
    """The whole page; ``warning`` is printed above ``key_sentences``."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    key_sentences: Sequence[str]
    sections: Sequence[Section]
    warning: str | None = None


def render_document_html(document: Document) -> str:
    """The self-contained page: inline styles and charts, no scripts, no external resources."""
    environment = template_environment(
        {"svg": lambda chart: Markup(to_svg(chart)), "capital": capitalise_first, "word": _}
    )
    css = Markup(style_sheet("report.css", "history.css"))
    return make_ids_unique(environment.get_template("history.html.j2").render(page=document, css=css))
