"""Writers of report files; all are atomic and raise ReportError if the file cannot be written."""

from __future__ import annotations

from pathlib import Path

from reports.rendering.atomic_write import atomic_write
from reports.rendering.export import report_csv, report_json
from reports.rendering.html import render_report_html, report_title
from reports.rendering.paper import PaperSize
from reports.report import Report


def write_report_html(report: Report, path: Path) -> Path:
    """One self-contained page."""
    return atomic_write(path, render_report_html(report).encode("utf-8"))


def write_report_pdf(report: Report, path: Path, paper: PaperSize = PaperSize.A4) -> Path:
    """The same page on ``paper``. Raises ReportError also if the layout fails."""
    # Imported here: plutoprint's native engine is needed for PDFs only.
    from reports.rendering.pdf import render_pdf

    return atomic_write(
        path, render_pdf(render_report_html(report), report_title(report), report.started_at, paper)
    )


def write_report_csv(report: Report, path: Path) -> Path:
    """One row per student and bin; columns in ``reports.rendering.export.report_csv``."""
    # With the byte order mark by which spreadsheets recognise UTF-8.
    return atomic_write(path, report_csv(report).encode("utf-8-sig"))


def write_report_json(report: Report, path: Path) -> Path:
    """The results; keys in ``reports/report.schema.json``."""
    return atomic_write(path, report_json(report).encode("utf-8"))
