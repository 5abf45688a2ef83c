"""Recordings that were uploaded: each a file under a random name, and beside it a file that says whose it is
and how it stands.

Files and not a table, because what is told is told of a file: both are in one folder, are moved and erased
together, and a database that is restored from a backup speaks of no recording that is gone.
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

MIN_FREE_BYTES = 500_000_000
"""Bytes of the disk that an upload leaves free: the record and the reports need them."""

FAILED_UPLOAD_RETENTION = timedelta(days=1)
"""So long a recording waits whose analysis was refused or broke off, for somebody to try it again."""

LISTING_RETENTION = timedelta(days=30)
"""So long an upload is listed whose recording is gone."""

DISK_FULL_MESSAGE = "the disk of Classpulse's computer is nearly full; ask its administrator to make room"

RESTARTED_MESSAGE = "Classpulse was ended while this recording was analysed"


class UploadState(StrEnum):
    """How an upload stands. ``refused``: nothing was analysed, ``reason`` says why."""

    WAITING = "waiting"
    ANALYSING = "analysing"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    REJECTED = "refused"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens by itself."""
        return self not in {UploadState.WAITING, UploadState.ANALYSING}


@dataclass(frozen=True)
class Upload:
    """A recording that ``account_id`` sent at ``uploaded_at`` (aware UTC). ``file_name`` is its name there, to be shown
    and never a path; ``keep_recording``: it stays after its analysis; ``recording_exists``: the file still is. ``lesson_at``
    (aware) is when the lesson was, None while nobody knows, and ``time_source`` who says so."""

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


_UPLOADS = TypeAdapter(Upload)


class StorageFull(Exception):
    """There is no room for more; one line says why."""


class UploadTooLarge(StorageFull):
    """More came than is taken."""


