from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from reports.rendering.pdf import render_pdf
from reports.text.names import FIRST_STRONG, POP, add_isolates, strip_isolates

HEBREW = "יעל 7b"


@pytest.mark.parametrize("html", ["<bdi>Jürgen (3)</bdi>", "<bdi>王小明</bdi>", "<p>יעל</p>", "<bdi></bdi>"])
def test_add_isolates_keeps_left_to_right_text(html):
    assert add_isolates(html) == html


@pytest.mark.parametrize("name", [HEBREW, "محمد", "Li ١٢", "two\nיעל lines"])
def test_add_isolates_is_reversible(name):
    html = f"<bdi>a</bdi><p><bdi>{name}</bdi></p>"
    assert add_isolates(html) == f"<bdi>a</bdi><p><bdi>{FIRST_STRONG}{name}{POP}</bdi></p>"
    assert strip_isolates(add_isolates(html)) == html


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ("<p><bdi>{}</bdi></p>", "7b יעל"),
        ("<p>\u2068{}\u2069</p>", "7b יעל"),
        ('<svg width="300" height="40"><text x="9" y="20">\u2068{}\u2069</text></svg>', "7b יעל"),
        ("<p>{}</p>", "7 יעלb"),
    ],
)
def test_pdf_prints_mixed_script_name_right_to_left(page, seen, lessons):
    """From left to right, the "7b" after the Hebrew part of the name is printed before it, but not without
    isolates."""
    content = render_pdf(f"<html><body>{page.format(HEBREW)}</body></html>", "t", lessons.started_at)
    assert PdfReader(io.BytesIO(content)).pages[0].extract_text().strip() == seen
