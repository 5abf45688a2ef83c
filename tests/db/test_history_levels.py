"""Earlier levels: of the roster's people, before a session, with what came of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.errors import NotFound
from db.history import earlier_levels
from db.records import EarlierLevel, FlagRecord, Level, SessionSummary, StudentSummary


@pytest.fixture
def term(store, new_session, a_bin):
    """Three sessions a week apart of Mia of the roster and of somebody known by the seat."""
    start, numbers, mia = new_session().started_at, [], 0
    with store.unit() as unit:
        for week in range(3):
            number = unit.start_session(new_session(started_at=start + timedelta(weeks=week)))
            numbers.append(number)
            mia = mia or unit.add_newcomer(number, "Mia", to_roster=True)
            other = unit.add_student(number, "Student 1")
            unit.write_bins(number, [a_bin(mia, 0.0), a_bin(other, 0.0)])
            level, away = Level(week / 4, 0.0, 0.75), Level(0.5, 0.5, 0.5) if week else None
            rows = [StudentSummary(w, 5, 5, 5, 9, 0, None, None, None, level, away) for w in (mia, other)]
            unit.save_summaries(SessionSummary(number, 1, 2, None, None, None, None), rows)
            kinds = [("sad_share", "not_flagged"), ("attention", "flagged"), ("another", "flagged")]
            unit.save_flags([FlagRecord(number, w, k, o, {}) for w in (mia, other) for k, o in kinds])
            unit.review_flag(FlagRecord(number, mia, "attention", "", {}, "dismissed", "Ms Ono", start))
        unit.commit()
    return numbers, mia


def test_the_levels_before_a_session(store, term, new_session) -> None:
    (first, second, third), mia = term
    start = new_session().started_at
    later = start + timedelta(weeks=1)
    assert earlier_levels(store.engine, third) == [
        EarlierLevel(mia, first, start, "sad_share", Level(0.0, 0.0, 0.75), "not_flagged"),
        EarlierLevel(mia, second, later, "attention", Level(0.5, 0.5, 0.5), "flagged", "dismissed"),
        EarlierLevel(mia, second, later, "sad_share", Level(0.25, 0.0, 0.75), "not_flagged"),
    ]
    assert earlier_levels(store.engine, first) == []


def test_an_unknown_session_is_an_error(store) -> None:
    with pytest.raises(NotFound, match="there is no session 1000000"):
        earlier_levels(store.engine, 10**6)
