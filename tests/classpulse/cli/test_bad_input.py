"""Invalid input and failures: error class, exit code, no lost data."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import Engine, event

from classpulse.cli.main import COMMANDS
from classpulse.errors import SettingsError, UnknownName, UserError
from db import sessions as queries
from db.engine import open_database
from db.errors import DatabaseFull, DatabaseLocked, NotADatabase, NotFound, SchemaTooNew
from db.records import SessionStatus
from model.errors import ModelError, NetworkFileError
from monitor.errors import SourceError
from reports.errors import ReportError
from tests.helpers.faces import face
from tests.helpers.videos import cut_off, noise, rotate, steps, write_video


def database(tmp_path: Path) -> Path:
    return tmp_path / "classpulse-data" / "classpulse.db"


def sessions(tmp_path: Path) -> list:
    engine = open_database(f"sqlite:///{database(tmp_path)}", create=False)
    try:
        return queries.list_sessions(engine)
    finally:
        engine.dispose()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No face is detected: these tests do not need faces."""

    class NoFaces:
        version = "none"

        def detect(self, image_bgr):
            return []

    monkeypatch.setattr("monitor.session.builder.load_detector", lambda settings: NoFaces())


class TestInvalidVideos:
    @pytest.mark.parametrize(
        ("name", "content", "part"),
        [
            ("missing.mp4", None, "missing.mp4"),
            ("text.mp4", b"not a video at all\n" * 100, "text.mp4"),
            ("empty.mp4", b"", "empty.mp4"),
        ],
    )
    def test_invalid_file_fails_without_a_session(
        self, tmp_path: Path, configured, shell, name: str, content: bytes | None, part: str
    ) -> None:
        configured()
        if content is not None:
            (tmp_path / name).write_bytes(content)
        assert part in shell.raises(SourceError, "analyze", tmp_path / name).problem
        assert sessions(tmp_path) == []

    def test_folder_without_images_fails(self, tmp_path: Path, configured, shell) -> None:
        configured()
        (tmp_path / "images").mkdir()
        shell.raises(SourceError, "analyze", tmp_path / "images")

    def test_camera_hint_names_start(self, configured, shell) -> None:
        configured()
        assert "classpulse start" in shell.raises(UserError, "analyze", "0").hint


class TestUnusualVideos:
    def finished(self, shell, path: Path) -> dict:
        answer = shell.json("analyze", path)
        assert answer["status"] == "finished"
        assert Path(answer["report"]["pdf"]).stat().st_size > 1000
        return answer

    def test_video_without_faces_gives_a_report(self, tmp_path: Path, configured, shell) -> None:
        configured()
        answer = self.finished(shell, write_video(tmp_path / "empty room.mp4", steps(40)))
        assert answer["students"] == 0
        assert "No student was seen" in Path(answer["report"]["html"]).read_text(encoding="utf-8")

    def test_single_frame_video(self, tmp_path: Path, configured, shell) -> None:
        configured()
        answer = self.finished(shell, write_video(tmp_path / "one.mp4", steps(1)))
        assert answer["frames_sampled"] == 1

    @pytest.mark.parametrize(("width", "height"), [(3840, 2160), (322, 242), (1, 1), (3, 501)])
    def test_unusual_frame_sizes(self, tmp_path: Path, configured, shell, width: int, height: int) -> None:
        configured()
        path = write_video(tmp_path / "odd.mkv", steps(3, width, height), codec="ffv1", pix_fmt="bgr0", fps=2)
        self.finished(shell, path)

    def test_grey_and_rotated_videos(self, tmp_path: Path, configured, shell) -> None:
        configured()
        self.finished(shell, write_video(tmp_path / "grey.mkv", steps(10), codec="ffv1", pix_fmt="gray"))
        self.finished(shell, rotate(write_video(tmp_path / "turned.mp4", steps(10)), 90))

    def test_truncated_video_is_interrupted_and_reported(self, tmp_path: Path, configured, shell) -> None:
        configured()
        path = cut_off(write_video(tmp_path / "cut.mp4", noise(100), index_first=True), 0.5)
        line = shell.fails(1, "analyze", path)
        assert "interrupted" in line
        assert "kept" in line
        (session,) = sessions(tmp_path)
        assert session.status is SessionStatus.INTERRUPTED
        assert 2 < session.end_s < 8
        assert shell.json("report", "last")["session"] == 1


