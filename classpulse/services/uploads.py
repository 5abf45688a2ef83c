"""Uploaded recordings: a file under a random name, and beside it a JSON file with owner and state.

The state is in a file instead of the database, so that recording and state are moved and erased together and
a restored database backup lists no missing recording.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from classpulse.config.settings import Config
from classpulse.services.times import TimeSource
from reports.rendering.atomic_write import write_private_file

MIN_FREE_BYTES = 500_000_000
"""Disk space that an upload must leave free for the database and the reports."""

FAILED_UPLOAD_RETENTION = timedelta(days=1)
"""How long a recording is kept for another attempt after its analysis failed."""

LISTING_RETENTION = timedelta(days=30)
"""How long an upload is listed after its recording was deleted."""

DISK_FULL_MESSAGE = "The disk of the Classpulse computer is nearly full; ask its administrator to free space."

RESTARTED_MESSAGE = "Classpulse was stopped while it analysed this recording."


class UploadState(StrEnum):
    """The state of an upload. ``rejected``: nothing was analysed, for the ``reason`` of the upload."""

    WAITING = "waiting"
    ANALYSING = "analysing"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether the state changes only at the user's request."""
        return self not in {UploadState.WAITING, UploadState.ANALYSING}


@dataclass(frozen=True)
class Upload:
    """A recording that ``account_id`` uploaded at ``uploaded_at`` (aware UTC). ``file_name`` is its original
    name, for display only; ``keep_recording``: keep it after the analysis; ``recording_exists``: it is not
    deleted yet. ``lesson_at`` (aware) is the start of the lesson, None while unknown, and ``time_source`` its
    source. ``track`` is the number of the video track, from 1; None: the one that the file marks as
    default."""

    id: str
    account_id: int
    class_name: str
    room: str | None
    file_name: str
    size_bytes: int
    uploaded_at: datetime
    keep_recording: bool
    state: UploadState = UploadState.WAITING
    reason: str = ""
    session_id: int | None = None
    recording_exists: bool = True
    lesson_at: datetime | None = None
    time_source: TimeSource | None = None
    track: int | None = None


_UPLOADS = TypeAdapter(Upload)


class StorageFull(Exception):
    """The upload does not fit on the disk; the message is for the user."""


class UploadTooLarge(StorageFull):
    """The upload exceeds the accepted size."""


