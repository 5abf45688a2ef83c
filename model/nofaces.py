"""Pictures that show no face, of which a network is to say nothing. NumPy and OpenCV.

A detector errs now and then. A network that was shown faces alone answers a wall or noise with any label
and full confidence (the second stage of training called noise sad, with probability 1.0), so a few of
each batch are replaced by such pictures, with the mean of all targets as their target: "outlier exposure",
Hendrycks et al. 2019, arXiv 1812.04606.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

FaceImage = NDArray[np.uint8]

PATCH_PX = 12


def noise(image: FaceImage, rng: np.random.Generator) -> FaceImage:
    """Random greys in cells of any size, from single pixels to half the picture."""
    size = image.shape[0]
    cells = int(rng.integers(2, size + 1))
    drawn = rng.integers(0, 256, (cells, cells), dtype=np.uint8)
    method = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(drawn, (size, size), interpolation=method), np.uint8)


def plain(image: FaceImage, rng: np.random.Generator) -> FaceImage:
    """A wall: one grey, lit from one side, with a sensor's noise."""
    rows, columns = np.indices(image.shape) / image.shape[0] - 0.5
    light = rng.uniform(0, 255) + rng.uniform(-80, 80) * rows + rng.uniform(-80, 80) * columns
    noisy = light + rng.normal(0, rng.uniform(0, 12), image.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def shuffled(image: FaceImage, rng: np.random.Generator) -> FaceImage:
    """The picture's own patches in another order: the detail of a face without one."""
    count = image.shape[0] // PATCH_PX
    patches = image.reshape(count, PATCH_PX, count, PATCH_PX).swapaxes(1, 2).reshape(-1, PATCH_PX, PATCH_PX)
    mixed = patches[rng.permutation(len(patches))].reshape(count, count, PATCH_PX, PATCH_PX)
    return np.ascontiguousarray(mixed.swapaxes(1, 2).reshape(image.shape))


KINDS: tuple[Callable[[FaceImage, np.random.Generator], FaceImage], ...] = (noise, plain, shuffled)


def no_face(image: FaceImage, rng: np.random.Generator) -> FaceImage:
    """In the place of a face (48, 48) uint8, a picture of one of ``KINDS``."""
    return KINDS[int(rng.integers(len(KINDS)))](image, rng)
