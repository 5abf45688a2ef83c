"""Dates and times in the current language. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reports.errors import ReportError
from reports.text.i18n import Language, current_language


@dataclass(frozen=True)
class _Calendar:
    """Names (January and Monday first) and formats: ``long_format`` for sentences, ``short_format`` for
    lists, ``axis_format`` without the year, ``table_format`` of constant width. ``zone_names`` translates
    time zones."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    weekdays: tuple[str, ...]
    long_format: str
    weekday_format: str
    short_format: str
    axis_format: str
    table_format: str
    zone_names: Mapping[str, str]


_CALENDARS: Mapping[Language, _Calendar] = {
    Language.EN: _Calendar(
        (
            "January", "February", "March", "April", "May", "June",
            "July", "August", "September", "October", "November", "December",
        ),
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        "{at.day} {month} {at.year}",
        "{weekday} {day}",
        "{at.day} {short_month} {at.year}",
        "{at.day} {short_month}",
        "{at:%Y-%m-%d}",
        {},
    ),
    Language.DE: _Calendar(
        (
            "Januar", "Februar", "März", "April", "Mai", "Juni",
            "Juli", "August", "September", "Oktober", "November", "Dezember",
        ),
        ("Jan.", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
        ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
        "{at.day}. {month} {at.year}",
        "{weekday} {day}",
        "{at.day}.{at.month}.{at.year}",
        "{at.day}.{at.month}.",
        "{at:%d.%m.%Y}",
        {"CET": "MEZ", "CEST": "MESZ"},
    ),
}  # fmt: skip


def format_day(at: date) -> str:
    """``2 March 2026``, ``2. März 2026``."""
    return _format(at, _current_calendar().long_format)


def format_datetime(at: datetime) -> str:
    """``Monday 2 March 2026, 09:05 (CET)``, ``Mo 2. März 2026, 09:05 (MEZ)``."""
    calendar, zone = _current_calendar(), str(at.tzname())
    day = calendar.weekday_format.format(weekday=calendar.weekdays[at.weekday()], day=format_day(at))
    return f"{day}, {format_time_of_day(at)} ({calendar.zone_names.get(zone, zone)})"


def format_short_day(at: date) -> str:
    """``2 Mar 2026``, ``2.3.2026``."""
    return _format(at, _current_calendar().short_format)


def format_short_datetime(at: datetime) -> str:
    """``2 Mar 2026, 09:05``."""
    return f"{format_short_day(at)}, {format_time_of_day(at)}"


def format_time_of_day(at: datetime) -> str:
    """``09:05``."""
    return f"{at:%H:%M}"


def format_axis_day(at: date) -> str:
    """``2 Mar``, ``2.3.``."""
    return _format(at, _current_calendar().axis_format)


def format_table_day(at: date) -> str:
    """``2026-03-02``, ``02.03.2026``."""
    return _format(at, _current_calendar().table_format)


def format_table_datetime(at: datetime) -> str:
    """``2026-03-02 09:05``, ``02.03.2026 09:05``."""
    return f"{format_table_day(at)} {format_time_of_day(at)}"


def _current_calendar() -> _Calendar:
    return _CALENDARS[current_language()]


def _format(at: date, order: str) -> str:
    calendar = _current_calendar()
    names = calendar.months[at.month - 1], calendar.short_months[at.month - 1]
    return order.format(at=at, month=names[0], short_month=names[1])


def local_time(at: datetime, settings: ReportSettings) -> datetime:
    """``at`` (aware) in the report's time zone. Raises ReportError for an unknown time zone."""
    if settings.timezone is None:
        return at.astimezone()
    try:
        return at.astimezone(ZoneInfo(settings.timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ReportError(
            f"The time zone {settings.timezone!r} is unknown on this computer.",
            "Use an IANA name such as 'Europe/London', or remove the setting to use the computer's time zone. "
            "On Windows, install the names with 'pip install tzdata'.",
        ) from error


@dataclass(frozen=True)
class ReportSettings:
    """``timezone``: IANA name ("Europe/Madrid") of printed times; None: the computer's time zone."""

    timezone: str | None = None
