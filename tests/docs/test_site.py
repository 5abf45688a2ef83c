"""The documentation site builds without a warning, and loads nothing from the network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import pytest

PROJECT = Path(__file__).resolve().parents[2]

LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "object": "data"}
"""Elements whose address a browser fetches by itself, besides most kinds of ``link``."""

_NAVIGATION = {"prev", "next", "canonical", "edit", "alternate"}
_REMOTE_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` does."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Addresses(HTMLParser):
    """Collects the addresses that a page loads, and the classes of its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.classes.update(values.get("class", "").split())
        if tag == "link" and not _NAVIGATION & set(values.get("rel", "").split()):
            self.loaded.append(values.get("href", ""))
        elif tag in LOADED and LOADED[tag] in values:
            self.loaded.append(values[LOADED[tag]])


def parsed(page: str) -> Addresses:
    found = Addresses()
    found.feed(page)
    return found


def remote(addresses: list[str]) -> list[str]:
    return [one for one in addresses if urlsplit(one).netloc]


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        found = parsed(page.read_text("utf-8"))
        assert found.loaded
        assert remote(found.loaded) == [], page.name
        # The theme would load the library of these diagrams from a server.
        assert "mermaid" not in found.classes, page.name


def test_every_code_block_is_rendered_as_one(site: Path) -> None:
    blocks = 0
    for source in sorted((PROJECT / "docs").rglob("*.md")):
        text = source.read_text("utf-8")
        if "<!-- generate:" in text:
            continue
        page = site / source.relative_to(PROJECT / "docs").with_suffix(".html")
        fences = len(re.findall(r"^ *```", text, re.MULTILINE)) // 2
        assert page.read_text("utf-8").count("<pre") == fences, page.name
        blocks += fences
    assert blocks > 30


def test_no_style_sheet_loads_anything_from_another_host(site: Path) -> None:
    sheets = sorted(site.rglob("*.css"))
    assert sheets
    assert [one.name for one in sheets if _REMOTE_CSS.search(one.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<link rel="preconnect" href="https://fonts.example">',
        '<img src="http://pictures.example/a.png">',
    ],
)
def test_something_from_another_host_would_be_found(page: str) -> None:
    assert remote(parsed(page).loaded)


def test_a_font_from_another_host_would_be_found() -> None:
    assert _REMOTE_CSS.search("@font-face{src:url(https://fonts.example/a.woff2)}")
    assert _REMOTE_CSS.search('@import "//fonts.example/a.css"')
    assert not _REMOTE_CSS.search("src:url(../fonts/a.woff2)")


def test_pictures_are_small(site: Path) -> None:
    pictures = [one for one in (site / "images").iterdir() if one.suffix in {".png", ".webp", ".jpg"}]
    assert len(pictures) >= 2
    assert [one.name for one in pictures if one.stat().st_size > 150_000] == []


def links(text: str) -> Iterator[str]:
    """The targets of Markdown links and images that are files of the project."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path = urldefrag(target).url
        if path and not urlsplit(path).scheme:
            yield path


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_of_a_page_outside_the_site_leads_to_a_file(name: str) -> None:
    found = list(links((PROJECT / name).read_text("utf-8")))
    assert found or name == "CHANGELOG.md"
    assert [one for one in found if not (PROJECT / one).exists()] == []
