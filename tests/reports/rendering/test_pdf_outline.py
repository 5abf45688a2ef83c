from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from reports.rendering.pdf import Heading, html_language, link_headings, render_pdf

AT = datetime(2019, 5, 6, 7, 8, 9, tzinfo=UTC)


def page(body: str) -> str:
    return f'<!DOCTYPE html><html lang="de-CH"><head></head><body>{body}</body></html>'


def document(body: str) -> PdfReader:
    return PdfReader(io.BytesIO(render_pdf(page(body), "A title", AT)))


def tree(items):
    return [tree(item) if isinstance(item, list) else item.title for item in items]


def test_link_headings_returns_headings_in_order():
    html, found = link_headings(
        page(
            '<h1>A &amp; <em>B</em></h1><h2 class="x" id="own">C\n d</h2><svg><text>h2</text></svg><h3>e</h3>'
        )
    )
    assert found == (Heading(1, "A & B", "heading-1"), Heading(2, "C d", "own"), Heading(3, "e", "heading-3"))
    assert all(html.count(f'id="{one.name}"') == html.count(f'href="#{one.name}"') == 1 for one in found)


def test_link_headings_without_headings_adds_empty_box():
    html, found = link_headings(page("<p>x</p>"))
    assert found == ()
    assert "<p>x</p>" in html


@pytest.mark.parametrize(("html", "spoken"), [(page(""), "de-CH"), ("<html><body></body></html>", None)])
def test_html_language(html, spoken):
    assert html_language(html) == spoken


def test_bookmarks_point_to_their_headings():
    high = '<div style="height: 1500px"></div>'
    pdf = document(
        f"<h1>One</h1><h2>Two</h2><h3>Three</h3>{high}<h2>Four</h2><h3 style='display: none'>No</h3>"
    )
    assert tree(pdf.outline) == ["One", ["Two", ["Three"], "Four"]]
    one, (two, _, four) = pdf.outline
    assert [pdf.get_destination_page_number(item) for item in (one, two, four)] == [0, 0, 1]
    assert one.top > two.top


def test_bookmarks_with_skipped_level():
    assert tree(document("<h1>a</h1><h3>b</h3><h2>c</h2>").outline) == ["a", ["b", "c"]]


def test_heading_links_are_invisible():
    with_heading, without = document("<h1>x</h1>"), document("<p>x</p>")
    assert with_heading.pages[0].extract_text().strip() == without.pages[0].extract_text().strip() == "x"
    assert "/Annots" not in with_heading.pages[0]


def test_pdf_has_title_language_and_creation_date():
    pdf = document("<p>x</p>")
    assert pdf.metadata.title == "A title"
    assert pdf.metadata.creation_date == AT
    assert pdf.root_object["/Lang"] == "de-CH"
    assert pdf.viewer_preferences["/DisplayDocTitle"]
