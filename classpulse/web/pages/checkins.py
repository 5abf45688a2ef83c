"""The queue of suggested check-ins: the flag, the student's baseline, and the teacher's decision."""

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
    """One flag in the queue. ``coverage``: the observed share of the lesson, 0..1. ``baseline_share``: the
    student's baseline from ``baseline_sessions`` lessons."""

    raised: FlaggedStudent
    line: FlagLine
    group: ClassGroup
    coverage: float | None
    baseline_share: float | None
    baseline_sessions: int
    earlier_lessons: int
    sparkline: Markup

    @property
    def element_id(self) -> str:
        """The id of the item's element in the page."""
        return f"f{self.line.session_id}-{self.raised.student.id}-{self.line.kind}"

    @property
    def review_url(self) -> str:
        """The address that takes the decision."""
        return f"/check-ins/{self.line.session_id}/{self.raised.student.id}/{self.line.kind}"


@localized
def check_ins_page(request: Request) -> Response:
    """The queue for the classes that the account may view, open flags first."""
    context, query = context_of(request), request.query_params
    groups = visible_classes(request)
    group = next((group for group in groups if str(group.id) == query.get("class")), None)
    review_filter = query.get("show", "open") if query.get("show") in REVIEW_FILTERS else "open"
    flags = visible_flags(request, group)
    counts = {name: sum(flagged.flag.review == name for flagged in flags) for name in REVIEW_FILTERS[:3]}
    flags = [flagged for flagged in flags if review_filter in ("all", flagged.flag.review)]
    flags.sort(key=lambda flagged: _ORDER.get(flagged.flag.review, 0))
    pages = max(1, -(-len(flags) // PAGE_SIZE))
    page = min(max(_page_number(query.get("page")), 1), pages)
    items = _items(request, flags[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], groups)
    classes = sorted({item.line.class_name for item in items})
    subject = f"check-ins of class {', '.join(classes)}" if classes else "check-ins"
    names = audited_names(request, {item.raised.student.id for item in items}, subject) if items else {}
    return render_page(
        request,
        "checkins.html.j2",
        items=items,
        names=names,
        shows_students=shows_students(context),
        counts={**counts, "all": sum(counts.values())},
        review_filter=review_filter,
        group=group,
        groups=groups,
        page=page,
        pages=pages,
        page_url=lambda **changed: _page_url(review_filter, group, **changed),
    )


def review_flag(request: Request) -> Response:
    """Store the decision about a flag."""
    context, session = context_of(request), requested_session(request, Permission.REVIEW)
    form, account = request.state.form, request_account(request)
    decision = str(form.get("decision", ""))
    note = " ".join(str(form.get("note", "")).split())[:MAX_NOTE_LENGTH] or None
    try:
        if not shows_session_students(context, session):
            raise HTTPException(404)
        student = int(request.path_params["student"])
        raised = get_flag(context.engine, session.id, student, request.path_params["kind"])
    except NotFound:
        raise HTTPException(404) from None
    if decision not in _ORDER:
        raise HTTPException(400, "The decision must be confirmed, dismissed or open.")
    if session.status is SessionStatus.RUNNING:
        _ = get_translator(request_language(request))
        raise HTTPException(409, _("The lesson is still being recorded; decide when it has ended."))
    reviewed = store_review(context.engine, raised, FlagReview(decision, account.name, now_utc(), note))
    if accepts_html(request):
        return RedirectResponse(_safe_target(str(form.get("return_to", ""))), 303)
    at = reviewed.flag.reviewed_at
    with use_language(request_language(request)):
        when = (
            None if at is None else dates.format_short_datetime(local_time(at, report_settings_for(request)))
        )
    return JSONResponse(
        {
            "review": reviewed.flag.review,
            "by": reviewed.flag.reviewed_by,
            "at": when,
            "note": reviewed.flag.note or "",
        }
    )


def _items(
    request: Request, flags: Sequence[FlaggedStudent], groups: Sequence[ClassGroup]
) -> list[CheckInItem]:
    past = load_past_summaries(context_of(request).engine, {flagged.student.id for flagged in flags})
    groups_by_name = {group.name: group for group in groups}
    return [
        _item(request, raised, line, groups_by_name[line.class_name], past.get(raised.student.id, []))
        for raised, line in zip(flags, flag_lines(flags, report_settings_for(request)), strict=True)
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
    earlier = [point for point in points if point.at != line.started_at]
    _ = get_translator(request_language(request))
    alt = _("in earlier lessons: %(shares)s; now %(share)s") % {
        "shares": ", ".join(format_percent(point.value) for point in earlier) or "–",
        "share": format_percent(line.share),
    }
    return CheckInItem(
        raised=raised,
        line=line,
        group=group,
        coverage=numbers.get("coverage"),
        baseline_share=numbers.get("baseline_share"),
        baseline_sessions=int(numbers.get("baseline_sessions") or 0),
        earlier_lessons=len(earlier),
        sparkline=sparkline_svg(points, line.started_at, alt) if earlier else Markup(""),
    )


def _point(at: datetime, summary: StudentSummary, kind: str) -> SharePoint | None:
    level = getattr(summary, SHARE_COLUMN_PREFIXES.get(kind, ""), None)
    return None if level is None else SharePoint(at, level.share, level.low, level.high)


def _page_url(review_filter: str, group: ClassGroup | None, **changed: object) -> str:
    query: dict[str, object] = {"show": review_filter}
    if group is not None:
        query["class"] = group.id
    return "/check-ins?" + urlencode({**query, **changed})


def _safe_target(target: str) -> str:
    """The filtered queue to return to; any other target is replaced by the unfiltered queue."""
    return target if target.startswith("/check-ins?") and target.isprintable() else "/check-ins"


def _page_number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else 1


ROUTES = [
    route("/check-ins", check_ins_page, Permission.VIEW),
    route("/check-ins/{session:int}/{student:int}/{kind}", review_flag, Permission.REVIEW, methods=("POST",)),
]