class UploadWriter:
    """Writes a recording while it is received."""

    def __init__(self, file: BinaryIO, folder: Path, max_bytes: int) -> None:
        self._file = file
        self._folder = folder
        self._max_bytes = max_bytes
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        """Append a chunk. Raises StorageFull and UploadTooLarge."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self._max_bytes:
            raise UploadTooLarge(too_large_message(self._max_bytes))
        require_disk_space(self._folder, 0)
        rest = memoryview(chunk)
        with _translate_disk_full():
            while rest:
                rest = rest[self._file.write(rest) :]

    def close(self) -> None:
        """Close the completely received file. Raises StorageFull."""
        with _translate_disk_full():
            self._file.close()


class UploadStore:
    """The uploads in a folder, which the first upload creates. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._uploads = {upload.id: upload for upload in _read_uploads(folder)}
        for path in folder.glob("*.part"):
            path.unlink(missing_ok=True)
        for path in folder.glob("*.video"):
            if path.stem not in self._uploads:
                path.unlink(missing_ok=True)
        for upload in list(self._uploads.values()):
            if upload.state is UploadState.ANALYSING:
                self.update(upload.id, state=UploadState.INTERRUPTED, reason=RESTARTED_MESSAGE)

    @property
    def folder(self) -> Path:
        """The folder of the uploads."""
        return self._folder

    def list_all(self) -> list[Upload]:
        """All uploads, newest first."""
        self._drop_missing()
        with self._lock:
            return sorted(
                self._uploads.values(), key=lambda upload: (upload.uploaded_at, upload.id), reverse=True
            )

    def get(self, upload_id: str) -> Upload | None:
        """The upload with this id, None if there is none."""
        self._drop_missing()
        with self._lock:
            return self._uploads.get(upload_id)

    def recording_path(self, upload: Upload) -> Path:
        """The path of the recording."""
        return self._folder / f"{upload.id}.video"

    @contextmanager
    def open_writer(self, max_bytes: int) -> Iterator[tuple[str, UploadWriter]]:
        """A new upload id and its writer for at most ``max_bytes``; the file is deleted unless ``commit`` is
        called in the block."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        upload_id = secrets.token_hex(16)
        part = self._folder / f"{upload_id}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            # Unbuffered, so that closing the file after a full disk writes nothing.
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                yield upload_id, UploadWriter(file, self._folder, max_bytes)
        finally:
            part.unlink(missing_ok=True)

    def commit(self, upload: Upload) -> None:
        """Store a completely received recording, whose file is closed, with its state. Raises StorageFull."""
        (self._folder / f"{upload.id}.part").replace(self.recording_path(upload))
        try:
            with _translate_disk_full():
                self._save(upload)
        except BaseException:
            self.recording_path(upload).unlink(missing_ok=True)
            raise

    def update(self, upload_id: str, **values: Any) -> None:
        """Set fields of an upload; a deleted one is ignored."""
        # Read and write under one lock, so that concurrent updates of different fields are not lost.
        with self._lock:
            known = self._uploads.get(upload_id)
            if known is not None:
                self._save(replace(known, **values))

    def delete_recording(self, upload_id: str) -> None:
        """Delete the recording and keep the upload in the list."""
        known = self.get(upload_id)
        if known is not None:
            self.recording_path(known).unlink(missing_ok=True)
            self.update(upload_id, recording_exists=False)

    def delete(self, upload_id: str) -> None:
        """Delete the recording and the upload."""
        with self._lock:
            known = self._uploads.pop(upload_id, None)
        if known is not None:
            self.recording_path(known).unlink(missing_ok=True)
            self._metadata_path(upload_id).unlink(missing_ok=True)

    def delete_expired(self, now: datetime, keep_days: int | None) -> None:
        """Delete recordings of failed analyses after ``FAILED_UPLOAD_RETENTION``, kept recordings after
        ``keep_days``, and uploads without a recording after ``LISTING_RETENTION``."""
        for one in self.list_all():
            if not one.state.is_final:
                continue
            age = now - one.uploaded_at
            failed = one.recording_exists and not one.keep_recording and age > FAILED_UPLOAD_RETENTION
            expired = (
                one.recording_exists
                and one.keep_recording
                and keep_days is not None
                and age > timedelta(days=keep_days)
            )
            if failed or expired:
                self.delete_recording(one.id)
            elif not one.recording_exists and age > LISTING_RETENTION:
                self.delete(one.id)

    def _drop_missing(self) -> None:
        """Remove uploads that another process has erased (``erase_upload``)."""
        with self._lock:
            for upload in list(self._uploads.values()):
                if upload.state.is_final and not self._metadata_path(upload.id).is_file():
                    del self._uploads[upload.id]

    def _save(self, upload: Upload) -> None:
        with self._lock:
            write_private_file(self._metadata_path(upload.id), _UPLOADS.dump_json(upload))
            self._uploads[upload.id] = upload

    def _metadata_path(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.json"


def uploads_folder(config: Config) -> Path:
    """The folder of uploaded recordings."""
    return config.data_folder / "uploads"


def erasable_uploads(config: Config, sessions: Collection[int], before: datetime) -> list[Upload]:
    """The uploads of these sessions, and those without a session that were uploaded before ``before``; never
    one that is waiting or being analysed. Usable while the dashboard runs."""
    return [
        upload
        for upload in _read_uploads(uploads_folder(config))
        if upload.state.is_final
        and (upload.session_id in sessions or (upload.session_id is None and upload.uploaded_at < before))
    ]


def erase_upload(config: Config, upload: Upload) -> bool:
    """Erase an upload, the recording first; returns whether there was a recording. Raises OSError, after
    which the upload is still listed."""
    folder = uploads_folder(config)
    (folder / f"{upload.id}.video").unlink(missing_ok=True)
    (folder / f"{upload.id}.json").unlink(missing_ok=True)
    return upload.recording_exists


def require_disk_space(folder: Path, announced_bytes: int) -> None:
    """Raises StorageFull if this many more bytes would leave less than ``MIN_FREE_BYTES``."""
    if shutil.disk_usage(folder).free - announced_bytes < MIN_FREE_BYTES:
        raise StorageFull(DISK_FULL_MESSAGE)


@contextmanager
def _translate_disk_full() -> Iterator[None]:
    """Translates a full disk or quota into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        raise StorageFull(DISK_FULL_MESSAGE) from None


def too_large_message(max_bytes: int) -> str:
    """The message for a recording of more than ``max_bytes``."""
    return f"This recording is larger than {max_bytes / 1e9:g} GB; cut it or compress it."


def _read_uploads(folder: Path) -> Iterator[Upload]:
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValidationError):
            upload = _UPLOADS.validate_json(path.read_bytes())
            if upload.id == path.stem:
                yield replace(upload, recording_exists=(folder / f"{upload.id}.video").is_file())
