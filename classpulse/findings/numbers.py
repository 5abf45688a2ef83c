"""Numbers of faces as people read them."""

from __future__ import annotations

from reports.words import percent


def of_all(part: int, whole: int) -> str:
    """``1,606 (5 %)``; without the share where there is no whole."""
    return f"{part:,} ({percent(part / whole)})" if whole else f"{part:,}"


def faces(number: int) -> str:
    """``1 face``, ``2,797 faces``."""
    return f"{number:,} face" + ("" if number == 1 else "s")
