"""The text of a CSV file in the encodings that spreadsheets and school systems write.

An encoding is used only if it is certain, or if the reader is asked to check the result: a wrong guess would
store a wrong name.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from classpulse.errors import InvalidFile

UTF8_HINT = "Save the file as CSV in UTF-8 (in a spreadsheet: 'CSV UTF-8')."

MIN_NUL_SHARE = 0.9
"""Without a byte order mark, a file is UTF-16 if the zero bytes are at every second position up to this share
of all zero bytes. Delimiters, headings, seats and consents are ASCII, so both byte orders are told apart by
many bytes. Heuristic, not tuned on data."""

_WINDOWS_LETTERS = re.compile(r"[À-ÖØ-öø-ÿ]")
_WINDOWS_OTHERS = frozenset("\u00a0\u2019\u2013´°§ºª")
"""Characters beside letters that a list of a class may contain: a no-break space, an apostrophe, a dash, and
signs of headings. The letters of Windows-1252 below 0xA0 (such as ``Š``) are not accepted: in the encodings
of Mac OS and DOS the same bytes are ``ä``, ``ö``, ``ü`` and ``é``, which are more frequent."""

_UTF8_LETTER = re.compile(rb"[\xc2-\xc5][\x80-\xbf]")
"""An accented Latin letter in UTF-8. In Windows-1252 these two bytes are a letter before a sign."""

MAX_ACCENTED_SHARE = 0.5
"""In a word of ``MIN_WORD_LENGTH`` letters or more, at most this share has accents: otherwise the file is in
Cyrillic or Greek. Heuristic, not tuned on data."""

MIN_WORD_LENGTH = 3


@dataclass(frozen=True)
class DecodedText:
    """The text of a file, without its byte order mark.

    ``uncertain_characters`` are the characters outside ASCII, in order of their first use, if the encoding is
    a guess; "" if it is certain.
    """

    text: str
    uncertain_characters: str = ""


def decode_csv(content: bytes, name: str) -> DecodedText:
    """The text of the file ``name``: UTF-8, UTF-16 with or without a byte order mark, or Windows-1252.

    Raises InvalidFile if the encoding is none of these, or is unlikely to be Windows-1252.
    """
    encoding = _unicode_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise _unreadable(name) from None
        return _decode_windows(content, name, content[: error.start].count(b"\n") + 1)
    text = text.removeprefix("\ufeff").rstrip("\x1a")  # Ctrl-Z ends files of DOS programs
    if "\0" in text:
        raise _unreadable(name)
    return DecodedText(text)


def _unicode_encoding(content: bytes) -> str:
    """The Unicode encoding that the byte order mark, else the positions of zero bytes, indicate."""
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = content.count(0)
    if not zeros:
        return "utf-8"
    is_little = content[1::2].count(0) >= MIN_NUL_SHARE * zeros
    is_big = content[::2].count(0) >= MIN_NUL_SHARE * zeros
    return "utf-16-le" if is_little else "utf-16-be" if is_big else "utf-8"


def _decode_windows(content: bytes, name: str, line: int) -> DecodedText:
    """The text in Windows-1252; ``line`` is the first that is not UTF-8, 1-based."""
    error = InvalidFile(
        f"{name}, line {line}, is not in UTF-8, and Classpulse cannot determine its encoding.",
        UTF8_HINT,
        file=name,
        line=line,
    )
    try:
        text = content.decode("cp1252").rstrip("\x1a")
    except UnicodeDecodeError:
        raise error from None
    characters = "".join(dict.fromkeys(character for character in text if not character.isascii()))
    is_plausible = all(
        _WINDOWS_LETTERS.match(character) or character in _WINDOWS_OTHERS for character in characters
    )
    words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) >= MIN_WORD_LENGTH]
    is_partly_utf8 = _UTF8_LETTER.search(content) is not None
    if (
        is_partly_utf8
        or not is_plausible
        or any(len(_WINDOWS_LETTERS.findall(word)) > MAX_ACCENTED_SHARE * len(word) for word in words)
    ):
        raise error
    return DecodedText(text, "".join(filter(str.isprintable, characters)))


def _unreadable(name: str) -> InvalidFile:
    return InvalidFile(f"{name} is not a text file, or is damaged.", UTF8_HINT, file=name)
