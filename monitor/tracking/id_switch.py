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

from monitor.tracking.appearance_model import AppearanceModel
from monitor.types import Box, Track

INTERACTION_DISTANCE = 1.5
"""Two whose faces are nearer than this, in widths of the larger, can be confused; the gate of the tracker."""

WALKING_DISTANCE = 1.0
"""Who is farther than this from where they rest, in widths, walks. Two who sit side by side do not meet."""

RESTING_WEIGHT = 0.05
"""The weight of the newest place in the mean that is somebody's resting place: ten seconds at two a
second."""

MAX_UNSEEN_S = 3.0
"""For so long whoever was hidden is thought to be near where they were last seen, seconds."""

MIN_SAMPLES_AFTER = 5
"""Samples of each, apart, before anything is decided. Not tuned."""

SWAP_MARGIN = 0.2
"""How much better it must fit the other way round, of likenesses that sum up to 2. Not tuned."""


@dataclass
class _TrackMemory:
    """What is remembered of a track: what was worn before it met anybody, and where it rests, pixels."""

    resting_centre: NDArray[np.float64]
    appearance: AppearanceModel = field(default_factory=AppearanceModel)


@dataclass
class _Interaction:
    """What the two wear since they are apart."""

    appearances_after: tuple[AppearanceModel, AppearanceModel] = field(
        default_factory=lambda: (AppearanceModel(), AppearanceModel())
    )


class IdSwitchCorrector:
    """Gives tracks back their numbers after two were confused."""

    def __init__(self) -> None:
        self._corrected_ids: dict[int, int] = {}
        self._memory: dict[int, _TrackMemory] = {}
        self._interactions: dict[tuple[int, int], _Interaction] = {}

    def update(
        self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]]
    ) -> tuple[list[Track], dict[int, NDArray[np.float32]]]:
        """Take all live tracks of one sample and what those wear of whom it is seen, ``(K,)`` of length 1;
        return both with the numbers under which these people were followed before."""
        self._corrected_ids = {
            track.track_id: self._corrected_ids.get(track.track_id, track.track_id) for track in tracks
        }
        named, worn = self._renumbered(tracks, descriptors)
        self._start_interactions(named)
        if self._correct_switch(named, worn):
            named, worn = self._renumbered(tracks, descriptors)
        self._update_memory(named, worn)
        return named, worn

    def corrected_ids(self) -> dict[int, int]:
        """Under which number each track goes, by the number it came with."""
        return dict(self._corrected_ids)

    def relocate(self, boxes_xyxy: Mapping[int, Box]) -> None:
        """These tracks, by the numbers they go under, rest elsewhere now; nobody has met anybody on the
        way."""
        self._interactions = {}
        for number, known in self._memory.items():
            if number in boxes_xyxy:
                known.resting_centre = _box_centre(boxes_xyxy[number])

    def _renumbered(
        self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]]
    ) -> tuple[list[Track], dict[int, NDArray[np.float32]]]:
        named = [replace(track, track_id=self._corrected_ids[track.track_id]) for track in tracks]
        return named, {
            self._corrected_ids[key]: value
            for key, value in descriptors.items()
            if key in self._corrected_ids
        }

    def _start_interactions(self, tracks: Sequence[Track]) -> None:
        """Begin, or begin again, the meetings of those who are near one another, one of them walking."""
        by_number = {track.track_id: track for track in tracks}
        self._interactions = {
            pair: meeting for pair, meeting in self._interactions.items() if set(pair) <= set(by_number)
        }
        now_s = max((track.last_seen_s for track in tracks), default=0.0)
        recent = [
            track
            for track in tracks
            if now_s - track.last_seen_s <= MAX_UNSEEN_S and track.track_id in self._memory
        ]
        walking = {track.track_id for track in recent if self._is_walking(track)}
        if not walking:
            return
        for one, other in combinations(sorted(recent, key=lambda track: track.track_id), 2):
            pair = (one.track_id, other.track_id)
            if walking & set(pair) and _face_distance(one, other) < INTERACTION_DISTANCE:
                self._interactions[pair] = _Interaction()

    def _is_walking(self, track: Track) -> bool:
        away = np.hypot(*(_centre(track) - self._memory[track.track_id].resting_centre))
        return bool(away > WALKING_DISTANCE * _width(track))

    def _correct_switch(
        self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]]
    ) -> bool:
        """Look at those who have met; whether two change numbers, no more than two in one sample."""
        by_number = {track.track_id: track for track in tracks}
        for pair, meeting in list(self._interactions.items()):
            if _face_distance(*(by_number[number] for number in pair)) < INTERACTION_DISTANCE:
                continue
            for number, looks in zip(pair, meeting.appearances_after, strict=True):
                if number in descriptors:
                    looks.add(descriptors[number])
            if min(looks.samples for looks in meeting.appearances_after) >= MIN_SAMPLES_AFTER:
                del self._interactions[pair]
                if self._is_switched(pair, meeting):
                    self._swap_ids(pair)
                    return True
        return False

    def _is_switched(self, pair: tuple[int, int], interaction: _Interaction) -> bool:
        before = [self._memory[number].appearance for number in pair]
        pairs = ((0, 0), (1, 1), (0, 1), (1, 0))
        likeness = [interaction.appearances_after[now].similarity(before[then]) for now, then in pairs]
        told = [value for value in likeness if value is not None]
        return len(told) == len(pairs) and sum(told[2:]) > sum(told[:2]) + SWAP_MARGIN

    def _swap_ids(self, pair: tuple[int, int]) -> None:
        one, other = pair
        shown = {number: key for key, number in self._corrected_ids.items()}
        self._corrected_ids |= {shown[one]: other, shown[other]: one}
        # What else was seen of the two since they met went by the other's number.
        self._interactions |= {met: _Interaction() for met in self._interactions if {one, other} & set(met)}

    def _update_memory(self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]]) -> None:
        live = {track.track_id for track in tracks}
        self._memory = {number: known for number, known in self._memory.items() if number in live}
        meeting = {number for pair in self._interactions for number in pair}
        for track in tracks:
            if track.face is None or track.track_id in meeting:
                continue
            known = self._memory.setdefault(track.track_id, _TrackMemory(_centre(track)))
            known.resting_centre = (1 - RESTING_WEIGHT) * known.resting_centre + RESTING_WEIGHT * _centre(
                track
            )
            if track.track_id in descriptors:
                known.appearance.add(descriptors[track.track_id])


def _centre(track: Track) -> NDArray[np.float64]:
    return _box_centre(track.box_xyxy)


def _box_centre(box_xyxy: Box) -> NDArray[np.float64]:
    x1, y1, x2, y2 = box_xyxy
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2])


def _width(track: Track) -> float:
    return track.box_xyxy[2] - track.box_xyxy[0]


def _face_distance(one: Track, other: Track) -> float:
    """The distance of two faces in widths of the larger."""
    return float(np.hypot(*(_centre(one) - _centre(other)))) / max(_width(one), _width(other))
