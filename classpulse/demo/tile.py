"""One student's tile of the video call: her room, herself, her name."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.demo.backdrops import draw_backdrop
from classpulse.demo.fields import Fields
from classpulse.demo.paint import lower_lids, open_mouth
from classpulse.demo.placement import place, tile_scale
from classpulse.demo.portrait import Portrait
from classpulse.demo.poses import Pose
from classpulse.demo.script import Look, Moment, Student, brightness_at
from classpulse.demo.turns import turned_mesh
from classpulse.demo.warps import grid
from monitor.domain import Box, ImageBGR

LID_STEPS, MOUTH_STEPS = 6, 100
"""Lids and mouth are painted in steps (of a hundredth of the eye distance): there are few pictures."""

KEPT_PORTRAITS = 16
"""Painted portraits kept for a student, 1 MB each: all lids of a blink with two or three mouths."""

CLOTH_BELOW = 120.0
"""Grey values below it take the colour of the cloth, the more the darker: uniform and cap, not the face."""

BAR_PX = 24


def seen_pose(look: Look, pose: Pose) -> Pose:
    """The pose to draw on the portrait so that ``pose`` is seen: in a mirror, left is right."""
    return replace(pose, yaw_deg=-pose.yaw_deg) if look.mirrored else pose


class TilePainter:
    """Draws one student's tile, ``(height, width, 3)`` uint8. Keeps her painted portraits between frames."""

    def __init__(self, student: Student, fields: Fields, width: int, height: int) -> None:
        self.student, self.fields = student, fields
        self.width, self.height = width, height
        self._grid = grid(fields.portrait.image_bgr.shape)
        size = tile_scale(width, height)
        self._room = _scaled_backdrop(student.look.backdrop, size, width, height)
        self._shrink = max(1, round(1 / (size * student.look.zoom)))
        self._light = _light_table(student.look)
        clothed = _clothed(fields.portrait, student.look)
        self._still = self._lit(clothed)
        self._face = clothed.face_only()
        self._portrait = lru_cache(maxsize=KEPT_PORTRAITS)(self._paint_portrait)

    def draw(self, moment: Moment, t_s: float) -> ImageBGR:
        """The tile at ``t_s``."""
        look = self.student.look
        picture = self._with_person(moment, t_s) if moment.presence > 0 else self._room
        tile = np.asarray(cv2.convertScaleAbs(picture, alpha=brightness_at(look, t_s)), np.uint8)
        _write_name(tile, self.student.seat)
        return tile

    def face_box(self, moment: Moment, t_s: float) -> Box | None:
        """The box of her mesh in the tile, pixels, cut at its edges; None when none of it is inside."""
        look = self.student.look
        pose = seen_pose(look, moment.pose)
        mesh = turned_mesh(self.fields.portrait.face, pose.yaw_deg, pose.pitch_deg)
        to_tile = place(look, moment, t_s, self.width, self.height).to_tile
        x, y = (mesh[:, :2] @ to_tile[:, :2].T + to_tile[:, 2]).T
        x, y = np.clip(x, 0, self.width), np.clip(y, 0, self.height)
        if x.max() <= x.min() or y.max() <= y.min():
            return None
        return (float(x.min()), float(y.min()), float(x.max()), float(y.max()))

    def _with_person(self, moment: Moment, t_s: float) -> ImageBGR:
        look = self.student.look
        pose = seen_pose(look, moment.pose)
        source = self._portrait(round(pose.lids * LID_STEPS), round(pose.mouth * MOUTH_STEPS))
        where = place(look, moment, t_s, self.width, self.height)
        positions = where.read_from(self._grid - self.fields.of(pose), self.width, self.height)
        if self._shrink > 1:
            positions = (positions + 0.5) / self._shrink - 0.5
        # Fixed-point maps: 0.9 ms a tile where float maps take 1.5.
        whole, part = cv2.convertMaps(positions, np.empty(0, np.float32), cv2.CV_16SC2)
        drawn = cv2.remap(source, whole, part, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        blue, green, red, alpha = cv2.split(drawn)
        behind = cv2.multiply(self._room, cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2BGR), scale=1 / 255)
        return np.asarray(cv2.add(behind, cv2.merge((blue, green, red))), np.uint8)

    def _paint_portrait(self, lid_step: int, mouth_step: int) -> NDArray[np.uint8]:
        """Her portrait with alpha, ``(H, W, 4)``, colours already multiplied by it.

        Only the face is painted anew: the whole portrait for every step of a lid takes six times as long.
        """
        face = self._face
        lids = lower_lids(face.image_bgr, face.face, lid_step / LID_STEPS)
        painted = replace(face, image_bgr=open_mouth(lids, face.face, mouth_step / MOUTH_STEPS))
        portrait = self._still.copy()
        portrait[self.fields.portrait.face_area] = self._lit(painted)
        return _shrunk(portrait, self._shrink)

    def _lit(self, portrait: Portrait) -> NDArray[np.uint8]:
        """A portrait in the student's light, ``(H, W, 4)``, colours multiplied by alpha."""
        alpha = portrait.person[..., None]
        lit = cv2.LUT(portrait.image_bgr, self._light)
        return np.asarray(np.concatenate([lit * alpha, 255 * alpha], axis=2).round(), np.uint8)


