"""An HTML page, parsed with the standard library."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr", "path", "use", "rect"}


class Page(HTMLParser):
    """The tags, texts and attributes of a page; ``problems`` are tags that were not closed in order, ids that
    stand twice, and places that are meant and are none; ``everyone`` is the table of everyone."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.problems: list[str] = []
        self.headings: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.everyone: list[list[str]] = []
        self._words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        ids = Counter(value for _, name, value in self.attributes if name == "id")
        self.problems += [one for one, count in ids.items() if count > 1]
        meant = [value[1:] for _, name, value in self.attributes if "href" in name and value[:1] == "#"]
        meant += [name for *_, value in self.attributes for name in re.findall(r"url\(#([^)]+)\)", value)]
        self.problems += sorted(set(meant) - set(ids))

    @property
    def table(self) -> list[list[str]]:
        """The rows of all tables, as cell texts."""
        return [row for table in self.tables for row in table]

    @property
    def charts(self) -> int:
        """Number of charts without the small ones, which have a class."""
        return self.tags.count("svg") - sum(
            (tag, name) == ("svg", "class") for tag, name, _ in self.attributes
        )

    @property
    def text(self) -> str:
        """The visible text with single plain spaces."""
        return re.sub(r"\s+", " ", "".join(self._words)).strip()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)
        if tag in {"h1", "h2", "h3"}:
            self.headings.append("")
        if tag == "table":
            self.tables.append([])
            if ("role", "table") in attrs:
                self.everyone = self.tables[-1]
        if tag == "tr":
            self.tables[-1].append([])
        if tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.problems.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data):
        if {"style", "svg"} & set(self._open):
            return
        self._words.append(data)
        if {"h1", "h2", "h3"} & set(self._open):
            self.headings[-1] += data
        if {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += data
