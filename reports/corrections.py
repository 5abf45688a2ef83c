"""Corrections of who is who, in words."""

from __future__ import annotations

from db.records import CorrectionKind, CorrectionRecord
from reports.words import clock


def told(record: CorrectionRecord) -> str:
    """``Student 3 is Mia``, as a sentence without its full stop."""
    student, person, kind = record.student, record.person, record.correction.kind
    if kind is CorrectionKind.NAME:
        return f"{student} is {person}"
    if kind is CorrectionKind.MERGE:
        return f"{student} was {person} all along"
    return f"from {clock(record.correction.at_s or 0.0)} on {student} was {person}"
