"""Folders and file names of reports.

A report is in a folder by number (``session-0007``), or by class and day (``Math 7B/2026-03-02 08.15
session-0007``) for a teacher who knows only the day. Both contain the number, so that a report is found,
replaced and erased after the class, the zone or the layout has changed.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from classpulse.config.output import ReportLayout
from classpulse.text import safe_file_name
from reports.text.i18n import Language

LOCALISED_KINDS = frozenset({"html", "pdf"})
"""Formats for people; the other formats are for programs, in English."""


def report_folder(
    output: Path, layout: ReportLayout, session_id: int, class_name: str, started_at: datetime
) -> Path:
    """The folder of a session's report: the existing one, else by the layout. ``started_at`` is local
    time."""
    existing = find_report_folders(output, session_id)
    if existing:
        return existing[0]
    number = _session_folder_name(session_id)
    if layout is ReportLayout.SESSION:
        return output / number
    # A dot in the time: Windows forbids colons in names.
    return output / safe_file_name(class_name) / f"{started_at:%Y-%m-%d %H.%M} {number}"


def find_report_folders(output: Path, session_id: int) -> list[Path]:
    """The existing report folders of a session, in either layout."""
    number = _session_folder_name(session_id)
    candidates = [output / number, *sorted(output.glob(f"*/????-??-?? ??.?? {number}"))]
    return [folder for folder in candidates if folder.is_dir()]


def report_file_name(kind: str, language: Language) -> str:
    """``report.pdf``, or ``report.de.pdf`` for a language other than English, so that both can be in a
    folder."""
    return (
        f"report.{language}.{kind}"
        if kind in LOCALISED_KINDS and language is not Language.EN
        else f"report.{kind}"
    )


def delete_report_folders(output: Path, session_id: int) -> list[Path]:
    """Delete the report folders of a session, and the class folder if it is empty then; returns the deleted
    folders. Raises OSError."""
    folders = find_report_folders(output, session_id)
    for folder in folders:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
        if folder.parent != output and not any(folder.parent.iterdir()):
            folder.parent.rmdir()
    return folders


def _session_folder_name(session_id: int) -> str:
    return f"session-{session_id:04d}"
