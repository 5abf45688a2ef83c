"""Analyses uploaded recordings, one at a time, each in its own process at low priority.

The process isolates the dashboard from damaged or hostile files that crash the decoding libraries.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from classpulse.config.settings import Config
from classpulse.errors import ERROR_PREFIX, HINT_PREFIX
from classpulse.services.analysis_progress import AnalysisProgress, parse_progress
from classpulse.services.times import TimeSource
from classpulse.services.uploads import RESTARTED_MESSAGE, Upload, UploadState, UploadStore
from db.clock import now_utc
from monitor.runtime.process import lower_priority

log = logging.getLogger(__name__)

CLEANUP_INTERVAL_S = 3600.0


STOP_TIMEOUT_S = 15.0
"""A cancelled analysis stores its data; after this time it is killed."""


class UploadQueue:
    """A context manager that analyses the waiting uploads, oldest first, in a thread."""

    def __init__(self, config: Config, uploads: UploadStore) -> None:
        self._config = config
        self._uploads = uploads
        self._changed = threading.Condition()
        self._closing = False
        self._current: tuple[str, subprocess.Popen[str]] | None = None
        self._cancelled: set[str] = set()
        self._progress: AnalysisProgress | None = None
        self._thread = threading.Thread(target=self._run, name="analyses", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            current = self._current
        if current is not None:
            self._stop_process(current[1])
        self._thread.join(STOP_TIMEOUT_S)

    def notify(self) -> None:
        """Wake the thread: an upload is waiting."""
        with self._changed:
            self._changed.notify_all()

    def progress(self, upload: Upload) -> AnalysisProgress | None:
        """The progress of the upload's analysis; None before its first report, or if it is not being
        analysed."""
        with self._changed:
            return self._progress if self._current is not None and self._current[0] == upload.id else None

    def cancel(self, upload: Upload) -> None:
        """Cancel the analysis. Data that are already stored stay."""
        with self._changed:
            self._cancelled.add(upload.id)
            current = self._current
        if current is not None and current[0] == upload.id:
            self._stop_process(current[1])
        elif upload.state is UploadState.WAITING:
            self._uploads.update(upload.id, state=UploadState.CANCELLED)
            self._delete_unless_kept(upload)

    def retry(self, upload: Upload) -> None:
        """Analyse the upload again, as a new session."""
        with self._changed:
            self._cancelled.discard(upload.id)
            self._uploads.update(upload.id, state=UploadState.WAITING, reason="", session_id=None)
            self._changed.notify_all()

    def process_pending(self) -> None:
        """Analyse all waiting uploads."""
        while (upload := self._next_pending()) is not None:
            self._analyse(upload)

    def _run(self) -> None:
        while not self._closing:
            try:
                self.process_pending()
                self._uploads.delete_expired(now_utc(), self._config.settings.retention.keep_days)
            except Exception:
                log.exception("analysing uploads failed")
            with self._changed:
                if not self._closing and self._next_pending() is None:
                    self._changed.wait(CLEANUP_INTERVAL_S)

    def _next_pending(self) -> Upload | None:
        if self._closing:
            return None
        waiting = [upload for upload in self._uploads.list_all() if upload.state is UploadState.WAITING]
        return waiting[-1] if waiting else None

    def _analyse(self, upload: Upload) -> None:
        self._uploads.update(upload.id, state=UploadState.ANALYSING)
        errors: list[str] = []
        try:
            with subprocess.Popen(
                self._command(upload),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            ) as process:
                lower_priority(process.pid)
                with self._changed:
                    self._current, self._progress = (upload.id, process), None
                    cancelled = self._closing or upload.id in self._cancelled
                if cancelled:
                    self._stop_process(process)
                out = self._read_output(upload, process, errors)
        finally:
            with self._changed:
                self._current = None
        changes = self._outcome(upload, process.returncode, out, errors)
        # Another attempt helps after the analysis failed, not after the file ended early.
        done = changes["state"] in {UploadState.FINISHED, UploadState.CANCELLED}
        file_ended_early = bool(out.strip()) and not self._closing
        self._uploads.update(upload.id, **changes)
        if done or file_ended_early:
            self._delete_unless_kept(upload)

    def _command(self, upload: Upload) -> list[str]:
        assert self._config.path is not None  # the dashboard always has a settings file
        command = [sys.executable, "-m", "classpulse", "--config", str(self._config.path), "analyze"]
        command += [
            "--report-progress",
            "--json",
            f"--class={upload.class_name}",
            f"--name={upload.file_name}",
        ]
        if upload.room is not None:
            command.append(f"--room={upload.room}")
        if upload.time_source is TimeSource.USER and upload.lesson_at is not None:
            command.append(f"--recorded-at={upload.lesson_at.isoformat(timespec='seconds')}")
        if upload.track is not None:
            command.append(f"--track={upload.track}")
        return [*command, str(self._uploads.recording_path(upload))]

    def _read_output(self, upload: Upload, process: subprocess.Popen[str], errors: list[str]) -> str:
        """Read standard error to its end, for progress and errors; returns standard output."""
        assert process.stderr is not None
        assert process.stdout is not None
        for line in process.stderr:
            progress = parse_progress(line)
            if progress is not None:
                with self._changed:
                    is_first, self._progress = self._progress is None, progress
                if is_first:  # stored now: after a crash, the kept recording must still belong to the session
                    self._uploads.update(upload.id, session_id=progress.session_id)
            elif line.startswith(ERROR_PREFIX):
                errors.append(line.removeprefix(ERROR_PREFIX).strip())
            elif line.startswith(HINT_PREFIX) and errors:
                errors[-1] += f" {line.removeprefix(HINT_PREFIX).strip()}"
        return process.stdout.read()

    def _outcome(self, upload: Upload, code: int, out: str, errors: list[str]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        with suppress(ValueError):
            answer = json.loads(out)
        with self._changed:
            session_id = answer.get("session") or (self._progress.session_id if self._progress else None)
            cancelled = upload.id in self._cancelled
        state, reason = UploadState.FINISHED, ""
        if cancelled:
            state = UploadState.CANCELLED
        elif code != 0 and self._closing:
            state, reason = UploadState.INTERRUPTED, RESTARTED_MESSAGE
        elif code != 0:
            state = UploadState.REJECTED if session_id is None else UploadState.INTERRUPTED
            reason = answer.get("reason") or (
                errors[-1] if errors else f"The analysis failed (exit code {code})."
            )
        changes = {"state": state, "reason": self._without_path(upload, reason), "session_id": session_id}
        with suppress(KeyError, ValueError):
            time_source = TimeSource(answer["time_source"])
            changes |= {"lesson_at": datetime.fromisoformat(answer["started_at"]), "time_source": time_source}
        return changes

    def _without_path(self, upload: Upload, line: str) -> str:
        """The line with the uploaded file name instead of the path on this computer."""
        path = self._uploads.recording_path(upload)
        for private in (str(path), path.name):
            line = line.replace(private, upload.file_name)
        return line

    def _delete_unless_kept(self, upload: Upload) -> None:
        if not upload.keep_recording:
            self._uploads.delete_recording(upload.id)

    def _stop_process(self, process: subprocess.Popen[str]) -> None:
        """Ask the process to stop, and kill it after ``STOP_TIMEOUT_S``."""
        assert process.stdin is not None
        with suppress(OSError, ValueError):
            process.stdin.close()

        def kill_after_timeout() -> None:
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()

        threading.Thread(target=kill_after_timeout, name="kill-analysis", daemon=True).start()
