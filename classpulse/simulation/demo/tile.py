"""One student's tile of the video call: background, portrait, painted lids and mouth, name.

A displacement field can only move existing pixels. The lids are four pixels of skin between the rim of the
glasses and the eye: pulled down they smear the rim over the eye, so the lowered lid and the inside of the
mouth are painted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.demo.cast import DemoStudent, StudentMoment, TileStyle, brightness_at, sway_at
from classpulse.simulation.demo.head_turn import rotate_mesh
from classpulse.simulation.demo.portrait import Portrait, PortraitLandmarks
from classpulse.simulation.demo.poses import FacePose, PoseFields
from classpulse.simulation.demo.warps import FIELD_STEP, sample_grid
from monitor.types import Box, ImageBGR

BLUR_PX = 1.8
"""Slightly out of focus, like a room behind a person."""


def draw_backdrop(name: str, width: int, height: int) -> ImageBGR:
    """The background ``name`` as ``(height, width, 3)`` uint8; always the same pixels."""
    room = BACKDROPS[name](width, height)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), BLUR_PX), np.uint8)


def _draw_gradient(width: int, height: int, top: tuple[int, ...], bottom: tuple[int, ...]) -> ImageBGR:
    share = np.linspace(0, 1, height)[:, None, None]
    rows = np.array(top) + (np.array(bottom) - np.array(top)) * share
    return np.ascontiguousarray(np.broadcast_to(rows, (height, width, 3)).astype(np.uint8))


def _draw_shelves(width: int, height: int) -> ImageBGR:
    room = _draw_gradient(width, height, (120, 145, 160), (95, 115, 130))
    spines = np.random.default_rng(1)
    for shelf in range(4):
        bottom = height * (shelf + 1) // 4
        x = 4
        while x < width:
            thick, tall = int(spines.integers(8, 20)), int(spines.integers(height // 8, height // 5))
            colour = spines.integers(40, 190, 3).tolist()
            cv2.rectangle(room, (x, bottom - tall), (x + thick - 2, bottom), colour, -1)
            x += thick
        cv2.rectangle(room, (0, bottom - 4), (width, bottom + 4), (60, 85, 110), -1)
    return room


def _draw_window(width: int, height: int) -> ImageBGR:
    room = _draw_gradient(width, height, (150, 160, 165), (125, 135, 140))
    left, right, foot = width // 14, width * 6 // 14, height * 2 // 3
    room[10:foot, left:right] = _draw_gradient(right - left, foot - 10, (245, 225, 200), (225, 235, 225))
    for x in (left, (left + right) // 2, right):
        cv2.line(room, (x, 10), (x, foot), (235, 238, 240), 7)
    for y in (10, foot):
        cv2.line(room, (left, y), (right, y), (235, 238, 240), 7)
    return room


def _draw_wall(width: int, height: int) -> ImageBGR:
    room = _draw_gradient(width, height, (175, 195, 185), (150, 170, 160))
    left, right, foot = width * 5 // 7, width * 13 // 14, height // 2
    cv2.rectangle(room, (left, 24), (right, foot), (70, 90, 105), -1)
    cv2.rectangle(room, (left + 8, 32), (right - 8, foot - 8), (190, 205, 215), -1)
    cv2.circle(room, (width * 23 // 28, height // 4), height // 11, (120, 150, 200), -1)
    return room


def _draw_curtain(width: int, height: int) -> ImageBGR:
    room = _draw_gradient(width, height, (135, 120, 150), (110, 95, 125))
    folds = 1 + 0.16 * np.sin(np.arange(width) / 11.0) + 0.06 * np.sin(np.arange(width) / 4.3)
    return np.asarray(np.clip(room * folds[None, :, None], 0, 255), np.uint8)


def _draw_board(width: int, height: int) -> ImageBGR:
    room = _draw_gradient(width, height, (170, 175, 180), (150, 155, 160))
    cv2.rectangle(room, (14, 22), (width - 14, height * 3 // 4), (75, 100, 120), -1)
    cv2.rectangle(room, (22, 30), (width - 22, height * 3 // 4 - 8), (72, 92, 68), -1)
    for row in range(5):
        end = width // 2 - 40 * (row % 2)
        cv2.line(room, (40, 60 + 34 * row), (end, 58 + 34 * row), (165, 180, 168), 2, cv2.LINE_AA)
    return room


def _draw_lamp(width: int, height: int) -> ImageBGR:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    lamp_x, lamp_y = int(width * 0.86), int(height * 0.3)
    glow = np.exp(-((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / (2 * (0.42 * height) ** 2))[..., None]
    room = np.asarray(np.clip((58, 66, 84) + glow * (70, 120, 150), 0, 255), np.uint8)
    cv2.ellipse(room, (lamp_x, lamp_y), (34, 26), 0, 0, 360, (190, 230, 250), -1)
    cv2.line(room, (lamp_x, lamp_y + 24), (lamp_x, height), (40, 46, 56), 7)
    return room


BACKDROPS: Mapping[str, Callable[[int, int], ImageBGR]] = {
    "shelves": _draw_shelves,
    "window": _draw_window,
    "wall": _draw_wall,
    "curtain": _draw_curtain,
    "board": _draw_board,
    "lamp": _draw_lamp,
}
"""Backgrounds by the name used in ``TileStyle``."""

UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))
"""The mesh's eye contours from the outer to the inner corner, right eye first."""

