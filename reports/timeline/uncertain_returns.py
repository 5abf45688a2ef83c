"""Uncertain re-identifications: a track was assigned to a known student by the seat only. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from db.records import TrackRecord
from reports.text.formatting import format_media_time, join_items
from reports.text.i18n import _, ngettext

SEAT_ONLY = "seat only"
"""``monitor.types.AssignmentBasis.SEAT_ONLY`` (a test compares both): no appearance could be compared."""

MAX_TIMES_LISTED = 4
"""The JSON lists all."""


def find_uncertain_reidentifications(tracks: Iterable[TrackRecord]) -> Mapping[int, tuple[float, ...]]:
    """Per student, the starts (media seconds) of the tracks assigned by the seat only. A student's first
    track never counts, so a correction that splits the student at such a time removes it."""
    times_s: dict[int, list[float]] = defaultdict(list)
    known: set[int] = set()
    for track in sorted(tracks, key=lambda track: (track.first_s, track.track_number)):
        if track.assignment_basis == SEAT_ONLY and track.student_id in known:
            times_s[track.student_id].append(track.first_s)
        known.add(track.student_id)
    return {student_id: tuple(times) for student_id, times in times_s.items()}


def describe_uncertain_reidentifications(times_s: Sequence[float]) -> str:
    """``At 12:30 and 15:10 a different student may have sat down here.``"""
    times = [format_reidentification_time(at_s) for at_s in times_s[:MAX_TIMES_LISTED]]
    more = len(times_s) - len(times)
    if more:
        times.append(ngettext("once more", "%(num)d more times", more))
    return _("At %(times)s a different student may have sat down here.", times=join_items(times))


def format_reidentification_time(at_s: float) -> str:
    """``12:30``, rounded down: a split at the printed time must not lie after the re-identification."""
    return format_media_time(math.floor(at_s))
