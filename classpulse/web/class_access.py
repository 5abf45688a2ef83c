"""The classes, flags and names that an account may see."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request

from classpulse.services.assessment import summarise_pending
from classpulse.services.history import report_settings
from classpulse.web.context import AppContext, context_of, request_account, require_permission
from classpulse.web.permissions import Permission, can_view_class
from db.accounts import Role
from db.flags import FlaggedStudent, list_flagged_students
from db.records import AnalysisMode, SessionRecord
from db.roster import ClassGroup, list_classes, load_student_names
from db.summaries import list_pending_summaries
from reports.history.summaries import RULES_VERSION
from reports.text.dates import ReportSettings

MAX_INLINE_SUMMARIES = 2
"""A page waits for at most this many pending summaries; more are computed in the background."""

SUMMARY_WAIT_S = 2.0


def visible_classes(request: Request) -> list[ClassGroup]:
    """The classes that the account may view, by name."""
    account = request_account(request)
    return [
        group for group in list_classes(context_of(request).engine) if can_view_class(account, group.name)
    ]


def selectable_class_names(request: Request) -> list[str]:
    """The class names that the account can choose from: a teacher's own, else all that are known."""
    context, account = context_of(request), request_account(request)
    if account.role is Role.TEACHER:
        return sorted(account.classes)
    return sorted(
        {group.name for group in list_classes(context.engine)} | {context.config.settings.class_.name}
    )


def requested_class(request: Request, permission: Permission = Permission.VIEW) -> ClassGroup:
    """The class in the path (``{group:int}``). Raises HTTPException 404 without ``permission`` for it."""
    number = int(request.path_params["group"])
    group = next(
        (candidate for candidate in list_classes(context_of(request).engine) if candidate.id == number), None
    )
    if group is None:
        raise HTTPException(404)
    require_permission(request, permission, group.name)
    return group


def class_by_name(request: Request, name: str) -> ClassGroup | None:
    """The class with this name, None if it has none yet."""
    return next((group for group in list_classes(context_of(request).engine) if group.name == name), None)


def report_settings_for(request: Request) -> ReportSettings:
    """The school's report settings, such as the time zone."""
    return report_settings(context_of(request).config)


def parse_day(text: str) -> datetime | None:
    """A date of a form, YYYY-MM-DD; None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return None


def audited_names(request: Request, student_ids: Iterable[int], subject: str) -> dict[int, str]:
    """The stored names of the students, by id; records the view of ``subject`` in the audit log."""
    context, ids = context_of(request), list(student_ids)
    names = load_student_names(context.engine, ids) if ids else {}
    context.audit(request_account(request), "view", subject, "with names" if names else "")
    return names


def shows_students(context: AppContext) -> bool:
    """Whether data about single students may be shown: not in mode aggregate."""
    policy = context.config.settings.policy
    return policy is None or policy.mode is not AnalysisMode.AGGREGATE


def shows_session_students(context: AppContext, session: SessionRecord) -> bool:
    """Whether data about single students of this session may be shown."""
    return session.mode != AnalysisMode.AGGREGATE.value and shows_students(context)


def visible_flags(request: Request, group: ClassGroup | None = None) -> list[FlaggedStudent]:
    """The flags of one class, or of all, that the account may view."""
    context, account = context_of(request), request_account(request)
    return [
        flagged
        for flagged in list_flagged_students(context.engine, group.name if group else None)
        if can_view_class(account, flagged.session.class_name)
        and shows_session_students(context, flagged.session)
    ]


def summaries_pending(context: AppContext) -> bool:
    """Start the pending session summaries in the background; whether some are still pending afterwards. Waits
    only for a few (``MAX_INLINE_SUMMARIES``)."""
    pending = [
        session_id
        for session_id in list_pending_summaries(context.engine, RULES_VERSION)
        if session_id not in context.unsummarisable
    ]
    if not pending:
        return False
    future = summarise_in_background(context)
    if len(pending) > MAX_INLINE_SUMMARIES:
        return True
    with suppress(TimeoutError):
        future.exception(timeout=SUMMARY_WAIT_S)
    return not future.done()


def summarise_in_background(context: AppContext) -> Future[None]:
    """Compute the pending session summaries in the background."""
    return context.jobs.start("history", lambda: _summarise(context), restart=True)


def _summarise(context: AppContext) -> None:
    pending = frozenset(list_pending_summaries(context.engine, RULES_VERSION))
    summarise_pending(context.engine, context.config, quiet=True)
    # Sessions that were tried and are still pending cannot be read: they are logged once and not tried again.
    context.unsummarisable = pending & frozenset(list_pending_summaries(context.engine, RULES_VERSION))
