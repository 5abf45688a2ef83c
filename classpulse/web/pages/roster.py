"""The roster of a class: students, seats and consent, and the import of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.csv_table import RowError, in_line_order
from classpulse.errors import UserError
from classpulse.services.roster import (
    ImportResult,
    RosterFile,
    example_roster_csv,
    import_roster,
    parse_roster_bytes,
    record_consent,
    seat_conflicts,
)
from classpulse.text import display_file_name
from classpulse.web.class_access import requested_class
from classpulse.web.context import context_of, render_page, request_account
from classpulse.web.multipart import read_uploaded_file
from classpulse.web.permissions import Permission
from classpulse.web.routing import route
from db.clock import now_utc
from db.roster import list_roster, load_student_names
from model.errors import ProblemError
from monitor.seating.classroom import read_classroom
from reports.text.formatting import natural_sort_key

MAX_ROSTER_BYTES = 1_000_000
"""Enough for some ten thousand students."""


def roster_page(request: Request) -> Response:
    """The roster; names only on request, which is recorded in the audit log."""
    return _render(request, requested_class(request, Permission.MANAGE).name)


async def upload_roster(request: Request) -> Response:
    """Import a file completely or not at all."""
    class_name = (await run_in_threadpool(requested_class, request, Permission.MANAGE)).name
    file = await read_uploaded_file(request, "roster", MAX_ROSTER_BYTES)
    return await run_in_threadpool(
        _import_file, request, class_name, file.content, display_file_name(file.file_name)
    )


def change_consent(request: Request) -> Response:
    """Store a student's consent or opt-out."""
    context, class_name = context_of(request), requested_class(request, Permission.MANAGE).name
    answer = str(request.state.form.get("consent", ""))
    number = int(request.path_params["student"])
    entry = next(
        (
            candidate
            for candidate in list_roster(context.engine, class_name)
            if candidate.student_id == number
        ),
        None,
    )
    if entry is None:
        raise HTTPException(404)
    if answer not in {"yes", "no"}:
        raise HTTPException(422, "The consent must be yes or no.")
    record_consent(context.engine, entry, answer == "yes", now_utc(), request_account(request).name)
    return RedirectResponse(f"/classes/{request.path_params['group']}/roster#student-{number}", 303)


def roster_example_file(request: Request) -> Response:
    """An example file."""
    requested_class(request, Permission.MANAGE)
    headers = {"Content-Disposition": 'attachment; filename="roster.csv"'}
    return Response(example_roster_csv(), media_type="text/csv; charset=utf-8", headers=headers)


def _import_file(request: Request, class_name: str, content: bytes, file_name: str) -> Response:
    context = context_of(request)
    try:
        roster = parse_roster_bytes(content, file_name, class_name)
        errors = in_line_order(
            [
                *roster.problems,
                *_other_class_rows(roster, class_name),
                *seat_conflicts(context.engine, roster.rows),
            ]
        )
        if not errors and not roster.rows:
            raise UserError(f"{file_name} has no student.", "Add one line per student below the headings.")
    except UserError as error:
        return _render(request, class_name, 422, errors=[error])
    if errors:
        return _render(request, class_name, 422, errors=errors)
    result = import_roster(context.engine, roster.rows, now_utc(), request_account(request).name)
    return _render(request, class_name, result=result, roster=roster)


def _other_class_rows(roster: RosterFile, class_name: str) -> list[RowError]:
    """Errors for rows of other classes, for which the account may lack permission."""
    return [
        RowError(row.line, f"group is {row.row.group!r}; it must be {class_name!r} or empty")
        for row in roster.rows
        if row.row.group != class_name
    ]


def _render(
    request: Request,
    class_name: str,
    code: int = 200,
    *,
    errors: Sequence[str | ProblemError] = (),
    result: ImportResult | None = None,
    roster: RosterFile | None = None,
) -> Response:
    context, account = context_of(request), request_account(request)
    entries = sorted(
        list_roster(context.engine, class_name), key=lambda entry: natural_sort_key(entry.pseudonym)
    )
    with_names = request.method == "GET" and request.query_params.get("names") == "yes"
    names: Mapping[int, str] = {}
    if with_names:
        context.audit(account, "view names", f"class {class_name}")
        names = load_student_names(context.engine, [entry.student_id for entry in entries])
    return render_page(
        request,
        "roster.html.j2",
        code,
        class_name=class_name,
        group=request.path_params["group"],
        entries=entries,
        names=names,
        with_names=with_names,
        unmasked=read_classroom(context.engine, class_name).unmaskable,
        errors=errors,
        result=result,
        ignored_columns=roster.ignored_columns if roster else (),
        uncertain_characters=roster.uncertain_characters if roster else "",
    )


ROUTES = [
    route("/classes/{group:int}/roster", roster_page, Permission.MANAGE),
    route(
        "/classes/{group:int}/roster", upload_roster, Permission.MANAGE, methods=("POST",), streams_body=True
    ),
    route("/classes/{group:int}/roster/example.csv", roster_example_file, Permission.MANAGE),
    route(
        "/classes/{group:int}/roster/{student:int}/consent",
        change_consent,
        Permission.MANAGE,
        methods=("POST",),
    ),
]
