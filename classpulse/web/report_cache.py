"""The files of a lesson's report: whether they still say what the record holds, and making them. Each
language has its own; of the forms for programs there is one (``report_file_name``)."""

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
    """The report's file, if there is one that was made after the lesson, every correction and every review;
    of a lesson that is still recorded, any."""
    for folder in find_report_folders(context.config.output_folder, session.id):
        path = folder / report_file_name(kind, language)
        try:
            read_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError:  # there is none, or it is erased at this moment
            continue
        if read_at >= _last_change(context, session):
            return path
    return None


def report_job_key(session_id: int, kind: str, language: Language) -> Hashable:
    """What the making of a report is known by (``Making``)."""
    return "report", session_id, report_file_name(kind, language)


def generate_cached_report(context: AppContext, session_id: int, kind: str, language: Language) -> Path:
    """Make it; raises as ``generate_report`` does."""
    return generate_report(context.engine, session_id, context.config, formats=(kind,), language=language)[kind]


async def current_report_bytes(
    context: AppContext, session: SessionRecord, kind: str, language: Language, *, cached: Path | None
) -> bytes:
    """The report as it is, or else made now."""
    if cached is not None:
        return cached.read_bytes()
    key = report_job_key(session.id, kind, language)

    def find_or_generate() -> Path:
        # It may have been made since it was looked for.
        return find_current_report(context, session, kind, language) or generate_cached_report(
            context, session.id, kind, language
        )

    path = await context.jobs.result(key, find_or_generate)
    if await run_in_threadpool(find_current_report, context, session, kind, language) is None:
        # That one was on its way already, and had begun before the last change.
        path = await context.jobs.result(key, find_or_generate)
    return path.read_bytes()


def start_report_job(context: AppContext, session_id: int, language: Language) -> None:
    """Make the page that is shown beside the dashboard's, of what the record holds from now on."""
    key = report_job_key(session_id, "html", language)
    context.jobs.start(key, lambda: generate_cached_report(context, session_id, "html", language), restart=True)


def _last_change(context: AppContext, session: SessionRecord) -> datetime:
    if session.ended_at is None:
        return session.started_at
    corrections = queries.list_corrections(context.engine, session.id)
    moments = [session.ended_at, *(correction.created_at for correction in corrections)]
    moments += [correction.undone_at for correction in corrections if correction.undone_at]
    moments += [flag.reviewed_at for flag in queries.list_flags(context.engine, session.id) if flag.reviewed_at]
    return max(moments)
