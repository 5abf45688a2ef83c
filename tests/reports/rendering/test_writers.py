from __future__ import annotations

import json
import re

import pytest
from pypdf import PdfReader

from reports.errors import ReportError
from reports.flags.sadness import FlagSettings
from reports.rendering import pdf
from reports.rendering.pdf import render_pdf
from reports.rendering.writers import write_report_csv, write_report_html, write_report_json, write_report_pdf
from reports.text.dates import ReportSettings
from tests.helpers.session_report import make_report

A4_PT = (595, 842)


@pytest.fixture(scope="module")
def report(lessons):
    scripts = ["ssssssnn", "nnnnnnnn", "nn......"] + ["nnnn<<??"] * 29
    return make_report(
        lessons.session(8),
        lessons.students(32),
        lessons.bins(scripts),
        settings=ReportSettings("UTC"),
        flag_settings=FlagSettings(min_usable_s=20.0, sad_share=0.05),
    )


@pytest.fixture(scope="module")
def document(report, tmp_path_factory):
    return PdfReader(write_report_pdf(report, tmp_path_factory.mktemp("pdf") / "report.pdf"))


def _text(document):
    return " ".join(" ".join(page.extract_text() for page in document.pages).split())


def test_every_page_is_a4_and_numbered(document):
    count = len(document.pages)
    assert count >= 3
    for number, page in enumerate(document.pages, start=1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == A4_PT
        assert f"page {number} of {count}" in " ".join(page.extract_text().split())


def test_pdf_has_all_texts_of_the_page(document):
    text = _text(document)
    for part in ("Physics 10b", "Suggested check-in: Student 1", "The class over time", "All students"):
        assert part in text
    assert "is sad" not in text
    assert {f"Student {n}" for n in range(1, 33)} <= set(re.findall(r"Student \d+", text))


def test_no_heading_ends_a_page(document):
    headings = ("The class over time", "Student by student", "All students", "What this report cannot tell")
    for page in document.pages:
        lines = [line.strip() for line in page.extract_text().splitlines() if line.strip()]
        body = [line for line in lines if not line.startswith(("page ", "Classpulse"))]
        assert body[-1] not in headings


def test_pdf_has_title_and_session_date(document, report):
    assert document.metadata.title == "Physics 10b, 2 March 2026: lesson report"
    assert document.metadata.creation_date == report.started_at


def test_pdf_refuses_external_resources(lessons):
    with pytest.raises(ReportError, match="external resource"):
        pdf._FontFetcher().fetch_url("https://example.org/picture.png")
    html = '<p>before</p><img src="https://example.org/picture.png"><p>after</p>'
    content = render_pdf(html, "t", lessons.started_at)
    assert content.startswith(b"%PDF")


def test_fallback_font_is_served():
    assert (
        bytes(pdf._FontFetcher().fetch_url("fonts:/DejaVuSans.ttf").get_content()[:4]) == b"\x00\x01\x00\x00"
    )


@pytest.mark.parametrize("write", [write_report_html, write_report_pdf, write_report_csv, write_report_json])
def test_every_format_is_written_or_raises(lessons, tmp_path, write):
    small = make_report(lessons.session(2), lessons.students(1), lessons.bins(["nn"]))
    path = write(small, tmp_path / "reports" / "file")
    assert path.stat().st_size > 100
    assert list(path.parent.iterdir()) == [path]
    (tmp_path / "taken").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        write(small, tmp_path / "taken" / "file")


def test_json_file_is_utf8_without_nan(report, tmp_path):
    text = write_report_json(report, tmp_path / "report.json").read_text("utf-8")
    assert json.loads(text)["session"]["class"] == "Physics 10b"
    assert "\N{NO-BREAK SPACE}" not in text
