"""Streaming parser for multipart forms with one file: neither buffered in memory nor in a temporary file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from classpulse.web.routing import require_csrf_token

STALL_TIMEOUT_S = 60.0
"""An upload without new data for this time is aborted, even if the connection is open."""

MAX_FORM_OVERHEAD_BYTES = 100_000
"""Maximum size of the fields and delimiters of a form."""

MAX_FIELDS, MAX_FIELD_BYTES = 50, 10_000

INCOMPLETE_UPLOAD = "The upload is incomplete."
INVALID_FORM = "The request is not a valid form."


@dataclass(frozen=True)
class FormField:
    """A complete field that is not a file."""

    name: str
    value: str


@dataclass(frozen=True)
class FileStart:
    """The start of the file; the following ``bytes`` parts are its content. ``file_name`` comes from the
    browser and is untrusted."""

    name: str
    file_name: str


Part = FormField | FileStart | bytes


async def iter_parts(request: Request) -> AsyncIterator[Part]:
    """The fields, the start of the one file and its content in chunks, in the order sent. Raises
    HTTPException: 400 for an invalid or incomplete form, 408 if the client stops sending."""
    collector = _PartCollector()
    parser = MultipartParser(_boundary(request), collector.callbacks())
    stream = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(STALL_TIMEOUT_S):
                chunk = await anext(stream, b"")
            if not chunk:
                break
            parser.write(chunk)
        except TimeoutError:
            raise HTTPException(408, "The upload was aborted because no more data arrived.") from None
        except ClientDisconnect:
            raise HTTPException(400, INCOMPLETE_UPLOAD) from None
        except FormParserError:
            raise HTTPException(400, INVALID_FORM) from None
        for part in collector.pop():
            yield part
    if not collector.ended:
        raise HTTPException(400, INCOMPLETE_UPLOAD)


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 200:
        raise HTTPException(400, INVALID_FORM)
    return boundary


@dataclass
class _PartCollector:
    """Converts the parser's callbacks into parts."""

    ended: bool = False
    _parts: list[Part] = field(default_factory=list)
    _header: tuple[bytes, bytes] = (b"", b"")
    _disposition: bytes = b""
    _name: str = ""
    _value: bytearray | None = None
    _fields: int = 0
    _files: int = 0

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def pop(self) -> list[Part]:
        popped, self._parts = self._parts, []
        return popped

    def _begin(self) -> None:
        self._disposition, self._header = b"", (b"", b"")

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = (b"", b"")

    def _headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise FormParserError("a part has no name")
        self._name = options[b"name"].decode("utf-8", "replace")
        if b"filename" in options:
            self._files += 1
            if self._files > 1:
                raise FormParserError("more than one file")
            self._value = None
            self._parts.append(FileStart(self._name, options[b"filename"].decode("utf-8", "replace")))
        else:
            self._fields += 1
            if self._fields > MAX_FIELDS:
                raise FormParserError("too many fields")
            self._value = bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._value is None:
            self._parts.append(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > MAX_FIELD_BYTES:
            raise FormParserError("a field is too long")

    def _end(self) -> None:
        if self._value is not None:
            self._parts.append(FormField(self._name, self._value.decode("utf-8", "replace")))

    def _finish(self) -> None:
        self.ended = True


@dataclass(frozen=True)
class UploadedFile:
    """A small file in memory and the other fields of the form."""

    file_name: str
    content: bytes
    fields: dict[str, str]


async def read_uploaded_file(request: Request, name: str, max_bytes: int) -> UploadedFile:
    """Read the file ``name`` of a form, empty if none was sent, and check the CSRF token. Raises
    HTTPException, 413 for a file larger than ``max_bytes``."""
    if int(request.headers.get("content-length") or 0) > max_bytes + MAX_FORM_OVERHEAD_BYTES:
        raise HTTPException(413, _too_large(max_bytes))
    fields: dict[str, str] = {}
    content, file_name, is_requested = bytearray(), "", False
    async for part in iter_parts(request):
        if isinstance(part, FormField):
            fields[part.name] = part.value
        elif isinstance(part, FileStart):
            file_name, is_requested = part.file_name, part.name == name
        elif is_requested:
            content += part
            if len(content) > max_bytes:
                raise HTTPException(413, _too_large(max_bytes))
    require_csrf_token(request, request.headers.get("X-CSRF-Token") or fields.get("csrf_token", ""))
    return UploadedFile(file_name, bytes(content), fields)


def _too_large(max_bytes: int) -> str:
    return f"The file is larger than {max_bytes / 1e6:g} MB."
