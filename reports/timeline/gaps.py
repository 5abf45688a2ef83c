"""When nothing could be seen, and why: time that was not watched, and nobody's absence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reports.text.formatting import format_duration, join_items
from reports.text.i18n import N_, _, translate_word

GAP_REASONS: Mapping[str, str] = {
    "no signal": N_("the camera gave no picture"),
    "frozen frame": N_("the picture stood still"),
    "black frame": N_("the picture was black"),
    "paused": N_("the recording was paused"),
    "no participants": N_("nobody had joined"),
}
"""What the stored reasons (``monitor.types.GapReason``) are in words; another one is told as it is."""

MAX_LISTED_GAPS = 12
"""More than this a page does not list; a camera that comes and goes has hundreds. The JSON has all."""

_MAX_JOINED_GAP_S = 1e-6


def describe_gap_reason(reason: str) -> str:
    """A stored reason in words."""
    return translate_word(GAP_REASONS[reason]) if reason in GAP_REASONS else reason


@dataclass(frozen=True)
class UnobservedInterval:
    """From ``start_s`` to ``end_s`` (media seconds) there was nothing to look at; ``reason`` as stored."""

    start_s: float
    end_s: float
    reason: str

    @property
    def length_s(self) -> float:
        """How long, seconds; more than 0."""
        return self.end_s - self.start_s

    @property
    def reason_text(self) -> str:
        """The reason in words."""
        return describe_gap_reason(self.reason)


def find_unobserved_intervals(
    gaps: Iterable[tuple[float, float, str]], end_s: float
) -> tuple[UnobservedInterval, ...]:
    """Stored gaps ``(start_s, end_s, reason)`` by time, inside of a session that is ``end_s`` long; none lies
    in another, and what goes on for one reason is one."""
    found: list[UnobservedInterval] = []
    for start_s, until_s, reason in sorted(gaps):
        last = found[-1] if found else None
        one = UnobservedInterval(max(start_s, last.end_s if last else 0.0), min(until_s, end_s), reason)
        if one.length_s <= 0:
            continue
        if last and last.reason == reason and one.start_s - last.end_s < _MAX_JOINED_GAP_S:
            found[-1] = replace(last, end_s=one.end_s)
        else:
            found.append(one)
    return tuple(found)


def sum_unobserved_s(gaps: Iterable[UnobservedInterval]) -> float:
    """How long in all, seconds."""
    return sum(gap.length_s for gap in gaps)


def describe_gaps(gaps: Sequence[UnobservedInterval], end_s: float) -> str | None:
    """How much of a session was not seen and why, the longest reason first; None if there is no gap."""
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
    gone = format_duration(sum_unobserved_s(gaps))
    return _(
        "For %(gone)s of %(whole)s nothing was seen: %(why)s.",
        gone=gone,
        whole=format_duration(end_s),
        why=reasons,
    )


def gaps_to_list(gaps: Sequence[UnobservedInterval]) -> tuple[UnobservedInterval, ...]:
    """Those that a page lists, by time: all of a second or more, or the longest. After a pause it takes the
    camera a moment, which is in the sum and worth no line."""
    told = [gap for gap in gaps if gap.length_s >= 1] or gaps
    longest = sorted(told, key=lambda gap: -gap.length_s)[:MAX_LISTED_GAPS]
    return tuple(sorted(longest, key=lambda gap: gap.start_s))
