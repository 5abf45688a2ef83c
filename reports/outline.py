"""The headings of a page, as the bookmarks of its PDF.

plutoprint 0.23 writes no bookmarks of its own (plutoprint/plutobook#54), but where a link leads to a heading
it notes the heading's place. So an empty link to each is put into the page, which prints nothing, and pypdf
makes bookmarks of the places.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape

from pypdf import PdfReader, PdfWriter
from pypdf.generic import BooleanObject, Fit, IndirectObject, NameObject, TextStringObject

from reports.names import plain

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


def headings_linked(html: str) -> tuple[str, tuple[Heading, ...]]:
    """The page with an ``id`` on every ``h1`` to ``h3`` and an empty link to it, and the headings in order.

    ``html`` is one of our own pages: tags in lower case, text escaped, quotes around attributes.
    """
    found: list[Heading] = []

    def named(match: re.Match[str]) -> str:
        level, attributes, inner = match.groups()
        own = _ID.search(attributes)
        name = own[1] if own else f"heading-{len(found) + 1}"
        text = plain(" ".join(unescape(_TAG.sub(" ", inner)).split()))
        found.append(Heading(int(level), text, name))
        return match[0] if own else f'<h{level} id="{name}"{attributes}>{inner}</h{level}>'

    html = _HEADING.sub(named, html)
    links = "".join(f'<a href="#{heading.name}"></a>' for heading in found)
    # Out of the flow, or an empty line would stand above everything.
    box = f'<div style="position: absolute">{links}</div>'
    return _BODY.sub(lambda body: body[0] + box, html, count=1), tuple(found)


def language(html: str) -> str | None:
    """The ``lang`` of a page, as a tag of BCP 47; None where it says none."""
    found = _LANGUAGE.search(html)
    return found[1] if found else None


def with_outline(
    content: bytes, headings: Sequence[Heading], spoken: str | None, created_at: datetime
) -> bytes:
    """A PDF with its headings as bookmarks, its language, its title in the viewer's title bar, and
    ``created_at`` for when it was made. A heading that is not printed has no bookmark."""
    reader = PdfReader(io.BytesIO(content))
    writer = PdfWriter(clone_from=reader)
    writer.pdf_header = reader.pdf_header
    writer.add_metadata({"/CreationDate": f"D:{created_at.astimezone(UTC):%Y%m%d%H%M%SZ}"})
    writer.create_viewer_preferences()[NameObject("/DisplayDocTitle")] = BooleanObject(True)
    if spoken is not None:
        writer.root_object[NameObject("/Lang")] = TextStringObject(spoken)
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
