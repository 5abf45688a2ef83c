"""The camera of a simulated room: it drifts, zooms, shakes, changes its exposure and adds noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.types import Box, ImageBGR

NOISE_FRAMES = 6
"""Noise fields, used in turn, each with another offset."""

NOISE_ROOM_PX = 64

SWAY_HZ = (0.13, 0.31, 0.67, 1.3)
"""Frequencies of a hand's sway; each has half the amplitude of the previous one. Heuristic, not measured."""

SWAY_DEG = 40.0
"""Rotation of a handheld camera in degrees per frame width of sway: 1.6 for a sway of 0.04."""

PAN_S = 9.0
"""Mean duration of a pan to one side and back, seconds."""

MARGIN = 2.4
"""The image is enlarged by this multiple of sway and pan: twice hides the sides, the rest the corners of a
rotated frame."""


@dataclass(frozen=True)
class CameraSettings:
    """How unsteady a camera is.

    ``drift``: amplitude in frame widths; ``zoom``: amplitude about 1.05; ``shake_px``: standard deviation per
    frame; ``exposure``: amplitude of the brightness; ``noise``: standard deviation of a pixel in grey levels.
    ``knock_at_s``: when the camera is knocked once, by ``knock`` frame widths; None for never. ``handheld``:
    sway of a handheld camera in frame widths, with proportional rotation and zoom; ``pan``: pan to either
    side in frame widths. The image is enlarged so that neither shows the outside of the scene.
    """

    drift: float = 0.008
    zoom: float = 0.02
    shake_px: float = 0.6
    exposure: float = 0.12
    noise: float = 3.0
    knock_at_s: float | None = None
    knock: float = 0.06
    handheld: float = 0.0
    pan: float = 0.0


class SimulatedCamera:
    """Captures frames of a scene of ``width`` x ``height`` pixels at the same size."""

    def __init__(self, settings: CameraSettings, width: int, height: int, seed: int) -> None:
        self.settings = settings
        self.width, self.height = width, height
        self._seed = seed
        rng = np.random.default_rng((seed, 11))
        self._phases = rng.uniform(0, 2 * math.pi, 5)
        shape = (NOISE_FRAMES, height + NOISE_ROOM_PX, width + NOISE_ROOM_PX, 1)
        fields = rng.normal(128, max(settings.noise, 1e-6), shape).clip(0, 255)
        self._noise = [np.repeat(field, 3, axis=2).astype(np.uint8) for field in fields.round()]

    def matrix_at(self, t_s: float, frame: int) -> NDArray[np.float64]:
        """The matrix (2, 3) from scene to frame at ``t_s``; ``frame`` is the frame number, for the shake."""
        s, (a, b, c, _, _) = self.settings, self._phases
        zoom = 1.05 + s.zoom * math.sin(0.021 * t_s + a)
        x = s.drift * self.width * (math.sin(0.033 * t_s + b) + 0.3 * math.sin(0.19 * t_s + c))
        y = s.drift * self.height * math.sin(0.027 * t_s + c)
        shake = np.random.default_rng((self._seed, 13, frame)).normal(0, s.shake_px, 2)
        knock = s.knock * self.width if s.knock_at_s is not None and t_s >= s.knock_at_s else 0.0
        middle = np.array([self.width / 2, self.height / 2])
        if s.handheld or s.pan:
            return self._handheld_matrix(t_s, zoom, middle, np.add(shake, (x + knock, y + knock / 3)))
        corner = middle - zoom * middle + (x + knock, y + knock / 3) + shake
        return np.array([[zoom, 0.0, corner[0]], [0.0, zoom, corner[1]]])

    def _handheld_matrix(
        self, t_s: float, zoom: float, middle: NDArray[np.float64], shift: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The transform of a handheld camera: sway, rotation and pan besides ``zoom`` and ``shift``."""
        s = self.settings
        rng = np.random.default_rng((self._seed, 19))
        phases = rng.uniform(0, 2 * math.pi, (4, len(SWAY_HZ)))
        weights = 0.5 ** np.arange(len(SWAY_HZ))
        sway = np.sin(2 * math.pi * np.array(SWAY_HZ) * t_s + phases) @ weights / weights.sum()
        pan = s.pan * self.width * math.sin(2 * math.pi * t_s / PAN_S + phases[0, 0])
        swayed = s.handheld * sway[:2] * (self.width, self.height) + (pan, 0.0)
        angle = math.radians(SWAY_DEG * s.handheld * sway[2])
        zoom *= 1 + MARGIN * (s.handheld + s.pan) + s.handheld * sway[3]
        turned = zoom * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        return np.column_stack([turned, middle - turned @ middle + shift + swayed])

    def capture(self, scene_bgr: ImageBGR, t_s: float, frame: int) -> ImageBGR:
        """The frame of the scene at ``t_s``."""
        size = (self.width, self.height)
        moved = cv2.warpAffine(scene_bgr, self.matrix_at(t_s, frame), size, borderMode=cv2.BORDER_REPLICATE)
        s, (_, _, _, d, e) = self.settings, self._phases
        gain = 1 + s.exposure * (0.7 * math.sin(0.05 * t_s + d) + 0.3 * math.sin(0.31 * t_s + e))
        if s.noise <= 0:
            return np.asarray(cv2.convertScaleAbs(moved, alpha=gain), np.uint8)
        x, y = np.random.default_rng((self._seed, 17, frame)).integers(0, NOISE_ROOM_PX, 2)
        noise = self._noise[frame % NOISE_FRAMES][y : y + self.height, x : x + self.width]
        return np.asarray(cv2.addWeighted(moved, gain, noise, 1.0, -128.0), np.uint8)


def project_box(matrix: NDArray[np.float64], box: Box) -> Box:
    """A box of the scene in the frame, both in pixels. It stays upright if ``matrix`` rotates."""
    zoom, turn = float(np.hypot(matrix[0, 0], matrix[1, 0])), matrix[1, 0] / matrix[0, 0]
    if turn:
        x, y = matrix @ ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 1.0)
        across, down = zoom * (box[2] - box[0]) / 2, zoom * (box[3] - box[1]) / 2
        return float(x - across), float(y - down), float(x + across), float(y + down)
    x1, y1 = matrix @ (box[0], box[1], 1.0)
    x2, y2 = matrix @ (box[2], box[3], 1.0)
    return float(x1), float(y1), float(x2), float(y2)
