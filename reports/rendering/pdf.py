"""HTML pages as PDFs, by plutoprint, with the headings as bookmarks.

plutoprint 0.23 writes no bookmarks (plutoprint/plutobook#54), but it writes a named destination for every
heading that a link points to. So the page gets an invisible link to each heading, and pypdf makes bookmarks
of the destinations.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import plutoprint
from pypdf import PdfReader, PdfWriter
from pypdf.generic import BooleanObject, Fit, IndirectObject, NameObject, TextStringObject

from reports.errors import ReportError
from reports.rendering.paper import PaperSize
from reports.text.fonts import BUNDLED_FONT, describe_missing_characters, missing_characters
from reports.text.names import add_isolates, strip_isolates

_HEADING = re.compile(r"<h([1-3])([^>]*)>(.*?)</h\1>", re.DOTALL)
_ID = re.compile(r'\bid="([^"]*)"')
_TAG = re.compile(r"<[^>]*>")
_BODY = re.compile(r"<body[^>]*>")
_LANGUAGE = re.compile(r'<html[^>]*\blang="([^"]*)"')


@dataclass(frozen=True)
class Heading:
    """A heading of ``level`` 1..3; ``name``: the ``id`` of its element."""

    level: int
    text: str
    name: str


def link_headings(html: str) -> tuple[str, tuple[Heading, ...]]:
    """The page with an ``id`` on each ``h1`` to ``h3`` and an empty link to it, and the headings in order.

    ``html`` must have lower-case tags, escaped text and quoted attributes, as all report pages have.
    """
    headings: list[Heading] = []

    def named(match: re.Match[str]) -> str:
        level, attributes, inner = match.groups()
        own = _ID.search(attributes)
        name = own[1] if own else f"heading-{len(headings) + 1}"
        text = strip_isolates(" ".join(unescape(_TAG.sub(" ", inner)).split()))
        headings.append(Heading(int(level), text, name))
        return match[0] if own else f'<h{level} id="{name}"{attributes}>{inner}</h{level}>'

    html = _HEADING.sub(named, html)
    links = "".join(f'<a href="#{heading.name}"></a>' for heading in headings)
    # Out of the flow, or the page would start with an empty line.
    box = f'<div style="position: absolute">{links}</div>'
    return _BODY.sub(lambda body: body[0] + box, html, count=1), tuple(headings)


def html_language(html: str) -> str | None:
    """The ``lang`` of a page, a BCP 47 tag; None without one."""
    match = _LANGUAGE.search(html)
    return match[1] if match else None


def add_outline(
    content: bytes, headings: Sequence[Heading], language_tag: str | None, created_at: datetime
) -> bytes:
    """The PDF with bookmarks for all printed headings, its language, its title in the viewer's title bar, and
    ``created_at`` as its creation date."""
    reader = PdfReader(io.BytesIO(content))
    writer = PdfWriter(clone_from=reader)
    writer.pdf_header = reader.pdf_header
    writer.add_metadata({"/CreationDate": f"D:{created_at.astimezone(UTC):%Y%m%d%H%M%SZ}"})
    writer.create_viewer_preferences()[NameObject("/DisplayDocTitle")] = BooleanObject(True)
    if language_tag is not None:
        writer.root_object[NameObject("/Lang")] = TextStringObject(language_tag)
    parents: dict[int, IndirectObject] = {}
    for heading in headings:
        target = reader.named_destinations.get(heading.name)
        page = None if target is None else reader.get_destination_page_number(target)
        if target is None or page is None:
            continue
        parent = next((parents[level] for level in range(heading.level - 1, 0, -1) if level in parents), None)
        item = writer.add_outline_item(
            title=heading.text,
            page_number=page,
            parent=parent,
            fit=Fit.xyz(top=float(target.top or 0.0)),
        )
        parents = {level: entry for level, entry in parents.items() if level < heading.level}
        parents[heading.level] = item
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


log = logging.getLogger(__name__)

_PAGE_SIZES = {PaperSize.A4: plutoprint.PAGE_SIZE_A4, PaperSize.LETTER: plutoprint.PAGE_SIZE_LETTER}
_FONT_SIZES_PT = (10.0, 9.7, 9.4)
"""Tried in this order to save a last page with a few lines."""

_BASE_URL = "report:/page"
"""Base of the page's own links; nothing is fetched from it."""


def render_pdf(html: str, title: str, created_at: datetime, paper: PaperSize = PaperSize.A4) -> bytes:
    """The self-contained page ``html`` as a PDF on ``paper``, with its headings as bookmarks and
    ``created_at`` as its creation date. Characters that no installed font has are logged. Raises
    ReportError if the layout fails."""
    warning = describe_missing_characters(missing_characters(html))
    if warning is not None:
        log.warning(warning)
    linked, headings = link_headings(add_isolates(html))
    return add_outline(_render_pages(linked, title, paper), headings, html_language(html), created_at)


def _render_pages(html: str, title: str, paper: PaperSize) -> bytes:
    """The PDF in the largest font size among those with the fewest pages; a layout takes a tenth of the
    drawing."""
    buffer = io.BytesIO()
    try:
        books = [_make_book(html, paper, size) for size in _FONT_SIZES_PT]
        book = min(books, key=plutoprint.Book.get_page_count)
        book.set_metadata(plutoprint.PDF_METADATA_TITLE, title)
        book.write_to_pdf_stream(buffer)
    except plutoprint.Error as error:
        raise ReportError(
            f"The PDF could not be created: {error}.", "The HTML report has the same content."
        ) from error
    return buffer.getvalue()


def _make_book(html: str, paper: PaperSize, size_pt: float) -> plutoprint.Book:
    book = plutoprint.Book(_PAGE_SIZES[paper], plutoprint.PAGE_MARGINS_NONE, plutoprint.MEDIA_TYPE_PRINT)
    book.custom_resource_fetcher = _FontFetcher()
    type_size = f"@media print {{ html {{ font-size: {size_pt:g}pt !important; }} }}"
    book.load_html(html, user_style=_fallback_fonts() + type_size, base_url=_BASE_URL)
    return book


class _FontFetcher(plutoprint.ResourceFetcher):
    """Serves matplotlib's fonts only; no files, no network."""

    def fetch_url(self, url: str) -> plutoprint.ResourceData:
        name = Path(url).name
        path = BUNDLED_FONT.parent / name
        if not path.is_file():
            raise ReportError(f"The page requests the external resource {url!r}.")
        # The engine reads the file itself: it keeps fonts until the process ends, and freeing bytes owned by
        # Python after the interpreter's exit causes a segmentation fault.
        return super().fetch_url(path.as_uri())


def _fallback_fonts() -> str:
    """CSS of the bundled fonts; a minimal container has none, and its PDF would have no text."""
    face = '@font-face {{ font-family: "Classpulse {}"; font-weight: {}; src: url("fonts:/{}"); }}'
    return (
        face.format("Fallback", "normal", "DejaVuSans.ttf")
        + face.format("Fallback", "bold", "DejaVuSans-Bold.ttf")
        + face.format("Mono", "normal", "DejaVuSansMono.ttf")
        # DejaVu's ligature of "fi" is a character of its own, under which a search does not find the word.
        + "html { font-variant-ligatures: none; }"
        + 'html { font-family: "Classpulse Fallback"; } code { font-family: monospace, "Classpulse Mono"; }'
    )
