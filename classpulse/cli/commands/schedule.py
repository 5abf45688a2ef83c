"""``classpulse schedule``: the lessons of the next days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from classpulse.cli.console import print_json, print_table, say
from classpulse.config.settings import Config, read_config
from classpulse.formatting import count
from db.clock import now_utc
from db.engine import open_database
from db.errors import DatabaseMissing
from db.records import SessionRecord
from monitor.daemon.scheduler import sessions_of
from monitor.daemon.timetable import Lesson, Timetable, moment

HEADINGS = ("day", "from", "to", "class", "room", "")


@dataclass(frozen=True)
class Line:
    """A lesson and what is known of it: ``state`` is ahead, now, recorded, missed or holiday."""

    lesson: Lesson
    state: str
    session: SessionRecord | None = None


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 366), default=7, show_default=True, help="So many, from today."
)
@click.option("--json", "as_json", is_flag=True, help="Print the lessons as JSON.")
@click.pass_obj
def schedule(config_path: Path, days: int, as_json: bool) -> int:
    """Show the lessons of today and the next days, those that a holiday cancels, and which were missed."""
    from monitor.daemon.scheduler import timetable_of

    config = read_config(config_path)
    table = timetable_of(config)
    lines = _lines(config, table, now_utc(), days)
    if as_json:
        print_json({"zone": str(table.zone), "lessons": [_data(line, table) for line in lines]})
    elif lines:
        title = f"Lessons of {count(days, 'day')}, {table.zone}"
        print_table(title, HEADINGS, [_cells(line, table) for line in lines])
    elif table.slots:
        say(f"no lesson in {count(days, 'day')}; --days looks further")
    else:
        say(f"there are no lessons in {config.name}; list them in schedule.lessons (docs/timetable.md)")
    return 0


def _lines(config: Config, table: Timetable, now: datetime, days: int) -> list[Line]:
    today = now.astimezone(table.zone).date()
    start, end = (moment(day, time(), table.zone) for day in (today, today + timedelta(days=days)))
    late_start = timedelta(minutes=config.settings.schedule.late_start_min)
    lines = [Line(lesson, "holiday") for lesson in table.cancelled(start, end)]
    engine = _database(config)
    try:
        for lesson in table.occurrences(start, end):
            found = sessions_of(engine, lesson) if engine is not None and lesson.starts_at <= now else []
            lines.append(_line(lesson, found, now, late_start))
    finally:
        if engine is not None:
            engine.dispose()
    return sorted(lines, key=lambda line: (line.lesson.starts_at, line.lesson.room or ""))


def _line(lesson: Lesson, found: list[SessionRecord], now: datetime, late_start: timedelta) -> Line:
    newest = found[0] if found else None
    if lesson.starts_at > now:
        return Line(lesson, "ahead")
    if lesson.ends_at > now and (newest is not None or lesson.may_start(now, late_start)):
        return Line(lesson, "now", newest)
    return Line(lesson, "missed" if newest is None else "recorded", newest)


def _database(config: Config) -> Engine | None:
    """To read what was recorded; a look at the timetable makes no database."""
    try:
        return open_database(config.database_url, create=False)
    except DatabaseMissing:
        return None


def _cells(line: Line, table: Timetable) -> tuple[str, ...]:
    starts, ends = (at.astimezone(table.zone) for at in (line.lesson.starts_at, line.lesson.ends_at))
    session = "" if line.session is None else f"session {line.session.id} {line.session.status.value}"
    told = {"ahead": "", "recorded": session, "now": f"now, {session}" if session else "now, not recorded"}
    return (
        f"{starts:%a %Y-%m-%d}",
        f"{starts:%H:%M}",
        f"{ends:%H:%M}",
        line.lesson.class_name,
        line.lesson.room or "",
        told.get(line.state, line.state),
    )


def _data(line: Line, table: Timetable) -> dict[str, Any]:
    lesson = line.lesson
    return {
        "class": lesson.class_name,
        "room": lesson.room,
        "from": lesson.starts_at.astimezone(table.zone).isoformat(),
        "to": lesson.ends_at.astimezone(table.zone).isoformat(),
        "state": line.state,
        "session": None if line.session is None else line.session.id,
    }
