"""A report as a file, in every form it can take. Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

from reports.rendering.atomic_write import atomic_write
from reports.rendering.export import report_csv, report_json
from reports.rendering.html import render_report_html, report_title
from reports.rendering.paper import PaperSize
from reports.report import Report


def write_report_html(report: Report, path: Path) -> Path:
    """One page that opens offline. Raises ReportError if the file cannot be written, as do all below."""
    return atomic_write(path, render_report_html(report).encode("utf-8"))


def write_report_pdf(report: Report, path: Path, paper: PaperSize = PaperSize.A4) -> Path:
    """The same page on ``paper`` with page numbers. Raises ReportError also if it cannot be laid out."""
    # Here and not above: the native engine of plutoprint is needed for PDF alone.
    from reports.rendering.pdf import render_pdf

    return atomic_write(
        path, render_pdf(render_report_html(report), report_title(report), report.started_at, paper)
    )


def write_report_csv(report: Report, path: Path) -> Path:
    """A row per student and bin; see ``reports.rendering.export.report_csv`` for the columns."""
    # With the mark that spreadsheets need to read UTF-8 as such.
    return atomic_write(path, report_csv(report).encode("utf-8-sig"))


def write_report_json(report: Report, path: Path) -> Path:
    """What the report says, as data; see ``reports.rendering.export.report_data``."""
    return atomic_write(path, report_json(report).encode("utf-8"))
