"""Which folder a session's report is in.

By number (``session-0007``), or by class and day (``Math 7B/2026-03-02 08.15 session-0007``): for a teacher
who looks for last Monday's lesson and knows no number. The number is in both, so a report is found again,
replaced and erased when the class, the zone or the layout has changed since.
"""

from __future__ import annotations

import re
import shutil
import unicodedata
from datetime import datetime
from pathlib import Path

from classpulse.config.output import ReportLayout
from reports.text.i18n import Language

_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
"""What Windows has in no name (its documentation, "Naming Files, Paths, and Namespaces"); the slash is
Linux's, too."""

_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])(\..*)?", re.IGNORECASE)
"""Names of devices on Windows, with any ending."""

_MAX_NAME_BYTES = 120
"""A name has 255 bytes on Linux, a whole path by default 260 characters on Windows."""


LOCALISED_KINDS = frozenset({"html", "pdf"})
"""The forms that a person reads; the others are for programs, and English."""


def report_folder(
    output: Path, layout: ReportLayout, session_id: int, class_name: str, started_at: datetime
) -> Path:
    """Where a session's report goes: where it is already, else by the layout. ``started_at`` is a local
    time."""
    there = find_report_folders(output, session_id)
    if there:
        return there[0]
    number = _session_folder_name(session_id)
    if layout is ReportLayout.SESSION:
        return output / number
    # A point in the time: Windows has no colon in names.
    return output / safe_file_name(class_name) / f"{started_at:%Y-%m-%d %H.%M} {number}"


def find_report_folders(output: Path, session_id: int) -> list[Path]:
    """The folders with a report of that session, in either layout."""
    number = _session_folder_name(session_id)
    found = [output / number, *sorted(output.glob(f"*/????-??-?? ??.?? {number}"))]
    return [folder for folder in found if folder.is_dir()]


def report_file_name(kind: str, language: Language) -> str:
    """What a report's file is called: ``report.pdf``, in another language than English ``report.de.pdf``. So
    both may lie in a folder, and neither is taken for the other when the settings change."""
    return (
        f"report.{language}.{kind}"
        if kind in LOCALISED_KINDS and language is not Language.EN
        else f"report.{kind}"
    )


def delete_report_folders(output: Path, session_id: int) -> list[Path]:
    """Remove a session's report, and a class's folder that is empty then; returns what went. Raises
    OSError."""
    gone = find_report_folders(output, session_id)
    for folder in gone:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
        if folder.parent != output and not any(folder.parent.iterdir()):
            folder.parent.rmdir()
    return gone


def safe_file_name(name: str) -> str:
    """A name as a folder may be called on Linux, macOS and Windows; two names may come to the same."""
    plain = unicodedata.normalize("NFC", name)
    plain = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in plain)
    plain = _FORBIDDEN.sub("_", " ".join(plain.split()))
    plain = plain.encode("utf-8")[:_MAX_NAME_BYTES].decode("utf-8", errors="ignore")
    # Windows drops points and spaces at the end; a point in front hides a folder on Linux, or climbs out of
    # it.
    plain = plain.strip(". ")
    if not plain:
        return "class"
    return f"_{plain}" if _RESERVED.fullmatch(plain) else plain


def _session_folder_name(session_id: int) -> str:
    return f"session-{session_id:04d}"
