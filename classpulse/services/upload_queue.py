"""Analyses of uploaded recordings: one at a time, each in a process of its own at low priority.

A process of its own because what was uploaded can be anything: what a damaged or hostile file does to the
libraries that read it, it does not do to the dashboard.
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
from classpulse.services.analysis_progress import AnalysisProgress, parse_progress
from classpulse.services.times import TimeSource
from classpulse.services.uploads import RESTARTED_MESSAGE, Upload, UploadState, UploadStore
from db.clock import now_utc
from monitor.runtime.process import lower_priority

log = logging.getLogger(__name__)

CLEANUP_INTERVAL_S = 3600.0

ERROR_PREFIX = "classpulse: "
"""So begins the line that says why an analysis was refused or broke off; other lines are of its progress."""

STOP_TIMEOUT_S = 15.0
"""An analysis that was told to end writes what it has; after so long it is ended without that."""


class UploadQueue:
    """Works off what waits, the oldest first, in a thread while the block lasts."""

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
        """Something new waits."""
        with self._changed:
            self._changed.notify_all()

    def progress(self, upload: Upload) -> AnalysisProgress | None:
        """How far its analysis is; None where nothing was heard of it yet, or it is not analysed now."""
        with self._changed:
            return self._progress if self._current is not None and self._current[0] == upload.id else None

    def cancel(self, upload: Upload) -> None:
        """It is wanted no more. What was analysed already stays."""
        with self._changed:
            self._cancelled.add(upload.id)
            current = self._current
        if current is not None and current[0] == upload.id:
            self._stop_process(current[1])
        elif upload.state is UploadState.WAITING:
            self._uploads.update(upload.id, state=UploadState.CANCELLED)
            self._delete_unless_kept(upload)

    def retry(self, upload: Upload) -> None:
        """Analyse it once more; what an analysis before left is another session."""
        with self._changed:
            self._cancelled.discard(upload.id)
            self._uploads.update(upload.id, state=UploadState.WAITING, reason="", session_id=None)
            self._changed.notify_all()

    def process_pending(self) -> None:
        """Analyse everything that waits."""
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
        waiting = [one for one in self._uploads.list_all() if one.state is UploadState.WAITING]
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
                    unwanted = self._closing or upload.id in self._cancelled
                if unwanted:
                    self._stop_process(process)
                out = self._read_output(upload, process, errors)
        finally:
            with self._changed:
                self._current = None
        changes = self._outcome(upload, process.returncode, out, errors)
        # A file that broke off has no more to give; where it was the analysis that did, it has.
        done = changes["state"] in {UploadState.FINISHED, UploadState.CANCELLED}
        broke_off = bool(out.strip()) and not self._closing
        self._uploads.update(upload.id, **changes)
        if done or broke_off:
            self._delete_unless_kept(upload)

    def _command(self, upload: Upload) -> list[str]:
        assert self._config.path is not None  # whoever serves has read it from a file
        command = [sys.executable, "-m", "classpulse", "--config", str(self._config.path), "analyze"]
        command += ["--attended", "--json", f"--class={upload.class_name}", f"--called={upload.file_name}"]
        if upload.room is not None:
            command.append(f"--room={upload.room}")
        if upload.time_source is TimeSource.USER and upload.lesson_at is not None:
            command.append(f"--at={upload.lesson_at.isoformat(timespec='seconds')}")
        return [*command, str(self._uploads.recording_path(upload))]

    def _read_output(self, upload: Upload, process: subprocess.Popen[str], errors: list[str]) -> str:
        """What it says at last on standard output, after all that it said on standard error."""
        assert process.stderr is not None
        assert process.stdout is not None
        for line in process.stderr:
            told = parse_progress(line)
            if told is not None:
                with self._changed:
                    new, self._progress = self._progress is None, told
                if new:  # known also after a crash, so that a recording that is kept goes with it
                    self._uploads.update(upload.id, session_id=told.session_id)
            elif line.startswith(ERROR_PREFIX):
                errors.append(line.strip())
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
            reason = answer.get("reason") or (errors[-1] if errors else f"the analysis broke off ({code})")
        changes = {"state": state, "reason": self._without_path(upload, reason), "session_id": session_id}
        with suppress(KeyError, ValueError):
            dated_by = TimeSource(answer["dated_by"])
            changes |= {"lesson_at": datetime.fromisoformat(answer["started_at"]), "dated_by": dated_by}
        return changes

    def _without_path(self, upload: Upload, line: str) -> str:
        """A line without the place of the file, which is nobody's business."""
        path = self._uploads.recording_path(upload)
        for private in (str(path), path.name):
            line = line.replace(private, upload.file_name)
        return line.removeprefix(ERROR_PREFIX)

    def _delete_unless_kept(self, upload: Upload) -> None:
        if not upload.keep_recording:
            self._uploads.delete_recording(upload.id)

    def _stop_process(self, process: subprocess.Popen[str]) -> None:
        """Tell it to end, and end it if it does not."""
        assert process.stdin is not None
        with suppress(OSError, ValueError):
            process.stdin.close()

        def insist() -> None:
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()

        threading.Thread(target=insist, name="insist", daemon=True).start()
