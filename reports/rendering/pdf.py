"""A page of HTML as a PDF, by plutoprint.

The headings of a page, as the bookmarks of its PDF.

plutoprint 0.23 writes no bookmarks of its own (plutoprint/plutobook#54), but where a link leads to a heading
it notes the heading's place. So an empty link to each is put into the page, which prints nothing, and pypdf
makes bookmarks of the places.
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
    """A heading of ``level`` 1..3; ``name`` is the ``id`` that its element has."""

    level: int
    text: str
    name: str


def link_headings(html: str) -> tuple[str, tuple[Heading, ...]]:
    """The page with an ``id`` on every ``h1`` to ``h3`` and an empty link to it, and the headings in order.

    ``html`` is one of our own pages: tags in lower case, text escaped, quotes around attributes.
    """
    found: list[Heading] = []

    def named(match: re.Match[str]) -> str:
        level, attributes, inner = match.groups()
        own = _ID.search(attributes)
        name = own[1] if own else f"heading-{len(found) + 1}"
        text = strip_isolates(" ".join(unescape(_TAG.sub(" ", inner)).split()))
        found.append(Heading(int(level), text, name))
        return match[0] if own else f'<h{level} id="{name}"{attributes}>{inner}</h{level}>'

    html = _HEADING.sub(named, html)
    links = "".join(f'<a href="#{heading.name}"></a>' for heading in found)
    # Out of the flow, or an empty line would stand above everything.
    box = f'<div style="position: absolute">{links}</div>'
    return _BODY.sub(lambda body: body[0] + box, html, count=1), tuple(found)


def html_language(html: str) -> str | None:
    """The ``lang`` of a page, as a tag of BCP 47; None where it says none."""
    found = _LANGUAGE.search(html)
    return found[1] if found else None


def add_outline(
    content: bytes, headings: Sequence[Heading], language_tag: str | None, created_at: datetime
) -> bytes:
    """A PDF with its headings as bookmarks, its language, its title in the viewer's title bar, and
    ``created_at`` for when it was made. A heading that is not printed has no bookmark."""
    reader = PdfReader(io.BytesIO(content))
    writer = PdfWriter(clone_from=reader)
    writer.pdf_header = reader.pdf_header
    writer.add_metadata({"/CreationDate": f"D:{created_at.astimezone(UTC):%Y%m%d%H%M%SZ}"})
    writer.create_viewer_preferences()[NameObject("/DisplayDocTitle")] = BooleanObject(True)
    if language_tag is not None:
        writer.root_object[NameObject("/Lang")] = TextStringObject(language_tag)
    above: dict[int, IndirectObject] = {}
    for heading in headings:
        place = reader.named_destinations.get(heading.name)
        page = None if place is None else reader.get_destination_page_number(place)
        if place is None or page is None:
            continue
        parent = next((above[level] for level in range(heading.level - 1, 0, -1) if level in above), None)
        item = writer.add_outline_item(
            title=heading.text,
            page_number=page,
            parent=parent,
            fit=Fit.xyz(top=float(place.top or 0.0)),
        )
        above = {level: one for level, one in above.items() if level < heading.level}
        above[heading.level] = item
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


log = logging.getLogger(__name__)

_PAGE_SIZES = {PaperSize.A4: plutoprint.PAGE_SIZE_A4, PaperSize.LETTER: plutoprint.PAGE_SIZE_LETTER}
_FONT_SIZES_PT = (10.0, 9.7, 9.4)
"""A few lines on a last page of their own are worth less than 6 % of the size of the type."""

_BASE_URL = "report:/page"
"""What the page's own links are relative to; nothing is ever fetched from it."""


def render_pdf(html: str, title: str, created_at: datetime, paper: PaperSize = PaperSize.A4) -> bytes:
    """The page on ``paper``, as its style sheet lays it out, with its headings as bookmarks. Nothing is
    fetched: the page must carry all it shows. What no font of this machine can draw is told in the log.

    Raises ReportError if the page cannot be laid out.
    """
    lacking = describe_missing_characters(missing_characters(html))
    if lacking is not None:
        log.warning(lacking)
    linked, headings = link_headings(add_isolates(html))
    # The session's time and not now: the same session gives the same bytes.
    return add_outline(_render_pages(linked, title, paper), headings, html_language(html), created_at)


def _render_pages(html: str, title: str, paper: PaperSize) -> bytes:
    """In the largest of the type sizes that need the fewest pages. To lay out takes 50 ms, to draw ten times
    that."""
    buffer = io.BytesIO()
    try:
        books = [_make_book(html, paper, size) for size in _FONT_SIZES_PT]
        book = min(books, key=plutoprint.Book.get_page_count)
        book.set_metadata(plutoprint.PDF_METADATA_TITLE, title)
        book.write_to_pdf_stream(buffer)
    except plutoprint.Error as error:
        raise ReportError(f"the PDF could not be made: {error}; the HTML report holds the same") from error
    return buffer.getvalue()


def _make_book(html: str, paper: PaperSize, size_pt: float) -> plutoprint.Book:
    book = plutoprint.Book(_PAGE_SIZES[paper], plutoprint.PAGE_MARGINS_NONE, plutoprint.MEDIA_TYPE_PRINT)
    book.custom_resource_fetcher = _FontFetcher()
    type_size = f"@media print {{ html {{ font-size: {size_pt:g}pt !important; }} }}"
    book.load_html(html, user_style=_fallback_fonts() + type_size, base_url=_BASE_URL)
    return book


class _FontFetcher(plutoprint.ResourceFetcher):
    """Serves matplotlib's fonts and refuses everything else, the network included."""

    def fetch_url(self, url: str) -> plutoprint.ResourceData:
        name = Path(url).name
        path = BUNDLED_FONT.parent / name
        if not path.is_file():
            raise ReportError(f"the page asked for {url!r}; a report must carry all it shows")
        # Read by the engine itself: it keeps fonts until the process ends, and bytes of Python's would be
        # freed after Python has gone, which ended test runs with a segmentation fault.
        return super().fetch_url(path.as_uri())


def _fallback_fonts() -> str:
    """A bare container has no font at all, and its PDF would have no text."""
    face = '@font-face {{ font-family: "Classpulse {}"; font-weight: {}; src: url("fonts:/{}"); }}'
    return (
        face.format("Fallback", "normal", "DejaVuSans.ttf")
        + face.format("Fallback", "bold", "DejaVuSans-Bold.ttf")
        + face.format("Mono", "normal", "DejaVuSansMono.ttf")
        + 'html { font-family: "Classpulse Fallback"; } code { font-family: monospace, "Classpulse Mono"; }'
    )
