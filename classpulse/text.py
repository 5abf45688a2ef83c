"""Cleaning of text that comes from outside: names, file names, error texts."""

from __future__ import annotations

import re
import unicodedata

_FORBIDDEN_IN_FILE_NAME = re.compile(r'[<>:"/\\|?*]')
"""Characters that Windows forbids in names ("Naming Files, Paths, and Namespaces"); Linux forbids the
slash."""

_RESERVED_FILE_NAME = re.compile(
    r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])(\..*)?", re.IGNORECASE
)
"""Device names on Windows, with any extension."""

_MAX_FILE_NAME_BYTES = 120
"""A name has at most 255 bytes on Linux, a whole path by default 260 characters on Windows."""

_MAX_DISPLAY_NAME_CHARS = 100


def collapse_spaces(text: str) -> str:
    """The text with each run of white space, line ends included, replaced by one space."""
    return " ".join(text.split())


def one_line(text: str) -> str:
    """The text without control characters and line ends, which could start a line or a mail header."""
    return collapse_spaces(_replace_control_characters(text))


def safe_file_name(name: str) -> str:
    """The name as a file name that is valid on Linux, macOS and Windows; different names may give the
    same."""
    plain = one_line(unicodedata.normalize("NFC", name))
    plain = _FORBIDDEN_IN_FILE_NAME.sub("_", plain)
    plain = plain.encode("utf-8")[:_MAX_FILE_NAME_BYTES].decode("utf-8", errors="ignore")
    # Windows drops dots and spaces at the end; a leading dot hides a folder on Linux or leaves it ("..").
    plain = plain.strip(". ")
    if not plain:
        return "class"
    return f"_{plain}" if _RESERVED_FILE_NAME.fullmatch(plain) else plain


def display_file_name(file_name: str) -> str:
    """A file name from a browser for display: no folders, printable characters only, at most 100."""
    last = file_name.replace("\\", "/").split("/")[-1]
    readable = "".join(character for character in last if character.isprintable()).strip(" .-")
    return readable[-_MAX_DISPLAY_NAME_CHARS:] or "recording"


def _replace_control_characters(text: str) -> str:
    return "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in text)
