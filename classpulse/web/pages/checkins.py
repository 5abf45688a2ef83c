"""Suggested check-ins as a queue: what was seen, what is usual for the student, and what somebody made of
it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from classpulse.services.reviews import FlagReview, get_flag
from classpulse.services.reviews import store_review as store_review
from classpulse.web.class_access import (
    audited_names,
    report_settings_for,
    shows_session_students,
    shows_students,
    visible_classes,
    visible_flags,
)
from classpulse.web.context import (
    accepts_html,
    context_of,
    get_translator,
    localized,
    render_page,
    request_account,
    request_language,
    requested_session,
)
from classpulse.web.permissions import Permission
from classpulse.web.routing import route
from classpulse.web.svg_charts import sparkline_svg
from db.clock import now_utc
from db.errors import NotFound
from db.flags import FlaggedStudent
from db.history import SHARE_COLUMN_PREFIXES, load_past_summaries
from db.records import SessionRecord, SessionStatus, StudentSummary
from db.roster import ClassGroup
from reports.charts.levels import SharePoint
from reports.history.raised_flags import FlagLine, flag_lines
from reports.text import dates
from reports.text.dates import local_time
from reports.text.formatting import format_percent
from reports.text.i18n import use_language

REVIEW_FILTERS = ("open", "confirmed", "dismissed", "all")
PAGE_SIZE = 25
MAX_NOTE_LENGTH = 500

_ORDER = {"open": 0, "confirmed": 1, "dismissed": 2}


@dataclass(frozen=True)
class CheckInItem:
    """One flag of the queue. ``coverage`` 0..1 of the lesson; ``reasons`` are the rule's own words;
    ``usual_share`` is the student's own usual level, from ``usual_sessions`` lessons."""

    raised: FlaggedStudent
    line: FlagLine
    group: ClassGroup
    coverage: float | None
    usual_share: float | None
    usual_sessions: int
    earlier_lessons: int
    sparkline: Markup

    @property
    def element_id(self) -> str:
        """What the item is called in the page."""
        return f"f{self.line.session_id}-{self.raised.student.id}-{self.line.kind}"

    @property
    def review_url(self) -> str:
        """Where what is made of it is sent to."""
        return f"/check-ins/{self.line.session_id}/{self.raised.student.id}/{self.line.kind}"


@localized
def check_ins_page(request: Request) -> Response:
    """The queue of the classes that this account sees, the open ones first."""
    site, asked = context_of(request), request.query_params
    groups = visible_classes(request)
    group = next((one for one in groups if str(one.id) == asked.get("class")), None)
    shown = asked.get("show", "open") if asked.get("show") in REVIEW_FILTERS else "open"
    found = visible_flags(request, group)
    counts = {name: sum(one.flag.review == name for one in found) for name in REVIEW_FILTERS[:3]}
    found = [one for one in found if shown in ("all", one.flag.review)]
    found.sort(key=lambda one: _ORDER.get(one.flag.review, 0))
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(_page_number(asked.get("page")), 1), pages)
    items = _items(request, found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], groups)
    classes = sorted({one.line.class_name for one in items})
    what = f"check-ins of class {', '.join(classes)}" if classes else "check-ins"
    names = audited_names(request, {one.raised.student.id for one in items}, what) if items else {}
    return render_page(
        request,
        "checkins.html.j2",
        items=items,
        names=names,
        keeps=shows_students(site),
        counts={**counts, "all": sum(counts.values())},
        shown=shown,
        group=group,
        groups=groups,
        page=page,
        pages=pages,
        address=lambda **changed: _page_url(shown, group, **changed),
    )


def review_flag(request: Request) -> Response:
    """Somebody says what they make of a flag."""
    site, session = context_of(request), requested_session(request, Permission.REVIEW)
    form, account = request.state.form, request_account(request)
    verdict = str(form.get("verdict", ""))
    note = " ".join(str(form.get("note", "")).split())[:MAX_NOTE_LENGTH] or None
    try:
        if not shows_session_students(site, session):
            raise HTTPException(404)
        student = int(request.path_params["student"])
        raised = get_flag(site.engine, session.id, student, request.path_params["kind"])
    except NotFound:
        raise HTTPException(404) from None
    if verdict not in _ORDER:
        raise HTTPException(400, "expected: confirmed, dismissed or open")
    if session.status is SessionStatus.RUNNING:
        _ = get_translator(request_language(request))
        raise HTTPException(409, _("The lesson is still being recorded; decide when it has ended."))
    done = store_review(site.engine, raised, FlagReview(verdict, account.name, now_utc(), note))
    if accepts_html(request):
        return RedirectResponse(_safe_target(str(form.get("to", ""))), 303)
    at = done.flag.reviewed_at
    with use_language(request_language(request)):
        when = (
            None if at is None else dates.format_short_datetime(local_time(at, report_settings_for(request)))
        )
    return JSONResponse(
        {
            "review": done.flag.review,
            "by": done.flag.reviewed_by,
            "at": when,
            "note": done.flag.note or "",
        }
    )


def _items(
    request: Request, found: Sequence[FlaggedStudent], groups: Sequence[ClassGroup]
) -> list[CheckInItem]:
    past = load_past_summaries(context_of(request).engine, {one.student.id for one in found})
    numbered = {one.name: one for one in groups}
    return [
        _item(request, raised, line, numbered[line.class_name], past.get(raised.student.id, []))
        for raised, line in zip(found, flag_lines(found, report_settings_for(request)), strict=True)
    ]


def _item(
    request: Request,
    raised: FlaggedStudent,
    line: FlagLine,
    group: ClassGroup,
    past: Sequence[tuple[SessionRecord, StudentSummary]],
) -> CheckInItem:
    numbers = raised.flag.numbers
    points = [
        point
        for session, summary in past
        if session.started_at <= raised.session.started_at
        and (
            point := _point(local_time(session.started_at, report_settings_for(request)), summary, line.kind)
        )
        is not None
    ]
    earlier = [one for one in points if one.at != line.started_at]
    _ = get_translator(request_language(request))
    alt = _("in earlier lessons: %(shares)s; now %(share)s") % {
        "shares": ", ".join(format_percent(one.value) for one in earlier) or "–",
        "share": format_percent(line.share),
    }
    return CheckInItem(
        raised=raised,
        line=line,
        group=group,
        coverage=numbers.get("coverage"),
        usual_share=numbers.get("baseline_share"),
        usual_sessions=int(numbers.get("baseline_sessions") or 0),
        earlier_lessons=len(earlier),
        sparkline=sparkline_svg(points, line.started_at, alt) if earlier else Markup(""),
    )


def _point(at: datetime, summary: StudentSummary, kind: str) -> SharePoint | None:
    level = getattr(summary, SHARE_COLUMN_PREFIXES.get(kind, ""), None)
    return None if level is None else SharePoint(at, level.share, level.low, level.high)


def _page_url(shown: str, group: ClassGroup | None, **changed: object) -> str:
    asked: dict[str, object] = {"show": shown}
    if group is not None:
        asked["class"] = group.id
    return "/check-ins?" + urlencode({**asked, **changed})


def _safe_target(target: str) -> str:
    """Back to the queue as it was looked at, and nowhere else."""
    return target if target.startswith("/check-ins?") and target.isprintable() else "/check-ins"


def _page_number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else 1


ROUTES = [
    route("/check-ins", check_ins_page, Permission.VIEW),
    route("/check-ins/{session:int}/{student:int}/{kind}", review_flag, Permission.REVIEW, methods=("POST",)),
]
