"""A page of HTML as a PDF, by plutoprint."""

from __future__ import annotations

import io
import logging
from datetime import datetime
from pathlib import Path

import plutoprint

from reports.errors import ReportError
from reports.fonts import OWN, missing_characters, missing_told
from reports.outline import headings_linked, language, with_outline
from reports.paper import Paper

log = logging.getLogger(__name__)

_SIZES = {Paper.A4: plutoprint.PAGE_SIZE_A4, Paper.LETTER: plutoprint.PAGE_SIZE_LETTER}
_TYPE_PT = (10.0, 9.7, 9.4)
"""A few lines on a last page of their own are worth less than 6 % of the size of the type."""

_BASE = "report:/page"
"""What the page's own links are relative to; nothing is ever fetched from it."""


def to_pdf(html: str, title: str, created_at: datetime, paper: Paper = Paper.A4) -> bytes:
    """The page on ``paper``, as its style sheet lays it out, with its headings as bookmarks. Nothing is
    fetched: the page must carry all it shows. What no font of this machine can draw is told in the log.

    Raises ReportError if the page cannot be laid out.
    """
    lacking = missing_told(missing_characters(html))
    if lacking is not None:
        log.warning(lacking)
    linked, headings = headings_linked(html)
    # The session's time and not now: the same session gives the same bytes.
    return with_outline(_laid_out(linked, title, paper), headings, language(html), created_at)


def _laid_out(html: str, title: str, paper: Paper) -> bytes:
    """In the largest of the type sizes that need the fewest pages. To lay out takes 50 ms, to draw ten times
    that."""
    buffer = io.BytesIO()
    try:
        books = [_book(html, paper, size) for size in _TYPE_PT]
        book = min(books, key=plutoprint.Book.get_page_count)
        book.set_metadata(plutoprint.PDF_METADATA_TITLE, title)
        book.write_to_pdf_stream(buffer)
    except plutoprint.Error as error:
        raise ReportError(f"the PDF could not be made: {error}; the HTML report holds the same") from error
    return buffer.getvalue()


def _book(html: str, paper: Paper, size_pt: float) -> plutoprint.Book:
    book = plutoprint.Book(_SIZES[paper], plutoprint.PAGE_MARGINS_NONE, plutoprint.MEDIA_TYPE_PRINT)
    book.custom_resource_fetcher = _OnlyFonts()
    type_size = f"@media print {{ html {{ font-size: {size_pt:g}pt !important; }} }}"
    book.load_html(html, user_style=_fallback_fonts() + type_size, base_url=_BASE)
    return book


class _OnlyFonts(plutoprint.ResourceFetcher):
    """Serves matplotlib's fonts and refuses everything else, the network included."""

    def fetch_url(self, url: str) -> plutoprint.ResourceData:
        name = Path(url).name
        path = OWN.parent / name
        if not path.is_file():
            raise ReportError(f"the page asked for {url!r}; a report must carry all it shows")
        # Read by the engine itself: it keeps fonts until the process ends, and bytes of Python's would be
        # freed after Python has gone, which ended test runs with a segmentation fault.
        return super().fetch_url(path.as_uri())


def _fallback_fonts() -> str:
    """A bare container has no font at all, and its PDF would have no text."""
    face = '@font-face {{ font-family: "Classpulse Fallback"; font-weight: {}; src: url("fonts:/{}"); }}'
    return face.format("normal", "DejaVuSans.ttf") + face.format("bold", "DejaVuSans-Bold.ttf")
