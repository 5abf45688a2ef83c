"""A page of HTML as a PDF, by plutoprint."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import plutoprint
from matplotlib import get_data_path

from reports.errors import ReportError


def to_pdf(html: str, title: str, created_at: datetime) -> bytes:
    """A4 as the style sheet of ``html`` lays it out. Nothing is fetched: the page must carry all it shows.

    Raises ReportError if the page cannot be laid out.
    """
    book = plutoprint.Book(plutoprint.PAGE_SIZE_A4, plutoprint.PAGE_MARGINS_NONE, plutoprint.MEDIA_TYPE_PRINT)
    book.custom_resource_fetcher = _OnlyFonts()
    book.set_metadata(plutoprint.PDF_METADATA_TITLE, title)
    # The session's time and not now: the same session gives the same bytes.
    book.set_metadata(plutoprint.PDF_METADATA_CREATION_DATE, created_at.isoformat(timespec="seconds"))
    buffer = io.BytesIO()
    try:
        book.load_html(html, user_style=_fallback_fonts())
        book.write_to_pdf_stream(buffer)
    except plutoprint.Error as error:
        raise ReportError(f"the PDF could not be made: {error}; the HTML report holds the same") from error
    return buffer.getvalue()


class _OnlyFonts(plutoprint.ResourceFetcher):
    """Serves matplotlib's fonts and refuses everything else, the network included."""

    def fetch_url(self, url: str) -> plutoprint.ResourceData:
        name = Path(url).name
        path = _FONTS / name
        if not path.is_file():
            raise ReportError(f"the page asked for {url!r}; a report must carry all it shows")
        # Read by the engine itself: it keeps fonts until the process ends, and bytes of Python's would be
        # freed after Python has gone, which ended test runs with a segmentation fault.
        return super().fetch_url(path.as_uri())


_FONTS = Path(get_data_path()) / "fonts" / "ttf"


def _fallback_fonts() -> str:
    """A bare container has no font at all, and its PDF would have no text."""
    face = '@font-face {{ font-family: "Classpulse Fallback"; font-weight: {}; src: url("fonts:/{}"); }}'
    return face.format("normal", "DejaVuSans.ttf") + face.format("bold", "DejaVuSans-Bold.ttf")
