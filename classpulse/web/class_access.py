"""The classes that somebody sees, and which one an address is about."""

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
"""So many sessions are summed up while a page waits; more are by themselves."""

SUMMARY_WAIT_S = 2.0


def visible_classes(request: Request) -> list[ClassGroup]:
    """The classes with a number that this account may look at, by name."""
    account = request_account(request)
    return [one for one in list_classes(context_of(request).engine) if can_view_class(account, one.name)]


def selectable_class_names(request: Request) -> list[str]:
    """The classes that somebody can choose from: a teacher's own, else all that are known."""
    site, account = context_of(request), request_account(request)
    if account.role is Role.TEACHER:
        return sorted(account.classes)
    return sorted({one.name for one in list_classes(site.engine)} | {site.config.settings.class_.name})


def requested_class(request: Request, permission: Permission = Permission.VIEW) -> ClassGroup:
    """The class whose number is in the address (``{group:int}``), for who may do ``permission`` with it."""
    number = int(request.path_params["group"])
    found = next((one for one in list_classes(context_of(request).engine) if one.id == number), None)
    if found is None:
        raise HTTPException(404)
    require_permission(request, permission, found.name)
    return found


def class_by_name(request: Request, name: str) -> ClassGroup | None:
    """The number of a class by its name."""
    return next((one for one in list_classes(context_of(request).engine) if one.name == name), None)


def report_settings_for(request: Request) -> ReportSettings:
    """How the school's reports are made: in whose zone times are told and days are meant."""
    return report_settings(context_of(request).config)


def parse_day(text: str) -> datetime | None:
    """A day as a form sends it, YYYY-MM-DD; None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return None


def audited_names(request: Request, student_ids: Iterable[int], subject: str) -> dict[int, str]:
    """The names of those students, where any are stored; that somebody looked at ``subject`` is noted."""
    site, asked = context_of(request), list(student_ids)
    found = load_student_names(site.engine, asked) if asked else {}
    site.audit(request_account(request), "look", subject, "with names" if found else "")
    return found


def shows_students(site: AppContext) -> bool:
    """Whether anything about one student may be shown: not in mode aggregate."""
    policy = site.config.settings.policy
    return policy is None or policy.mode is not AnalysisMode.AGGREGATE


def shows_session_students(site: AppContext, session: SessionRecord) -> bool:
    """Whether a session has students that may be shown."""
    return session.mode != AnalysisMode.AGGREGATE.value and shows_students(site)


def visible_flags(request: Request, group: ClassGroup | None = None) -> list[FlaggedStudent]:
    """The flags of one class or of all, of those that this account sees; none where nothing about one student
    may be shown."""
    site, account = context_of(request), request_account(request)
    return [
        one
        for one in list_flagged_students(site.engine, group.name if group else None)
        if can_view_class(account, one.session.class_name) and shows_session_students(site, one.session)
    ]


def summaries_pending(site: AppContext) -> bool:
    """See to it that every ended session is summed up; whether some still are to be. It is done beside the
    page, so that nobody waits for a year of lessons."""
    waiting = [
        one for one in list_pending_summaries(site.engine, RULES_VERSION) if one not in site.unsummarisable
    ]
    if not waiting:
        return False
    future = summarise_in_background(site)
    if len(waiting) > MAX_INLINE_SUMMARIES:
        return True
    with suppress(TimeoutError):
        future.exception(timeout=SUMMARY_WAIT_S)
    return not future.done()


def summarise_in_background(site: AppContext) -> Future[None]:
    """Sum up what is to be, beside the page."""
    return site.jobs.start("history", lambda: _summarise(site), restart=True)


def _summarise(site: AppContext) -> None:
    tried = frozenset(list_pending_summaries(site.engine, RULES_VERSION))
    summarise_pending(site.engine, site.config, quiet=True)
    # Those that cannot be read: they are said once, and not tried with every page. A lesson that has ended or
    # was corrected meanwhile is none of them.
    site.unsummarisable = tried & frozenset(list_pending_summaries(site.engine, RULES_VERSION))
