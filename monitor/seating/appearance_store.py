"""The appearance of students, of their empty seats, and of tracks that are not assigned yet. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from monitor.tracking.appearance_model import MIN_SAMPLES, AppearanceModel
from monitor.types import Track

MIN_BACKGROUND_SAMPLES = 40
"""Descriptors of an empty seat before it is compared: 20 s at the default rate, longer than most students
look down."""

OCCLUDER_SIMILARITY = 0.9
"""An empty seat that is so similar to the student's appearance shows an object in front of it. Heuristic, not
tuned on data."""


class AppearanceStore:
    """Appearance models by student and by unassigned track."""

    def __init__(self) -> None:
        self._students: list[AppearanceModel] = []
        self._backgrounds: list[AppearanceModel] = []
        self._unassigned: dict[int, AppearanceModel] = {}

    def collect(
        self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]], assigned: Set[int]
    ) -> None:
        """Add the descriptors of live ``tracks`` that are not ``assigned``, by track ID."""
        live = {track.track_id for track in tracks}
        self._unassigned = {key: model for key, model in self._unassigned.items() if key in live}
        for track_id, descriptor in descriptors.items():
            if track_id not in assigned:
                self._unassigned.setdefault(track_id, AppearanceModel()).add(descriptor)

    def has_enough(self, track_id: int) -> bool:
        """Whether the appearance of an unassigned track can be compared, or was never visible."""
        model = self._unassigned.get(track_id)
        return model is None or model.samples >= MIN_SAMPLES

    def add_student(self) -> None:
        """Add a student without appearance."""
        self._students.append(AppearanceModel())
        self._backgrounds.append(AppearanceModel())

    def assign(self, track_id: int, student: int) -> None:
        """Give the appearance of a track to a student that has none."""
        model = self._unassigned.pop(track_id, None)
        if model is not None and self._students[student].samples == 0:
            self._students[student] = model

    def learn(self, student: int, descriptor: NDArray[np.float32] | None) -> None:
        """Add the descriptor of a visible student, whose seat is not empty now."""
        self._backgrounds[student] = AppearanceModel()
        if descriptor is not None:
            self._students[student].add(descriptor)

    def learn_background(self, student: int, descriptor: NDArray[np.float32]) -> None:
        """Add a descriptor of the empty seat of a student."""
        self._backgrounds[student].add(descriptor)

    def reset_backgrounds(self) -> None:
        """Drop the appearance of all empty seats."""
        self._backgrounds = [AppearanceModel() for _ in self._backgrounds]

    def similarity(self, track_id: int, student: int) -> float | None:
        """The similarity of an unassigned track to a student, 0..1; None if it cannot be judged."""
        model = self._unassigned.get(track_id)
        if model is None or self._is_seat_occluded(student):
            return None
        return model.similarity(self._students[student])

    def _is_seat_occluded(self, student: int) -> bool:
        """Whether the empty seat looks like the student: an object in front of it does not distinguish
        people."""
        background = self._backgrounds[student]
        similarity = background.similarity(self._students[student])
        return (
            background.samples >= MIN_BACKGROUND_SAMPLES
            and similarity is not None
            and similarity >= OCCLUDER_SIMILARITY
        )
