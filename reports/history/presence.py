"""Whether a session has data on a student, and if not, why. Pure."""

from __future__ import annotations

from enum import StrEnum

from db.records import ClassSession, StudentSummary
from reports.text.i18n import N_


class SessionPresence(StrEnum):
    """Why a session has or has not data on a student. The values are stored in the JSON and are message
    IDs."""

    SEEN = N_("seen")
    MISSED = N_("missed")
    """Not seen in a session of the class: absent or outside the image."""
    NOT_YET = N_("not yet known")
    """Before the student's first session."""
    NOT_KEPT = N_("class figures only")
    """``mode: aggregate`` stores nothing about single students."""
    RUNNING = N_("running")
    """The summary is created when the session ends."""


def session_presence(
    class_session: ClassSession, summary: StudentSummary | None, *, known_before: bool
) -> SessionPresence:
    """The presence of one student in one session. ``summary``: of this student and session, if any.
    ``known_before``: whether the student was seen in an earlier session."""
    if class_session.session.mode == "aggregate":
        return SessionPresence.NOT_KEPT
    if class_session.summary is None:
        return SessionPresence.RUNNING
    if summary is not None and summary.seen_s > 0:
        return SessionPresence.SEEN
    return SessionPresence.MISSED if known_before or summary is not None else SessionPresence.NOT_YET