UPPER_LID_OFFSET, LOWER_LID_OFFSET = -0.03, 0.012
"""Offsets from the mesh's eye contours to the eyes of the portrait, relative to the eye distance: behind
glasses the mesh puts the upper lids about four pixels too low."""

INNER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
"""The lower edge of the upper lip, from the subject's right corner to the left."""

LIP_FALLOFF = 0.25
"""Standard deviation of the fading of the lower lip's motion, relative to the eye distance: the chin, at
0.42, hardly moves (``FaceAction.JAW_DOWN`` moves it)."""

MOUTH_BGR, TEETH_BGR = (38.0, 28.0, 62.0), (148.0, 182.0, 208.0)
TEETH_HEIGHT = 0.045
"""Height of the visible teeth below the upper lip, relative to the eye distance; darkness is below."""

WIDE_OPENING, ROUND_OPENING, ROUND_WIDTH = 0.07, 0.18, 0.62
"""A smile parts the lips over their whole width; a wide open mouth becomes round, 0.62 of the width."""

LASH_DARKENING = (0.62, 0.60, 0.50)
LID_TINT = (0.90, 0.94, 1.02)
"""Blue, green, red: lashes are brown, and lids redder than the cheek from which their colour is taken."""

SUPERSAMPLING = 8
"""Fractional bits of positions in ``cv2.fillPoly`` and ``cv2.polylines`` (``shift``)."""


def lower_lids(image_bgr: ImageBGR, face: PortraitLandmarks, closed: float) -> ImageBGR:
    """The portrait with the upper lids lowered by ``closed``: 0 unchanged, 1 closed."""
    if closed <= 0:
        return image_bgr
    unit = face.unit_px
    picture = image_bgr.astype(np.float32)
    for upper_ids, lower_ids in zip(UPPER_LIDS, LOWER_LIDS, strict=True):
        upper = face.xy[list(upper_ids)] + np.array([0.0, UPPER_LID_OFFSET]) * unit
        lower = face.xy[list(lower_ids)] + np.array([0.0, LOWER_LID_OFFSET]) * unit
        edge = upper + (lower - upper) * closed
        lid = _filled_mask(np.vstack([upper, edge[::-1]]), image_bgr.shape, blur_px=0.012 * unit)
        picture += lid * (_lid_colour(image_bgr, upper, lower) - picture)
        lash = _line_mask(edge, image_bgr.shape, width_px=0.018 * unit, blur_px=0.008 * unit)
        picture *= 1 - lash * np.array(LASH_DARKENING) * min(1.0, 4 * closed)
    return np.clip(picture, 0, 255).astype(np.uint8)


def open_mouth(image_bgr: ImageBGR, face: PortraitLandmarks, opening: float) -> ImageBGR:
    """The portrait with the lips apart by ``opening``, relative to the eye distance (0.06 shows teeth)."""
    if opening <= 0:
        return image_bgr
    seam_x, seam_y = face.xy[list(INNER_LIP)].T.astype(np.float64)
    columns = np.arange(image_bgr.shape[1], dtype=np.float64)
    width = np.interp(opening, [WIDE_OPENING, ROUND_OPENING], [1.0, ROUND_WIDTH])
    across = np.clip(((columns - seam_x[0]) / (seam_x[-1] - seam_x[0]) * 2 - 1) / width, -1, 1)
    gap = opening * face.unit_px * np.sqrt(1 - across**2)
    seam = np.interp(columns, seam_x, seam_y)
    parted = _part_lips(image_bgr, seam, gap, LIP_FALLOFF * face.unit_px)
    return _fill_mouth(parted, seam, gap, TEETH_HEIGHT * face.unit_px)


