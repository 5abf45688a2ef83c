from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.sources.video_file import recording_time
from tests.helpers.videos import made, steps, write_video

NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_recording_time_reads_container_tag(tmp_path: Path, suffix: str) -> None:
    video = made(write_video(tmp_path / f"video.{suffix}", steps(2)), "2026-03-02T08:00:00Z")
    assert recording_time(video, NOW) == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_recording_time_prefers_start_with_utc_offset(tmp_path: Path) -> None:
    video = made(
        write_video(tmp_path / "video.mov", steps(2)),
        "2026-03-02T08:45:00Z",
        **{"com.apple.quicktime.creationdate": "2026-03-02T09:00:00+0100"},
    )
    assert recording_time(video, NOW) == datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize("stored", ["1970-01-01T00:00:00Z", "2030-01-01T00:00:00Z"])
def test_recording_time_of_implausible_clock_is_none(tmp_path: Path, stored: str) -> None:
    assert recording_time(made(write_video(tmp_path / "video.mkv", steps(2)), stored), NOW) is None


def test_recording_time_of_other_files_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"not a video " * 100)
    (tmp_path / "empty.mp4").touch()
    for path in (tmp_path, tmp_path / "a.mp4", tmp_path / "empty.mp4", tmp_path / "gone.mp4"):
        assert recording_time(path, NOW) is None
