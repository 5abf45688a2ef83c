from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from classpulse.config.settings import read_config
from classpulse.errors import UserError
from classpulse.services.times import (
    LessonTime,
    TimeSource,
    parse_lesson_time,
    require_within_retention,
    resolve_lesson_time,
)
from db import sessions as queries
from db.records import SessionStatus
from db.unit_of_work import Store
from tests.helpers.recorded import START
from tests.helpers.videos import made, steps, write_video

ZURICH = ZoneInfo("Europe/Zurich")
NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-02 09:00", "2026-03-02T08:00"),
        (" 2026-07-02T09:00:30 ", "2026-07-02T07:00:30"),
        ("2026-03-02 09:00Z", "2026-03-02T09:00"),
        ("2026-03-02 09:00-05:00", "2026-03-02T14:00"),
        # Clocks went back at 3:00: this came twice, and the first was still summer time.
        ("2026-10-25 02:30", "2026-10-25T00:30"),
        ("2026-10-25 02:30+01:00", "2026-10-25T01:30"),
    ],
)
def test_times_are_those_of_the_zone(text: str, utc: str) -> None:
    assert parse_lesson_time(text, ZURICH, NOW) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no time of a lesson"),
        ("yesterday", "is no time of a lesson"),
        ("2026-03-02", "is no time of a lesson"),
        ("2026-02-30 09:00", "is no time of a lesson"),
        ("2026-03-02 25:00", "is no time of a lesson"),
        ("0001-01-01 00:00", "is no time of a lesson"),
        ("2026-03-02 09:00+99:00", "is no time of a lesson"),
        ("2026-03-29 02:30", "never was: the clocks went forward"),
        ("2027-01-01 02:00", "is in the future"),
    ],
)
def test_what_is_none_is_refused_in_a_line(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        parse_lesson_time(text, ZURICH, NOW)
    assert "\n" not in str(refused.value)


def test_the_computer_s_own_zone_where_none_is_set() -> None:
    expected = datetime(2026, 3, 2, 9).astimezone()
    assert parse_lesson_time("2026-03-02 09:00", None, NOW) == expected


def test_somebody_before_the_recording_before_the_analysis(tmp_path: Path) -> None:
    silent = write_video(tmp_path / "a.mp4", steps(2))
    telling = made(write_video(tmp_path / "b.mp4", steps(2)), "2026-03-02T08:00:00Z")
    said = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert resolve_lesson_time(START, telling, NOW).source is TimeSource.USER
    assert resolve_lesson_time(None, telling, NOW) == LessonTime(said, TimeSource.RECORDING)
    for nothing in (silent, tmp_path, tmp_path / "gone.mp4"):
        assert resolve_lesson_time(None, nothing, NOW).source is TimeSource.ANALYSIS
        assert resolve_lesson_time(None, nothing, NOW).started_at == NOW


def test_one_that_would_be_erased_at_once_is_refused(configured) -> None:
    config = read_config(configured(more="retention: {keep_days: 30}\noutput: {time_zone: UTC}\n"))
    require_within_retention(NOW - timedelta(days=29), config, NOW)
    with pytest.raises(UserError, match=r"a lesson of 2026-11-30 would be erased in the next night"):
        require_within_retention(NOW - timedelta(days=32, hours=-12), config, NOW)
    require_within_retention(datetime(2001, 1, 1, tzinfo=UTC), read_config(configured()), NOW)


class TestAnalyze:
    @pytest.fixture
    def film(self, tmp_path: Path) -> Path:
        return write_video(tmp_path / "film.mp4", steps(10), fps=2)

    def test_a_lesson_is_where_it_belongs(self, store: Store, film: Path, shell, tmp_path: Path) -> None:
        path = tmp_path / "config.yaml"
        path.write_text(path.read_text("utf-8") + "output: {time_zone: Europe/Zurich}\n", "utf-8")
        answer = shell.json("analyze", film, "--no-report", "--at", "2026-03-02 09:00")
        assert (answer["started_at"], answer["dated_by"]) == ("2026-03-02T08:00:00+00:00", "somebody")
        session = queries.get_session(store.engine, answer["session"])
        assert session.status is SessionStatus.FINISHED
        assert session.started_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
        assert session.ended_at == session.started_at + timedelta(seconds=session.end_s)
        (noted,) = [one for one in queries.list_audit_entries(store.engine) if one.action == "start"]
        assert noted.at > session.ended_at + timedelta(days=1)  # it is of what was done, and that was now

    def test_what_the_recording_says_is_said(self, store: Store, film: Path, shell, tmp_path: Path) -> None:
        path = tmp_path / "config.yaml"
        path.write_text(path.read_text("utf-8") + "output: {time_zone: UTC}\n", "utf-8")
        code, _, error = shell("analyze", made(film, "2026-03-02T08:00:00Z"), "--no-report")
        assert (code, "the recording says that it was made on 2026-03-02" in error) == (0, True)
        (session,) = queries.list_sessions(store.engine)
        assert session.started_at == datetime(2026, 3, 2, 8, tzinfo=UTC)

    def test_that_nobody_knows_is_said(self, store: Store, film: Path, shell) -> None:
        code, _, error = shell("analyze", film, "--no-report")
        assert (code, "is not known, so it is dated now" in error) == (0, True)

    def test_a_wrong_time_is_refused_before_anything(self, store: Store, film: Path, shell) -> None:
        assert "--at: 'noon' is no time of a lesson" in shell.fails(2, "analyze", film, "--at", "noon")
        assert queries.list_sessions(store.engine) == []
