"""Progress lines of an analysis, and its cancellation when standard input closes."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from classpulse.services.analysis_progress import (
    AnalysisProgress,
    ProgressReporter,
    format_progress,
    parse_progress,
)
from db import sessions as queries
from db.engine import open_database
from monitor.runtime.shutdown import ShutdownRequest
from tests.helpers.videos import steps, write_video


@pytest.mark.parametrize(
    "text", ["", "writing the report", "{}", '{"session": 3}', '{"analysis": {"end_s": "x"}}', "[1]"]
)
def test_parse_progress_other_line_gives_none(text: str) -> None:
    assert parse_progress(text) is None


def test_progress_line_round_trip() -> None:
    progress = AnalysisProgress(3, 5.5, None, 4)
    assert parse_progress(format_progress(progress)) == progress


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> int:
    """The other end of standard input."""
    reading, writing = os.pipe()
    read = os.read
    monkeypatch.setattr("os.read", lambda _, size: read(reading, size))
    return writing


def test_progress_reporter_closed_stdin_cancels(stdin: int, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock stands still, so that only the first report is due.
    monkeypatch.setattr(
        "classpulse.services.analysis_progress.time", SimpleNamespace(monotonic=lambda: 100.0)
    )
    stop = ShutdownRequest()
    reporter = ProgressReporter(stop)
    reporter.report_start(3, 60.0)
    reporter.report(0.5, 2)
    assert parse_progress(capsys.readouterr().err.strip()) == AnalysisProgress(3, 0.0, 60.0, 0)
    assert not stop.is_set()
    os.close(stdin)
    assert stop.wait(60)
    assert stop.immediate
    assert reporter.cancelled


def test_analyze_class_room_and_name(tmp_path: Path, configured, shell) -> None:
    configured(more="class: {name: 7b}\n")
    video = write_video(tmp_path / "video.mp4", steps(5), fps=1)
    shell.json("analyze", video, "--class", "8c", "--room", "A1", "--name", "Maths", "--no-report")
    engine = open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}")
    (session,) = queries.list_sessions(engine)
    engine.dispose()
    assert (session.class_name, session.room, session.source) == ("8c", "A1", "Maths")
