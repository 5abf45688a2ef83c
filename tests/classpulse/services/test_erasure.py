from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from classpulse.config.settings import Config, read_config
from classpulse.errors import InvalidOption, NotConfirmed, NoTerminal, UnknownName
from classpulse.services.erasure import ErasureResult, erase_expired, find_expired
from classpulse.services.uploads import Upload, UploadState, UploadStore, uploads_folder
from db import sessions as queries
from db.records import SessionStatus
from db.unit_of_work import Store
from tests.helpers.recorded import START, new_session

DAY = timedelta(days=1)
AFTER_THE_SECOND = START + timedelta(weeks=1, minutes=6)
"""Of the four lessons, a week apart."""


def keep(tmp_path: Path, days: str | int, more: str = "") -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text("utf-8") + f"retention: {{keep_days: {days}}}\n{more}", "utf-8")
    return path


def numbers(store: Store) -> list[int]:
    return sorted(session.id for session in queries.list_sessions(store.engine))


def audit(store: Store) -> list[tuple[str, str, str]]:
    return [
        (a.action, a.subject, a.detail)
        for a in queries.list_audit_entries(store.engine)
        if a.action == "erase"
    ]


def erase_kept_too_long(engine: Engine, config: Config, now: datetime) -> ErasureResult:
    days = config.settings.retention.keep_days
    assert days is not None
    return erase_expired(engine, config, now, days)


