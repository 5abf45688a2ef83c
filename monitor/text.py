"""Text."""

from __future__ import annotations

import unicodedata

from monitor.daemon.protocol import _UNPRINTABLE_CATEGORIES, MAX_MARKER_CHARS


def is_printable(character: str) -> bool:
    """Whether it can stand on a line."""
    return unicodedata.category(character) not in _UNPRINTABLE_CATEGORIES


def replace_unprintable(text: str) -> str:
    """The text with a space for each character that cannot be printed on one line."""
    return "".join(c if is_printable(c) else " " for c in text)


def marker_text(text: str) -> str:
    """A marker as it is kept: one line of what can be read. Raises ValueError, for a person, where that is
    nothing, or too much."""
    kept = " ".join(replace_unprintable(text).split())
    if not kept:
        raise ValueError("the marker has no text; say what happened, such as 'quiz handed out'")
    if len(kept) > MAX_MARKER_CHARS:
        raise ValueError(f"the marker has {len(kept)} characters; expected at most {MAX_MARKER_CHARS}")
    return kept
