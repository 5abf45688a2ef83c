"""Names in any script: set beside other text, and shortened without breaking a character. Pure.

Without a border the digits, brackets and commas that touch a name from right to left are taken for a part of
it, and a name in two scripts is read in the wrong order. Unicode's own borders (UAX #9, FSI and PDI) hold in
browsers, in SVG and in plutoprint; ``<bdi>`` and ``unicode-bidi`` do not in the last.
"""

from __future__ import annotations

import unicodedata

FIRST_STRONG, POP = "\u2068", "\u2069"
_JOINER = "\u200d"
_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_SKINS = range(0x1F3FB, 0x1F400)


def isolated(text: str) -> str:
    """The text between borders, if anything in it runs from right to left; else as it is."""
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return f"{FIRST_STRONG}{text}{POP}"
    return text


def plain(text: str) -> str:
    """The text without borders."""
    return text.replace(FIRST_STRONG, "").replace(POP, "")


def shortened(name: str, most: int) -> str:
    """At most ``most`` Latin letters' width of a name, the last an ellipsis if it was cut; between borders if
    it was."""
    parts = clusters(plain(name))
    if sum(map(_width, parts)) <= most:
        return name
    kept, left = "", most - 1
    for part in parts:
        left -= _width(part)
        if left < 0:
            break
        kept += part
    cut = kept.rstrip() + "…"
    return isolated(cut) if plain(name) != name else cut


def clusters(text: str) -> list[str]:
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
    if ord(character) in _SKINS or cluster[-1] == _JOINER:
        return True
    return ord(character) in _FLAG_LETTERS and len(cluster) == 1 and ord(cluster) in _FLAG_LETTERS


def _width(cluster: str) -> int:
    """In Latin letters: a Chinese character is as wide as two (UAX #11)."""
    return 2 if unicodedata.east_asian_width(cluster[0]) in "WF" else 1