class TestEraseExpired:
    def test_expired_sessions_are_erased_with_their_reports(
        self, tmp_path: Path, store: Store, lessons: list[int]
    ) -> None:
        config = read_config(keep(tmp_path, 30))
        for number in lessons:
            folder = config.output_folder / f"session-{number:04d}"
            folder.mkdir(parents=True)
            (folder / "report.html").touch()
        erased = erase_kept_too_long(store.engine, config, AFTER_THE_SECOND + 30 * DAY)
        assert erased == ErasureResult(tuple(lessons[:2]), 0, 2)
        assert numbers(store) == lessons[2:]
        left = {folder.name for folder in config.output_folder.iterdir()}
        assert left == {f"session-{number:04d}" for number in lessons[2:]}
        assert audit(store) == [
            ("erase", f"session {n}", "ended more than 30 days ago; 0 students erased with it")
            for n in lessons[1::-1]
        ]
        assert erase_kept_too_long(store.engine, config, AFTER_THE_SECOND + 30 * DAY) == ErasureResult()

    def test_age_counts_from_the_end(self, tmp_path: Path, store: Store, lessons: list[int]) -> None:
        config = read_config(keep(tmp_path, 30))
        assert not erase_kept_too_long(store.engine, config, START + timedelta(minutes=5) + 30 * DAY).sessions
        assert erase_kept_too_long(
            store.engine, config, START + timedelta(minutes=5, seconds=1) + 30 * DAY
        ).sessions

    def test_running_session_stays(self, tmp_path: Path, store: Store) -> None:
        with store.unit_of_work() as unit:
            running = unit.start_session(new_session())
            unit.commit()
        assert (
            erase_kept_too_long(store.engine, read_config(keep(tmp_path, 1)), START + 10_000 * DAY)
            == ErasureResult()
        )
        assert queries.get_session(store.engine, running).status is SessionStatus.RUNNING

    def test_undeletable_report_keeps_its_session_for_a_retry(
        self, tmp_path: Path, store: Store, lessons: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = read_config(keep(tmp_path, 30))
        (config.output_folder / f"session-{lessons[0]:04d}").mkdir(parents=True)
        at = AFTER_THE_SECOND + 30 * DAY

        def busy(_path: Path) -> None:
            raise PermissionError(13, "it is open in another program")

        with monkeypatch.context() as patched:
            patched.setattr("shutil.rmtree", busy)
            erased = erase_kept_too_long(store.engine, config, at)
        assert erased.sessions == (lessons[1],)
        assert erased.failed == (
            f"the report of session {lessons[0]} cannot be deleted (it is open in another program)",
        )
        assert erase_kept_too_long(store.engine, config, at).sessions == (lessons[0],)

    def test_class_layout_reports_and_empty_folders_are_deleted(
        self, tmp_path: Path, store: Store, lessons: list[int], shell
    ) -> None:
        path = tmp_path / "config.yaml"
        keep(tmp_path, 30, "output: {layout: class, time_zone: Europe/Zurich}\n")
        file = shell.json("report", str(lessons[0]), "--format", "html")["report"]["html"]
        assert Path(file).relative_to(tmp_path).as_posix() == (
            f"classpulse-data/reports/7b/2026-03-02 10.00 session-{lessons[0]:04d}/report.html"
        )
        assert erase_kept_too_long(store.engine, read_config(path), AFTER_THE_SECOND + 30 * DAY).folders == 1
        assert list((tmp_path / "classpulse-data" / "reports").iterdir()) == []


class TestUploadedRecordings:
    """Kept recordings are erased with their session, or by their own age."""

    def upload(self, config: Config, number: int, session: int | None, **values: Any) -> Upload:
        store = UploadStore(uploads_folder(config))
        with store.open_writer(1000) as (_, writer):
            writer.write(b"film")
            writer.close()
            folder = uploads_folder(config)
            upload = Upload(f"{number:032x}", 1, "7b", None, "Mia.mp4", 4, START, True, session_id=session)
            upload = replace(upload, **({"state": UploadState.FINISHED} | values))
            (next(folder.glob("*.part"))).rename(folder / f"{upload.id}.part")
            store.commit(upload)
        return upload

    def left(self, config: Config) -> list[str]:
        return sorted(path.name for path in uploads_folder(config).iterdir())

    def test_recording_is_erased_with_its_session(
        self, tmp_path: Path, store: Store, lessons: list[int]
    ) -> None:
        config = read_config(keep(tmp_path, 30))
        gone, stays = (self.upload(config, number, number) for number in (lessons[0], lessons[3]))
        now = AFTER_THE_SECOND + 30 * DAY
        assert find_expired(store.engine, config, now, 30).recordings == 1
        assert len(self.left(config)) == 4
        assert erase_kept_too_long(store.engine, config, now).recordings == 1
        assert self.left(config) == [f"{stays.id}.json", f"{stays.id}.video"]
        assert gone.session_id not in numbers(store)

    def test_recording_without_session_expires_unless_waiting(self, tmp_path: Path, store: Store) -> None:
        config = read_config(keep(tmp_path, 30))
        self.upload(config, 1, None, state=UploadState.REJECTED)
        young = self.upload(config, 2, None, state=UploadState.REJECTED, uploaded_at=START + 2 * DAY)
        waits = self.upload(config, 3, None, state=UploadState.WAITING)
        assert erase_kept_too_long(store.engine, config, START + 31 * DAY) == ErasureResult(recordings=1)
        assert {name.split(".")[0] for name in self.left(config)} == {young.id, waits.id}

    def test_running_dashboard_drops_erased_uploads(
        self, tmp_path: Path, store: Store, lessons: list[int]
    ) -> None:
        config = read_config(keep(tmp_path, 30))
        self.upload(config, 1, lessons[0])
        dashboard = UploadStore(uploads_folder(config))
        assert len(dashboard.list_all()) == 1
        erase_kept_too_long(store.engine, config, AFTER_THE_SECOND + 30 * DAY)
        assert (dashboard.list_all(), dashboard.get(f"{1:032x}")) == ([], None)

    def test_undeletable_recording_keeps_its_session(
        self, tmp_path: Path, store: Store, lessons: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = read_config(keep(tmp_path, 30))
        self.upload(config, 1, lessons[0])
        at = AFTER_THE_SECOND + 30 * DAY

        def busy(_path: Path, missing_ok: bool = False) -> None:
            raise PermissionError(13, "it is open in another program")

        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", busy)
            erased = erase_kept_too_long(store.engine, config, at)
        assert erased.sessions == (lessons[1],)
        assert erased.failed == (
            f"the recording of session {lessons[0]} cannot be deleted (it is open in another program)",
        )
        assert (erased.recordings, erase_kept_too_long(store.engine, config, at)) == (
            0, ErasureResult((lessons[0],), recordings=1)
        )  # fmt: skip

    def test_purge_command_counts_recordings(
        self, tmp_path: Path, store: Store, lessons: list[int], shell
    ) -> None:
        self.upload(read_config(tmp_path / "config.yaml"), 1, lessons[0])
        code, out, _ = shell("data", "purge", "--older-than", "3", "--yes")
        assert (code, "0 report folders and 1 uploaded recording" in out) == (0, True)


class TestFrozenBaselines:
    def mia_in(self, shell, session: int) -> dict:
        files = shell.json("report", str(session), "--format", "json")["report"]
        (mia,) = json.loads(Path(files["json"]).read_text("utf-8"))["students"]
        return mia

    def test_later_flags_stay_after_erasure(
        self, tmp_path: Path, store: Store, lessons: list[int], shell
    ) -> None:
        before = self.mia_in(shell, lessons[3])
        assert (before["numbers"]["baseline_sessions"], before["outcome"]) == (3, "not_flagged")
        erase_expired(store.engine, read_config(tmp_path / "config.yaml"), AFTER_THE_SECOND, 0)
        assert numbers(store) == lessons[2:]
        # Twice: the second report uses what the first one stored.
        for _ in range(2):
            after = self.mia_in(shell, lessons[3])
            assert (after["outcome"], after["numbers"]) == (before["outcome"], before["numbers"])
        assert [line["session_id"] for line in shell.json("review")] == [lessons[2]]

    def test_pending_flags_are_computed_before_erasure(
        self, tmp_path: Path, store: Store, lessons: list[int], shell
    ) -> None:
        erase_expired(store.engine, read_config(tmp_path / "config.yaml"), AFTER_THE_SECOND, 0)
        assert self.mia_in(shell, lessons[3])["numbers"]["baseline_sessions"] == 3


class TestPurgeCommand:
    def test_purge_without_age_fails(self, store: Store, shell) -> None:
        assert shell.raises(InvalidOption, "data", "purge").option == "--older-than"

    def test_older_than_needs_confirmation(
        self, store: Store, lessons: list[int], shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        error = shell.raises(NoTerminal, "data", "purge", "--older-than", "3")
        assert error.option == "--yes"
        assert "4 lessons older than 3 days" in error.question
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("click.confirm", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
        shell.fails(130, "data", "purge", "--older-than", "3")
        monkeypatch.setattr("click.confirm", lambda *a, **k: False)
        shell.raises(NotConfirmed, "data", "purge", "--older-than", "3")
        assert numbers(store) == lessons

    def test_dry_run_erases_nothing(self, store: Store, lessons: list[int], shell) -> None:
        erased = shell.json("data", "purge", "--older-than", "3", "--dry-run")
        assert (erased["sessions"], erased["dry_run"]) == (lessons, True)
        code, out, _ = shell("data", "purge", "--older-than", "3", "--dry-run")
        assert (code, out.strip()) == (
            0, "older than 3 days: 4 lessons would be erased (1, 2, 3, 4), with 0 report folders",
        )  # fmt: skip
        assert numbers(store) == lessons

    def test_configured_age_needs_no_confirmation(
        self, tmp_path: Path, store: Store, lessons: list[int], shell
    ) -> None:
        keep(tmp_path, 3)
        assert shell.json("data", "purge")["sessions"] == lessons
        assert numbers(store) == []
        code, out, _ = shell("data", "purge", "--older-than", "0", "--yes")
        assert (code, out.strip()) == (0, "older than 0 days: 0 lessons erased, with 0 report folders")


class TestEraseStudent:
    def pseudonyms(self, store: Store, lesson: int) -> list[str]:
        return sorted(student.pseudonym for student in queries.list_students(store.engine, lesson))

    def test_erases_merged_bins_and_rewrites_the_report(self, store: Store, lesson: int, shell) -> None:
        """Including bins that a correction attributes to the student."""
        shell.json("seats", "merge", str(lesson), "Student 3", "Student 4")
        old = Path(shell.json("report", str(lesson), "--format", "json")["report"]["json"])
        assert shell.json("data", "erase", str(lesson), "student 3", "--yes") == {
            "session": lesson,
            "bins": 120,
        }
        assert self.pseudonyms(store, lesson) == ["Student 1", "Student 2"]
        assert {one.student_id for one in queries.load_bins(store.engine, lesson)} == {
            student.id for student in queries.list_students(store.engine, lesson)
        }
        (page,) = old.parent.glob("report.html")
        assert "Student 1" in page.read_text("utf-8")
        assert "Student 3" not in page.read_text("utf-8")
        assert not old.exists()
        assert audit(store) == [("erase", f"session {lesson}", "a student; 120 bins deleted")]

    def test_roster_entry_stays(self, store: Store, lesson: int, shell) -> None:
        shell.json("seats", "assign", str(lesson), "Student 1", "Mia", "--new")
        shell.json("data", "erase", str(lesson), "Mia", "--yes")
        assert self.pseudonyms(store, lesson) == ["Student 2", "Student 3", "Student 4"]
        assert [student.pseudonym for student in queries.list_roster_students(store.engine, "7b")] == ["Mia"]

    def test_needs_confirmation_and_a_known_student(self, store: Store, lesson: int, shell) -> None:
        assert shell.raises(NoTerminal, "data", "erase", str(lesson), "Student 1").option == "--yes"
        shell.raises(UnknownName, "data", "erase", str(lesson), "Student 9", "--yes")
        assert len(self.pseudonyms(store, lesson)) == 4
