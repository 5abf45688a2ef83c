"""Two who pass close by one another: were they taken for each other?

Where two people meet, one hides the other for a moment, and a tracker that knows places alone may follow
each with the other's track from then on. So what both wear is remembered (``monitor.tracking.appearance_model``), looked at anew
once they are apart, and where it fits the other way round, their tracks change numbers. The few samples
in between stay as they were. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from monitor.tracking.appearance_model import Looks
from monitor.types import Box, Track

NEAR = 1.5
"""Two whose faces are nearer than this, in widths of the larger, can be confused; the gate of the tracker."""

AWAY = 1.0
"""Who is farther than this from where they rest, in widths, walks. Two who sit side by side do not meet."""

RESTING = 0.05
"""The weight of the newest place in the mean that is somebody's resting place: ten seconds at two a
second."""

UNSEEN_S = 3.0
"""For so long whoever was hidden is thought to be near where they were last seen, seconds."""

FRESH = 5
"""Samples of each, apart, before anything is decided. Not tuned."""

MARGIN = 0.2
"""How much better it must fit the other way round, of likenesses that sum up to 2. Not tuned."""


@dataclass
class _Known:
    """What is remembered of a track: what was worn before it met anybody, and where it rests, pixels."""

    rest: NDArray[np.float64]
    looks: Looks = field(default_factory=Looks)


@dataclass
class _Meeting:
    """What the two wear since they are apart."""

    fresh: tuple[Looks, Looks] = field(default_factory=lambda: (Looks(), Looks()))


class Crossings:
    """Gives tracks back their numbers after two were confused."""

    def __init__(self) -> None:
        self._number: dict[int, int] = {}
        self._known: dict[int, _Known] = {}
        self._meetings: dict[tuple[int, int], _Meeting] = {}

    def update(
        self, tracks: Sequence[Track], colours: Mapping[int, NDArray[np.float32]]
    ) -> tuple[list[Track], dict[int, NDArray[np.float32]]]:
        """Take all live tracks of one sample and what those wear of whom it is seen, ``(K,)`` of length 1;
        return both with the numbers under which these people were followed before."""
        self._number = {track.track_id: self._number.get(track.track_id, track.track_id) for track in tracks}
        named, worn = self._named(tracks, colours)
        self._meet(named)
        if self._exchange(named, worn):
            named, worn = self._named(tracks, colours)
        self._remember(named, worn)
        return named, worn

    def numbers(self) -> dict[int, int]:
        """Under which number each track goes, by the number it came with."""
        return dict(self._number)

    def relocate(self, boxes_xyxy: Mapping[int, Box]) -> None:
        """These tracks, by the numbers they go under, rest elsewhere now; nobody has met anybody on the
        way."""
        self._meetings = {}
        for number, known in self._known.items():
            if number in boxes_xyxy:
                known.rest = _middle(boxes_xyxy[number])

    def _named(
        self, tracks: Sequence[Track], colours: Mapping[int, NDArray[np.float32]]
    ) -> tuple[list[Track], dict[int, NDArray[np.float32]]]:
        named = [replace(track, track_id=self._number[track.track_id]) for track in tracks]
        return named, {self._number[key]: value for key, value in colours.items() if key in self._number}

    def _meet(self, tracks: Sequence[Track]) -> None:
        """Begin, or begin again, the meetings of those who are near one another, one of them walking."""
        by_number = {track.track_id: track for track in tracks}
        self._meetings = {
            pair: meeting for pair, meeting in self._meetings.items() if set(pair) <= set(by_number)
        }
        now_s = max((track.last_s for track in tracks), default=0.0)
        recent = [
            track for track in tracks if now_s - track.last_s <= UNSEEN_S and track.track_id in self._known
        ]
        walking = {track.track_id for track in recent if self._walks(track)}
        if not walking:
            return
        for one, other in combinations(sorted(recent, key=lambda track: track.track_id), 2):
            pair = (one.track_id, other.track_id)
            if walking & set(pair) and _apart(one, other) < NEAR:
                self._meetings[pair] = _Meeting()

    def _walks(self, track: Track) -> bool:
        away = np.hypot(*(_centre(track) - self._known[track.track_id].rest))
        return bool(away > AWAY * _width(track))

    def _exchange(self, tracks: Sequence[Track], worn: Mapping[int, NDArray[np.float32]]) -> bool:
        """Look at those who have met; whether two change numbers, no more than two in one sample."""
        by_number = {track.track_id: track for track in tracks}
        for pair, meeting in list(self._meetings.items()):
            if _apart(*(by_number[number] for number in pair)) < NEAR:
                continue
            for number, looks in zip(pair, meeting.fresh, strict=True):
                if number in worn:
                    looks.add(worn[number])
            if min(looks.samples for looks in meeting.fresh) >= FRESH:
                del self._meetings[pair]
                if self._is_crossed(pair, meeting):
                    self._swap(pair)
                    return True
        return False

    def _is_crossed(self, pair: tuple[int, int], meeting: _Meeting) -> bool:
        before = [self._known[number].looks for number in pair]
        pairs = ((0, 0), (1, 1), (0, 1), (1, 0))
        likeness = [meeting.fresh[now].likeness(before[then]) for now, then in pairs]
        told = [value for value in likeness if value is not None]
        return len(told) == len(pairs) and sum(told[2:]) > sum(told[:2]) + MARGIN

    def _swap(self, pair: tuple[int, int]) -> None:
        one, other = pair
        shown = {number: key for key, number in self._number.items()}
        self._number |= {shown[one]: other, shown[other]: one}
        # What else was seen of the two since they met went by the other's number.
        self._meetings |= {met: _Meeting() for met in self._meetings if {one, other} & set(met)}

    def _remember(self, tracks: Sequence[Track], worn: Mapping[int, NDArray[np.float32]]) -> None:
        live = {track.track_id for track in tracks}
        self._known = {number: known for number, known in self._known.items() if number in live}
        meeting = {number for pair in self._meetings for number in pair}
        for track in tracks:
            if track.face is None or track.track_id in meeting:
                continue
            known = self._known.setdefault(track.track_id, _Known(_centre(track)))
            known.rest = (1 - RESTING) * known.rest + RESTING * _centre(track)
            if track.track_id in worn:
                known.looks.add(worn[track.track_id])


def _centre(track: Track) -> NDArray[np.float64]:
    return _middle(track.box_xyxy)


def _middle(box_xyxy: Box) -> NDArray[np.float64]:
    x1, y1, x2, y2 = box_xyxy
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2])


def _width(track: Track) -> float:
    return track.box_xyxy[2] - track.box_xyxy[0]


def _apart(one: Track, other: Track) -> float:
    """The distance of two faces in widths of the larger."""
    return float(np.hypot(*(_centre(one) - _centre(other)))) / max(_width(one), _width(other))
