"""PDF reports of simulated classes, page by page."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader

from classpulse.config.settings import Config, Settings
from classpulse.services.assessment import load_report
from classpulse.simulation.term.names import PseudonymStyle, make_pseudonyms
from classpulse.simulation.term.writer import SimulatedTerm, TermSettings
from db.engine import open_database
from db.records import AnalysisMode
from reports.rendering.html import render_report_html, report_title
from reports.rendering.paper import PaperSize
from reports.rendering.pdf import render_pdf
from tests.helpers.pages import Page

SIZES_PT = {PaperSize.A4: (595, 842), PaperSize.LETTER: (612, 792)}
CLASSES = {
    "three": TermSettings(students=3),
    "thirty": TermSettings(students=30),
    "forty with long names": TermSettings(students=40, names=PseudonymStyle.LONG),
    "many scripts": TermSettings(students=14, names=PseudonymStyle.SCRIPTS, class_name="Physik 10b · פיזיקה"),
    "behaviour": TermSettings(students=12, mode=AnalysisMode.BEHAVIOUR),
    "aggregate": TermSettings(students=12, mode=AnalysisMode.AGGREGATE),
    "interrupted": TermSettings(students=5, interrupted=1),
}
MOST_PAGES = {"three": 3, "thirty": 5, "forty with long names": 9, "aggregate": 2}


def of_one_lecture(settings: TermSettings):
    """The report of one session of this class."""
    engine = open_database("sqlite://")
    one = TermSettings(**vars(settings) | {"weeks": 1, "per_week": 1, "minutes": 20.0})
    SimulatedTerm(one).write(engine)
    zone = Settings.model_validate({"output": {"time_zone": "UTC"}})
    try:
        return load_report(engine, 1, Config(zone, folder=None))
    finally:
        engine.dispose()


@pytest.fixture(scope="module", params=CLASSES)
def printed(request):
    """The name of a class, its parsed HTML page, and its PDF on each paper."""
    report = of_one_lecture(CLASSES[request.param])
    html = render_report_html(report)
    pdf = {
        paper: PdfReader(io.BytesIO(render_pdf(html, report_title(report), report.started_at, paper)))
        for paper in PaperSize
    }
    return request.param, Page(html), pdf


def plain(text: str) -> str:
    return re.sub("[\u2068\u2069]", "", " ".join(text.split()))


def lines(page) -> list[str]:
    found = [plain(line) for line in page.extract_text().splitlines()]
    return [line for line in found if line and not re.match(r"page \d+ of|Classpulse ·", line)]


def heights(page) -> list[float]:
    """Heights of the texts above the bottom of the page, in points."""
    found: list[float] = []

    def visit(text, matrix, place, _font, _size):
        if text.strip():
            found.append(matrix[1] * place[4] + matrix[3] * place[5] + matrix[5])

    page.extract_text(visitor_text=visit)
    return found


def flat(items) -> list:
    return [one for item in items for one in (flat(item) if isinstance(item, list) else [item])]


@pytest.mark.parametrize("paper", list(PaperSize))
def test_pdf_pages_have_size_and_number(printed, paper):
    pages = printed[2][paper].pages
    for number, page in enumerate(pages, 1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == SIZES_PT[paper]
        assert f"page {number} of {len(pages)}" in plain(page.extract_text())


@pytest.mark.parametrize("paper", list(PaperSize))
def test_pdf_has_a_bookmark_per_section(printed, paper):
    headings = [plain(heading) for heading in printed[1].headings]
    pdf = printed[2][paper]
    bookmarks = flat(pdf.outline)
    assert [plain(bookmark.title) for bookmark in bookmarks] == headings
    for bookmark in bookmarks:
        page = pdf.pages[pdf.get_destination_page_number(bookmark)]
        assert 0 < bookmark.top <= page.mediabox.height


@pytest.mark.parametrize("paper", list(PaperSize))
def test_pdf_heading_is_never_last_on_a_page(printed, paper):
    """Below each heading, to which a bookmark leads, there is text on the same page."""
    pdf = printed[2][paper]
    written = [heights(page) for page in pdf.pages]
    for one in flat(pdf.outline):
        on_page = written[pdf.get_destination_page_number(one)]
        # At least two lines below the heading; the footer is below 50 points.
        assert any(50 < y < one.top - 30 for y in on_page), one.title


@pytest.mark.parametrize("paper", list(PaperSize))
def test_pdf_has_no_empty_or_surplus_pages(printed, paper):
    name, _, pdf = printed
    assert all(len(lines(page)) >= 3 for page in pdf[paper].pages)
    # A page of letter is 18 mm shorter.
    assert len(pdf[paper].pages) <= MOST_PAGES.get(name, 5) + (paper is PaperSize.LETTER)


def test_pdf_contains_names_in_many_scripts():
    report = of_one_lecture(CLASSES["many scripts"])
    content = render_pdf(render_report_html(report), report_title(report), report.started_at)
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    for name in make_pseudonyms(14, PseudonymStyle.SCRIPTS):
        if name.isascii() or any(letter in name for letter in "üßŁδД"):
            assert name.replace(" ", "") in plain(text).replace(" ", ""), name
