"""Earlier levels: of the roster's people, before a session, with what came of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.errors import NotFound
from db.history import load_earlier_shares
from db.records import EarlierShare, FlagRecord, SessionSummary, ShareEstimate, StudentSummary


@pytest.fixture
def term(store, new_session, a_bin):
    """Three sessions a week apart of Mia of the roster and of somebody known by the seat."""
    start, numbers, mia = new_session().started_at, [], 0
    with store.unit_of_work() as unit:
        for week in range(3):
            number = unit.start_session(new_session(started_at=start + timedelta(weeks=week)))
            numbers.append(number)
            mia = mia or unit.add_unrecorded_student(number, "Mia", to_roster=True)
            other = unit.add_student(number, "Student 1")
            unit.write_bins(number, [a_bin(mia, 0.0), a_bin(other, 0.0)])
            level, away = ShareEstimate(week / 4, 0.0, 0.75), ShareEstimate(0.5, 0.5, 0.5) if week else None
            rows = [StudentSummary(w, 5, 5, 5, 9, 0, None, None, None, level, away) for w in (mia, other)]
            unit.save_summaries(SessionSummary(number, 1, 2, None, None, None, None), rows)
            kinds = [("sadness", "not_flagged"), ("attention", "flagged"), ("another", "flagged")]
            unit.save_flags([FlagRecord(number, w, k, o, {}) for w in (mia, other) for k, o in kinds])
            unit.save_review(FlagRecord(number, mia, "attention", "", {}, "dismissed", "Ms Ono", start))
        unit.commit()
    return numbers, mia


def test_the_levels_before_a_session(store, term, new_session) -> None:
    (first, second, third), mia = term
    start = new_session().started_at
    later = start + timedelta(weeks=1)
    assert load_earlier_shares(store.engine, third) == [
        EarlierShare(mia, first, start, "sadness", ShareEstimate(0.0, 0.0, 0.75), "not_flagged"),
        EarlierShare(mia, second, later, "attention", ShareEstimate(0.5, 0.5, 0.5), "flagged", "dismissed"),
        EarlierShare(mia, second, later, "sadness", ShareEstimate(0.25, 0.0, 0.75), "not_flagged"),
    ]
    assert load_earlier_shares(store.engine, first) == []


def test_an_unknown_session_is_an_error(store) -> None:
    with pytest.raises(NotFound, match="there is no session 1000000"):
        load_earlier_shares(store.engine, 10**6)
