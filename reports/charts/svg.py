"""Charts as inline SVG."""

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
    """The chart as a reproducible ``<svg>`` element with a text alternative.

    Text stays text: it is searchable, accessible, and drawn in the page's fonts, so names in any script work.
    """
    buffer = io.StringIO()
    with chart_style(), warnings.catch_warnings():
        # Only matplotlib's text measurement uses DejaVu Sans, which lacks many scripts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        chart.figure.savefig(buffer, format="svg", metadata={"Date": None})
    return _minify(buffer.getvalue(), chart.alt)


def make_ids_unique(html: str) -> str:
    """The page with unique IDs in all charts. matplotlib gives equal shapes equal IDs; if the first chart
    is collapsed, a browser may draw neither."""
    number = itertools.count(1)

    def numbered(svg: re.Match[str]) -> str:
        own = set(_ID.findall(svg[0]))
        if not own:
            return svg[0]
        prefix = f"c{next(number)}-"
        return _ID_OR_USE.sub(lambda name: prefix + name[0] if name[0] in own else name[0], svg[0])

    return _SVG.sub(numbered, html)


def _minify(text: str, alt: str) -> str:
    """The SVG without XML preamble, group IDs, fonts and more than two decimals (half the size)."""
    text = _METADATA.sub("", _PREAMBLE.sub("", text, count=1))
    text = _GROUP_ID.sub("<g", _FAMILY.sub("", text))
    head, style, rest = text.partition("<defs>")
    rest = _LONG_NUMBER.sub(r"\1", rest)
    label = escape(alt, quote=True)
    head = re.sub(r"<svg ", f'<svg role="img" aria-label="{label}" ', head, count=1)
    return head + style + rest
