"""Base."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from reports.flags.baseline import Baseline
from reports.flags.confidence import ShareInterval
from reports.text.formatting import format_percent
from reports.text.i18n import Language, LazyText, lazy, lazy_plural, use_language

ATTENTION_KIND = "attention"
"""``FlagRecord.kind`` of this rule."""


class FlagOutcome(StrEnum):
    """What a rule says of one student."""

    FLAGGED = "flagged"
    NOT_FLAGGED = "not_flagged"
    INSUFFICIENT_DATA = "insufficient_data"


def baseline_reasons(interval: ShareInterval, baseline: Baseline | None) -> list[LazyText]:
    """That the share is not surely above the student's own usual level, in words; empty if it is, or if there
    is none."""
    if baseline is None or interval.low > baseline.share + _TOLERANCE:
        return []
    return [
        lazy_plural(
            "it may be as little as %(low)s, which is not above the student's own usual %(usual)s "
            "(median of %(num)d earlier session)",
            "it may be as little as %(low)s, which is not above the student's own usual %(usual)s "
            "(median of %(num)d earlier sessions)",
            baseline.session_count,
            low=format_percent(interval.low),
            usual=format_percent(baseline.share),
        )
    ]


def reasons_in_english(messages: Sequence[LazyText]) -> list[str]:
    """Reasons as the database keeps them."""
    with use_language(Language.EN):
        return [str(one) for one in messages]


def not_clearly_above(interval: ShareInterval, needed: float) -> LazyText:
    """That the lower end is not above what is needed."""
    return lazy(
        "it may be as little as %(low)s; more than %(needed)s is needed",
        low=format_percent(interval.low),
        needed=format_percent(needed),
    )


def coverage_too_low(coverage: float, needed: float) -> LazyText:
    """That somebody was not seen for as long as is needed."""
    return lazy(
        "seen for %(share)s of the watched time, %(needed)s needed",
        share=format_percent(coverage),
        needed=format_percent(needed),
    )


SADNESS_KIND = "sadness"
"""``FlagRecord.kind`` of this rule."""

_TOLERANCE = 1e-9
"""Exactly the threshold must not become more than it by the rounding of a sum."""
