from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from db.records import MarkerRecord
from reports.bidi import commands_plain, isolated, plain
from reports.export import csv_text, json_text
from reports.page import render_html
from reports.pdf import to_pdf
from reports.report import ReportSettings, build_report

FSI, PDI = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
HEBREW = "יעל 7b"


@pytest.mark.parametrize("name", ["Jürgen", "王小明", "Дмитрий (3)", "", "<b>"])
def test_what_runs_from_left_to_right_is_left_alone(name):
    assert isolated(name) == name


@pytest.mark.parametrize("name", [HEBREW, "محمد", "Li ١٢"])
def test_what_runs_from_right_to_left_gets_borders_that_come_off(name):
    assert isolated(name) == f"{FSI}{name}{PDI}"
    assert plain(isolated(name)) == name


def test_commands_are_copied_without_borders():
    assert (
        commands_plain(f"<p>{FSI}a{PDI} <code>x {FSI}a{PDI}</code></p>")
        == f"<p>{FSI}a{PDI} <code>x a</code></p>"
    )


@pytest.fixture(scope="module")
def report(lessons):
    students = lessons.students(1)
    named = [type(students[0])(1, HEBREW, "פיזיקה", 7)]
    return build_report(
        lessons.session(20, class_name="פיזיקה"),
        named,
        lessons.bins(["s" * 20]),
        settings=ReportSettings("UTC"),
        markers=[MarkerRecord(1, 7, 5.0, "בוחן 3")],
    )


def test_names_have_borders_on_the_page_and_in_its_charts(report):
    html = render_html(report)
    for text in (HEBREW, "פיזיקה", "בוחן 3"):
        assert html.count(text) == html.count(f"{FSI}{text}{PDI}") > 0, text
    assert f">{FSI}{HEBREW}{PDI}</text>" in html


@pytest.mark.parametrize(
    "around", ["<p>{}</p>", '<svg width="300" height="40"><text x="9" y="20">{}</text></svg>']
)
def test_a_name_in_two_scripts_is_printed_from_right_to_left(around, lessons):
    """On paper, from the left: what comes after the Hebrew in the name stands before it."""

    def printed(name: str) -> str:
        content = to_pdf(f"<html><body>{around.format(name)}</body></html>", "t", lessons.started_at)
        return PdfReader(io.BytesIO(content)).pages[0].extract_text().strip()

    assert printed(isolated(HEBREW)) == "7b יעל"
    assert printed(HEBREW) == "7 יעלb", "as it would be without borders"


def test_data_have_none(report):
    assert FSI not in csv_text(report) + json_text(report)
    assert HEBREW in csv_text(report)
