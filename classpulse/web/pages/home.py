"""The start page: what is being recorded, what comes next, the last lessons."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from classpulse.daemon.client import ask_daemon
from classpulse.web.guards import route
from classpulse.web.permissions import Action, sees_class
from classpulse.web.site import account_of, render, site_of
from db import queries
from db.accounts import Role
from monitor.control import ControlError

LAST = 8
"""Lessons that are shown here; all are under "Lessons"."""


def home(request: Request) -> Response:
    """Everything at a glance, of the classes that this account sees."""
    site, account = site_of(request), account_of(request)
    try:
        daemon, problem = ask_daemon(site.data_folder), ""
    except ControlError as error:
        daemon, problem = None, str(error)
    recordings = [one for one in daemon.recordings if sees_class(account, one.class_name)] if daemon else []
    lessons = [one for one in queries.sessions(site.engine, limit=200) if sees_class(account, one.class_name)]
    return render(
        request,
        "home.html.j2",
        daemon=daemon,
        problem=problem,
        recordings=recordings,
        lessons=lessons[:LAST],
        classes=class_names(request),
        rooms=[room.name for room in site.config.settings.rooms],
    )


def class_names(request: Request) -> list[str]:
    """The classes that somebody can choose from: a teacher's own, else all that are known."""
    site, account = site_of(request), account_of(request)
    if account.role is Role.TEACHER:
        return sorted(account.classes)
    return sorted(set(queries.class_names(site.engine)) | {site.config.settings.class_.name})


ROUTES = [route("/", home, Action.LOOK)]