class TestDatabase:
    @pytest.fixture
    def video(self, tmp_path: Path) -> Path:
        return write_video(tmp_path / "class.mp4", steps(50), fps=1)

    def test_other_file_is_rejected(self, tmp_path: Path, configured, shell, video: Path) -> None:
        configured()
        database(tmp_path).parent.mkdir()
        database(tmp_path).write_text("minutes of the meeting\n" * 100)
        shell.raises(NotADatabase, "analyze", video)
        assert database(tmp_path).read_text().startswith("minutes")

    def test_newer_schema_is_rejected(self, tmp_path: Path, configured, shell, video: Path) -> None:
        configured()
        shell.json("analyze", video, "--no-report")
        with sqlite3.connect(database(tmp_path)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        shell.raises(SchemaTooNew, "sessions")

    def test_database_in_a_file_path_fails(self, tmp_path: Path, configured, shell, video: Path) -> None:
        configured(more="database:\n  url: sqlite:///class.mp4/classpulse.db\n")
        shell.fails(2, "analyze", video)

    def test_locked_database_fails(self, tmp_path: Path, configured, shell, video: Path, monkeypatch) -> None:
        monkeypatch.setattr("db.engine.BUSY_TIMEOUT_S", 0.1)
        monkeypatch.setattr(
            "classpulse.database.open_database", lambda url, **_: open_database(url, busy_timeout_s=0.1)
        )
        configured()
        shell.json("analyze", video, "--no-report")
        holder = sqlite3.connect(database(tmp_path), isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        try:
            shell.raises(DatabaseLocked, "analyze", video)
        finally:
            holder.close()
        assert len(sessions(tmp_path)) == 1

    def test_full_disk_keeps_stored_data(self, tmp_path: Path, configured, shell, monkeypatch) -> None:
        """SQLite's page limit simulates a full disk: same error, same place."""

        class Crowd:
            version = "crowd"

            def detect(self, image_bgr):
                seats = [(100 * i, 100 + 150 * j) for i in range(8) for j in range(6)]
                return [replace(face(x, y), verified=True) for x, y in seats]

        configured("behaviour", more="recording:\n  bin_s: 1\n")
        video = write_video(tmp_path / "long.mp4", steps(40), fps=0.2)
        shell.json("analyze", video, "--no-report")
        with closing(sqlite3.connect(database(tmp_path))) as used:
            (pages,) = used.execute("PRAGMA page_count").fetchone()

        def limit(connection, _record) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages + 12}")

        monkeypatch.setattr("monitor.session.builder.load_detector", lambda settings: Crowd())
        event.listen(Engine, "connect", limit)
        try:
            shell.raises(DatabaseFull, "analyze", video)
        finally:
            event.remove(Engine, "connect", limit)
        # On a full disk even the end of the session may not be stored; then the next command closes it.
        monkeypatch.setattr("classpulse.database.is_running", lambda pid, started: False)
        statuses = {s["session_id"]: s["status"] for s in shell.json("sessions")}
        assert statuses == {1: "finished", 2: "interrupted"}
        engine = open_database(f"sqlite:///{database(tmp_path)}")
        stored = queries.load_bins(engine, 2)
        engine.dispose()
        assert sum(b.seen_samples for b in stored) > 100
        assert shell.json("report", "2")["session"] == 2

    def test_failing_writes_keep_the_first_half(
        self, tmp_path: Path, configured, shell, video: Path, monkeypatch
    ) -> None:
        from db.unit_of_work import UnitOfWork

        progress, calls = UnitOfWork.save_progress, []

        def full(self, session_id, done):
            calls.append(done.end_s)
            if done.end_s > 25:
                raise DatabaseFull("The disk of classpulse.db is full.")
            return progress(self, session_id, done)

        class OneFace:
            version = "one face"

            def detect(self, image_bgr):
                return [replace(face(30, 24, 16), verified=True)]

        monkeypatch.setattr("monitor.session.builder.load_detector", lambda settings: OneFace())
        monkeypatch.setattr(UnitOfWork, "save_progress", full)
        configured()
        shell.raises(DatabaseFull, "analyze", video)
        monkeypatch.undo()
        (session,) = sessions(tmp_path)
        assert session.status is SessionStatus.INTERRUPTED
        assert 15 <= session.end_s <= 25


class TestReport:
    def test_unknown_session_fails(self, configured, shell) -> None:
        configured()
        shell.raises(NotFound, "report", "7")
        shell.raises(UnknownName, "report", "seven")
        shell.raises(NotFound, "report")

    def test_unwritable_output_folder_fails(self, tmp_path: Path, configured, shell) -> None:
        configured()
        video = write_video(tmp_path / "class.mp4", steps(5))
        shell.json("analyze", video, "--no-report")
        shell.raises(ReportError, "report", "1", "--out", video / "reports")


class TestCommandLine:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["analyse", "x"],
            ["analyze"],
            ["report", "--format", "docx"],
            ["--nonsense"],
            ["sessions", "--limit", "0"],
        ],
    )
    def test_usage_errors_fail(self, configured, shell, arguments: list[str]) -> None:
        configured()
        shell.fails(2, *arguments)

    def test_missing_config_hint_names_init(self, shell) -> None:
        for command in ("check", "sessions", "status", "stop"):
            assert "classpulse init" in shell.raises(SettingsError, command).hint

    def test_bug_writes_a_crash_log(self, configured, shell, monkeypatch, tmp_path: Path) -> None:
        def bug(config_path):
            raise ZeroDivisionError

        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        monkeypatch.setattr("classpulse.cli.commands.sessions.read_config", bug)
        configured()
        assert "ZeroDivisionError" in shell.fails(3, "sessions")
        (log,) = tmp_path.glob("classpulse-*.log")
        assert "ZeroDivisionError" in log.read_text()

    def test_missing_window_libraries_hint_names_the_packages(self, configured, shell, monkeypatch) -> None:
        def headless(path):
            raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

        monkeypatch.setattr("classpulse.cli.commands.sessions.read_config", headless)
        configured()
        code, _, error = shell("sessions")
        assert code == 1
        assert "libGL.so.1" in error
        assert f"opencv-python-headless=={metadata.version('opencv-python-headless')}" in error

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_has_help(self, shell, command: str) -> None:
        code, out, _ = shell(command, "--help")
        assert code == 0
        assert "Usage: classpulse" in out


