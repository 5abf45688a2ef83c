"""Gaps: intervals in which nothing could be observed, and why. They count as unwatched, not as absence.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reports.text.formatting import format_duration, join_items
from reports.text.i18n import N_, _, translate_word

GAP_REASONS: Mapping[str, str] = {
    "no signal": N_("the camera sent no image"),
    "frozen frame": N_("the image was frozen"),
    "black frame": N_("the image was black"),
    "paused": N_("the recording was paused"),
    "no participants": N_("no participant had joined"),
    "no frames": N_("the recording has no frames"),
}
"""Texts of the stored ``monitor.types.GapReason`` values; an unlisted value is shown unchanged."""

MAX_LISTED_GAPS = 12
"""An unstable camera produces hundreds; the JSON lists all."""

_MAX_JOINED_GAP_S = 1e-6


def describe_gap_reason(reason: str) -> str:
    """The text of a stored reason."""
    return translate_word(GAP_REASONS[reason]) if reason in GAP_REASONS else reason


@dataclass(frozen=True)
class UnobservedInterval:
    """Nothing was observed from ``start_s`` to ``end_s`` (media seconds); ``reason`` as stored."""

    start_s: float
    end_s: float
    reason: str

    @property
    def length_s(self) -> float:
        """Seconds, more than 0."""
        return self.end_s - self.start_s

    @property
    def reason_text(self) -> str:
        """The text of the reason."""
        return describe_gap_reason(self.reason)


def find_unobserved_intervals(
    gaps: Iterable[tuple[float, float, str]], end_s: float
) -> tuple[UnobservedInterval, ...]:
    """Intervals of the stored gaps ``(start_s, end_s, reason)``, by time, clipped to a session of
    ``end_s`` seconds. They do not overlap; adjacent ones with the same reason are joined."""
    intervals: list[UnobservedInterval] = []
    for start_s, until_s, reason in sorted(gaps):
        last = intervals[-1] if intervals else None
        gap = UnobservedInterval(max(start_s, last.end_s if last else 0.0), min(until_s, end_s), reason)
        if gap.length_s <= 0:
            continue
        if last and last.reason == reason and gap.start_s - last.end_s < _MAX_JOINED_GAP_S:
            intervals[-1] = replace(last, end_s=gap.end_s)
        else:
            intervals.append(gap)
    return tuple(intervals)


def sum_unobserved_s(gaps: Iterable[UnobservedInterval]) -> float:
    """Total length, seconds."""
    return sum(gap.length_s for gap in gaps)


def describe_gaps(gaps: Sequence[UnobservedInterval], end_s: float) -> str | None:
    """A sentence on the unobserved time of a session with its reasons, the longest first; None without
    gaps."""
    if not gaps:
        return None
    lengths: dict[str, float] = {}
    for gap in gaps:
        lengths[gap.reason_text] = lengths.get(gap.reason_text, 0.0) + gap.length_s
    ranked = sorted(lengths.items(), key=lambda pair: -pair[1])
    if len(ranked) == 1:
        reasons = ranked[0][0]
    else:
        reasons = join_items([f"{reason} ({format_duration(seconds)})" for reason, seconds in ranked])
    return _(
        "For %(gone)s of %(whole)s nothing was seen: %(why)s.",
        gone=format_duration(sum_unobserved_s(gaps)),
        whole=format_duration(end_s),
        why=reasons,
    )


def gaps_to_list(gaps: Sequence[UnobservedInterval]) -> tuple[UnobservedInterval, ...]:
    """The longest gaps, at most ``MAX_LISTED_GAPS``, by time; those under a second only if there are no
    others: each pause ends with one until the camera delivers."""
    listed = [gap for gap in gaps if gap.length_s >= 1] or gaps
    longest = sorted(listed, key=lambda gap: -gap.length_s)[:MAX_LISTED_GAPS]
    return tuple(sorted(longest, key=lambda gap: gap.start_s))
