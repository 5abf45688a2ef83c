"""``classpulse schedule``: the lessons of the next days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from classpulse.cli.options import json_option
from classpulse.config.settings import Config, read_config
from classpulse.console import print_json, print_message, print_table
from classpulse.formatting import english_count
from db.clock import now_utc
from db.engine import open_database
from db.errors import DatabaseMissing
from db.records import SessionRecord
from monitor.daemon.scheduler import sessions_of
from monitor.daemon.timetable import ScheduledLesson, Timetable, local_to_utc

HEADINGS = ("day", "from", "to", "class", "room", "")


@dataclass(frozen=True)
class ScheduleLine:
    """A lesson with its ``state``: upcoming, now, recorded, missed or holiday."""

    lesson: ScheduledLesson
    state: str
    session: SessionRecord | None = None


@click.command("schedule")
@click.option(
    "--days", type=click.IntRange(1, 366), default=7, show_default=True, help="Number of days, from today."
)
@json_option
@click.pass_obj
def schedule_command(config_path: Path, days: int, as_json: bool) -> int:
    """Show the lessons of today and the next days, including missed ones and those cancelled by holidays."""
    from classpulse.config.daemon import build_timetable

    config = read_config(config_path)
    table = build_timetable(config)
    lines = _schedule_lines(config, table, now_utc(), days)
    if as_json:
        print_json({"zone": str(table.zone), "lessons": [_line_data(line, table) for line in lines]})
    elif lines:
        title = f"Lessons of {english_count(days, 'day')}, {table.zone}"
        print_table(title, HEADINGS, [_cells(line, table) for line in lines])
    elif table.slots:
        print_message(f"no lesson in {english_count(days, 'day')}; --days shows more")
    else:
        print_message(
            f"{config.file_name} has no lessons; list them in schedule.lessons (docs/guides/timetable.md)"
        )
    return 0


def _schedule_lines(config: Config, table: Timetable, now: datetime, days: int) -> list[ScheduleLine]:
    today = now.astimezone(table.zone).date()
    start, end = (local_to_utc(day, time(), table.zone) for day in (today, today + timedelta(days=days)))
    late_start = timedelta(minutes=config.settings.schedule.late_start_min)
    lines = [ScheduleLine(lesson, "holiday") for lesson in table.cancelled(start, end)]
    engine = _open_existing_database(config)
    try:
        for lesson in table.occurrences(start, end):
            sessions = sessions_of(engine, lesson) if engine is not None and lesson.starts_at <= now else []
            lines.append(_schedule_line(lesson, sessions, now, late_start))
    finally:
        if engine is not None:
            engine.dispose()
    return sorted(lines, key=lambda line: (line.lesson.starts_at, line.lesson.room or ""))


def _schedule_line(
    lesson: ScheduledLesson, sessions: list[SessionRecord], now: datetime, late_start: timedelta
) -> ScheduleLine:
    newest = sessions[0] if sessions else None
    if lesson.starts_at > now:
        return ScheduleLine(lesson, "upcoming")
    if lesson.ends_at > now and (newest is not None or lesson.may_start(now, late_start)):
        return ScheduleLine(lesson, "now", newest)
    return ScheduleLine(lesson, "missed" if newest is None else "recorded", newest)


def _open_existing_database(config: Config) -> Engine | None:
    """The existing database, None without one: showing the timetable creates no database."""
    try:
        return open_database(config.database_url, create=False)
    except DatabaseMissing:
        return None


def _cells(line: ScheduleLine, table: Timetable) -> tuple[str, ...]:
    starts, ends = (at.astimezone(table.zone) for at in (line.lesson.starts_at, line.lesson.ends_at))
    session = "" if line.session is None else f"session {line.session.id} {line.session.status.value}"
    labels = {
        "upcoming": "",
        "recorded": session,
        "now": f"now, {session}" if session else "now, not recorded",
    }
    return (
        f"{starts:%a %Y-%m-%d}",
        f"{starts:%H:%M}",
        f"{ends:%H:%M}",
        line.lesson.class_name,
        line.lesson.room or "",
        labels.get(line.state, line.state),
    )


def _line_data(line: ScheduleLine, table: Timetable) -> dict[str, Any]:
    lesson = line.lesson
    return {
        "class": lesson.class_name,
        "room": lesson.room,
        "from": lesson.starts_at.astimezone(table.zone).isoformat(),
        "to": lesson.ends_at.astimezone(table.zone).isoformat(),
        "state": line.state,
        "session": None if line.session is None else line.session.id,
    }
