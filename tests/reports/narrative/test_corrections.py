from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db.records import Correction, CorrectionKind, CorrectionRecord
from reports.narrative.corrections import describe_correction

MADE_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "at_s", "words"),
    [
        ("name", None, "Student 3 is Mia"),
        ("merge", None, "Student 3 and Mia are the same student"),
        ("split", 750.0, "from 12:30 on Student 3 was Mia"),
        ("split", 3750.0, "from 1:02:30 on Student 3 was Mia"),
    ],
)
def test_describe_correction(kind, at_s, words):
    correction = Correction(CorrectionKind(kind), 3, 9, at_s)
    assert describe_correction(CorrectionRecord(1, 7, MADE_AT, None, correction, "Student 3", "Mia")) == words
