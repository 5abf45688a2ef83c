"""Output that several commands share: session outcomes, file paths, tables and history pages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from classpulse.console import print_json, print_message, print_table
from classpulse.errors import NotWritable
from classpulse.formatting import english_count, media_clock
from db.records import SessionStatus
from db.small_faces import SmallFaces
from monitor.session.session import SessionOutcome
from reports.history.tables import drop_common_columns
from reports.narrative.small_faces import missed_faces_data, missed_faces_warning
from reports.text.i18n import Language, _, use_language


def print_outcome(
    outcome: SessionOutcome, files: dict[str, Path], *, as_json: bool, extra: Mapping[str, str] | None = None
) -> int:
    """Print how a session ended and where its report is (``extra`` goes into the JSON); returns the exit
    code."""
    if as_json:
        print_json(_outcome_data(outcome, files) | dict(extra or {}))
    else:
        progress = outcome.progress
        print_message(
            f"session {outcome.session_id} {outcome.status.value}: {media_clock(progress.end_s)} of lecture, "
            f"{english_count(progress.frames_sampled, 'frame')} analysed, "
            f"{english_count(outcome.student_count, 'student')} tracked"
        )
        print_missed_faces(outcome.small_faces)
        for at_s, text in outcome.notes:
            print_message(f"note at {media_clock(at_s)}: {text}")
        for kind, path in files.items():
            print_path(kind, path)
    if outcome.status is SessionStatus.INTERRUPTED:
        print_message(
            f"classpulse: interrupted: {outcome.reason}; everything recorded before is kept and reported"
        )
        return 1
    return 0


def print_missed_faces(small_faces: SmallFaces | None) -> None:
    """Print the warning that small faces were missed, if it applies."""
    text = missed_faces_warning(small_faces)
    if text is not None:
        print_message(f"warning: {text}")


def print_path(kind: str, path: Path) -> None:
    """Print where a file is, on standard output."""
    click.echo(f"{kind.upper():<5} {path}")


def _outcome_data(outcome: SessionOutcome, files: dict[str, Path]) -> dict[str, Any]:
    return {
        "session": outcome.session_id,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "end_s": outcome.progress.end_s,
        "watched_s": outcome.progress.watched_s,
        "frames_sampled": outcome.progress.frames_sampled,
        "frames_dropped": outcome.progress.frames_dropped,
        "students": outcome.student_count,
        "small_faces": missed_faces_data(outcome.small_faces),
        "notes": [{"at_s": at_s, "text": text} for at_s, text in outcome.notes],
        "report": {kind: str(path) for kind, path in files.items()},
    }


def create_output_folder(out: Path) -> Path:
    """Create the folder of ``--out`` with its parents; returns its absolute path. Raises NotWritable."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritable(out, error.strerror, "Choose another folder with --out.") from None
    return out.resolve()


def print_compact_table(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], optional_columns: Collection[str] = ()
) -> None:
    """Print a table that fits a terminal of 80 columns: without the ``optional_columns``, and with values
    that all rows share in the title instead of a column."""
    kept = [index for index, heading in enumerate(headings) if heading not in optional_columns]
    table = drop_common_columns(
        [headings[index] for index in kept], [[row[index] for index in kept] for row in rows]
    )
    print_table(" · ".join([title, *table.common]), [_(heading) for heading in table.headings], table.rows)


def write_history_page(build: Callable[[], object], path: Path, language: Language, *, quiet: bool) -> None:
    """Write the history page (a ``Document``) that ``build`` returns and print its path. Raises
    ReportError."""
    # Imported late: the chart library takes longer to import than a table takes to print.
    from reports.history.document import Document, render_document_html
    from reports.rendering.atomic_write import atomic_write

    with use_language(language):
        document = build()
        assert isinstance(document, Document)
        html = render_document_html(document)
    atomic_write(path, html.encode("utf-8"))
    if not quiet:
        print_path("html", path)
