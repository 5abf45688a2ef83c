"""Names in any script: bidirectional isolation and shortening by grapheme clusters. Pure.

Pages isolate names with ``<bdi>``. plutoprint 0.23 supports neither ``<bdi>`` nor ``unicode-bidi:
plaintext``, but Unicode's isolate characters, so PDFs use these.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate

FIRST_STRONG, POP = "\u2068", "\u2069"
_JOINER = "\u200d"
_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def isolate(text: str) -> str:
    """Text with right-to-left letters between Unicode isolates (UAX #9), so that adjacent numbers keep
    their order; other and already isolated texts unchanged."""
    if text.startswith(FIRST_STRONG) and text.endswith(POP):
        return text
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return f"{FIRST_STRONG}{text}{POP}"
    return text


def strip_isolates(text: str) -> str:
    """``text`` without isolate characters."""
    return text.replace(FIRST_STRONG, "").replace(POP, "")


def shorten_name(name: str, max_width: int) -> str:
    """``name`` cut to the width of ``max_width`` Latin letters, with an ellipsis before the last quarter:
    names with a common beginning ("Student of the second row 12") often differ at the end."""
    parts = grapheme_clusters(name)
    if sum(map(_display_width, parts)) <= max_width:
        return name
    end = _fit_parts(parts[::-1], max_width // 4)[::-1]
    begin = _fit_parts(parts, max_width - 1 - sum(map(_display_width, end)))
    return "".join(begin).rstrip() + "…" + "".join(end).lstrip()


def _fit_parts(parts: Sequence[str], max_width: int) -> list[str]:
    """The longest prefix of ``parts`` that fits."""
    widths = accumulate(map(_display_width, parts))
    return [part for part, width in zip(parts, widths, strict=True) if width <= max_width]


def grapheme_clusters(text: str) -> list[str]:
    """Grapheme clusters by the rules of UAX #29 that matter for names, without its tables: decomposed
    Hangul syllables and Indic conjuncts may be split."""
    clusters: list[str] = []
    for character in text:
        if clusters and _continues(clusters[-1], character):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _continues(cluster: str, character: str) -> bool:
    if unicodedata.category(character).startswith("M") or character == _JOINER:
        return True
    if ord(character) in _SKIN_TONES or cluster[-1] == _JOINER:
        return True
    return ord(character) in _FLAG_LETTERS and len(cluster) == 1 and ord(cluster) in _FLAG_LETTERS


def _display_width(cluster: str) -> int:
    """In Latin letters: a Chinese character counts two (UAX #11)."""
    return 2 if unicodedata.east_asian_width(cluster[0]) in "WF" else 1


_BDI = re.compile(r"<bdi>(.*?)</bdi>", re.DOTALL)


def add_isolates(html: str) -> str:
    """The page with Unicode isolates inside each ``<bdi>`` with right-to-left text."""
    return _BDI.sub(lambda match: f"<bdi>{isolate(match[1])}</bdi>", html)
