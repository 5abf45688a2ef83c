"""Cached report files of sessions: checks whether a file is up to date and regenerates it.

HTML and PDF have one file per language, CSV and JSON one for all (``report_file_name``).
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from classpulse.services.report_files import find_report_folders, report_file_name
from classpulse.services.reports import generate_report
from classpulse.web.context import AppContext
from db import sessions as queries
from db.records import SessionRecord
from reports.text.i18n import Language

REPORT_KINDS = ("html", "pdf", "csv", "json")


def find_current_report(
    context: AppContext, session: SessionRecord, kind: str, language: Language
) -> Path | None:
    """The report file if it is newer than the session's end and all its corrections and reviews, else None.
    For a running session, any file."""
    for folder in find_report_folders(context.config.output_folder, session.id):
        path = folder / report_file_name(kind, language)
        try:
            written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError:  # missing, or being erased
            continue
        if written_at >= _last_change(context, session):
            return path
    return None


def report_job_key(session_id: int, kind: str, language: Language) -> Hashable:
    """The key of a report's background job."""
    return "report", session_id, report_file_name(kind, language)


def generate_cached_report(context: AppContext, session_id: int, kind: str, language: Language) -> Path:
    """Generate a report; raises what ``generate_report`` raises."""
    return generate_report(context.engine, session_id, context.config, formats=(kind,), language=language)[
        kind
    ]


async def current_report_bytes(
    context: AppContext, session: SessionRecord, kind: str, language: Language, *, cached: Path | None
) -> bytes:
    """The content of the report: the ``cached`` file, or one generated now."""
    if cached is not None:
        return cached.read_bytes()
    key = report_job_key(session.id, kind, language)

    def find_or_generate() -> Path:
        # Another request may have generated it in the meantime.
        return find_current_report(context, session, kind, language) or generate_cached_report(
            context, session.id, kind, language
        )

    path = await context.jobs.result(key, find_or_generate)
    if await run_in_threadpool(find_current_report, context, session, kind, language) is None:
        # The awaited job had read the data before the last change.
        path = await context.jobs.result(key, find_or_generate)
    return path.read_bytes()


def start_report_job(context: AppContext, session_id: int, language: Language) -> None:
    """Regenerate the HTML report of a session in the background from the current data."""
    key = report_job_key(session_id, "html", language)
    context.jobs.start(
        key, lambda: generate_cached_report(context, session_id, "html", language), restart=True
    )


def _last_change(context: AppContext, session: SessionRecord) -> datetime:
    if session.ended_at is None:
        return session.started_at
    corrections = queries.list_corrections(context.engine, session.id)
    moments = [session.ended_at, *(correction.created_at for correction in corrections)]
    moments += [correction.undone_at for correction in corrections if correction.undone_at]
    moments += [
        flag.reviewed_at for flag in queries.list_flags(context.engine, session.id) if flag.reviewed_at
    ]
    return max(moments)
