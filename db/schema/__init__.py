"""The tables of the database, one module per topic (as in ``db.records``), exported here.

Times are aware UTC; positions within a session are media seconds. Rows that belong to a session are deleted
with it (``ON DELETE CASCADE``). The audit log has no foreign keys: it names its subjects in words, so that it
outlives erased data.
"""

from __future__ import annotations

from db.schema.accounts import AccountClassRow, AccountRow, LoginRow
from db.schema.audit import AuditRow
from db.schema.base import PROBABILITIES, Base, RealNumber, UtcDateTime, WholeNumber
from db.schema.corrections import CorrectionRow, IdentityIntervalRow
from db.schema.flags import FlagRow
from db.schema.seat_plans import OptedOutSeatRow, PlannedSeatRow, SeatPlanRow
from db.schema.sessions import ClassGroupRow, GapRow, MarkerRow, SessionRow
from db.schema.students import RosterEntryRow, StudentNameRow, StudentRow
from db.schema.summaries import SessionSummaryRow, StudentSummaryRow
from db.schema.timeline import SeatRow, TimelineBinRow, TrackRow

HEAD_REVISION = "0001"
"""The newest revision in ``db/migrations/versions``. A constant, so that opening an up-to-date database does
not import Alembic (0.27 s of start-up); a test compares it with the scripts."""

__all__ = [
    "HEAD_REVISION",
    "PROBABILITIES",
    "AccountClassRow",
    "AccountRow",
    "AuditRow",
    "Base",
    "ClassGroupRow",
    "CorrectionRow",
    "FlagRow",
    "GapRow",
    "IdentityIntervalRow",
    "LoginRow",
    "MarkerRow",
    "OptedOutSeatRow",
    "PlannedSeatRow",
    "RealNumber",
    "RosterEntryRow",
    "SeatPlanRow",
    "SeatRow",
    "SessionRow",
    "SessionSummaryRow",
    "StudentNameRow",
    "StudentRow",
    "StudentSummaryRow",
    "TimelineBinRow",
    "TrackRow",
    "UtcDateTime",
    "WholeNumber",
]
