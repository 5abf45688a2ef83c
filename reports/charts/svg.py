"""A chart as SVG to be put inside a page."""

from __future__ import annotations

import io
import itertools
import re
import warnings
from html import escape

from reports.charts.style import FigureWithAlt, chart_style

_FAMILY = re.compile(r"font-family:[^;\"]*;?\s*|(?<=font: )([\d. a-z]*px) [^;\"]*")
_LONG_NUMBER = re.compile(r"(-?\d+\.\d\d)\d+")
_GROUP_ID = re.compile(r'<g id="[^"]*"(?=/?>)')
_PREAMBLE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_ID = re.compile(r'(?<=\sid=")[^"]+')
_ID_OR_USE = re.compile(r'(?:(?<=\sid=")|(?<=href="#)|(?<=url\(#))[^")]+')


def to_svg(chart: FigureWithAlt) -> str:
    """The chart as an ``<svg>`` element with a text alternative; the same bytes every time.

    Text stays text: it can be searched and read aloud, takes the page's font, and a name in any
    script is drawn with the fonts of the reader's machine.
    """
    buffer = io.StringIO()
    with chart_style(), warnings.catch_warnings():
        # matplotlib measures with DejaVu Sans, which lacks many scripts; the reader's fonts do not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        chart.figure.savefig(buffer, format="svg", metadata={"Date": None})
    return _minify(buffer.getvalue(), chart.alt)


def make_ids_unique(html: str) -> str:
    """A page of such charts in which no id stands twice: what two charts draw alike they call alike, and
    where the first is folded away a browser may draw neither."""
    number = itertools.count(1)

    def numbered(svg: re.Match[str]) -> str:
        own = set(_ID.findall(svg[0]))
        if not own:
            return svg[0]
        prefix = f"c{next(number)}-"
        return _ID_OR_USE.sub(lambda name: prefix + name[0] if name[0] in own else name[0], svg[0])

    return _SVG.sub(numbered, html)


def _minify(text: str, alt: str) -> str:
    """Drop what a page does not need: the XML preamble, names of groups, fonts, the sixth decimal
    (a hundredth of a point is a 300th of a millimetre; it halves the size)."""
    text = _METADATA.sub("", _PREAMBLE.sub("", text, count=1))
    text = _GROUP_ID.sub("<g", _FAMILY.sub("", text))
    head, style, rest = text.partition("<defs>")
    rest = _LONG_NUMBER.sub(r"\1", rest)
    label = escape(alt, quote=True)
    head = re.sub(r"<svg ", f'<svg role="img" aria-label="{label}" ', head, count=1)
    return head + style + rest
