"""The classes that somebody sees, and which one an address is about."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request

from classpulse.services.assessment import sum_up
from classpulse.services.history import report_settings
from classpulse.web.context import Site, account_of, require, site_of
from classpulse.web.permissions import Action, sees_class
from db.accounts import Role
from db.flags import RaisedFlag, raised_flags
from db.records import Mode, SessionRecord
from db.roster import ClassGroup, class_groups, names
from db.summaries import unsummarised
from reports.history.summaries import MADE_WITH
from reports.text.dates import ReportSettings

AT_ONCE = 2
"""So many sessions are summed up while a page waits; more are by themselves."""

WAIT_S = 2.0


def seen_groups(request: Request) -> list[ClassGroup]:
    """The classes with a number that this account may look at, by name."""
    account = account_of(request)
    return [one for one in class_groups(site_of(request).engine) if sees_class(account, one.name)]


def class_names(request: Request) -> list[str]:
    """The classes that somebody can choose from: a teacher's own, else all that are known."""
    site, account = site_of(request), account_of(request)
    if account.role is Role.TEACHER:
        return sorted(account.classes)
    return sorted({one.name for one in class_groups(site.engine)} | {site.config.settings.class_.name})


def group_for(request: Request, action: Action = Action.LOOK) -> ClassGroup:
    """The class whose number is in the address (``{group:int}``), for who may do ``action`` with it."""
    number = int(request.path_params["group"])
    found = next((one for one in class_groups(site_of(request).engine) if one.id == number), None)
    if found is None:
        raise HTTPException(404)
    require(request, action, found.name)
    return found


def group_named(request: Request, name: str) -> ClassGroup | None:
    """The number of a class by its name."""
    return next((one for one in class_groups(site_of(request).engine) if one.name == name), None)


def settings_for(request: Request) -> ReportSettings:
    """How the school's reports are made: in whose zone times are told and days are meant."""
    return report_settings(site_of(request).config)


def day(text: str) -> datetime | None:
    """A day as a form sends it, YYYY-MM-DD; None for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return None


def called(request: Request, student_ids: Iterable[int], what: str) -> dict[int, str]:
    """The names of those students, where any are stored; that somebody looked at ``what`` is noted."""
    site, asked = site_of(request), list(student_ids)
    found = names(site.engine, asked) if asked else {}
    site.audit(account_of(request), "look", what, "with names" if found else "")
    return found


def keeps_students(site: Site) -> bool:
    """Whether anything about one student may be shown: not in mode aggregate."""
    policy = site.config.settings.policy
    return policy is None or policy.mode is not Mode.AGGREGATE


def about_people(site: Site, session: SessionRecord) -> bool:
    """Whether a session has students that may be shown."""
    return session.mode != Mode.AGGREGATE.value and keeps_students(site)


def seen_flags(request: Request, group: ClassGroup | None = None) -> list[RaisedFlag]:
    """The flags of one class or of all, of those that this account sees; none where nothing about one student
    may be shown."""
    site, account = site_of(request), account_of(request)
    return [
        one
        for one in raised_flags(site.engine, group.name if group else None)
        if sees_class(account, one.session.class_name) and about_people(site, one.session)
    ]


def be_summed_up(site: Site) -> bool:
    """See to it that every ended session is summed up; whether some still are to be. It is done beside the
    page, so that nobody waits for a year of lessons."""
    waiting = [one for one in unsummarised(site.engine, MADE_WITH) if one not in site.left_out]
    if not waiting:
        return False
    future = sum_up_beside(site)
    if len(waiting) > AT_ONCE:
        return True
    with suppress(TimeoutError):
        future.exception(timeout=WAIT_S)
    return not future.done()


def sum_up_beside(site: Site) -> Future[None]:
    """Sum up what is to be, beside the page."""
    return site.making.start("history", lambda: _sum_up(site), anew=True)


def _sum_up(site: Site) -> None:
    tried = frozenset(unsummarised(site.engine, MADE_WITH))
    sum_up(site.engine, site.config, quiet=True)
    # Those that cannot be read: they are said once, and not tried with every page. A lesson that has ended or
    # was corrected meanwhile is none of them.
    site.left_out = tried & frozenset(unsummarised(site.engine, MADE_WITH))
