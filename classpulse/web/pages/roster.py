"""The roster of a class: who is on it, where they sit, and who may be watched."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import UserError
from classpulse.services.roster import (
    RosterFile,
    answer_consent,
    example,
    import_rows,
    parse_roster,
    seat_problems,
)
from classpulse.services.uploads import shown_name
from classpulse.web.class_access import group_for
from classpulse.web.context import account_of, render, site_of
from classpulse.web.multipart import read_file
from classpulse.web.permissions import Action
from classpulse.web.routing import route
from db.clock import now_utc
from db.roster import names, roster
from monitor.seating.classroom import read_classroom
from reports.text.formatting import reading_key

MOST_BYTES = 1_000_000
"""Of a roster: some ten thousand students."""


def show(request: Request) -> Response:
    """Who is on it; names on request alone, and that is noted."""
    return _page(request, group_for(request, Action.ARRANGE).name)


async def take(request: Request) -> Response:
    """A file was sent: all of it is imported, or nothing."""
    class_name = (await run_in_threadpool(group_for, request, Action.ARRANGE)).name
    file = await read_file(request, "roster", MOST_BYTES)
    return await run_in_threadpool(_import, request, class_name, file.content, shown_name(file.called))


def consent(request: Request) -> Response:
    """Somebody said that they may be watched, or may not."""
    site, class_name = site_of(request), group_for(request, Action.ARRANGE).name
    answer = str(request.state.form.get("consent", ""))
    number = int(request.path_params["student"])
    entry = next((one for one in roster(site.engine, class_name) if one.student_id == number), None)
    if entry is None:
        raise HTTPException(404)
    if answer not in {"yes", "no"}:
        raise HTTPException(422, "the answer is yes or no")
    answer_consent(site.engine, entry, answer == "yes", now_utc(), account_of(request).name)
    return RedirectResponse(f"/classes/{request.path_params['group']}/roster#student-{number}", 303)


def download_example(request: Request) -> Response:
    """A file to begin with."""
    group_for(request, Action.ARRANGE)
    headers = {"Content-Disposition": 'attachment; filename="roster.csv"'}
    return Response(example(), media_type="text/csv; charset=utf-8", headers=headers)


def _import(request: Request, class_name: str, content: bytes, name: str) -> Response:
    site = site_of(request)
    try:
        read = parse_roster(content, name, class_name)
        problems = [*read.problems, *_elsewhere(read, class_name), *seat_problems(site.engine, read.rows)]
        if not problems and not read.rows:
            raise UserError(f"{name} has no student; expected a line for each below the headings")
    except UserError as error:
        return _page(request, class_name, 422, problems=[str(error)])
    if problems:
        return _page(request, class_name, 422, problems=problems)
    done = import_rows(site.engine, read.rows, now_utc(), account_of(request).name)
    return _page(request, class_name, done=done, ignored=[one for one in read.ignored if one])


def _elsewhere(read: RosterFile, class_name: str) -> list[str]:
    """On this page one class is imported; another's may not be this account's."""
    return [
        f"line {one.line}: group is {one.row.group!r}; expected {class_name!r} or nothing"
        for one in read.rows
        if one.row.group != class_name
    ]


def _page(request: Request, class_name: str, code: int = 200, **told: object) -> Response:
    site, account = site_of(request), account_of(request)
    entries = sorted(roster(site.engine, class_name), key=lambda one: reading_key(one.pseudonym))
    with_names = request.method == "GET" and request.query_params.get("names") == "yes"
    called = {}
    if with_names:
        site.audit(account, "read names", f"class {class_name}")
        called = names(site.engine, [entry.student_id for entry in entries])
    context = {"problems": [], "done": None, "ignored": []} | told
    return render(
        request,
        "roster.html.j2",
        code,
        class_name=class_name,
        group=request.path_params["group"],
        entries=entries,
        names=called,
        with_names=with_names,
        unmasked=read_classroom(site.engine, class_name).unmasked,
        **context,
    )


ROUTES = [
    route("/classes/{group:int}/roster", show, Action.ARRANGE),
    route("/classes/{group:int}/roster", take, Action.ARRANGE, methods=("POST",), own_body=True),
    route("/classes/{group:int}/roster/example.csv", download_example, Action.ARRANGE),
    route("/classes/{group:int}/roster/{student:int}/consent", consent, Action.ARRANGE, methods=("POST",)),
]
