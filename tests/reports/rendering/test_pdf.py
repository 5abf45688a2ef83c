"""The style sheet's page break rules, on pages that would break badly."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from pypdf import PdfReader

from reports.rendering.paper import PaperSize
from reports.rendering.pdf import render_pdf

AT = datetime(2026, 1, 1, tzinfo=UTC)
CSS = (files("templates") / "report.css").read_text("utf-8")
SIZES_PT = {PaperSize.A4: (595, 842), PaperSize.LETTER: (612, 792)}
LINES = [f"line{n}" for n in range(200)]


def document(body: str, paper: PaperSize = PaperSize.A4) -> PdfReader:
    html = f'<!DOCTYPE html><html lang="en"><head><style>{CSS}</style></head><body>{body}</body></html>'
    return PdfReader(io.BytesIO(render_pdf(html, "t", AT, paper)))


def texts(document: PdfReader) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in document.pages]


def paragraphs(count: int) -> str:
    return "".join(f"<p>{line}</p>" for line in LINES[:count])


def table(rows: int, more: str = "") -> str:
    cells = "".join(f"<tr><th>{line}{more}</th><td>x</td></tr>" for line in LINES[:rows])
    head = "<thead><tr><th>HEAD</th><th>y</th></tr></thead>"
    return f'<div class="scroll"><table class="everyone">{head}<tbody>{cells}</tbody></table></div>'


@pytest.mark.parametrize("paper", list(PaperSize))
def test_pdf_has_requested_paper_size(paper):
    pdf = document(paragraphs(100), paper)
    assert len(pdf.pages) > 1
    for number, page in enumerate(pdf.pages, 1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == SIZES_PT[paper]
        assert f"page {number} of {len(pdf.pages)}" in " ".join(page.extract_text().split())


@pytest.mark.parametrize("paper", list(PaperSize))
@pytest.mark.parametrize("level", [2, 3])
def test_heading_stays_with_next_lines(paper, level):
    """At any position on the page."""
    for above in range(25, 45):
        body = f"{paragraphs(above)}<h{level}>HEADING</h{level}><p>after</p><p>{'word ' * 400}</p>"
        (page,) = [text for text in texts(document(body, paper)) if "HEADING" in text]
        assert "HEADING after" in page, above


@pytest.mark.parametrize("paper", list(PaperSize))
def test_heading_stays_with_first_table_row(paper):
    for above in range(25, 45):
        rows = table(30, more="<br>that<br>needs<br>lines")
        pdf = document(f"{paragraphs(above)}<h2>HEADING</h2>{rows}", paper)
        (page,) = [text for text in texts(pdf) if "HEADING" in text]
        assert "HEADING HEAD y line0" in page, above


@pytest.mark.parametrize("paper", list(PaperSize))
def test_heading_stays_with_first_list_item(paper):
    item = f"<li>first {'word ' * 60}last</li><li>{'word ' * 200}</li>"
    for above in range(25, 45):
        body = f'{paragraphs(above)}<section><h2>HEADING</h2><ul class="limits">{item}</ul></section>'
        (page,) = [text for text in texts(document(body, paper)) if "HEADING" in text]
        assert "first" in page, above
        assert "last" in page, above


def test_table_head_is_repeated():
    pages = texts(document(table(150)))
    assert len(pages) > 2
    assert all(page.count("HEAD") == 1 for page in pages)


def test_chart_is_never_split():
    svg = (
        '<figure><svg viewBox="0 0 400 200"><text x="9" y="15">top</text><text x="9" y="195">end</text></svg>'
        "<figcaption>caption</figcaption></figure>"
    )
    for above in range(15, 45):
        pdf = texts(document(f"{paragraphs(above)}{svg}{paragraphs(20)}"))
        (page,) = [text for text in pdf if "caption" in text]
        assert "top" in page, above
        assert "end" in page, above


def test_font_shrinks_to_save_a_page():
    counts = [len(document(paragraphs(lines)).pages) for lines in range(35, 60)]
    first = counts.index(2)
    assert counts == [1] * first + [2] * (len(counts) - first)
    last = texts(document(paragraphs(35 + first)))[-1]
    assert last.count("line") > 1, "with ordinary type it would begin earlier, with one line"


def test_font_size_is_kept_if_no_page_is_saved():
    found: list[float] = []

    def visit(text: str, _matrix: object, place: list[float], _font: object, _size: object) -> None:
        if "line0" in text:
            found.append(abs(place[3]))

    document(paragraphs(10)).pages[0].extract_text(visitor_text=visit)
    assert found == pytest.approx([10.0], abs=0.01)


@pytest.mark.parametrize("css", [CSS, ""], ids=["styled", "plain"])
def test_pdf_without_system_fonts_has_all_texts(css):
    """``tests/helpers/fonts.conf`` hides the fonts of the computer. "first" has a ligature."""
    body = (
        "<h1>heading</h1><p>first</p><p><code>command</code></p><table><tr><th>head</th></tr></table>"
        '<svg width="200" height="40"><text x="9" y="20">chart</text></svg>'
    )
    html = f"<!DOCTYPE html><html><head><style>{css}</style></head><body>{body}</body></html>"
    text = PdfReader(io.BytesIO(render_pdf(html, "t", AT))).pages[0].extract_text()
    for word in ("heading", "first", "command", "head", "chart"):
        assert word in text
