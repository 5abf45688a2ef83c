"""Whether the fonts of this machine have every character of a page.

A character that no font has is printed as a box, which nobody notices until a name is missing. matplotlib's
DejaVu Sans, which is always there, has Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian, Georgian and some
symbols; Chinese, Japanese, Korean, Thai and the scripts of India need a font of the system's.
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
"""The font that the page falls back on."""

_ONE_FONT = frozenset({"Chinese", "Japanese", "Korean"})
_SCRIPTS = {
    "CJK": "Chinese",
    "IDEOGRAPHIC": "Chinese",
    "BOPOMOFO": "Chinese",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
}
"""The first word of a character's name in Unicode, where it does not name the script itself."""


def missing_characters(html: str, fonts: Iterable[Path] | None = None) -> str:
    """The characters of a page that neither ``BUNDLED_FONT`` nor any of ``fonts`` has, in order; those of the system
    where no fonts are given. Fonts that cannot be read have none."""
    lacking = {ord(one) for one in set(unescape(html)) if _needs_glyph(one)}
    for path in _readable_first(fonts):
        lacking -= _covered_codes(path, lacking)
        if not lacking:
            return ""
    return "".join(map(chr, sorted(lacking)))


def font_with(text: str) -> Path:
    """The file of a font with every character of ``text``: ``BUNDLED_FONT``, else one of the system's; ``BUNDLED_FONT`` where
    no font has them all."""
    codes = {ord(one) for one in text if _needs_glyph(one)}
    return next(
        (path for path in _readable_first(None) if _covered_codes(path, codes) == codes), BUNDLED_FONT
    )


def describe_missing_characters(characters: str) -> str | None:
    """One line that says what is missing and what helps, without a name; None if nothing is missing."""
    if not characters:
        return None
    scripts = sorted({_script_of(one) for one in characters})
    one = characters[0]
    cjk = _ONE_FONT.issuperset(scripts)
    packages = "fonts-noto-cjk" if cjk else "fonts-noto-core"
    if not cjk and _ONE_FONT & set(scripts):
        packages += " fonts-noto-cjk"
    if "emoji" in scripts:
        packages += " fonts-noto-color-emoji"
    number = "1 character" if len(characters) == 1 else f"{len(characters)} characters"
    return (
        f"the PDF shows boxes in place of {number} ({', '.join(scripts)}; such as U+{ord(one):04X}): no font "
        f"on this machine has them; install one (Debian, Ubuntu: apt-get install {packages}; elsewhere a "
        "Noto font) and make the report again; the HTML report draws them with its reader's fonts"
    )


def _needs_glyph(character: str) -> bool:
    """Not so are spaces, controls, and what only joins or directs others."""
    return unicodedata.category(character) not in {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Mn"}


def _readable_first(fonts: Iterable[Path] | None) -> Iterator[Path]:
    # The system is asked only where our own font does not suffice: it may have hundreds.
    yield BUNDLED_FONT
    yield from _system_fonts() if fonts is None else fonts


@cache
def _system_fonts() -> tuple[Path, ...]:
    found = (Path(one) for one in findSystemFonts())
    return tuple(sorted(found, key=lambda path: ("cjk" not in path.name.lower(), path.name)))


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
