from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from classpulse.config.settings import read_config
from classpulse.services.times import (
    InvalidTime,
    LessonTime,
    OutsideRetention,
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
    ("text", "part"),
    [
        ("", "not a date and time"),
        ("yesterday", "not a date and time"),
        ("2026-03-02", "not a date and time"),
        ("2026-02-30 09:00", "not a date and time"),
        ("2026-03-02 25:00", "not a date and time"),
        ("0001-01-01 00:00", "not a date and time"),
        ("2026-03-02 09:00+99:00", "not a date and time"),
        ("2026-03-29 02:30", "daylight saving time"),
        ("2027-01-01 02:00", "in the future"),
    ],
)
def test_parse_lesson_time_invalid_text_raises(text: str, part: str) -> None:
    with pytest.raises(InvalidTime) as caught:
        parse_lesson_time(text, ZURICH, NOW)
    assert part in caught.value.problem


def test_parse_lesson_time_without_zone_uses_the_computers() -> None:
    expected = datetime(2026, 3, 2, 9).astimezone()
    assert parse_lesson_time("2026-03-02 09:00", None, NOW) == expected


def test_resolve_lesson_time_prefers_user_then_recording_then_analysis(tmp_path: Path) -> None:
    undated = write_video(tmp_path / "a.mp4", steps(2))
    dated = made(write_video(tmp_path / "b.mp4", steps(2)), "2026-03-02T08:00:00Z")
    recorded_at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert resolve_lesson_time(START, dated, NOW).source is TimeSource.USER
    assert resolve_lesson_time(None, dated, NOW) == LessonTime(recorded_at, TimeSource.RECORDING)
    for nothing in (undated, tmp_path, tmp_path / "gone.mp4"):
        assert resolve_lesson_time(None, nothing, NOW).source is TimeSource.ANALYSIS
        assert resolve_lesson_time(None, nothing, NOW).started_at == NOW


def test_require_within_retention_expired_lesson_raises(configured) -> None:
    config = read_config(configured(more="retention: {keep_days: 30}\noutput: {time_zone: UTC}\n"))
    require_within_retention(NOW - timedelta(days=29), config, NOW)
    with pytest.raises(OutsideRetention):
        require_within_retention(NOW - timedelta(days=32, hours=-12), config, NOW)
    require_within_retention(datetime(2001, 1, 1, tzinfo=UTC), read_config(configured()), NOW)


class TestAnalyze:
    @pytest.fixture
    def video(self, tmp_path: Path) -> Path:
        return write_video(tmp_path / "video.mp4", steps(10), fps=2)

    def test_analyze_recorded_at_sets_the_start(
        self, store: Store, video: Path, shell, tmp_path: Path
    ) -> None:
        path = tmp_path / "config.yaml"
        path.write_text(path.read_text("utf-8") + "output: {time_zone: Europe/Zurich}\n", "utf-8")
        answer = shell.json("analyze", video, "--no-report", "--recorded-at", "2026-03-02 09:00")
        assert (answer["started_at"], answer["time_source"]) == ("2026-03-02T08:00:00+00:00", "user")
        session = queries.get_session(store.engine, answer["session"])
        assert session.status is SessionStatus.FINISHED
        assert session.started_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
        assert session.ended_at == session.started_at + timedelta(seconds=session.end_s)
        (noted,) = [entry for entry in queries.list_audit_entries(store.engine) if entry.action == "start"]
        assert noted.at > session.ended_at + timedelta(days=1)  # the audit entry has the time of the analysis

    def test_analyze_time_in_the_recording_is_reported(
        self, store: Store, video: Path, shell, tmp_path: Path
    ) -> None:
        path = tmp_path / "config.yaml"
        path.write_text(path.read_text("utf-8") + "output: {time_zone: UTC}\n", "utf-8")
        code, _, error = shell("analyze", made(video, "2026-03-02T08:00:00Z"), "--no-report")
        assert (code, "lesson of 2026-03-02 08:00, the time in the recording" in error) == (0, True)
        (session,) = queries.list_sessions(store.engine)
        assert session.started_at == datetime(2026, 3, 2, 8, tzinfo=UTC)

    def test_analyze_unknown_time_is_reported(self, store: Store, video: Path, shell) -> None:
        code, _, error = shell("analyze", video, "--no-report")
        assert (code, "the time of the lesson is unknown" in error) == (0, True)

    def test_analyze_invalid_time_fails_before_a_session(self, store: Store, video: Path, shell) -> None:
        shell.raises(InvalidTime, "analyze", video, "--recorded-at", "noon")
        assert queries.list_sessions(store.engine) == []
