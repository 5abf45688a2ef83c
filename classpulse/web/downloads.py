"""Files for whoever asks: their names in any script, and the headers that go with them."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from starlette.responses import Response

from classpulse.services.report_files import safe_name
from classpulse.web.security_headers import DOCUMENT_POLICY

TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
}

_MOST_BYTES = 150


def download(content: bytes, name: str, ending: str) -> Response:
    """A file to be kept. ``name`` may hold anything; ``ending`` is one of ``TYPES``."""
    headers = {"Content-Disposition": disposition(f"{name}", ending)}
    return Response(content, headers=headers, media_type=TYPES[ending])


def document(content: bytes) -> Response:
    """A report to be looked at in a frame, as if from nowhere."""
    return Response(content, headers={"Content-Security-Policy": DOCUMENT_POLICY}, media_type=TYPES["html"])


def disposition(name: str, ending: str) -> str:
    """The name in plain ASCII for every browser, and in UTF-8 for those that read RFC 6266."""
    whole = safe_name(name).encode()[:_MOST_BYTES].decode(errors="ignore")
    plain = unicodedata.normalize("NFKD", whole).encode("ascii", "ignore").decode()
    plain = " ".join(re.sub(r"[^\w .,()-]", " ", plain).split()) or "report"
    return (
        f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{quote(f'{whole}.{ending}', safe='')}"
    )
