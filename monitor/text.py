"""Text."""

from __future__ import annotations

import unicodedata

from monitor.daemon.protocol import _UNREADABLE, LONGEST_TEXT


def is_readable(character: str) -> bool:
    """Whether it can stand on a line."""
    return unicodedata.category(character) not in _UNREADABLE


def readable(text: str) -> str:
    """The text with a space for each character that cannot be printed on one line."""
    return "".join(c if is_readable(c) else " " for c in text)


def marker_text(text: str) -> str:
    """A marker as it is kept: one line of what can be read. Raises ValueError, for a person, where that is
    nothing, or too much."""
    kept = " ".join(readable(text).split())
    if not kept:
        raise ValueError("the marker has no text; say what happened, such as 'quiz handed out'")
    if len(kept) > LONGEST_TEXT:
        raise ValueError(f"the marker has {len(kept)} characters; expected at most {LONGEST_TEXT}")
    return kept
