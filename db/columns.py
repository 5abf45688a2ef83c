"""Times as the database keeps them: aware UTC in, aware UTC out."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime
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

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Python to database; raises ``InvalidValue`` for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None or value.utcoffset() is None:
            raise InvalidValue(f"the time {value.isoformat()} has no time zone; expected aware UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Database to Python, always aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
