"""Logs: rotating JSON lines without passwords and names of students."""

from __future__ import annotations

import json
import logging
import stat
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from classpulse.cli.exit_codes import expected_errors
from classpulse.errors import RunError
from classpulse.log_console import Redaction, log_to_stderr
from classpulse.log_setup import LogLevel, LogSettings, log_to_file
from monitor.sources.camera_state import CameraState
from monitor.text import room_log_name

log = logging.getLogger("classpulse.tests")


@pytest.fixture(autouse=True)
def _restore_handlers() -> Iterator[None]:
    root = logging.getLogger()
    handlers = list(root.handlers)
    yield
    root.handlers[:] = handlers


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_log_file_line_has_time_level_logger_message_and_context(tmp_path: Path) -> None:
    with log_to_file(tmp_path, "daemon", LogSettings()) as file:
        log.info("opening %s", "camera 0")
        file.add_context(room="B 12", session=7)
        log.warning("no frame", extra={"camera": CameraState.STALE, "age_s": 3.5, "place": tmp_path})
    first, second = lines(tmp_path / "logs" / "daemon.log")
    at = datetime.fromisoformat(str(first.pop("timestamp")))
    assert at.utcoffset() is not None
    assert at.utcoffset().total_seconds() == 0
    assert first == {"level": "INFO", "logger": "classpulse.tests", "message": "opening camera 0"}
    del second["timestamp"]
    assert second == {
        "level": "WARNING", "logger": "classpulse.tests", "message": "no frame", "room": "B 12",
        "session": 7, "camera": "stale", "age_s": 3.5, "place": str(tmp_path),
    }  # fmt: skip


def test_log_file_stops_after_the_block(tmp_path: Path) -> None:
    with log_to_file(tmp_path, "daemon", LogSettings()) as file:
        log.info("within")
    log.info("after")
    assert [line["message"] for line in lines(file.path)] == ["within"]


@pytest.mark.parametrize(
    ("level", "count"),
    [(LogLevel.DEBUG, 4), (LogLevel.INFO, 3), (LogLevel.WARNING, 2), (LogLevel.ERROR, 1)],
)
def test_log_file_has_messages_from_its_level_up(tmp_path: Path, level: LogLevel, count: int) -> None:
    with log_to_file(tmp_path, "daemon", LogSettings(level=level)) as file:
        for write in (log.debug, log.info, log.warning, log.error):
            write("x")
    assert len(lines(file.path)) == count


def test_log_file_libraries_log_warnings_only(tmp_path: Path) -> None:
    with log_to_file(tmp_path, "daemon", LogSettings(level=LogLevel.DEBUG)) as file:
        logging.getLogger("some.library").info("chatter")
        logging.getLogger("some.library").warning("trouble")
    assert [line["message"] for line in lines(file.path)] == ["trouble"]


def test_log_file_rotation_loses_no_line(tmp_path: Path) -> None:
    with log_to_file(tmp_path, "daemon", LogSettings(max_mb=0.001, backup_count=2)):
        for number in range(100):
            log.info("line %d", number)
    files = sorted(tmp_path.glob("logs/*"))
    assert [file.name for file in files] == ["daemon.log", "daemon.log.1", "daemon.log.2"]
    assert all(file.stat().st_size <= 1000 for file in files)
    newest_last = [line for file in reversed(files) for line in lines(file)]
    assert newest_last[-1]["message"] == "line 99"
    numbers = [int(str(line["message"]).split()[1]) for line in newest_last]
    assert numbers == list(range(numbers[0], 100)), "a line was lost between two files"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_log_file_is_private(tmp_path: Path) -> None:
    with log_to_file(tmp_path, "daemon", LogSettings(max_mb=0.001)):
        for _ in range(20):
            log.info("x" * 60)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("logs/*")}
    assert modes == {0o600}


def test_log_file_unexpected_error_is_logged_with_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), log_to_file(tmp_path, "daemon", LogSettings()) as file:
        _ = 1 // 0
    (line,) = lines(file.path)
    assert (line["level"], "ZeroDivisionError" in str(line["message"])) == ("CRITICAL", True)
    assert "1 // 0" in str(line["exception"])


