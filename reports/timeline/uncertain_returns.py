"""When somebody came to a student's seat who may have been somebody else. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from db.records import TrackRecord
from reports.text.formatting import format_media_time, join_items
from reports.text.i18n import _, ngettext

SEAT_ONLY = "seat only"
"""``monitor.types.AssignmentBasis.SEAT_ONLY``, which a test holds against this: no clothes could be compared."""

MAX_TIMES_LISTED = 4
"""More times than this in one line are not read; the JSON has them all."""


def find_uncertain_reidentifications(tracks: Iterable[TrackRecord]) -> Mapping[int, tuple[float, ...]]:
    """For each person the times, media seconds, at which whoever sat down was taken for them by the seat
    alone. The first of a person's tracks is no return, whatever was recorded: there is nobody yet to be
    mistaken for. So a student who was split at such a moment has it no more."""
    found: dict[int, list[float]] = defaultdict(list)
    known: set[int] = set()
    for track in sorted(tracks, key=lambda track: (track.first_s, track.track_number)):
        if track.assignment_basis == SEAT_ONLY and track.student_id in known:
            found[track.student_id].append(track.first_s)
        known.add(track.student_id)
    return {person: tuple(times) for person, times in found.items()}


def describe_uncertain_reidentifications(times_s: Sequence[float]) -> str:
    """``At 12:30 and 15:10 somebody sat down here who may be somebody else.``"""
    told = [format_reidentification_time(at_s) for at_s in times_s[:MAX_TIMES_LISTED]]
    more = len(times_s) - len(told)
    if more:
        told.append(ngettext("once more", "%(num)d more times", more))
    return _("At %(times)s somebody sat down here who may be somebody else.", times=join_items(told))


def format_reidentification_time(at_s: float) -> str:
    """``12:30``, down to the second: a split at the time that is told must not come after the arrival."""
    return format_media_time(math.floor(at_s))
