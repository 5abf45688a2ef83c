"""Base."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from reports.flags.baseline import Usual
from reports.flags.confidence import ShareInterval
from reports.text.formatting import percent
from reports.text.i18n import Language, Message, nsaid, said, speaking

ATTENTION_KIND = "attention"
"""``FlagRecord.kind`` of this rule."""


class Outcome(StrEnum):
    """What a rule says of one student."""

    FLAGGED = "flagged"
    NOT_FLAGGED = "not_flagged"
    INSUFFICIENT_DATA = "insufficient_data"


def against_usual(interval: ShareInterval, usual: Usual | None) -> list[Message]:
    """That the share is not surely above the student's own usual level, in words; empty if it is, or if there
    is none."""
    if usual is None or interval.low > usual.level + _ROUNDING:
        return []
    return [
        nsaid(
            "it may be as little as %(low)s, which is not above the student's own usual %(usual)s "
            "(median of %(num)d earlier session)",
            "it may be as little as %(low)s, which is not above the student's own usual %(usual)s "
            "(median of %(num)d earlier sessions)",
            usual.sessions,
            low=percent(interval.low),
            usual=percent(usual.level),
        )
    ]


def in_english(why: Sequence[Message]) -> list[str]:
    """Reasons as the database keeps them."""
    with speaking(Language.EN):
        return [str(one) for one in why]


def not_surely_above(interval: ShareInterval, needed: float) -> Message:
    """That the lower end is not above what is needed."""
    return said(
        "it may be as little as %(low)s; more than %(needed)s is needed",
        low=percent(interval.low),
        needed=percent(needed),
    )


def seen_seldom(coverage: float, needed: float) -> Message:
    """That somebody was not seen for as long as is needed."""
    return said(
        "seen for %(share)s of the watched time, %(needed)s needed",
        share=percent(coverage),
        needed=percent(needed),
    )


SADNESS_KIND = "sad_share"
"""``FlagRecord.kind`` of this rule."""

_ROUNDING = 1e-9
"""Exactly the threshold must not become more than it by the rounding of a sum."""