def _shrunk(portrait: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """The mean of every ``times`` by ``times`` pixels, the last row and column repeated to fill: a tile much
    smaller than the portrait would otherwise show single pixels of it, and flicker."""
    if times == 1:
        return portrait
    height, width = portrait.shape[:2]
    more = (0, -height % times, 0, -width % times)
    whole = cv2.copyMakeBorder(portrait, *more, cv2.BORDER_REPLICATE)
    size = (whole.shape[1] // times, whole.shape[0] // times)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)


def _scaled_backdrop(name: str, size: float, width: int, height: int) -> ImageBGR:
    """The room drawn at the size that its details are given for, and brought to the tile's."""
    room = draw_backdrop(name, round(width / size), round(height / size))
    way = cv2.INTER_AREA if size < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(room, (width, height), interpolation=way), np.uint8)


def _clothed(portrait: Portrait, look: Look) -> Portrait:
    """The portrait in the student's cloth."""
    picture = portrait.image_bgr.astype(np.float32)
    grey = picture.mean(axis=2, keepdims=True)
    dark = np.clip(1 - grey / CLOTH_BELOW, 0, 1) * _off_face(portrait.face.box_xyxy, grey.shape)
    coloured = np.clip(picture + dark * look.cloth_bgr, 0, 255)
    return replace(portrait, image_bgr=coloured.astype(np.uint8))


def _light_table(look: Look) -> NDArray[np.uint8]:
    """The student's light as a table for ``cv2.LUT``, ``(1, 256, 3)``."""
    levels = np.arange(256.0)[:, None] * look.light_bgr
    table = 255 * (np.clip(levels, 0, 255) / 255) ** look.gamma
    return np.asarray(table.round()[None], np.uint8)


def _off_face(face_xyxy: Box, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """1 below the chin and above the forehead, 0 on the face, softly: eyes and mouth are dark too."""
    y = np.arange(shape[0], dtype=np.float32)[:, None, None]
    above = np.clip((face_xyxy[1] + 4 - y) / 12, 0, 1)
    below = np.clip((y - face_xyxy[3] + 12) / 20, 0, 1)
    return np.asarray(np.maximum(above, below), np.float32)


def _write_name(picture: ImageBGR, name: str) -> None:
    height = picture.shape[0]
    (text_px, _), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_DUPLEX, 0.5, 1)
    corner = picture[height - BAR_PX :, : text_px + 20]
    corner[:] = corner // 3
    cv2.putText(
        picture, name, (10, height - 8), cv2.FONT_HERSHEY_DUPLEX, 0.5, (240, 240, 240), 1, cv2.LINE_AA
    )