class TestModels:
    def test_damaged_network_fails(self, tmp_path: Path, configured, shell, monkeypatch) -> None:
        from monitor.detection.factory import load_detector

        monkeypatch.setattr("monitor.session.builder.load_detector", load_detector)
        monkeypatch.setattr("model.networks._FOLDER", tmp_path)
        configured()
        shell.raises(NetworkFileError, "analyze", write_video(tmp_path / "c.mp4", steps(3)))
        assert sessions(tmp_path) == []

    def test_invalid_expression_model_fails(self, tmp_path: Path, configured, shell) -> None:
        (tmp_path / "model.tflite").write_text("no")
        configured(more=f"expression:\n  model: {tmp_path / 'model.tflite'}\n")
        shell.raises(ModelError, "analyze", write_video(tmp_path / "c.mp4", steps(3)))


def test_check_reports_what_is_missing(tmp_path: Path, configured, shell) -> None:
    path = configured()
    video = write_video(tmp_path / "class.mp4", steps(3, 320, 240))
    results = {f["check"]: f for f in shell.json("check", "--source", video)}
    assert all(f["ready"] for f in results.values())
    assert results["camera"]["detail"] == "class.mp4 delivers frames of 320 × 240 pixels"
    path.write_text("output:\n  folder: class.mp4/x\n")
    code, out, _ = shell("check", "--source", tmp_path / "gone.mp4", "--json")
    assert code == 1
    assert {f["check"] for f in json.loads(out) if not f["ready"]} == {"policy", "camera", "output"}


def test_analyze_accepts_images(tmp_path: Path, configured, shell) -> None:
    configured()
    folder = tmp_path / "stills"
    folder.mkdir()
    for i in range(6):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((48, 64, 3), 10 * i, np.uint8))
    assert shell.json("analyze", folder)["frames_sampled"] == 6
    assert shell.json("analyze", folder / "0.png")["frames_sampled"] == 1
