"""Text of users and messages on one line. Pure."""

from __future__ import annotations

import re
import unicodedata

from model.errors import ProblemError

MAX_MARKER_CHARS = 500
"""Characters of a marker: it is a line beside a timeline."""

_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories of control characters, surrogates and line ends. Format characters (``Cf``), such as
joiners, belong to many scripts."""


class InvalidMarker(ProblemError):
    """A marker without printable text, or one that is too long."""


def is_printable(character: str) -> bool:
    """Whether a character can be printed on one line."""
    return unicodedata.category(character) not in _UNPRINTABLE_CATEGORIES


def replace_unprintable(text: str) -> str:
    """The text with a space for each character that cannot be printed on one line."""
    return "".join(c if is_printable(c) else " " for c in text)


def marker_text(text: str) -> str:
    """A marker as it is stored: printable characters, single spaces. Raises InvalidMarker if nothing remains
    or more than ``MAX_MARKER_CHARS``."""
    kept = " ".join(replace_unprintable(text).split())
    if not kept:
        raise InvalidMarker("The marker has no text.", "Say what happened, such as 'quiz handed out'.")
    if len(kept) > MAX_MARKER_CHARS:
        raise InvalidMarker(
            f"The marker has {len(kept)} characters.", f"Use at most {MAX_MARKER_CHARS} characters."
        )
    return kept


def english_count(number: int, noun: str) -> str:
    """``1 student``, ``2 students``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def room_log_name(room: str | None) -> str:
    """The file name, without suffix, of a room's log: ``room-b-12`` for "B 12", ``room`` for None."""
    slug = "-".join(re.findall(r"\w+", (room or "").casefold()))
    return f"room-{slug}" if slug else "room"