def _part_lips(
    image_bgr: ImageBGR, seam: NDArray[np.float64], gap: NDArray[np.float64], falloff_px: float
) -> ImageBGR:
    """Move everything below the seam down by the gap of its column, fading with the distance."""
    y, x = np.mgrid[0 : image_bgr.shape[0], 0 : image_bgr.shape[1]].astype(np.float64)
    source = y - gap
    for _ in range(6):
        source = y - gap * np.exp(-0.5 * ((source - seam) / falloff_px) ** 2)
    source = np.where(y > seam + gap, source, np.minimum(y, seam))
    parted = cv2.remap(image_bgr, x.astype(np.float32), source.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(parted, np.uint8)


def _fill_mouth(
    image_bgr: ImageBGR, seam: NDArray[np.float64], gap: NDArray[np.float64], teeth_px: float
) -> ImageBGR:
    """Draw teeth under the upper lip and darkness below, shaded towards the corners."""
    below = np.arange(image_bgr.shape[0], dtype=np.float64)[:, None] - seam
    between_lips = np.clip(below + 0.5, 0, 1) * np.clip(gap - below + 0.5, 0, 1)
    inside = np.asarray(between_lips * np.clip(gap / 1.5, 0, 1), np.float64)
    corners = (gap / gap.max()) ** 0.7
    teeth = np.clip((teeth_px * corners - below) / 1.5, 0, 1) * corners * np.clip(0.75 + below / 8, 0, 1)
    colour = np.array(MOUTH_BGR) + teeth[..., None] * (np.array(TEETH_BGR) - np.array(MOUTH_BGR))
    alpha = cv2.GaussianBlur(inside, (0, 0), 0.6)[..., None]
    return np.asarray(np.clip(image_bgr + alpha * (colour - image_bgr), 0, 255), np.uint8)


def _lid_colour(
    image_bgr: ImageBGR, upper: NDArray[np.float64], lower: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The colour of the lid, ``(H, W, 3)``: the skin beneath the eye, darker towards the top."""
    below = lower.mean(axis=0) + (lower.mean(axis=0) - upper.mean(axis=0)) * 0.9
    x, y = int(below[0]), int(below[1])
    patch = image_bgr[y - 3 : y + 4, x - 9 : x + 10].reshape(-1, 3)
    rows = np.arange(image_bgr.shape[0], dtype=np.float32)[:, None, None]
    top, bottom = upper[:, 1].min(), lower[:, 1].max()
    shade = 0.72 + 0.22 * np.clip((rows - top) / (bottom - top), 0, 1)
    colour = np.median(patch, axis=0) * LID_TINT * shade
    return np.asarray(np.broadcast_to(colour, image_bgr.shape), np.float32)


def _filled_mask(
    outline: NDArray[np.float64], shape: tuple[int, ...], *, blur_px: float
) -> NDArray[np.float32]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [_fixed_point(outline)], (255,), cv2.LINE_AA, SUPERSAMPLING)
    blurred = np.asarray(cv2.GaussianBlur(mask, (0, 0), blur_px), np.float32)
    return blurred[..., None] / np.float32(255)


def _line_mask(
    points: NDArray[np.float64], shape: tuple[int, ...], *, width_px: float, blur_px: float
) -> NDArray[np.float32]:
    mask = np.zeros(shape[:2], np.uint8)
    thickness = max(1, round(width_px))
    cv2.polylines(mask, [_fixed_point(points)], False, (255,), thickness, cv2.LINE_AA, SUPERSAMPLING)
    blurred = np.asarray(cv2.GaussianBlur(mask, (0, 0), blur_px), np.float32)
    return blurred[..., None] / np.float32(255)


def _fixed_point(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.asarray(np.round(points * 2**SUPERSAMPLING), np.int32)


PORTRAIT_CENTRE_XY = (264.0, 215.0)
"""The portrait's point at the centre of a tile: between eyes and mouth, so that cap and collar are visible.
"""

REFERENCE_TILE_WH = (416, 348)
"""Width and height in pixels for which styles and motions are defined; they scale with the tile."""

SHOULDERS_PX = 222.0
"""How far beyond the tile's edge a student slides to be completely out of sight."""


@dataclass(frozen=True)
class Placement:
    """Placement of the portrait: ``portrait_to_tile (2, 3)`` maps portrait pixels to tile pixels."""

    portrait_to_tile: NDArray[np.float64]

    def portrait_positions(
        self, positions: NDArray[np.float32], width: int, height: int
    ) -> NDArray[np.float32]:
        """The portrait position of every tile pixel, ``(height, width, 2)`` float32.

        ``positions`` is the same for the portrait's own pixels at every ``FIELD_STEP``-th one. It is sampled
        at every second tile pixel and enlarged: 0.6 ms instead of 1.2 for a full ``warpAffine``.
        """
        # cv2.resize puts the centre of small pixel j at tile position 2 j + 0.5.
        to_tile_px = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5], [0.0, 0.0, 1.0]])
        from_half = cv2.invertAffineTransform(self.portrait_to_tile) @ to_tile_px / FIELD_STEP
        half = (-(-width // 2), -(-height // 2))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        small = cv2.warpAffine(positions, from_half, half, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(small, (half[0] * 2, half[1] * 2))[:height, :width], np.float32)


def tile_scale(width: int, height: int) -> float:
    """The scale of a tile relative to ``REFERENCE_TILE_WH``."""
    return min(width / REFERENCE_TILE_WH[0], height / REFERENCE_TILE_WH[1])


def place_portrait(
    appearance: TileStyle, state: StudentMoment, t_s: float, width: int, height: int
) -> Placement:
    """The placement in a tile of ``width`` by ``height`` at ``t_s``."""
    x_px, y_px, roll_deg, scale = sway_at(appearance, t_s)
    size = tile_scale(width, height)
    side = -1.0 if appearance.mirrored else 1.0
    zoom, roll = size * appearance.zoom * scale, np.radians(roll_deg)
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    linear = zoom * turn @ np.diag([side, 1.0])
    exit_x = side * (width / 2 + size * SHOULDERS_PX) * (1.0 - state.presence)
    right, down = size * (appearance.shift_xy[0] + x_px) + exit_x, size * (appearance.shift_xy[1] + y_px)
    middle = np.array([width / 2 + right, height / 2 + down])
    return Placement(np.column_stack([linear, middle - linear @ np.array(PORTRAIT_CENTRE_XY)]))


LID_STEPS, MOUTH_STEPS = 6, 100
"""Lids and mouth are painted in discrete steps (of a hundredth of the eye distance), so that few images are
needed."""

PORTRAIT_CACHE_SIZE = 16
"""Painted portraits cached per student, 1 MB each: all lid positions of a blink with two or three mouths."""

CLOTH_MAX_GREY = 120.0
"""Darker pixels get the colour of the cloth, more so the darker they are: uniform and cap, not the face."""

NAME_BAR_PX = 24


def mirrored_pose(appearance: TileStyle, pose: FacePose) -> FacePose:
    """The pose to draw so that ``pose`` is visible: mirroring swaps left and right."""
    return replace(pose, yaw_deg=-pose.yaw_deg) if appearance.mirrored else pose


class TilePainter:
    """Draws one student's tile, ``(height, width, 3)`` uint8. Caches painted portraits between frames."""

    def __init__(self, student: DemoStudent, fields: PoseFields, width: int, height: int) -> None:
        self.student, self.fields = student, fields
        self.width, self.height = width, height
        self._grid = sample_grid(fields.portrait.image_bgr.shape)
        size = tile_scale(width, height)
        self._room = _scaled_backdrop(student.appearance.backdrop, size, width, height)
        self._shrink = max(1, round(1 / (size * student.appearance.zoom)))
        self._light = _light_table(student.appearance)
        clothed = _dye_clothes(fields.portrait, student.appearance)
        self._still = self._lit(clothed)
        self._face = clothed.crop_to_face()
        self._portrait = lru_cache(maxsize=PORTRAIT_CACHE_SIZE)(self._paint_portrait)

    def draw(self, state: StudentMoment, t_s: float) -> ImageBGR:
        """The tile at ``t_s``."""
        look = self.student.appearance
        picture = self._with_person(state, t_s) if state.presence > 0 else self._room
        tile = np.asarray(cv2.convertScaleAbs(picture, alpha=brightness_at(look, t_s)), np.uint8)
        _write_name(tile, self.student.seat)
        return tile

    def face_box(self, state: StudentMoment, t_s: float) -> Box | None:
        """The box of the face mesh in the tile, pixels, clipped at its edges; None if completely outside."""
        look = self.student.appearance
        pose = mirrored_pose(look, state.pose)
        mesh = rotate_mesh(self.fields.portrait.landmarks, pose.yaw_deg, pose.pitch_deg)
        to_tile = place_portrait(look, state, t_s, self.width, self.height).portrait_to_tile
        x, y = (mesh[:, :2] @ to_tile[:, :2].T + to_tile[:, 2]).T
        x, y = np.clip(x, 0, self.width), np.clip(y, 0, self.height)
        if x.max() <= x.min() or y.max() <= y.min():
            return None
        return (float(x.min()), float(y.min()), float(x.max()), float(y.max()))

    def _with_person(self, state: StudentMoment, t_s: float) -> ImageBGR:
        look = self.student.appearance
        pose = mirrored_pose(look, state.pose)
        source = self._portrait(round(pose.lids * LID_STEPS), round(pose.mouth * MOUTH_STEPS))
        where = place_portrait(look, state, t_s, self.width, self.height)
        positions = where.portrait_positions(
            self._grid - self.fields.field_for(pose), self.width, self.height
        )
        if self._shrink > 1:
            positions = np.asarray((positions + 0.5) / self._shrink - 0.5, np.float32)
        # Fixed-point maps take 0.9 ms per tile, float maps 1.5.
        whole, part = cv2.convertMaps(positions[..., 0], positions[..., 1], cv2.CV_16SC2)
        drawn = cv2.remap(source, whole, part, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        blue, green, red, alpha = cv2.split(drawn)
        behind = cv2.multiply(self._room, cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2BGR), scale=1 / 255)
        return np.asarray(cv2.add(behind, cv2.merge((blue, green, red))), np.uint8)

    def _paint_portrait(self, lid_step: int, mouth_step: int) -> NDArray[np.uint8]:
        """The portrait with alpha, ``(H, W, 4)``, premultiplied.

        Only the face is painted: painting the whole portrait for every lid step takes six times as long.
        """
        face = self._face
        lids = lower_lids(face.image_bgr, face.landmarks, lid_step / LID_STEPS)
        painted = replace(face, image_bgr=open_mouth(lids, face.landmarks, mouth_step / MOUTH_STEPS))
        portrait = self._still.copy()
        portrait[self.fields.portrait.face_area] = self._lit(painted)
        return _downscale(portrait, self._shrink)

    def _lit(self, portrait: Portrait) -> NDArray[np.uint8]:
        """A portrait in the student's lighting, ``(H, W, 4)``, premultiplied."""
        alpha = portrait.person_mask[..., None]
        lit = cv2.LUT(portrait.image_bgr, self._light)
        return np.asarray(np.concatenate([lit * alpha, 255 * alpha], axis=2).round(), np.uint8)


def _downscale(portrait: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """The mean of every ``times`` by ``times`` pixels, with the last row and column repeated: a tile much
    smaller than the portrait would otherwise flicker."""
    if times == 1:
        return portrait
    height, width = portrait.shape[:2]
    more = (0, -height % times, 0, -width % times)
    whole = cv2.copyMakeBorder(portrait, *more, cv2.BORDER_REPLICATE)
    size = (whole.shape[1] // times, whole.shape[0] // times)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)


def _scaled_backdrop(name: str, size: float, width: int, height: int) -> ImageBGR:
    """The background drawn at reference size and scaled to the tile."""
    room = draw_backdrop(name, round(width / size), round(height / size))
    way = cv2.INTER_AREA if size < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(room, (width, height), interpolation=way), np.uint8)


def _dye_clothes(portrait: Portrait, appearance: TileStyle) -> Portrait:
    """The portrait in the student's cloth."""
    picture = portrait.image_bgr.astype(np.float32)
    grey = picture.mean(axis=2, keepdims=True)
    dark = np.clip(1 - grey / CLOTH_MAX_GREY, 0, 1) * _off_face_mask(portrait.landmarks.box_xyxy, grey.shape)
    coloured = np.clip(picture + dark * appearance.cloth_bgr, 0, 255)
    return replace(portrait, image_bgr=coloured.astype(np.uint8))


def _light_table(appearance: TileStyle) -> NDArray[np.uint8]:
    """The student's lighting as a table for ``cv2.LUT``, ``(1, 256, 3)``."""
    levels = np.arange(256.0)[:, None] * appearance.light_bgr
    table = 255 * (np.clip(levels, 0, 255) / 255) ** appearance.gamma
    return np.asarray(table.round()[None], np.uint8)


def _off_face_mask(face_xyxy: Box, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """1 below the chin and above the forehead, 0 on the face, with soft edges, because eyes and mouth are
    dark."""
    y = np.arange(shape[0], dtype=np.float32)[:, None, None]
    above = np.clip((face_xyxy[1] + 4 - y) / 12, 0, 1)
    below = np.clip((y - face_xyxy[3] + 12) / 20, 0, 1)
    return np.asarray(np.maximum(above, below), np.float32)


def _write_name(image: ImageBGR, name: str) -> None:
    height = image.shape[0]
    (text_px, _), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_DUPLEX, 0.5, 1)
    corner = image[height - NAME_BAR_PX :, : text_px + 20]
    corner[:] = corner // 3
    cv2.putText(image, name, (10, height - 8), cv2.FONT_HERSHEY_DUPLEX, 0.5, (240, 240, 240), 1, cv2.LINE_AA)
