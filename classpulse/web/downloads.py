"""Responses with files: names in any script and their headers."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from starlette.responses import Response

from classpulse.text import safe_file_name
from classpulse.web.security_headers import DOCUMENT_POLICY

CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
}

_MAX_NAME_BYTES = 150


def file_download(content: bytes, name: str, extension: str) -> Response:
    """A download. ``name``: any text; ``extension``: a key of ``CONTENT_TYPES``."""
    headers = {"Content-Disposition": content_disposition(name, extension)}
    return Response(content, headers=headers, media_type=CONTENT_TYPES[extension])


def embedded_document(content: bytes) -> Response:
    """A report for an iframe, with a sandboxed origin."""
    return Response(
        content, headers={"Content-Security-Policy": DOCUMENT_POLICY}, media_type=CONTENT_TYPES["html"]
    )


def content_disposition(name: str, extension: str) -> str:
    """The header value with the name in ASCII and, after RFC 6266, in UTF-8."""
    unicode_name = safe_file_name(name).encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
    ascii_name = unicodedata.normalize("NFKD", unicode_name).encode("ascii", "ignore").decode()
    ascii_name = " ".join(re.sub(r"[^\w .,()-]", " ", ascii_name).split()) or "report"
    return f"attachment; filename=\"{ascii_name}.{extension}\"; filename*=UTF-8''{quote(f'{unicode_name}.{extension}', safe='')}"
