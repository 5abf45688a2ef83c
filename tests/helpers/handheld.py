"""Scenes recorded by a hand-held camera: a smooth random path, blur and noise. The scene is the reference
frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.geometry import transform_box
from monitor.types import Box, ImageBGR

WAVES_HZ = (0.11, 0.27, 0.45, 0.8)
SAMPLES_PER_S = 2.0


def hand_path(
    seed: int, samples: int, width: int, height: int, reach: float = 0.03
) -> list[NDArray[np.float64]]:
    """The similarity ``(2, 3)`` from scene to frame per sample: shifts of about ``reach`` widths, rotations
    of a degree, zoom."""
    rng = np.random.default_rng((seed, 77))
    times_s = np.arange(samples) / SAMPLES_PER_S

    def wander(size: float) -> NDArray[np.float64]:
        waves = [rng.normal() * np.sin(2 * np.pi * hz * times_s + rng.uniform(0, 6.3)) for hz in WAVES_HZ]
        return np.asarray(size / 1.5 * sum(waves))

    dx, dy, rotation, zoom = wander(reach * width), wander(0.6 * reach * width), wander(0.7), wander(0.012)
    centre, matrices = (width / 2, height / 2), []
    for index in range(samples):
        matrix = cv2.getRotationMatrix2D(centre, float(rotation[index]), float(1.04 + zoom[index]))
        matrix[:, 2] += (dx[index], dy[index])
        matrices.append(np.asarray(matrix, np.float64))
    return matrices


def filmed(scene: ImageBGR, matrix: NDArray[np.float64], rng: np.random.Generator) -> ImageBGR:
    """The frame that the camera gives: as large as the scene, blurred by up to 1.8 px, with noise."""
    height, width = scene.shape[:2]
    frame = cv2.warpAffine(scene, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    blur = min(abs(rng.normal(0, 0.7)), 1.8)
    if blur > 0.3:
        frame = cv2.GaussianBlur(frame, (0, 0), blur)
    noise = rng.normal(0, 3, (height, width, 1))
    return np.asarray(np.clip(frame + noise, 0, 255), np.uint8)


def through(matrix: NDArray[np.float64], box_xyxy: Box) -> Box:
    """A box of the scene in pixels of the frame; it stays upright."""
    return transform_box(matrix, box_xyxy)
