"""Training batches: augmented faces, targets and weights. NumPy and OpenCV only.

Every random number follows from the seed, the epoch and the batch, so that a resumed training equals an
uninterrupted one.
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
from model.training.augmentation import AugmentSettings, augment_batch, draw_mixup, mix_rows, negative_sample

LabelShares = Mapping[str, NDArray[np.float32]]
"""Distributions (N, 7) by head."""


def make_targets(
    faces: Faces, smoothing: float, teacher: LabelShares | None = None, teacher_weight: float = 0.0
) -> LabelShares:
    """The target distribution (N, 7) of each head.

    ``expression``: the raters' distribution. ``fer2013``: FER2013's label with label ``smoothing``, because
    single labels are hard and often wrong; votes are soft already. ``teacher_weight`` in 0..1 is the weight
    of the distributions of a ``teacher`` (Hinton et al. 2015, arXiv 1503.02531).
    """
    one_hot = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels]
    smoothed = one_hot * (1 - smoothing) + smoothing / len(EMOTIONS)
    targets = {"expression": faces.vote_shares, "fer2013": smoothed}
    if teacher is None:
        return targets
    return {head: (1 - teacher_weight) * targets[head] + teacher_weight * teacher[head] for head in targets}


@dataclass(frozen=True)
class TrainingBatch:
    """B faces: ``images`` (B, S, S, 1) float32 in 0..255, ``targets`` (B, 7) and ``weights`` (B,) by head."""

    images: NDArray[np.float32]
    targets: LabelShares
    weights: Mapping[str, NDArray[np.float32]]


def to_network_input(images: NDArray[np.uint8], px: int) -> NDArray[np.float32]:
    """Faces (N, 48, 48) uint8 as network input (N, px, px, 1) float32 in 0..255."""
    if images.shape[1] != px:
        images = np.stack([cv2.resize(face, (px, px), interpolation=cv2.INTER_AREA) for face in images])
    return images[..., None].astype(np.float32)


def random_crop(images: NDArray[np.float32], rng: np.random.Generator, side_px: int) -> NDArray[np.float32]:
    """A random square crop of ``side_px`` of each image, (N, S, S, 1) to (N, side, side, 1).

    Crops are not scaled, so that the network later sees whole faces at the scale it was trained on.
    """
    corners = rng.integers(0, images.shape[1] - side_px + 1, size=(len(images), 2))
    return np.stack(
        [image[y : y + side_px, x : x + side_px] for image, (y, x) in zip(images, corners, strict=True)]
    )


class TrainingBatches:
    """Shuffled, augmented batches of ``faces``; ``len`` is the number per epoch.

    ``mixup_until_epoch`` is the first epoch (from 0) without mixup, so that the last epochs show unmixed
    faces.
    """

    def __init__(
        self,
        faces: Faces,
        targets: LabelShares,
        *,
        seed: int,
        batch_size: int,
        px: int,
        crop_px: int,
        augment: AugmentSettings,
        mixup_until_epoch: int,
    ) -> None:
        self.faces, self.targets = faces, targets
        self.seed, self.batch_size, self.px, self.crop_px = seed, batch_size, px, crop_px
        self.settings, self.mixup_until_epoch = augment, mixup_until_epoch
        voted = faces.vote_weights > 0
        self.mean_shares = {
            "expression": targets["expression"][voted].mean(axis=0) if voted.any() else np.float32(1 / 7),
            "fer2013": targets["fer2013"].mean(axis=0),
        }

    def __len__(self) -> int:
        return math.ceil(len(self.faces) / self.batch_size)

    def batches_of_epoch(self, epoch: int) -> Iterator[TrainingBatch]:
        """The batches of one epoch, from 0."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.faces))
        for index in range(len(self)):
            chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
            yield self.make_batch(chosen, epoch, index)

    def make_batch(self, chosen: NDArray[np.int64], epoch: int, index: int) -> TrainingBatch:
        """The batch of the faces ``chosen``, augmented as determined by ``epoch`` and ``index``."""
        rng = np.random.default_rng((self.seed, epoch, index))
        augmented = augment_batch(self.faces.images[chosen], rng, self.settings)
        negatives = np.flatnonzero(rng.random(len(chosen)) < self.settings.negative_share)
        for place in negatives:
            augmented[place] = negative_sample(augmented[place], rng)
        images = to_network_input(augmented, self.px)
        if self.crop_px:
            images = random_crop(images, rng, self.crop_px)
        partners, share = (
            draw_mixup(len(chosen), rng, self.settings)
            if epoch < self.mixup_until_epoch
            else (np.arange(len(chosen)), 1.0)
        )
        # A face without votes has weight 0, also in a mixture.
        vote_weights = self.faces.vote_weights[chosen].copy()
        targets = {head: self.targets[head][chosen] for head in self.targets}
        for head in targets:
            targets[head][negatives] = self.mean_shares[head]
        vote_weights[negatives] = 1
        expression = mix_rows(targets["expression"] * vote_weights[:, None], partners, share)
        weights = mix_rows(vote_weights, partners, share)
        return TrainingBatch(
            mix_rows(images, partners, share),
            {
                "expression": np.asarray(expression / np.maximum(weights, 1e-6)[:, None], np.float32),
                "fer2013": mix_rows(targets["fer2013"], partners, share),
            },
            {"expression": weights, "fer2013": np.ones(len(chosen), np.float32)},
        )
