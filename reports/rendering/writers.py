"""A report as a file, in every form it can take. Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

from reports.rendering.atomic_write import write_whole
from reports.rendering.export import csv_text, json_text
from reports.rendering.html import render_html, title
from reports.rendering.paper import Paper
from reports.report import Report


def write_html(report: Report, path: Path) -> Path:
    """One page that opens offline. Raises ReportError if the file cannot be written, as do all below."""
    return write_whole(path, render_html(report).encode("utf-8"))


def write_pdf(report: Report, path: Path, paper: Paper = Paper.A4) -> Path:
    """The same page on ``paper`` with page numbers. Raises ReportError also if it cannot be laid out."""
    # Here and not above: the native engine of plutoprint is needed for PDF alone.
    from reports.rendering.pdf import to_pdf

    return write_whole(path, to_pdf(render_html(report), title(report), report.started_at, paper))


def write_csv(report: Report, path: Path) -> Path:
    """A row per student and bin; see ``reports.rendering.export.csv_text`` for the columns."""
    # With the mark that spreadsheets need to read UTF-8 as such.
    return write_whole(path, csv_text(report).encode("utf-8-sig"))


def write_json(report: Report, path: Path) -> Path:
    """What the report says, as data; see ``reports.rendering.export.as_data``."""
    return write_whole(path, json_text(report).encode("utf-8"))
