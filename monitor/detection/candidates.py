"""Boxes, scores and keypoints of many possible faces as arrays. Pure NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """N possible faces: ``boxes_xyxy`` ``(N, 4)``, ``scores`` ``(N,)`` in 0..1, ``keypoints``
    ``(N, 6, 2)`` in the order of ``monitor.domain.Face``; float32, all in the same pixels."""

    boxes_xyxy: Floats
    scores: Floats
    keypoints: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def pick(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Candidates:
        """Those that ``which`` (a mask or indices) names, in its order."""
        return Candidates(self.boxes_xyxy[which], self.scores[which], self.keypoints[which])

    @property
    def singly(self) -> list[Candidates]:
        """Each of them alone."""
        return [self.pick(np.array([index])) for index in range(len(self))]

    def to_frame(self, scale: float, x: float, y: float) -> Candidates:
        """From pixels of a cutting to pixels of the frame: its corner lies at ``(x, y)`` of the
        frame enlarged by ``scale``."""
        corner = np.array([x, y], dtype=np.float32)
        boxes = (self.boxes_xyxy + np.tile(corner, 2)) / scale
        keypoints = (self.keypoints + corner) / scale
        return Candidates(boxes.astype(np.float32), self.scores, keypoints.astype(np.float32))


def join(parts: Sequence[Candidates]) -> Candidates:
    """All candidates of ``parts`` in one; none at all if ``parts`` is empty."""
    empty = Candidates(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 6, 2), np.float32))
    every = [empty, *parts]
    return Candidates(
        np.concatenate([part.boxes_xyxy for part in every]),
        np.concatenate([part.scores for part in every]),
        np.concatenate([part.keypoints for part in every]),
    )
