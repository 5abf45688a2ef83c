"""Corrections of identities, in words."""

from __future__ import annotations

from db.records import CorrectionKind, CorrectionRecord
from reports.text.formatting import format_media_time
from reports.text.i18n import _


def describe_correction(record: CorrectionRecord) -> str:
    """``Student 3 is Mia``, without a full stop."""
    student, person, kind = record.student_pseudonym, record.person_pseudonym, record.correction.kind
    if kind is CorrectionKind.NAME:
        return _("%(student)s is %(person)s", student=student, person=person)
    if kind is CorrectionKind.MERGE:
        return _("%(student)s and %(person)s are the same student", student=student, person=person)
    at = format_media_time(record.correction.at_s or 0.0)
    return _("from %(at)s on %(student)s was %(person)s", at=at, student=student, person=person)
