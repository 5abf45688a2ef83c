"""The frozen dataclasses that are written to and read from the database, one module per topic (as in
``db.schema``), exported here.

A field is stored in the column of the same name (``db.mapping``). ``db`` does not import the packages that
compute the values, so expressions are seven floats in the order of ``model.emotions.EMOTIONS``, and reasons
are strings.
"""

from __future__ import annotations

from db.records.accounts import Account, Login, Role
from db.records.audit import AuditRecord
from db.records.corrections import Correction, CorrectionKind, CorrectionRecord
from db.records.flags import FlagRecord
from db.records.history import ClassHistory, ClassSession, EarlierShare, StudentSession
from db.records.seat_plans import PlannedSeat, SeatPlan
from db.records.sessions import (
    ONLINE_SOURCE,
    AnalysisMode,
    GapRecord,
    MarkerRecord,
    NewSession,
    SessionProgress,
    SessionRecord,
    SessionStatus,
)
from db.records.students import RosterEntry, StudentRecord
from db.records.summaries import SessionSummary, ShareEstimate, StudentSummary
from db.records.timeline import SeatRecord, TimelineBin, TrackRecord

MAX_SUGGESTIONS = 3
"""The number of close matches that an error offers."""

__all__ = [
    "MAX_SUGGESTIONS",
    "ONLINE_SOURCE",
    "Account",
    "AnalysisMode",
    "AuditRecord",
    "ClassHistory",
    "ClassSession",
    "Correction",
    "CorrectionKind",
    "CorrectionRecord",
    "EarlierShare",
    "FlagRecord",
    "GapRecord",
    "Login",
    "MarkerRecord",
    "NewSession",
    "PlannedSeat",
    "Role",
    "RosterEntry",
    "SeatPlan",
    "SeatRecord",
    "SessionProgress",
    "SessionRecord",
    "SessionStatus",
    "SessionSummary",
    "ShareEstimate",
    "StudentRecord",
    "StudentSession",
    "StudentSummary",
    "TimelineBin",
    "TrackRecord",
]
