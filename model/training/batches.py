"""What a network learns from, batch by batch: varied faces, targets, weights. NumPy only.

Every number drawn follows from the seed, the epoch and the batch, so that a training that was
interrupted goes on as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data.faces import Faces
from model.emotions import EMOTIONS
from model.training.augmentation import AugmentSettings, augment, mix, mixing, no_face

Shares = Mapping[str, NDArray[np.float32]]
"""Distributions (N, 7) by head."""


def targets(faces: Faces, smoothing: float, teacher: Shares | None = None, trust: float = 0.0) -> Shares:
    """What each head should say of each face, (N, 7).

    ``expression``: the raters' distribution. ``fer2013``: FER2013's label, with ``smoothing`` spread
    evenly, because single labels are hard and often wrong; the votes are soft by themselves. ``trust``
    in 0..1 is the weight of what a teacher says of the same faces (Hinton et al. 2015, arXiv 1503.02531).
    """
    own = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels]
    given = {"expression": faces.votes, "fer2013": own * (1 - smoothing) + smoothing / len(EMOTIONS)}
    if teacher is None:
        return given
    return {head: (1 - trust) * given[head] + trust * teacher[head] for head in given}


@dataclass(frozen=True)
class Batch:
    """B faces ``images`` (B, S, S, 1) float32 in 0..255; ``targets`` (B, 7) and ``weights`` (B,) by head."""

    images: NDArray[np.float32]
    targets: Shares
    weights: Mapping[str, NDArray[np.float32]]


def as_input(images: NDArray[np.uint8], px: int) -> NDArray[np.float32]:
    """Faces (N, 48, 48) uint8 as the network takes them: (N, px, px, 1) float32 in 0..255."""
    if images.shape[1] != px:
        images = np.stack([cv2.resize(face, (px, px), interpolation=cv2.INTER_AREA) for face in images])
    return images[..., None].astype(np.float32)


def crop(images: NDArray[np.float32], rng: np.random.Generator, side_px: int) -> NDArray[np.float32]:
    """A square of ``side_px`` from a random place of each picture: (N, S, S, 1) to (N, side, side, 1).

    Nothing is scaled, so that a network meets the whole face later on at the scale it learnt.
    """
    corners = rng.integers(0, images.shape[1] - side_px + 1, size=(len(images), 2))
    return np.stack(
        [image[y : y + side_px, x : x + side_px] for image, (y, x) in zip(images, corners, strict=True)]
    )


class Batches:
    """Shuffled, varied batches of ``faces``, ``len`` of them an epoch.

    ``calm_from`` is the first epoch (from 0) in which nothing is mixed any more: the last epochs show
    faces as they are met in use.
    """

    def __init__(
        self,
        faces: Faces,
        shares: Shares,
        *,
        seed: int,
        batch: int,
        px: int,
        crop_px: int,
        augment: AugmentSettings,
        calm_from: int,
    ) -> None:
        self.faces, self.shares = faces, shares
        self.seed, self.batch, self.px, self.crop_px = seed, batch, px, crop_px
        self.settings, self.calm_from = augment, calm_from
        voted = faces.vote_weights > 0
        self.usual = {
            "expression": shares["expression"][voted].mean(axis=0) if voted.any() else np.float32(1 / 7),
            "fer2013": shares["fer2013"].mean(axis=0),
        }

    def __len__(self) -> int:
        return math.ceil(len(self.faces) / self.batch)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch, from 0."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.faces))
        for index in range(len(self)):
            chosen = order[index * self.batch : (index + 1) * self.batch]
            yield self.make(chosen, epoch, index)

    def make(self, chosen: NDArray[np.int64], epoch: int, index: int) -> Batch:
        """The batch of the faces ``chosen``, varied as this epoch and batch have it."""
        rng = np.random.default_rng((self.seed, epoch, index))
        varied = augment(self.faces.images[chosen], rng, self.settings)
        empty = np.flatnonzero(rng.random(len(chosen)) < self.settings.no_face_share)
        for place in empty:
            varied[place] = no_face(varied[place], rng)
        images = as_input(varied, self.px)
        if self.crop_px:
            images = crop(images, rng, self.crop_px)
        partners, share = (
            mixing(len(chosen), rng, self.settings)
            if epoch < self.calm_from
            else (np.arange(len(chosen)), 1.0)
        )
        # A face without votes counts for nothing, also in a mixture: its row of zeros has weight 0.
        voted = self.faces.vote_weights[chosen].copy()
        said = {head: self.shares[head][chosen] for head in self.shares}
        for head in said:
            said[head][empty] = self.usual[head]
        voted[empty] = 1
        expression = mix(said["expression"] * voted[:, None], partners, share)
        weights = mix(voted, partners, share)
        return Batch(
            mix(images, partners, share),
            {
                "expression": expression / np.maximum(weights, 1e-6)[:, None],
                "fer2013": mix(said["fer2013"], partners, share),
            },
            {"expression": weights, "fer2013": np.ones(len(chosen), np.float32)},
        )
