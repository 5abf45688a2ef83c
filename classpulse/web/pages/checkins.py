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

from classpulse.services.reviews import Judgement, raised_flag
from classpulse.services.reviews import review as store_review
from classpulse.web.class_access import (
    about_people,
    called,
    keeps_students,
    seen_flags,
    seen_groups,
    settings_for,
)
from classpulse.web.context import (
    account_of,
    language_of,
    render,
    session_for,
    site_of,
    told_to_reader,
    wants_page,
    words,
)
from classpulse.web.permissions import Action
from classpulse.web.routing import route
from classpulse.web.svg_charts import spark_svg
from db.clock import now_utc
from db.errors import NotFound
from db.flags import RaisedFlag
from db.history import KINDS, past_summaries
from db.records import SessionRecord, SessionStatus, StudentSummary
from db.roster import ClassGroup
from reports.charts.levels import Point
from reports.history.raised_flags import RaisedLine, raised_lines
from reports.text import dates
from reports.text.dates import local_time
from reports.text.formatting import percent
from reports.text.i18n import speaking

SHOWN = ("open", "confirmed", "dismissed", "all")
PAGE = 25
MOST_NOTE = 500

_ORDER = {"open": 0, "confirmed": 1, "dismissed": 2}


@dataclass(frozen=True)
class Item:
    """One flag of the queue. ``coverage`` 0..1 of the lesson; ``reasons`` are the rule's own words;
    ``usual_share`` is the student's own usual level, from ``usual_sessions`` lessons."""

    raised: RaisedFlag
    line: RaisedLine
    group: ClassGroup
    coverage: float | None
    usual_share: float | None
    usual_sessions: int
    earlier: int
    spark: Markup

    @property
    def key(self) -> str:
        """What the item is called in the page."""
        return f"f{self.line.session_id}-{self.raised.student.id}-{self.line.kind}"

    @property
    def address(self) -> str:
        """Where what is made of it is sent to."""
        return f"/check-ins/{self.line.session_id}/{self.raised.student.id}/{self.line.kind}"


@told_to_reader
def check_ins(request: Request) -> Response:
    """The queue of the classes that this account sees, the open ones first."""
    site, asked = site_of(request), request.query_params
    groups = seen_groups(request)
    group = next((one for one in groups if str(one.id) == asked.get("class")), None)
    shown = asked.get("show", "open") if asked.get("show") in SHOWN else "open"
    found = seen_flags(request, group)
    counts = {name: sum(one.flag.review == name for one in found) for name in SHOWN[:3]}
    found = [one for one in found if shown in ("all", one.flag.review)]
    found.sort(key=lambda one: _ORDER.get(one.flag.review, 0))
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(_number(asked.get("page")), 1), pages)
    items = _items(request, found[(page - 1) * PAGE : page * PAGE], groups)
    classes = sorted({one.line.class_name for one in items})
    what = f"check-ins of class {', '.join(classes)}" if classes else "check-ins"
    names = called(request, {one.raised.student.id for one in items}, what) if items else {}
    return render(
        request,
        "checkins.html.j2",
        items=items,
        names=names,
        keeps=keeps_students(site),
        counts={**counts, "all": sum(counts.values())},
        shown=shown,
        group=group,
        groups=groups,
        page=page,
        pages=pages,
        address=lambda **changed: _address(shown, group, **changed),
    )


def decide(request: Request) -> Response:
    """Somebody says what they make of a flag."""
    site, session = site_of(request), session_for(request, Action.REVIEW)
    form, account = request.state.form, account_of(request)
    verdict = str(form.get("verdict", ""))
    note = " ".join(str(form.get("note", "")).split())[:MOST_NOTE] or None
    try:
        if not about_people(site, session):
            raise HTTPException(404)
        student = int(request.path_params["student"])
        raised = raised_flag(site.engine, session.id, student, request.path_params["kind"])
    except NotFound:
        raise HTTPException(404) from None
    if verdict not in _ORDER:
        raise HTTPException(400, "expected: confirmed, dismissed or open")
    if session.status is SessionStatus.RUNNING:
        _ = words(language_of(request))
        raise HTTPException(409, _("The lesson is still being recorded; decide when it has ended."))
    done = store_review(site.engine, raised, Judgement(verdict, account.name, now_utc(), note))
    if wants_page(request):
        return RedirectResponse(_inside(str(form.get("to", ""))), 303)
    at = done.flag.reviewed_at
    with speaking(language_of(request)):
        when = None if at is None else dates.brief_moment(local_time(at, settings_for(request)))
    return JSONResponse(
        {
            "review": done.flag.review,
            "by": done.flag.reviewed_by,
            "at": when,
            "note": done.flag.note or "",
        }
    )


def _items(request: Request, found: Sequence[RaisedFlag], groups: Sequence[ClassGroup]) -> list[Item]:
    past = past_summaries(site_of(request).engine, {one.student.id for one in found})
    numbered = {one.name: one for one in groups}
    return [
        _item(request, raised, line, numbered[line.class_name], past.get(raised.student.id, []))
        for raised, line in zip(found, raised_lines(found, settings_for(request)), strict=True)
    ]


def _item(
    request: Request,
    raised: RaisedFlag,
    line: RaisedLine,
    group: ClassGroup,
    past: Sequence[tuple[SessionRecord, StudentSummary]],
) -> Item:
    numbers = raised.flag.numbers
    points = [
        point
        for session, summary in past
        if session.started_at <= raised.session.started_at
        and (point := _point(local_time(session.started_at, settings_for(request)), summary, line.kind))
        is not None
    ]
    earlier = [one for one in points if one.at != line.started_at]
    _ = words(language_of(request))
    alt = _("in earlier lessons: %(shares)s; now %(share)s") % {
        "shares": ", ".join(percent(one.value) for one in earlier) or "–",
        "share": percent(line.share),
    }
    return Item(
        raised=raised,
        line=line,
        group=group,
        coverage=numbers.get("coverage"),
        usual_share=numbers.get("usual_share"),
        usual_sessions=int(numbers.get("usual_sessions") or 0),
        earlier=len(earlier),
        spark=spark_svg(points, line.started_at, alt) if earlier else Markup(""),
    )


def _point(at: datetime, summary: StudentSummary, kind: str) -> Point | None:
    level = getattr(summary, KINDS.get(kind, ""), None)
    return None if level is None else Point(at, level.share, level.low, level.high)


def _address(shown: str, group: ClassGroup | None, **changed: object) -> str:
    asked: dict[str, object] = {"show": shown}
    if group is not None:
        asked["class"] = group.id
    return "/check-ins?" + urlencode({**asked, **changed})


def _inside(target: str) -> str:
    """Back to the queue as it was looked at, and nowhere else."""
    return target if target.startswith("/check-ins?") and target.isprintable() else "/check-ins"


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else 1


ROUTES = [
    route("/check-ins", check_ins, Action.LOOK),
    route("/check-ins/{session:int}/{student:int}/{kind}", decide, Action.REVIEW, methods=("POST",)),
]
