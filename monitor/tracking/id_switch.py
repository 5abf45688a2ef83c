"""Correction of ID switches after two people passed close by each other. Pure.

When one person occludes another, a tracker that knows positions only may continue each with the other's
track. So the appearance of both (``monitor.tracking.appearance_model``) is compared again once they are
apart, and if it matches better the other way round, their tracks swap IDs. The frames in between are not
corrected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from monitor.geometry import box_centre, box_width
from monitor.tracking.appearance_model import AppearanceModel
from monitor.types import Box, Track

INTERACTION_DISTANCE = 1.5
"""Two tracks whose faces are nearer than this, in widths of the larger one, interact; the gate of the
tracker."""

WALKING_DISTANCE = 1.0
"""A track that is farther than this from its resting position, face widths, is walking. Neighbours who sit
side by side do not interact."""

RESTING_WEIGHT = 0.05
"""Weight of the latest position in the running mean of the resting position: ten seconds at two frames a
second."""

MAX_UNSEEN_S = 3.0
"""An occluded person is assumed to be near the last position for this time, seconds."""

MIN_SAMPLES_AFTER = 5
"""Descriptors of each track after an interaction before a decision. Heuristic, not tuned on data."""

SWAP_MARGIN = 0.2
"""By how much the sum of both similarities, at most 2, must be larger for swapped IDs. Heuristic, not tuned
on data."""


@dataclass
class _TrackMemory:
    """A track outside interactions: its resting position, pixels, and its appearance."""

    resting_centre: NDArray[np.float64]
    appearance: AppearanceModel = field(default_factory=AppearanceModel)


@dataclass
class _Interaction:
    """The appearance of two tracks since they are apart again."""

    appearances_after: tuple[AppearanceModel, AppearanceModel] = field(
        default_factory=lambda: (AppearanceModel(), AppearanceModel())
    )


class IdSwitchCorrector:
    """Keeps the corrected ID of each track."""

    def __init__(self) -> None:
        self._corrected_ids: dict[int, int] = {}
        self._memory: dict[int, _TrackMemory] = {}
        self._interactions: dict[tuple[int, int], _Interaction] = {}

    def update(
        self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]]
    ) -> tuple[list[Track], dict[int, NDArray[np.float32]]]:
        """Take all live tracks of one frame and the descriptors ``(K,)``, unit norm, of some of them; returns
        both with corrected IDs."""
        self._corrected_ids = {
            track.track_id: self._corrected_ids.get(track.track_id, track.track_id) for track in tracks
        }
        corrected, corrected_descriptors = self._with_corrected_ids(tracks, descriptors)
        self._start_interactions(corrected)
        if self._correct_switch(corrected, corrected_descriptors):
            corrected, corrected_descriptors = self._with_corrected_ids(tracks, descriptors)
        self._update_memory(corrected, corrected_descriptors)
        return corrected, corrected_descriptors

    def corrected_ids(self) -> dict[int, int]:
        """The corrected ID of each track, by the tracker's ID."""
        return dict(self._corrected_ids)

    def relocate(self, boxes_xyxy: Mapping[int, Box]) -> None:
        """Move the resting positions of tracks, by corrected ID, after a layout change; ends all
        interactions."""
        self._interactions = {}
        for track_id, memory in self._memory.items():
            if track_id in boxes_xyxy:
                memory.resting_centre = np.array(box_centre(boxes_xyxy[track_id]))

    def _with_corrected_ids(
        self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]]
    ) -> tuple[list[Track], dict[int, NDArray[np.float32]]]:
        corrected = [replace(track, track_id=self._corrected_ids[track.track_id]) for track in tracks]
        return corrected, {
            self._corrected_ids[key]: value
            for key, value in descriptors.items()
            if key in self._corrected_ids
        }

    def _start_interactions(self, tracks: Sequence[Track]) -> None:
        """Start or restart interactions of tracks near each other of which one is walking."""
        live = {track.track_id for track in tracks}
        self._interactions = {pair: it for pair, it in self._interactions.items() if set(pair) <= live}
        now_s = max((track.last_seen_s for track in tracks), default=0.0)
        recent = [
            track
            for track in tracks
            if now_s - track.last_seen_s <= MAX_UNSEEN_S and track.track_id in self._memory
        ]
        walking = {track.track_id for track in recent if self._is_walking(track)}
        if not walking:
            return
        for first, second in combinations(sorted(recent, key=lambda track: track.track_id), 2):
            pair = (first.track_id, second.track_id)
            if walking & set(pair) and _face_distance(first, second) < INTERACTION_DISTANCE:
                self._interactions[pair] = _Interaction()

    def _is_walking(self, track: Track) -> bool:
        distance = np.hypot(*(_centre(track) - self._memory[track.track_id].resting_centre))
        return bool(distance > WALKING_DISTANCE * box_width(track.box_xyxy))

    def _correct_switch(
        self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]]
    ) -> bool:
        """Continue the interactions; returns whether two tracks swapped IDs, at most one pair per frame."""
        by_id = {track.track_id: track for track in tracks}
        for pair, interaction in list(self._interactions.items()):
            if _face_distance(by_id[pair[0]], by_id[pair[1]]) < INTERACTION_DISTANCE:
                continue
            for track_id, appearance in zip(pair, interaction.appearances_after, strict=True):
                if track_id in descriptors:
                    appearance.add(descriptors[track_id])
            if min(appearance.samples for appearance in interaction.appearances_after) >= MIN_SAMPLES_AFTER:
                del self._interactions[pair]
                if self._is_switched(pair, interaction):
                    self._swap_ids(pair)
                    return True
        return False

    def _is_switched(self, pair: tuple[int, int], interaction: _Interaction) -> bool:
        before = [self._memory[track_id].appearance for track_id in pair]
        after = interaction.appearances_after
        pairs = ((0, 0), (1, 1), (0, 1), (1, 0))
        values = [after[i].similarity(before[j]) for i, j in pairs]
        similarities = [value for value in values if value is not None]
        if len(similarities) < len(pairs):
            return False
        return sum(similarities[2:]) > sum(similarities[:2]) + SWAP_MARGIN

    def _swap_ids(self, pair: tuple[int, int]) -> None:
        first, second = pair
        tracker_ids = {corrected: track_id for track_id, corrected in self._corrected_ids.items()}
        self._corrected_ids |= {tracker_ids[first]: second, tracker_ids[second]: first}
        # Their other interactions have collected descriptors under the wrong ID.
        self._interactions |= {
            other: _Interaction() for other in self._interactions if set(pair) & set(other)
        }

    def _update_memory(self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]]) -> None:
        live = {track.track_id for track in tracks}
        self._memory = {track_id: memory for track_id, memory in self._memory.items() if track_id in live}
        interacting = {track_id for pair in self._interactions for track_id in pair}
        for track in tracks:
            if track.face is None or track.track_id in interacting:
                continue
            centre = _centre(track)
            memory = self._memory.setdefault(track.track_id, _TrackMemory(centre))
            memory.resting_centre = (1 - RESTING_WEIGHT) * memory.resting_centre + RESTING_WEIGHT * centre
            if track.track_id in descriptors:
                memory.appearance.add(descriptors[track.track_id])


def _centre(track: Track) -> NDArray[np.float64]:
    return np.array(box_centre(track.box_xyxy))


def _face_distance(first: Track, second: Track) -> float:
    """The distance of two faces in widths of the larger one."""
    width = max(box_width(first.box_xyxy), box_width(second.box_xyxy))
    return float(np.hypot(*(_centre(first) - _centre(second)))) / width
