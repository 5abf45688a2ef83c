"""What a session can say of one person, first of all whether it says anything. Pure."""

from __future__ import annotations

from enum import StrEnum

from db.records import ClassSession, StudentSummary
from reports.text.i18n import N_


class SessionPresence(StrEnum):
    """Missing a session is not zero, and neither is what was not kept."""

    SEEN = N_("seen")
    MISSED = N_("missed")
    """Not seen at all in a lesson of the class. Whether they were away or out of the picture is not known."""
    NOT_YET = N_("not yet known")
    """Before the first lesson in which they were somebody."""
    NOT_KEPT = N_("class figures only")
    """``mode: aggregate`` keeps nothing about one student."""
    RUNNING = N_("running")
    """A summary is made at the end."""


def session_presence(
    class_session: ClassSession, summary: StudentSummary | None, *, known_before: bool
) -> SessionPresence:
    """Of one person in one lesson; ``summary`` is theirs of it, if there is one."""
    if class_session.session.mode == "aggregate":
        return SessionPresence.NOT_KEPT
    if class_session.summary is None:
        return SessionPresence.RUNNING
    if summary is not None and summary.seen_s > 0:
        return SessionPresence.SEEN
    return SessionPresence.MISSED if known_before or summary is not None else SessionPresence.NOT_YET
