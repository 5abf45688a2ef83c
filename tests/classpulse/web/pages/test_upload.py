"""Uploads of recordings: validation, access and analysis."""

from __future__ import annotations

import errno
import json
import shutil
import sys
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from classpulse.services.analysis_progress import AnalysisProgress, format_progress
from classpulse.services.roster import import_roster, parse_roster_bytes
from classpulse.services.times import TimeSource
from classpulse.services.upload_queue import UploadQueue
from classpulse.services.uploads import (
    FAILED_UPLOAD_RETENTION,
    LISTING_RETENTION,
    RESTARTED_MESSAGE,
    UploadState,
    UploadStore,
)
from classpulse.text import display_file_name
from classpulse.web.app import build_app
from classpulse.web.pages.upload import NO_RECORDING
from db import sessions as queries
from db.clock import now_utc
from tests.helpers.videos import made, steps, write_video
from tests.helpers.waiting import PATIENCE_S

JSON = {"accept": "application/json"}
CONTENT = b"not a video " * 1000


def send(browser, content: bytes = CONTENT, name: str = "lesson.mp4", **fields):
    """Upload with the form of the page, without a script."""
    data = {"csrf_token": browser.token("/upload"), "class": "7b", **fields}
    return browser.post("/upload", data=data, files={"recording": (name, content, "video/mp4")})


