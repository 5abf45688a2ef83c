"""Names in any script: set beside other text, and shortened without breaking a character. Pure.

Texts from right to left inside lines from left to right, on paper. Pure.

A page sets borders around them with ``<bdi>``, which plutoprint 0.23 does not know, nor
``unicode-bidi: plaintext``. It does know Unicode's own (``reports.text.names``).
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
    """A text with right-to-left letters between Unicode's isolates (UAX #9), so that it does not turn round
    the numbers beside it; any other, and one that has them, as it is."""
    if text.startswith(FIRST_STRONG) and text.endswith(POP):
        return text
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return f"{FIRST_STRONG}{text}{POP}"
    return text


def strip_isolates(text: str) -> str:
    """A text without the isolates."""
    return text.replace(FIRST_STRONG, "").replace(POP, "")


def shorten_name(name: str, max_width: int) -> str:
    """At most ``max_width`` Latin letters' width of a name. What is cut out stands as an ellipsis before the last
    quarter, because names that begin alike ("Student of the second row 12") often end apart."""
    parts = grapheme_clusters(name)
    if sum(map(_display_width, parts)) <= max_width:
        return name
    end = _fit_parts(parts[::-1], max_width // 4)[::-1]
    begin = _fit_parts(parts, max_width - 1 - sum(map(_display_width, end)))
    return "".join(begin).rstrip() + "…" + "".join(end).lstrip()


def _fit_parts(parts: Sequence[str], max_width: int) -> list[str]:
    """The first of the parts that are not wider together."""
    widths = accumulate(map(_display_width, parts))
    return [part for part, width in zip(parts, widths, strict=True) if width <= max_width]


def grapheme_clusters(text: str) -> list[str]:
    """What readers see as single characters: a letter with its marks, an emoji with all that is joined to it.

    The rules of UAX #29 that matter for names, without its tables: a syllable of Hangul written in single
    letters, and an Indic conjunct, may still be cut.
    """
    found: list[str] = []
    for character in text:
        if found and _continues(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _continues(cluster: str, character: str) -> bool:
    if unicodedata.category(character).startswith("M") or character == _JOINER:
        return True
    if ord(character) in _SKIN_TONES or cluster[-1] == _JOINER:
        return True
    return ord(character) in _FLAG_LETTERS and len(cluster) == 1 and ord(cluster) in _FLAG_LETTERS


def _display_width(cluster: str) -> int:
    """In Latin letters: a Chinese character is as wide as two (UAX #11)."""
    return 2 if unicodedata.east_asian_width(cluster[0]) in "WF" else 1


_BDI = re.compile(r"<bdi>(.*?)</bdi>", re.DOTALL)


def add_isolates(html: str) -> str:
    """The page with Unicode's borders inside each ``<bdi>`` that has anything from right to left in it."""
    return _BDI.sub(lambda found: f"<bdi>{isolate(found[1])}</bdi>", html)
