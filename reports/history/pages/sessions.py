"""The page of ``classpulse sessions``."""

from __future__ import annotations

from collections.abc import Sequence

from db.records import SessionStatus
from reports.charts.sessions import Watched, watched_chart
from reports.history.document import Document, Figure, Section, Table, listed
from reports.history.sessions import HEADINGS, Filters, SessionLine
from reports.text.formatting import length
from reports.text.i18n import _, ngettext


def sessions_page(lines: Sequence[SessionLine], filters: Filters) -> Document:
    """The list, the newest first."""
    waiting = sum(line.open or 0 for line in lines)
    broken = sum(line.status is SessionStatus.INTERRUPTED for line in lines)
    return Document(
        title=_("Sessions"),
        lead=filters.told,
        facts=(
            (_("Sessions"), str(len(lines))),
            (_("Watched"), length(sum(line.watched_s for line in lines))),
            (_("Interrupted"), str(broken)),
        ),
        answer=(_open(waiting),),
        sections=[Section(_("Session by session"), figures=_figures(lines), tables=[_table(lines)])]
        if lines
        else (),
    )


def _open(waiting: int) -> str:
    if not waiting:
        return _("No suggested check-ins are still open.")
    return ngettext(
        "%(num)d suggested check-in is still open.", "%(num)d suggested check-ins are still open.", waiting
    )


def _figures(lines: Sequence[SessionLine]) -> list[Figure]:
    drawn = [
        Watched(
            line.started_at, line.watched_s / 60, line.status is SessionStatus.INTERRUPTED, line.flagged or 0
        )
        for line in reversed(lines)
    ]
    return [Figure(watched_chart(drawn))]


def _table(lines: Sequence[SessionLine]) -> Table:
    return listed(HEADINGS, [line.cells for line in lines], ("class", "room", "mode", "status"))
