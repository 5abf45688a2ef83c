"""Column types that take no surprises: aware UTC times and plain numbers."""

from __future__ import annotations

import operator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Float, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from db.errors import InvalidValue


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, microsecond precision. Any aware ``datetime`` is taken and converted to UTC; a naive
    one raises ``InvalidValue``, because a guess at its zone would shift a lecture by hours.

    SQLite has no time zone in its columns: what it returns naive is the UTC that was written.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Python to database; raises ``InvalidValue`` for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None or value.utcoffset() is None:
            raise InvalidValue(f"the time {value.isoformat()} has no time zone; expected aware UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Database to Python, always aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WholeNumber(TypeDecorator[int]):
    """An integer. NumPy's are converted: SQLite's driver would take ``np.int64(10)`` for a buffer and
    store its eight bytes, without a word."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        """Python to database; raises ``InvalidValue`` for what is no whole number."""
        try:
            return None if value is None else operator.index(value)
        except TypeError as error:
            raise InvalidValue(f"{value!r} cannot be stored; expected a whole number") from error


class Real(TypeDecorator[float]):
    """A double. NumPy's are converted, for the same reason."""

    impl = Float(53)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        """Python to database; raises ``InvalidValue`` for what is no number."""
        try:
            return None if value is None else float(value)
        except (TypeError, ValueError) as error:
            raise InvalidValue(f"{value!r} cannot be stored; expected a number") from error