def files(app) -> list[str]:
    folder = app.state.upload_store.folder
    return sorted(path.suffix for path in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
def uploads(app) -> UploadStore:
    return app.state.upload_store


@pytest.fixture
def analyses(app, monkeypatch: pytest.MonkeyPatch):
    """The queue with a Python script in place of the analysis."""

    def use(script: str) -> UploadQueue:
        monkeypatch.setattr(UploadQueue, "_command", lambda *_: [sys.executable, "-c", script])
        return app.state.upload_queue

    return use


class TestReceiving:
    def test_recording_is_stored_and_queued(self, app, browser, uploads) -> None:
        ada = browser("Ada")
        assert send(ada).headers["location"] == "/upload"
        (one,) = uploads.list_all()
        assert (one.class_name, one.file_name, one.state, one.keep_recording) == (
            "7b",
            "lesson.mp4",
            "waiting",
            False,
        )
        assert uploads.recording_path(one).read_bytes() == CONTENT
        assert uploads.recording_path(one).stat().st_mode & 0o077 == 0
        assert files(app) == [".json", ".video"]
        assert "lesson.mp4" in ada.get("/upload").text

    def test_script_receives_json(self, browser, uploads) -> None:
        ada = browser("Ada")
        answer = ada.post(
            "/upload",
            data={"class": "7b"},
            files={"recording": ("a.mp4", CONTENT)},
            headers={"x-csrf-token": ada.token("/upload"), **JSON},
        )
        assert (answer.status_code, answer.json()["id"]) == (201, uploads.list_all()[0].id)

    @pytest.mark.parametrize(
        "name",
        [
            "../../x",
            "..\\..\\x",
            "/etc/passwd",
            "a\0b.mp4",
            "x" * 300,
            "<script>alert(1)</script>",
            "{{7*7}}",
            " ",
        ],
    )
    def test_file_name_is_escaped_and_never_a_path(self, app, browser, uploads, tmp_path, name: str) -> None:
        before = {path for path in tmp_path.rglob("*") if path.parent != uploads.folder}
        ada = browser("Ada")
        answer = send(ada, name=name)
        assert answer.status_code == 303, answer.text
        (one,) = uploads.list_all()
        assert len(one.file_name) <= 100
        assert not set("/\\\0") & set(one.file_name)
        after = {path for path in tmp_path.rglob("*") if path.parent != uploads.folder}
        assert after - before <= {uploads.folder}
        assert "<script>alert" not in ada.get("/upload").text

    def test_display_file_name_removes_folders_and_controls(self) -> None:
        assert display_file_name("C:\\films\\Maths 7b.mp4") == "Maths 7b.mp4"
        assert display_file_name("\u202e../..") == "recording"
        assert display_file_name("a" * 300 + ".mp4").endswith(".mp4")

    def test_announced_size_above_limit_is_rejected(self, app, browser) -> None:
        ada = browser("Ada")
        headers = {
            "x-csrf-token": ada.token(),
            "content-type": "multipart/form-data; boundary=b",
            "content-length": "20000200001",
            **JSON,
        }
        answer = ada.post("/upload", content=b"--b\r\n", headers=headers)
        assert answer.status_code == 413
        assert "larger than 20 GB" in answer.json()["error"]

    def test_size_above_limit_leaves_no_file(self, app, browser, uploads, monkeypatch) -> None:
        received = uploads.open_writer
        monkeypatch.setattr(uploads, "open_writer", lambda most: received(5000))
        answer = send(browser("Ada"))
        assert answer.status_code == 413
        assert "larger than" in answer.text
        assert files(app) == []

    def test_nearly_full_disk_is_rejected(self, app, browser, monkeypatch) -> None:
        ada = browser("Ada")
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 500_005_000))
        answer = send(ada)
        assert (answer.status_code, files(app)) == (507, [])
        assert "nearly full" in answer.text

    def test_disk_filling_during_upload_leaves_no_file(self, app, browser, monkeypatch) -> None:
        ada = browser("Ada")
        usage = namedtuple("usage", "total used free")
        left = iter([10**12])
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 0, next(left, 1)))
        assert send(ada, content=bytes(5 << 20)).status_code == 507
        assert files(app) == []

    @pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
    def test_file_size_limit_leaves_no_file(self, app, browser) -> None:
        import resource

        ada = browser("Ada")
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_500_000, limits[1]))
        try:
            answer = send(ada, content=bytes(5 << 20))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert (answer.status_code, files(app)) == (507, [])
        assert "nearly full; ask its administrator" in answer.text

    def test_full_disk_for_metadata_leaves_no_file(self, app, browser, uploads, monkeypatch) -> None:
        def full(_upload: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        ada = browser("Ada")
        monkeypatch.setattr(uploads, "_save", full)
        assert (send(ada).status_code, files(app)) == (507, [])

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"--b\r\n",
            b"rubbish",
            b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
            b'--b\r\nContent-Disposition: form-data; name="class"\r\n\r\n7b\r\n'
            b'--b\r\nContent-Disposition: form-data; name="recording"; filename="a"\r\n\r\nhalf of it',
            b'--b\r\nContent-Disposition: form-data; name="class"\r\n\r\n' + b"7" * 20_000 + b"\r\n--b--\r\n",
            b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n\r\n' * 60 + b"--b--\r\n",
            b'--b\r\nContent-Disposition: form-data; name="class"\r\n\r\n7b\r\n'
            + b'--b\r\nContent-Disposition: form-data; name="recording"; filename="a"\r\n\r\nx\r\n' * 2
            + b"--b--\r\n",
            b"--b\r\n" + b"X: " + b"y" * 10_000 + b"\r\n\r\n\r\n--b--\r\n",
        ],
    )
    def test_malformed_form_leaves_no_file(self, app, browser, body: bytes) -> None:
        ada = browser("Ada")
        headers = {"x-csrf-token": ada.token(), "content-type": "multipart/form-data; boundary=b", **JSON}
        answer = ada.post("/upload", content=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"]
        assert files(app) == []

    @pytest.mark.parametrize(
        "kind", ["", "application/json", "multipart/form-data", "text/plain; boundary=b"]
    )
    def test_other_content_types_are_rejected(self, app, browser, kind: str) -> None:
        ada = browser("Ada")
        headers = {"x-csrf-token": ada.token(), "content-type": kind, **JSON}
        assert ada.post("/upload", content=b"{}", headers=headers).status_code == 400
        assert files(app) == []

    def test_empty_and_missing_recordings_are_rejected(self, app, browser) -> None:
        ada = browser("Ada")
        assert send(ada, content=b"").status_code == 422
        nothing = {"csrf_token": (None, ada.token()), "class": (None, "7b")}
        answer = ada.post("/upload", files=nothing)
        assert answer.status_code == 422
        assert NO_RECORDING in answer.text
        assert files(app) == []

    def test_invalid_token_is_rejected_before_file(self, app, browser) -> None:
        ada, ben = browser("Ada"), browser("Ben")
        for token in ("", "wrong", ben.token()):
            assert send(ada, csrf_token=token).status_code == 403
        assert files(app) == []

    def test_unmaskable_class_is_rejected_before_file(self, app, browser, engine) -> None:
        text = "name,pseudonym,group,seat,consent\nMia,Otter,,A1,no\n"
        import_roster(engine, parse_roster_bytes(text.encode(), "x", "7b").rows, now_utc())
        answer = send(browser("Ada"))
        assert answer.status_code == 422
        assert "cannot be masked: Otter" in answer.text
        assert files(app) == []

    def test_leftovers_are_deleted_at_start(self, config, engine, app, browser) -> None:
        send(browser("Ada"))
        folder = app.state.upload_store.folder
        (folder / f"{'0' * 32}.part").write_bytes(b"half")
        (folder / f"{'1' * 32}.video").write_bytes(b"of nobody")
        (folder / "rubbish.json").write_text('{"id": "../../x"}')
        (kept,) = build_app(config, engine).state.upload_store.list_all()
        assert files(app) == [".json", ".json", ".video"]
        assert kept.state is UploadState.WAITING

    def test_concurrent_updates_are_not_lost(self, browser, uploads) -> None:
        send(browser("Ada"))
        (one,) = uploads.list_all()
        together = threading.Barrier(2)

        def note(name: str) -> None:
            together.wait()
            for n in range(100):
                uploads.update(one.id, **{name: n})

        with ThreadPoolExecutor(2) as both:
            for done in [both.submit(note, name) for name in ("size_bytes", "session_id")]:
                done.result()
        (stored,) = uploads.list_all()
        assert (stored.size_bytes, stored.session_id) == (99, 99)
        assert UploadStore(uploads.folder).list_all() == [stored]


class TestAccess:
    def test_unknown_and_foreign_classes_are_404(self, app, browser) -> None:
        assert send(browser("Ben"), **{"class": "7b"}).status_code == 404
        assert send(browser("Ada"), **{"class": "8c"}).status_code == 404
        assert send(browser("Ada"), **{"class": ""}).status_code == 404
        assert send(browser("Root"), **{"class": "9z"}).status_code == 404
        assert files(app) == []

    def test_lesson_time_is_stored(self, browser, uploads) -> None:
        ada = browser("Ada")
        send(ada, at="2026-03-02T09:00")
        (one,) = uploads.list_all()
        assert one.lesson_at == datetime(2026, 3, 2, 9).astimezone()
        assert one.time_source is TimeSource.USER
        assert "Lesson of 2 Mar 2026, 09:00" in ada.get("/upload").text
        send(ada, at="")
        assert uploads.list_all()[0].lesson_at is None

    @pytest.mark.parametrize("at", ["2126-03-02T09:00", "yesterday", "2026-02-30T09:00"])
    def test_invalid_lesson_time_is_rejected_before_file(self, app, browser, at: str) -> None:
        answer = send(browser("Ada"), at=at)
        assert answer.status_code == 422
        assert "is in the future" in answer.text or "is not a date and time" in answer.text
        assert files(app) == []

    def test_video_track_is_stored_and_passed_on(self, app, browser, uploads) -> None:
        ada = browser("Ada")
        send(ada, track="2")
        send(ada, track="")
        without, chosen = uploads.list_all()
        assert (without.track, chosen.track) == (None, 2)
        queue = app.state.upload_queue
        assert "--track=2" in queue._command(chosen)
        assert not any("--track" in part for part in queue._command(without))
        assert UploadStore(uploads.folder).get(chosen.id).track == 2
        assert "video track 2" in ada.get("/upload").text

    @pytest.mark.parametrize("track", ["0", "-1", "two", "1.5", "100", "²", "9" * 30])
    def test_invalid_video_track_is_rejected_before_file(self, app, browser, track: str) -> None:
        assert send(browser("Ada"), track=track).status_code == 422
        assert files(app) == []

    def test_unknown_room_is_rejected(self, app, browser) -> None:
        assert send(browser("Ada"), room="A9").status_code == 422
        assert files(app) == []

    def test_uploads_are_visible_to_owner_and_administrators(self, browser, uploads) -> None:
        ada, ben, root = browser("Ada"), browser("Ben"), browser("Root")
        send(ada)
        (one,) = uploads.list_all()
        assert [u["id"] for u in root.get("/upload/state").json()["uploads"]] == [one.id]
        assert ben.get("/upload/state").json() == {"uploads": []}
        assert "lesson.mp4" not in ben.get("/upload").text
        for what in ("cancel", "retry", "delete"):
            assert ben.submit(f"/upload/{one.id}/{what}").status_code == 404
            assert ben.submit(f"/upload/{'0' * 32}/{what}").status_code == 404
            assert ben.submit(f"/upload/..%2f{one.id}/{what}").status_code == 404
        assert uploads.list_all() == [one]

    def test_counsellor_is_forbidden(self, app, browser) -> None:
        cleo = browser("Cleo")
        assert cleo.get("/upload").status_code == 403
        assert cleo.get("/upload/state").status_code == 403
        assert cleo.post("/upload", headers={"x-csrf-token": cleo.token()}).status_code == 403
        for what in ("cancel", "retry", "delete"):
            assert cleo.submit(f"/upload/x/{what}").status_code == 403

    def test_upload_is_audited_without_file_name(self, browser, engine) -> None:
        send(browser("Ada"), name="Mia Keller.mp4")
        (stored,) = [entry for entry in queries.list_audit_entries(engine) if entry.action == "upload"]
        assert (stored.subject, stored.detail) == ("class 7b", "by Ada: 0.0 MB")


HEARD = format_progress(AnalysisProgress(3, 5.0, 20.0, 4))


class TestAnalysis:
    def test_finished_upload_links_report_and_deletes_recording(
        self, app, browser, uploads, analyses
    ) -> None:
        ada = browser("Ada")
        send(ada)
        analyses(f"print({json.dumps(json.dumps({'session': 3, 'status': 'finished'}))})").process_pending()
        (one,) = uploads.list_all()
        assert (one.state, one.session_id, one.recording_exists) == ("finished", 3, False)
        assert files(app) == [".json"]
        assert 'href="/lessons/3"' in ada.get("/upload").text

    def test_kept_recording_is_deleted_on_request(self, app, browser, uploads, analyses) -> None:
        ada = browser("Ada")
        send(ada, keep="yes")
        analyses("print('{}')").process_pending()
        assert files(app) == [".json", ".video"]
        ada.submit(f"/upload/{uploads.list_all()[0].id}/delete")
        assert (files(app), uploads.list_all()) == ([], [])

    def test_uploads_are_analysed_one_at_a_time(self, browser, uploads, analyses, tmp_path) -> None:
        ada = browser("Ada")
        for name in ("first.mp4", "second.mp4"):
            send(ada, name=name)
        seen = []
        queue = analyses("print('{}')")
        analyse = queue._analyse
        queue._analyse = lambda one: (
            seen.append((one.file_name, [u.state for u in uploads.list_all()])),
            analyse(one),
        )
        queue.process_pending()
        assert seen == [("first.mp4", ["waiting", "waiting"]), ("second.mp4", ["waiting", "finished"])]

    def test_rejected_upload_shows_reason_and_can_be_retried(self, browser, uploads, analyses) -> None:
        ada = browser("Ada")
        send(ada)
        (one,) = uploads.list_all()
        said = f"classpulse: {uploads.recording_path(one)} cannot be read as a video"
        queue = analyses(f"import sys; print({said!r}, file=sys.stderr); sys.exit(2)")
        queue.process_pending()
        (one,) = uploads.list_all()
        assert (one.state, one.reason) == ("rejected", "lesson.mp4 cannot be read as a video")
        assert "cannot be read as a video" in ada.get("/upload").text
        assert str(uploads.folder) not in ada.get("/upload").text
        assert ada.submit(f"/upload/{one.id}/retry").status_code == 303
        assert uploads.list_all()[0].state is UploadState.WAITING

    def test_crashed_analysis_is_interrupted(self, browser, uploads, analyses) -> None:
        send(browser("Ada"))
        analyses(
            f"import os, sys; print({HEARD!r}, file=sys.stderr, flush=True); os.abort()"
        ).process_pending()
        (one,) = uploads.list_all()
        assert (one.state, one.session_id, one.recording_exists) == ("interrupted", 3, True)
        assert one.reason

    def test_waiting_upload_can_be_cancelled(self, app, browser, uploads, analyses) -> None:
        ada = browser("Ada")
        send(ada)
        ada.submit(f"/upload/{uploads.list_all()[0].id}/cancel")
        analyses("raise SystemExit(7)").process_pending()
        assert (uploads.list_all()[0].state, files(app)) == ("cancelled", [".json"])

    def test_running_analysis_shows_progress_and_can_be_cancelled(
        self, app, browser, uploads, analyses
    ) -> None:
        ada = browser("Ada")
        send(ada)
        queue = analyses(
            f"import sys; print({HEARD!r}, file=sys.stderr, flush=True); sys.stdin.read(); sys.exit(1)"
        )
        worker = threading.Thread(target=queue.process_pending)
        worker.start()
        (one,) = uploads.list_all()
        pause = threading.Event()
        while uploads.get(one.id).session_id is None:
            assert worker.is_alive()
            pause.wait(0.01)
        stored = json.loads((uploads.folder / f"{one.id}.json").read_text("utf-8"))
        assert stored["session_id"] == 3  # so that it is known after a crash
        (shown,) = ada.get("/upload/state").json()["uploads"]
        assert (shown["state"], shown["done"], shown["percent"]) == ("analysing", "0:05 / 0:20", 25)
        assert ada.submit(f"/upload/{one.id}/delete").status_code == 303
        assert uploads.list_all() != []
        ada.submit(f"/upload/{one.id}/cancel")
        worker.join(PATIENCE_S)
        (one,) = uploads.list_all()
        assert (one.state, one.session_id, files(app)) == ("cancelled", 3, [".json"])

    def test_stopped_dashboard_interrupts_analysis(self, browser, uploads, analyses, monkeypatch) -> None:
        monkeypatch.setattr("classpulse.services.upload_queue.STOP_TIMEOUT_S", PATIENCE_S)
        send(browser("Ada"))
        queue = analyses(
            f"import sys; print({HEARD!r}, file=sys.stderr, flush=True); sys.stdin.read(); sys.exit(1)"
        )
        pause = threading.Event()
        with queue:
            while queue.progress(uploads.list_all()[0]) is None:
                pause.wait(0.01)
        (one,) = uploads.list_all()
        assert (one.state, one.recording_exists) == ("interrupted", True)
        assert one.reason == RESTARTED_MESSAGE

    def test_finished_recording_is_deleted_while_stopping(
        self, browser, uploads, analyses, monkeypatch
    ) -> None:
        send(browser("Ada"))
        queue = analyses("print('{}')")
        change = uploads.update

        def ends(upload_id, **values) -> None:
            change(upload_id, **values)
            queue._closing = True

        queue._analyse(uploads.list_all()[0])
        (one,) = uploads.list_all()
        assert (one.state, one.recording_exists) == ("finished", False)
        send(browser("Ada"))
        monkeypatch.setattr(uploads, "update", ends)
        queue._analyse(uploads.list_all()[0])
        assert {(one.state, one.recording_exists) for one in uploads.list_all()} == {("finished", False)}

    def test_interrupted_analysis_is_marked_at_next_start(self, config, engine, browser, uploads) -> None:
        send(browser("Ada"))
        uploads.update(uploads.list_all()[0].id, state=UploadState.ANALYSING)
        (one,) = build_app(config, engine).state.upload_store.list_all()
        assert (one.state, one.recording_exists) == ("interrupted", True)

    def test_uploads_expire(self, app, browser, uploads) -> None:
        ada = browser("Ada")
        send(ada)
        send(ada, keep="yes")
        for one in uploads.list_all():
            uploads.update(one.id, state=UploadState.REJECTED)
        uploads.delete_expired(now_utc() + FAILED_UPLOAD_RETENTION - timedelta(hours=1), 10)
        assert files(app) == [".json", ".json", ".video", ".video"]
        uploads.delete_expired(now_utc() + FAILED_UPLOAD_RETENTION + timedelta(hours=1), 10)
        assert files(app) == [".json", ".json", ".video"]
        uploads.delete_expired(now_utc() + timedelta(days=11), 10)
        assert files(app) == [".json", ".json"]
        uploads.delete_expired(now_utc() + LISTING_RETENTION + timedelta(hours=1), 10)
        assert files(app) == []

    def test_lesson_outside_retention_is_rejected(self, app, browser, uploads, monkeypatch) -> None:
        settings = app.state.context.config.settings
        retention = settings.retention.__class__(keep_days=3)
        kept = settings.model_copy(update={"retention": retention})
        monkeypatch.setattr(app.state.context, "config", replace(app.state.context.config, settings=kept))
        answer = send(browser("Ada"), at="2026-03-02T09:00")
        assert (answer.status_code, uploads.list_all()) == (422, [])
        assert "would be erased the next night" in answer.text

    def test_waiting_uploads_survive_restart(self, config, engine, browser, uploads, monkeypatch) -> None:
        ada = browser("Ada")
        for name in ("first.mp4", "second.mp4"):
            send(ada, name=name, at="2026-03-02T09:00")
        anew = build_app(config, engine)
        assert anew.state.upload_store.list_all() == uploads.list_all()
        monkeypatch.setattr(UploadQueue, "_command", lambda *_: [sys.executable, "-c", "print('{}')"])
        anew.state.upload_queue.process_pending()
        assert [one.state for one in anew.state.upload_store.list_all()] == ["finished", "finished"]

    def test_two_uploads_are_queued_and_reported(
        self, app, browser, config, engine, uploads, tmp_path
    ) -> None:
        film = made(write_video(tmp_path / "film.mp4", steps(10), fps=2), "2026-03-02T08:00:00Z")
        root, ada = browser("Root"), browser("Ada")
        send(root, content=b"<script>alert(1)</script>" * 100, name="evil.mp4")
        for name in ("Maths.mp4", "Physics.mp4"):
            send(ada, content=film.read_bytes(), name=name)
        stood: list[list[str]] = []
        pages: list[str] = []
        pause = threading.Event()
        with app.state.upload_queue:
            while not all(one.state.is_final for one in uploads.list_all()):
                stood.append([one.state.value for one in uploads.list_all()])
                if stood[-1] == ["waiting", "analysing", "rejected"] and not pages:
                    pages.append(ada.get("/upload").text)  # without a script
                pause.wait(0.02)
        assert pages
        assert 'class="state analysing"' in pages[0]
        assert 'class="state waiting"' in pages[0]
        assert '<a href="/upload">Refresh the list</a>' in pages[0]
        assert all(now.count("analysing") <= 1 for now in stood)
        second, first, evil = uploads.list_all()
        assert [(one.state, one.reason, one.recording_exists) for one in (first, second)] == [
            ("finished", "", False)
        ] * 2
        for one, name in ((first, "Maths.mp4"), (second, "Physics.mp4")):
            session = queries.get_session(engine, one.session_id)
            assert (session.class_name, session.source, session.status) == ("7b", name, "finished")
            assert session.started_at == one.lesson_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
            assert (config.output_folder / f"session-{session.id:04d}" / "report.html").is_file()
            assert ada.get(f"/lessons/{session.id}").status_code == 200
        assert "(from the recording)" in ada.get("/upload").text
        assert evil.state is UploadState.REJECTED
        assert evil.reason.startswith("evil.mp4 cannot be opened as a video")
        assert len(queries.list_sessions(engine)) == 2
