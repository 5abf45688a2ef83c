"""Texts from right to left inside lines from left to right, on paper. Pure.

A page sets borders around them with ``<bdi>``, which plutoprint 0.23 does not know, nor
``unicode-bidi: plaintext``. It does know Unicode's own (``reports.names``).
"""

from __future__ import annotations

import re

from reports.names import isolated

_BDI = re.compile(r"<bdi>(.*?)</bdi>", re.DOTALL)


def with_isolates(html: str) -> str:
    """The page with Unicode's borders inside each ``<bdi>`` that has anything from right to left in it."""
    return _BDI.sub(lambda found: f"<bdi>{isolated(found[1])}</bdi>", html)
