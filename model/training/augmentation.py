"""Augmentation of training faces, and negative samples without a face. NumPy and OpenCV only.

Done outside of TensorFlow, so that each step is a few testable lines; a face takes about 0.1 ms, against more
than 2 ms to train on it.

A detector sometimes returns a box without a face. A network trained on faces alone answers a wall or noise
with any label and full confidence (the second stage of training called noise sad, with probability 1.0).
Therefore a few images of each batch are replaced by negative samples, whose target is the mean of all targets
("outlier exposure", Hendrycks et al. 2019, arXiv 1812.04606).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FaceImage = NDArray[np.uint8]
"""One grey face ``(48, 48)`` uint8."""


@dataclass(frozen=True)
class AugmentSettings:
    """Strength of the augmentation; shares are probabilities.

    Shifts and scales match the jitter of the detector's keypoints on live crops. ``downscale_share`` of the
    faces are scaled down to ``downscale_px`` and up again, because faces of 24 pixels are normal in a lecture
    hall and a model trained on sharp faces fails on them. ``mixup_share`` of the batches are mixed with
    themselves (``mix_rows``): 0 unless training is so long that the network memorises faces, which it does
    not within 50 epochs. ``negative_share`` of the faces are replaced by negative samples.
    """

    shift_px: float = 3.0
    rotate_deg: float = 10.0
    scale: float = 0.10
    contrast: float = 0.3
    erase_share: float = 0.15
    erase_px: tuple[int, int] = (6, 14)
    downscale_share: float = 0.25
    downscale_px: tuple[int, int] = (14, 48)
    mixup_share: float = 0.0
    mixup_alpha: float = 0.3
    negative_share: float = 0.03


def flip(image: FaceImage) -> FaceImage:
    """The face mirrored left to right."""
    return np.ascontiguousarray(image[:, ::-1])


def transform(image: FaceImage, angle_deg: float, scale: float, shift_px: tuple[float, float]) -> FaceImage:
    """The face rotated counter-clockwise and scaled about its centre, then shifted (right, down); edges
    repeat."""
    size = image.shape[0]
    centre = (size - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D((centre, centre), angle_deg, scale), np.float64)
    matrix[:, 2] += shift_px
    moved = cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def change_contrast(image: FaceImage, gain: float) -> FaceImage:
    """Grey values scaled about their mean by ``gain``, clipped to 0..255."""
    mean = float(image.mean())
    changed = np.clip(mean + gain * (image.astype(np.float32) - mean), 0, 255)
    return np.asarray(changed, np.uint8)


def erase_box(image: FaceImage, box_xyxy: tuple[int, int, int, int]) -> FaceImage:
    """A copy with a rectangle filled with the face's mean grey, like a hand or a head in front."""
    x1, y1, x2, y2 = box_xyxy
    erased = image.copy()
    erased[y1:y2, x1:x2] = round(float(image.mean()))
    return erased


def downscale_face(image: FaceImage, px: int) -> FaceImage:
    """The face as if it were ``px`` pixels wide in the frame: reduced by area, enlarged by cubic
    interpolation, as live crops."""
    size = image.shape[0]
    small = cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


def augment_face(image: FaceImage, rng: np.random.Generator, settings: AugmentSettings) -> FaceImage:
    """A randomly augmented face."""
    if rng.random() < 0.5:
        image = flip(image)
    angle = rng.uniform(-settings.rotate_deg, settings.rotate_deg)
    scale = 1 + rng.uniform(-settings.scale, settings.scale)
    shift_x, shift_y = rng.uniform(-settings.shift_px, settings.shift_px, 2)
    image = transform(image, angle, scale, (shift_x, shift_y))
    if rng.random() < settings.downscale_share:
        image = downscale_face(image, int(rng.integers(*settings.downscale_px)))
    image = change_contrast(image, 1 + rng.uniform(-settings.contrast, settings.contrast))
    if rng.random() < settings.erase_share:
        width, height = rng.integers(*settings.erase_px, size=2)
        x, y = rng.integers(0, image.shape[1] - width), rng.integers(0, image.shape[0] - height)
        image = erase_box(image, (int(x), int(y), int(x + width), int(y + height)))
    return image


def augment_batch(
    images: NDArray[np.uint8], rng: np.random.Generator, settings: AugmentSettings
) -> NDArray[np.uint8]:
    """Randomly augmented faces, (N, 48, 48) uint8 in and out."""
    return np.stack([augment_face(image, rng, settings) for image in images])


def draw_mixup(
    count: int, rng: np.random.Generator, settings: AugmentSettings
) -> tuple[NDArray[np.int64], float]:
    """The partner of each face for mixup, (count,) indices, and the share of the face itself.

    The share is drawn from Beta(alpha, alpha) and at least 0.5, so that the face dominates; 1 for batches
    that are not mixed. Mixup: Zhang et al. 2018, arXiv 1710.09412.
    """
    if rng.random() >= settings.mixup_share:
        return np.arange(count), 1.0
    share = float(rng.beta(settings.mixup_alpha, settings.mixup_alpha))
    return rng.permutation(count), max(share, 1 - share)


def mix_rows(values: NDArray[np.float32], partners: NDArray[np.int64], share: float) -> NDArray[np.float32]:
    """``share`` of each row plus the rest of its partner's; for images, targets and weights."""
    return values if share == 1 else share * values + np.float32(1 - share) * values[partners]


PATCH_PX = 12
"""The side of a patch of ``shuffled_image``."""


def noise_image(image: FaceImage, rng: np.random.Generator) -> FaceImage:
    """Random greys in cells of any size, from single pixels to half the image."""
    size = image.shape[0]
    cells = int(rng.integers(2, size + 1))
    drawn = rng.integers(0, 256, (cells, cells), dtype=np.uint8)
    method = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(drawn, (size, size), interpolation=method), np.uint8)


def wall_image(image: FaceImage, rng: np.random.Generator) -> FaceImage:
    """A wall: one grey with a lighting gradient and sensor noise."""
    rows, columns = np.indices(image.shape) / image.shape[0] - 0.5
    light = rng.uniform(0, 255) + rng.uniform(-80, 80) * rows + rng.uniform(-80, 80) * columns
    noisy = light + rng.normal(0, rng.uniform(0, 12), image.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def shuffled_image(image: FaceImage, rng: np.random.Generator) -> FaceImage:
    """The image's own patches in random order: the details of a face without the face."""
    count = image.shape[0] // PATCH_PX
    patches = image.reshape(count, PATCH_PX, count, PATCH_PX).swapaxes(1, 2).reshape(-1, PATCH_PX, PATCH_PX)
    mixed = patches[rng.permutation(len(patches))].reshape(count, count, PATCH_PX, PATCH_PX)
    return np.ascontiguousarray(mixed.swapaxes(1, 2).reshape(image.shape))


NEGATIVE_KINDS: tuple[Callable[[FaceImage, np.random.Generator], FaceImage], ...] = (
    noise_image,
    wall_image,
    shuffled_image,
)


def negative_sample(image: FaceImage, rng: np.random.Generator) -> FaceImage:
    """An image of one of ``NEGATIVE_KINDS`` in place of a face (48, 48) uint8."""
    return NEGATIVE_KINDS[int(rng.integers(len(NEGATIVE_KINDS)))](image, rng)
