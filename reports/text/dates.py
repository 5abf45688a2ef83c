"""Days and times as a reader of the language that is spoken writes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reports.errors import ReportError
from reports.text.i18n import Language, current_language


@dataclass(frozen=True)
class _Calendar:
    """Names, January and Monday first, and the orders in which they are written: ``long_format`` in sentences,
    ``short_format`` in lists, ``axis_format`` without the year, ``table_format`` where all are of one width. ``zone_names``
    translates what a time zone is called."""

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
    told = calendar.weekday_format.format(weekday=calendar.weekdays[at.weekday()], day=format_day(at))
    return f"{told}, {format_time_of_day(at)} ({calendar.zone_names.get(zone, zone)})"


def format_short_day(at: date) -> str:
    """``2 Mar 2026``, ``2.3.2026``."""
    return _format(at, _current_calendar().short_format)


def format_short_datetime(at: datetime) -> str:
    """With the time: ``2 Mar 2026, 09:05``."""
    return f"{format_short_day(at)}, {format_time_of_day(at)}"


def format_time_of_day(at: datetime) -> str:
    """The time of day: ``09:05``."""
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
    """An aware time in the report's time zone. Raises ReportError if that is unknown."""
    if settings.timezone is None:
        return at.astimezone()
    try:
        return at.astimezone(ZoneInfo(settings.timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ReportError(
            f"the time zone {settings.timezone!r} is not known here; expected a name such as "
            "'Europe/London'; correct it, or leave it out for the computer's own "
            "(Windows knows the names after `pip install tzdata`)"
        ) from error


@dataclass(frozen=True)
class ReportSettings:
    """``timezone`` is the IANA name ("Europe/Madrid") in which times are printed. None is the time zone of
    the computer that makes the report: nearly always the school's, and a wrong name would be worse."""

    timezone: str | None = None
