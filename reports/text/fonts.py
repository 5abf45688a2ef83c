"""Checks whether the installed fonts have every character of a page.

A PDF shows a box for a missing character. matplotlib's bundled DejaVu Sans has Latin, Greek, Cyrillic,
Arabic, Hebrew, Armenian, Georgian and some symbols; Chinese, Japanese, Korean, Thai and Indic scripts need a
system font.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from html import unescape
from pathlib import Path

from matplotlib import get_data_path
from matplotlib.font_manager import findSystemFonts
from matplotlib.ft2font import FT2Font

BUNDLED_FONT = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
"""The page's fallback font."""

_ONE_FONT = frozenset({"Chinese", "Japanese", "Korean"})
_SCRIPTS = {
    "CJK": "Chinese",
    "IDEOGRAPHIC": "Chinese",
    "BOPOMOFO": "Chinese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
}
"""Script by the first word of a character's Unicode name, where the word itself is not the script."""


def missing_characters(html: str, fonts: Iterable[Path] | None = None) -> str:
    """The characters of a page, in code order, that neither ``BUNDLED_FONT`` nor any of ``fonts`` (None:
    the system fonts) has. Unreadable font files are ignored."""
    missing = {ord(character) for character in set(unescape(html)) if _needs_glyph(character)}
    for path in _font_paths(fonts):
        missing -= _covered_codes(path, missing)
        if not missing:
            return ""
    return "".join(map(chr, sorted(missing)))


def font_with(text: str) -> Path:
    """The first font file, ``BUNDLED_FONT`` before the system fonts, that has every character of ``text``;
    ``BUNDLED_FONT`` if none has."""
    codes = {ord(character) for character in text if _needs_glyph(character)}
    return next((path for path in _font_paths(None) if _covered_codes(path, codes) == codes), BUNDLED_FONT)


def describe_missing_characters(characters: str) -> str | None:
    """A log line with the missing scripts and the packages that provide them, without any name; None if
    ``characters`` is empty."""
    if not characters:
        return None
    scripts = sorted({_script_of(character) for character in characters})
    cjk = _ONE_FONT.issuperset(scripts)
    packages = "fonts-noto-cjk" if cjk else "fonts-noto-core"
    if not cjk and _ONE_FONT & set(scripts):
        packages += " fonts-noto-cjk"
    if "emoji" in scripts:
        packages += " fonts-noto-color-emoji"
    number = "1 character" if len(characters) == 1 else f"{len(characters)} characters"
    return (
        f"The PDF shows boxes in place of {number} ({', '.join(scripts)}; such as "
        f"U+{ord(characters[0]):04X}), because no installed font has them. Install one (Debian, Ubuntu: "
        f"apt-get install {packages}; elsewhere a Noto font) and create the report again. The HTML report "
        "uses the reader's fonts."
    )


def _needs_glyph(character: str) -> bool:
    """False for spaces, controls, and combining or directional marks."""
    return unicodedata.category(character) not in {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Mn"}


def _font_paths(fonts: Iterable[Path] | None) -> Iterator[Path]:
    # Lazy: a system may have hundreds of fonts, and the bundled one nearly always suffices.
    yield BUNDLED_FONT
    yield from _system_fonts() if fonts is None else fonts


@cache
def _system_fonts() -> tuple[Path, ...]:
    paths = map(Path, findSystemFonts())
    return tuple(sorted(paths, key=lambda path: ("cjk" not in path.name.lower(), path.name)))


def _covered_codes(path: Path, codes: Iterable[int]) -> set[int]:
    try:
        font = FT2Font(str(path))
    except (OSError, RuntimeError):
        return set()
    return {code for code in codes if font.get_char_index(code)}


def _script_of(character: str) -> str:
    if unicodedata.category(character) == "So" and ord(character) >= 0x1F000:
        return "emoji"
    word = unicodedata.name(character, "unknown").split()[0].split("-")[0]
    return _SCRIPTS.get(word, word.capitalize())
