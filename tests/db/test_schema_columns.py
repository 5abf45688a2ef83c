"""Column types: times and numbers."""

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
# A day within the range of datetime, for the conversion to UTC.
TIMES = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)


@settings(max_examples=50)
@given(at=TIMES)
def test_aware_time_is_read_back_in_utc(shared_store: Store, new_session, at: datetime) -> None:
    with shared_store.unit_of_work() as unit:
        session_id = unit.start_session(new_session(started_at=at))
        unit.commit()
    back = queries.get_session(shared_store.engine, session_id).started_at
    assert back == at
    assert back.tzinfo is UTC


def test_naive_time_raises_invalid_value() -> None:
    with pytest.raises(InvalidValue):
        UtcDateTime().process_bind_param(datetime(2026, 3, 2, 9), DIALECT)


def test_time_from_postgresql_is_converted_to_utc() -> None:
    berlin = datetime(2026, 3, 2, 10, tzinfo=timezone(timedelta(hours=1)))
    back = UtcDateTime().process_result_value(berlin, postgresql.dialect())
    assert back == berlin
    assert back is not None
    assert back.tzinfo is UTC


@pytest.mark.parametrize(
    "column", [UtcDateTime(), WholeNumber(), RealNumber()], ids=lambda c: type(c).__name__
)
def test_none_is_stored_as_null(column) -> None:
    assert column.process_bind_param(None, DIALECT) is None


@pytest.mark.parametrize("value", [np.int64(-3), np.uint8(7), True, 5])
def test_integers_are_stored_as_int(value) -> None:
    bound = WholeNumber().process_bind_param(value, DIALECT)
    assert type(bound) is int or bound is True
    assert bound == value


@pytest.mark.parametrize("value", [np.float32(0.1), np.float64(0.1), np.int64(3), 2, 0.1])
def test_numbers_are_stored_as_float(value) -> None:
    bound = RealNumber().process_bind_param(value, DIALECT)
    assert type(bound) is float
    assert bound == value


@pytest.mark.parametrize("value", [1.0, "1", np.float32(1), [1]])
def test_non_integer_raises_invalid_value(value) -> None:
    with pytest.raises(InvalidValue):
        WholeNumber().process_bind_param(value, DIALECT)


@pytest.mark.parametrize("value", ["one", [1.0], datetime(2026, 3, 2)])
def test_non_number_raises_invalid_value(value) -> None:
    with pytest.raises(InvalidValue):
        RealNumber().process_bind_param(value, DIALECT)
