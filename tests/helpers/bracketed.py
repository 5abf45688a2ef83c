"""A pseudo-language that puts every translated text in brackets, to find untranslated texts outside of
them."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr", "path", "use", "rect"}
READ_ALOUD = {"aria-label", "data-label", "title", "alt"}
SAME = {"h", "min", "s", "UTC", "W", "A", "B", "C", "Feb", "Mar", "Apr", "May"}
"""Equal in all supported languages: units, the ``W`` of ISO weeks, letters in charts; and month names,
which do not come from gettext."""


class Bracketed(gettext.NullTranslations):
    """Translates ``text`` to ``[text]``; nested texts give nested brackets."""

    def gettext(self, message: str) -> str:
        return f"[{message}]"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"[{msgid1 if n == 1 else msgid2}]"


class _Texts(HTMLParser):
    """The visible text of a page in ``body``; texts of charts and labels in ``others``."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.body = ""
        self.others: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.others += [value for name, value in attrs if name in READ_ALOUD and value]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.others += [value for name, value in attrs if name in READ_ALOUD and value]

    def handle_endtag(self, tag):
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data):
        if "style" in self._open:
            return
        if "svg" in self._open:
            self.others.append(data)
        else:
            self.body += data


def outside(text: str) -> str:
    """``text`` without its bracketed parts, which may be nested."""
    depth, kept = 0, ""
    for character in text:
        depth += {"[": 1, "]": -1}.get(character, 0)
        assert depth >= 0, text
        kept += character if depth == 0 and character != "]" else ""
    assert depth == 0, text
    return kept


def untold(html: str, data: Iterable[str]) -> set[str]:
    """The words of a page that are outside of all brackets and neither in ``data`` nor the same
    everywhere."""
    page = _Texts(html)
    left = [outside(page.body), *map(outside, page.others)]
    for known in sorted(data, key=len, reverse=True):
        left = [text.replace(known, " ") for text in left]
    return {word for text in left for word in re.findall(r"[^\W\d_]+", text)} - SAME
