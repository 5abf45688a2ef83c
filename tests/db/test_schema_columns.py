"""Times and numbers through the database and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from db import sessions as queries
from db.errors import InvalidValue
from db.schema import RealNumber, UtcDateTime, WholeNumber
from db.unit_of_work import Store

DIALECT = sqlite.dialect()
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# A day from the ends of what datetime holds, for the shift to UTC.
TIMES = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)


@settings(max_examples=50)
@given(at=TIMES)
def test_an_aware_time_comes_back_the_same_moment_in_utc(
    shared_store: Store, new_session, at: datetime
) -> None:
    with shared_store.unit_of_work() as unit:
        number = unit.start_session(new_session(started_at=at))
        unit.commit()
    back = queries.get_session(shared_store.engine, number).started_at
    assert back == at
    assert back.tzinfo is UTC


def test_a_naive_time_is_rejected() -> None:
    with pytest.raises(InvalidValue, match=r"2026-03-02T09:00:00 has no time zone; expected aware UTC"):
        UtcDateTime().process_bind_param(datetime(2026, 3, 2, 9), DIALECT)


def test_a_time_from_postgresql_in_another_zone_becomes_utc() -> None:
    berlin = datetime(2026, 3, 2, 10, tzinfo=timezone(timedelta(hours=1)))
    back = UtcDateTime().process_result_value(berlin, postgresql.dialect())
    assert back == berlin
    assert back is not None
    assert back.tzinfo is UTC


@pytest.mark.parametrize(
    "column", [UtcDateTime(), WholeNumber(), RealNumber()], ids=lambda c: type(c).__name__
)
def test_nothing_stays_nothing(column) -> None:
    assert column.process_bind_param(None, DIALECT) is None


@pytest.mark.parametrize("value", [np.int64(-3), np.uint8(7), True, 5])
def test_whole_numbers_become_python_s(value) -> None:
    bound = WholeNumber().process_bind_param(value, DIALECT)
    assert type(bound) is int or bound is True
    assert bound == value


@pytest.mark.parametrize("value", [np.float32(0.1), np.float64(0.1), np.int64(3), 2, 0.1])
def test_numbers_become_python_s(value) -> None:
    bound = RealNumber().process_bind_param(value, DIALECT)
    assert type(bound) is float
    assert bound == value


@pytest.mark.parametrize("value", [1.0, "1", np.float32(1), [1]])
def test_what_is_no_whole_number(value) -> None:
    with pytest.raises(InvalidValue, match="expected a whole number"):
        WholeNumber().process_bind_param(value, DIALECT)


@pytest.mark.parametrize("value", ["one", [1.0], datetime(2026, 3, 2)])
def test_what_is_no_number(value) -> None:
    with pytest.raises(InvalidValue, match="expected a number"):
        RealNumber().process_bind_param(value, DIALECT)
