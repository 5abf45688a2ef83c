"""Texts from right to left inside lines from left to right, on paper. Pure.

Without a border the digits, brackets and commas that touch such a text are taken for a part of it, and a name
in two scripts is read in the wrong order. A page sets borders with ``<bdi>``, which plutoprint 0.23 does not
know, nor ``unicode-bidi: plaintext``. It does know Unicode's own (UAX #9, FSI and PDI).
"""

from __future__ import annotations

import re
import unicodedata

FIRST_STRONG, POP = "\u2068", "\u2069"
_BDI = re.compile(r"<bdi>(.*?)</bdi>", re.DOTALL)


def with_isolates(html: str) -> str:
    """The page with Unicode's borders inside each ``<bdi>`` that has anything from right to left in it."""

    def bordered(match: re.Match[str]) -> str:
        if any(unicodedata.bidirectional(one) in {"R", "AL", "AN"} for one in match[1]):
            return f"<bdi>{FIRST_STRONG}{match[1]}{POP}</bdi>"
        return match[0]

    return _BDI.sub(bordered, html)


def plain(text: str) -> str:
    """A text without such borders."""
    return text.replace(FIRST_STRONG, "").replace(POP, "")
