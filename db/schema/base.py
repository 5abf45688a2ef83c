"""The declarative base, the column types and the parts of constraints that several tables use."""

from __future__ import annotations

import operator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Float, Integer, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from db.errors import InvalidValue

CASCADE = "CASCADE"

PROBABILITIES = ("p_angry", "p_disgust", "p_fear", "p_happy", "p_sad", "p_surprise", "p_neutral")
"""The seven probability columns in the order of ``model.emotions.EMOTIONS``."""

VALID_SECONDS = "BETWEEN 0 AND 1e9"
"""Has an upper bound because PostgreSQL sorts NaN above every number (SQLite stores NaN as NULL)."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time with microseconds. Aware times are converted to UTC; a naive time raises
    ``InvalidValue``.

    SQLite columns have no time zone: the naive value it returns is the UTC that was written.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Python to database. Raises ``InvalidValue`` for a naive time."""
        if value is None:
            return None
        if value.tzinfo is None or value.utcoffset() is None:
            raise InvalidValue(f"The time {value.isoformat()} has no time zone.", "Pass an aware UTC time.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Database to Python, always aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WholeNumber(TypeDecorator[int]):
    """An integer. NumPy integers are converted, because the SQLite driver would store ``np.int64(10)`` as
    its eight bytes without an error."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        """Python to database. Raises ``InvalidValue`` for anything but an integer."""
        try:
            return None if value is None else operator.index(value)
        except TypeError as error:
            raise InvalidValue(f"{value!r} cannot be stored as an integer.") from error


class RealNumber(TypeDecorator[float]):
    """A double. NumPy numbers are converted, for the same reason."""

    impl = Float(53)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        """Python to database. Raises ``InvalidValue`` for anything but a number."""
        try:
            return None if value is None else float(value)
        except (TypeError, ValueError) as error:
            raise InvalidValue(f"{value!r} cannot be stored as a number.") from error


class Base(DeclarativeBase):
    """Base of all tables. Constraints have names, so that migrations can address them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UtcDateTime,
        int: WholeNumber,
        float: RealNumber,
        dict[str, Any]: JSON,
    }


def all_or_none_check() -> str:
    """SQL condition: the probability columns are all NULL or all set."""
    first, *rest = PROBABILITIES
    return " AND ".join(f"({first} IS NULL) = ({name} IS NULL)" for name in rest)
