"""The page of ``classpulse sessions``."""

from __future__ import annotations

from collections.abc import Sequence

from db.records import SessionStatus
from reports.charts.sessions import SessionPoint, sessions_chart
from reports.history.document import Document, DocumentFigure, DocumentTable, Section, compact_table
from reports.history.sessions import SESSION_HEADINGS, SessionFilters, SessionLine
from reports.text.formatting import format_duration
from reports.text.i18n import _, ngettext


def sessions_page(lines: Sequence[SessionLine], filters: SessionFilters) -> Document:
    """The list, the newest first."""
    unreviewed = sum(line.unreviewed or 0 for line in lines)
    interrupted = sum(line.status is SessionStatus.INTERRUPTED for line in lines)
    return Document(
        title=_("Sessions"),
        subtitle=filters.text,
        facts=(
            (_("Sessions"), str(len(lines))),
            (_("Watched"), format_duration(sum(line.watched_s for line in lines))),
            (_("Interrupted"), str(interrupted)),
        ),
        key_sentences=(_unreviewed_text(unreviewed),),
        sections=[
            Section(_("Session by session"), figures=_session_figures(lines), tables=[_session_table(lines)])
        ]
        if lines
        else (),
    )


def _unreviewed_text(unreviewed: int) -> str:
    if not unreviewed:
        return _("No suggested check-ins are still open.")
    return ngettext(
        "%(num)d suggested check-in is still open.", "%(num)d suggested check-ins are still open.", unreviewed
    )


def _session_figures(lines: Sequence[SessionLine]) -> list[DocumentFigure]:
    points = [
        SessionPoint(
            line.started_at, line.watched_s / 60, line.status is SessionStatus.INTERRUPTED, line.flagged or 0
        )
        for line in reversed(lines)
    ]
    return [DocumentFigure(sessions_chart(points))]


def _session_table(lines: Sequence[SessionLine]) -> DocumentTable:
    return compact_table(
        SESSION_HEADINGS, [line.cells for line in lines], ("class", "room", "mode", "status")
    )