def test_log_file_expected_error_is_logged_without_traceback(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError),
        log_to_file(
            tmp_path, "daemon", LogSettings(), expected=lambda error: isinstance(error, expected_errors())
        ) as file,
    ):
        raise RunError("the disk is full; free some space")
    (line,) = lines(file.path)
    assert (line["level"], line["message"]) == ("ERROR", "the disk is full; free some space")
    assert "exception" not in line


def test_log_file_unwritable_folder_raises(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    with (
        pytest.raises(RunError, match=r"daemon\.log"),
        log_to_file(tmp_path, "daemon", LogSettings()),
    ):
        pass


def test_log_file_full_disk_is_reported_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with log_to_file(tmp_path, "daemon", LogSettings(), names=["Ann Lee"]) as file:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(file, "shouldRollover", full)
            log.info("about Ann Lee")
            log.info("about Ann Lee")
        log.info("free again")
    error = capsys.readouterr().err
    assert error.count("cannot be written") == 1
    assert "Ann" not in error
    assert [line["message"] for line in lines(file.path)] == ["free again"]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("rtsp://me:secret@10.0.0.7:554/one", "rtsp://10.0.0.7:554/one"),
        ("cannot open 'rtsp://me:p@s/secret@cam/one': refused", "cannot open 'rtsp://cam/one': refused"),
        ("HTTP://cam/video.cgi?user=me&pwd=secret is gone", "HTTP://cam/video.cgi is gone"),
        ("postgresql+psycopg://me:secret@db/class", "postgresql+psycopg://db/class"),
        ("rtsp://secret@cam", "rtsp://cam"),
        ("no address, me@school.example", "no address, me@school.example"),
    ],
)
def test_redaction_of_addresses(text: str, redacted: str) -> None:
    assert Redaction()(text) == redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Ann Lee raised a hand", "(a name) raised a hand"),
        ("Ann, Ann Lee and Annette", "(a name), (a name) and Annette"),
        ("Jo (of Zoë) O'Hara-Black", "Jo (of (a name)) (a name)"),
        ("a black frame", "a black frame"),
        ("the key (name)=(Ann)", "the key (name)=((a name))"),
    ],
)
def test_redaction_of_names(text: str, redacted: str) -> None:
    assert Redaction(["Ann", "Ann Lee", "Zoë", "O'Hara-Black", "Black", " "])(text) == redacted


def test_redaction_covers_every_part_of_a_record(tmp_path: Path) -> None:
    with log_to_file(tmp_path, "room", LogSettings(), names=["Ann Lee"]) as file:
        file.add_context(source="rtsp://me:secret@cam/1", asked_by="Ann Lee")
        try:
            raise ValueError("Ann Lee at rtsp://me:secret@cam/1")
        except ValueError:
            log.exception(
                "failed for %s", "Ann Lee",
                extra={"who": ["Ann Lee"], "by": {"Ann Lee": 1}, "error": ValueError("Ann Lee")},
                stack_info=True,
            )  # fmt: skip
    text = file.path.read_text(encoding="utf-8")
    assert "Ann" not in text
    assert "secret" not in text
    (line,) = lines(file.path)
    assert "ValueError: (a name) at rtsp://cam/1" in str(line["exception"])


@pytest.mark.parametrize(("verbose", "expected"), [(False, ["WARNING b"]), (True, ["INFO a", "WARNING b"])])
def test_log_to_stderr_verbose_logs_more(
    capsys: pytest.CaptureFixture[str], verbose: bool, expected: list[str]
) -> None:
    log_to_stderr(verbose=not verbose)
    log_to_stderr(verbose=verbose)
    log.info("a")
    log.warning("b")
    assert capsys.readouterr().err.splitlines() == expected


def test_log_to_stderr_verbose_shows_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    for verbose in (False, True):
        log_to_stderr(verbose=verbose)
        try:
            raise ValueError("at rtsp://me:secret@cam/1")
        except ValueError:
            log.exception("failed")
        error = capsys.readouterr().err
        assert ("Traceback" in error) is verbose
        assert "secret" not in error


@pytest.mark.parametrize(
    ("room", "name"),
    [("B 12", "room-b-12"), (None, "room"), ("  ", "room"), ("../Aula/Süd", "room-aula-süd"), ("..", "room")],
)
def test_room_log_name(room: str | None, name: str) -> None:
    assert room_log_name(room) == name