class UploadWriter:
    """A recording while it comes."""

    def __init__(self, file: BinaryIO, folder: Path, max_bytes: int) -> None:
        self._file = file
        self._folder = folder
        self._max_bytes = max_bytes
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        """Add a piece. Raises Full and TooLarge, where nothing of it stays."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self._max_bytes:
            raise UploadTooLarge(too_large_message(self._max_bytes))
        require_disk_space(self._folder, 0)
        left = memoryview(chunk)
        with _translate_disk_full():
            while left:
                left = left[self._file.write(left) :]

    def close(self) -> None:
        """All of it has come. Raises Full where the last of it has no room."""
        with _translate_disk_full():
            self._file.close()


class UploadStore:
    """Those of a folder, which is made with the first of them. From any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._uploads = {one.id: one for one in _read_uploads(folder)}
        for path in folder.glob("*.part"):
            path.unlink(missing_ok=True)
        for path in folder.glob("*.video"):
            if path.stem not in self._uploads:
                path.unlink(missing_ok=True)
        for one in list(self._uploads.values()):
            if one.state is UploadState.ANALYSING:
                self.update(one.id, state=UploadState.INTERRUPTED, reason=RESTARTED_MESSAGE)

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._folder

    def list_all(self) -> list[Upload]:
        """Every one, the newest first."""
        self._drop_missing()
        with self._lock:
            return sorted(self._uploads.values(), key=lambda one: (one.uploaded_at, one.id), reverse=True)

    def get(self, upload_id: str) -> Upload | None:
        """One of them, None where there is none of that number."""
        self._drop_missing()
        with self._lock:
            return self._uploads.get(upload_id)

    def recording_path(self, upload: Upload) -> Path:
        """Where the recording is."""
        return self._folder / f"{upload.id}.video"

    @contextmanager
    def open_writer(self, max_bytes: int) -> Iterator[tuple[str, UploadWriter]]:
        """A place for a recording of at most so many bytes, and its number; unless it is ``commit``n in the
        block nothing of it stays."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = secrets.token_hex(16)
        part = self._folder / f"{number}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            # Without a buffer, so that nothing is left to be written when it is closed after a full disk.
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                yield number, UploadWriter(file, self._folder, max_bytes)
        finally:
            part.unlink(missing_ok=True)

    def commit(self, upload: Upload) -> None:
        """All of a recording has come, and its file is closed. Raises Full where there is no room for what is
        noted of it."""
        (self._folder / f"{upload.id}.part").replace(self.recording_path(upload))
        try:
            with _translate_disk_full():
                self._save(upload)
        except BaseException:
            self.recording_path(upload).unlink(missing_ok=True)
            raise

    def update(self, upload_id: str, **values: Any) -> None:
        """Note how it stands; does nothing where it is gone."""
        # All of it: of two threads that note something at once, neither may undo what the other noted.
        with self._lock:
            known = self._uploads.get(upload_id)
            if known is not None:
                self._save(replace(known, **values))

    def delete_recording(self, upload_id: str) -> None:
        """Erase the recording; that there was one stays."""
        known = self.get(upload_id)
        if known is not None:
            self.recording_path(known).unlink(missing_ok=True)
            self.update(upload_id, there=False)

    def delete(self, upload_id: str) -> None:
        """Erase the recording and take it off the list."""
        with self._lock:
            known = self._uploads.pop(upload_id, None)
        if known is not None:
            self.recording_path(known).unlink(missing_ok=True)
            self._metadata_path(upload_id).unlink(missing_ok=True)

    def delete_expired(self, now: datetime, keep_days: int | None) -> None:
        """Erase what has waited long enough, and what ``retention.keep_days`` says of recordings that were
        to be kept."""
        for one in self.list_all():
            if not one.state.is_final:
                continue
            age = now - one.uploaded_at
            undone = one.recording_exists and not one.keep_recording and age > FAILED_UPLOAD_RETENTION
            stale = (
                one.recording_exists
                and one.keep_recording
                and keep_days is not None
                and age > timedelta(days=keep_days)
            )
            if undone or stale:
                self.delete_recording(one.id)
            elif not one.recording_exists and age > LISTING_RETENTION:
                self.delete(one.id)

    def _drop_missing(self) -> None:
        """Take off the list what another process has erased (``erase_recordings``)."""
        with self._lock:
            for one in list(self._uploads.values()):
                if one.state.is_final and not self._metadata_path(one.id).is_file():
                    del self._uploads[one.id]

    def _save(self, upload: Upload) -> None:
        about = self._metadata_path(upload.id)
        new = about.with_suffix(".new")
        with self._lock:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(_UPLOADS.dump_json(upload))
            new.replace(about)
            self._uploads[upload.id] = upload

    def _metadata_path(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.json"


def uploads_folder(config: Config) -> Path:
    """Where uploaded recordings are."""
    return config.data_folder / "uploads"


def erasable_uploads(config: Config, sessions: Collection[int], before: datetime) -> list[Upload]:
    """The uploads that go with those sessions, and those without one that were sent before that moment;
    never one that waits or is analysed. For who erases lessons, also while the dashboard runs."""
    return [
        one
        for one in _read_uploads(uploads_folder(config))
        if one.state.is_final
        and (one.session_id in sessions or (one.session_id is None and one.uploaded_at < before))
    ]


def erase_upload(config: Config, upload: Upload) -> bool:
    """Erase an upload, the recording first; whether there was a recording. Raises OSError where it cannot
    be, and then the upload is found again."""
    folder = uploads_folder(config)
    (folder / f"{upload.id}.video").unlink(missing_ok=True)
    (folder / f"{upload.id}.json").unlink(missing_ok=True)
    return upload.recording_exists


def require_disk_space(folder: Path, announced_bytes: int) -> None:
    """Raises Full where so many bytes more would leave too little of the disk."""
    if shutil.disk_usage(folder).free - announced_bytes < MIN_FREE_BYTES:
        raise StorageFull(DISK_FULL_MESSAGE)


@contextmanager
def _translate_disk_full() -> Iterator[None]:
    """A disk, or a user's part of it, that takes no more says so in a line."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        raise StorageFull(DISK_FULL_MESSAGE) from None


def too_large_message(max_bytes: int) -> str:
    """The line about a recording of more bytes than are taken."""
    return f"this recording is larger than {max_bytes / 1e9:g} GB; cut it, or have it made smaller"


def display_file_name(file_name: str) -> str:
    """What a browser says a file is called, fit to be shown: no folders, nothing that cannot be printed."""
    last = file_name.replace("\\", "/").split("/")[-1]
    readable = "".join(sign for sign in last if sign.isprintable()).strip(" .-")
    return readable[-100:] or "recording"


def _read_uploads(folder: Path) -> Iterator[Upload]:
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValidationError):
            upload = _UPLOADS.validate_json(path.read_bytes())
            if upload.id == path.stem:
                yield replace(upload, recording_exists=(folder / f"{upload.id}.video").is_file())
