"""Images of an online lesson, whole and cropped around the face: bytes, face size, detections and head pose.

    python -m benchmarks.part [--students 9] [--seconds 40] [--seed 4] [--away 0.65]

Drawn students in front of cameras of 640 x 480, ``--away`` times as large as in a call. The whole image is
what a browser sends at first, 320 x 240; the part is what ``static/crop.js`` crops by the face position two
seconds before. Both are compressed as JPEG with the browser's quality and pasted on the tiles of a grid, as
in a lesson.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np

from classpulse.simulation.demo.cast import scripted_state_at
from classpulse.simulation.demo.tile import draw_backdrop
from classpulse.simulation.demo.video import DemoClass, TileLayout
from classpulse.simulation.video_call import CallSettings, build_call
from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from monitor.faces.head_pose import AttentionSettings
from monitor.faces.head_reader import MeshPoseEstimator
from monitor.imaging import letterbox
from monitor.seating.tiles import LargestFacePerTile
from monitor.sources.participant_grid import TILE_SIZE_PX, TileGrid
from monitor.types import Box, Face, ImageBGR

CAMERA = (640, 480)
PART = (240, 180)
GENEROUS, NEARLY_WHOLE, SMALLEST_PX = 2.0, 0.85, 90
QUALITY = 75
DELAY_S = 2.0


def main() -> None:
    """Draw, compress, analyse and print."""
    parser = argparse.ArgumentParser(description="whole images and parts")
    parser.add_argument("--students", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--away", type=float, default=0.65)
    arguments = parser.parse_args()
    call = build_call(CallSettings(arguments.students, arguments.seconds, arguments.seed))
    rows = -(-arguments.students // 3)
    gap = 8
    mosaic = TileLayout(3 * (CAMERA[0] + gap) + gap, rows * (CAMERA[1] + gap) + gap, 3, rows)
    drawn = DemoClass(arguments.seconds, 5, call.students, mosaic)
    grid = TileGrid(arguments.students)
    heads = MeshPoseEstimator(AttentionSettings())
    detector = load_detector(DetectionSettings())
    rooms = [draw_backdrop(item.appearance.backdrop, *CAMERA) for item in call.students]
    for name, parts in (("whole", False), ("part", True)):
        sizes, bytes_, off, seen, faces = [], [], [], 0, 0
        known: dict[int, Box] = {}
        for second in range(int(arguments.seconds)):
            image, before = drawn.renderer.frame_at(float(second)), dict(known)
            mosaic_bgr = np.full((grid.size_px[1], grid.size_px[0], 3), 128, np.uint8)
            views = {}
            for tile in range(arguments.students):
                x1, y1, x2, y2 = mosaic.tile_xyxy(tile)
                view = part_of(before.get(tile)) if parts else None
                jpeg = sent(farther(image[y1:y2, x1:x2], rooms[tile], arguments.away), view)
                bytes_.append(len(jpeg))
                views[tile] = view or (0.0, 0.0, float(CAMERA[0]), float(CAMERA[1]))
                x, y = grid.corner(tile)
                picture = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
                mosaic_bgr[y : y + TILE_SIZE_PX[1], x : x + TILE_SIZE_PX[0]] = letterbox(
                    picture, TILE_SIZE_PX
                )
            found: dict[int, Face] = {}
            for face in LargestFacePerTile(detector, grid).detect(mosaic_bgr):
                found[grid.tile_of(face.box_xyxy) or 0] = face
            readings = dict(zip(found, heads.estimate(mosaic_bgr, list(found.values())), strict=True))
            for tile, student in enumerate(call.students):
                moment = scripted_state_at(student, float(second), arguments.seconds)
                if not moment.present or not moment.settled:
                    continue
                faces += 1
                seen += tile in found
                if tile in found:
                    view = views[tile]
                    # On the tile a part is enlarged; the size that was sent counts.
                    scale = min(1.0, PART[1] / (view[3] - view[1]) if view[3] - view[1] < CAMERA[1] else 0.5)
                    sizes.append(found[tile].size_px / TILE_SIZE_PX[1] * (view[3] - view[1]) * scale)
                    pose = readings[tile].pose
                    if pose is not None:
                        off.append(abs(pose.yaw_deg - moment.pose.yaw_deg))
            if second % int(DELAY_S) == 0:
                known = {
                    tile: in_camera(face.box_xyxy, grid.corner(tile), views[tile])
                    for tile, face in found.items()
                }
        size, byte, yaw = np.array(sizes), np.array(bytes_) / 1000, np.array(off)
        print(
            f"{name:6} {byte.mean():.1f} kB per image, face {np.median(size):.0f} px "
            f"(10 of 100 under {np.percentile(size, 10):.0f}), found {seen} of {faces}, "
            f"yaw off by {np.median(yaw):.1f} degrees (90 of 100 under {np.percentile(yaw, 90):.1f})"
        )


def part_of(face: Box | None) -> Box | None:
    """The part around a face, pixels of the camera; None for the whole image."""
    if face is None:
        return None
    x1, y1, x2, y2 = face
    height = max(SMALLEST_PX, GENEROUS * max(x2 - x1, y2 - y1))
    width = height * PART[0] / PART[1]
    if height >= NEARLY_WHOLE * CAMERA[1]:
        return None
    left = min(max(0.0, (x1 + x2 - width) / 2), CAMERA[0] - width)
    top = min(max(0.0, (y1 + y2 - height) / 2), CAMERA[1] - height)
    return left, top, left + width, top + height


def farther(picture_bgr: ImageBGR, room_bgr: ImageBGR, away: float) -> ImageBGR:
    """A student's image, scaled by ``away`` in front of the room."""
    size = (round(away * CAMERA[0]), round(away * CAMERA[1]))
    left, image = (CAMERA[0] - size[0]) // 2, room_bgr.copy()
    image[CAMERA[1] - size[1] :, left : left + size[0]] = cv2.resize(
        picture_bgr, size, interpolation=cv2.INTER_AREA
    )
    return image


def sent(camera_bgr: ImageBGR, part: Box | None) -> np.ndarray:
    """The JPEG that a browser sends."""
    if part is None:
        small = cv2.resize(camera_bgr, TILE_SIZE_PX, interpolation=cv2.INTER_AREA)
    else:
        x1, y1, x2, y2 = (round(edge) for edge in part)
        cut = camera_bgr[y1:y2, x1:x2]
        size = PART if cut.shape[0] > PART[1] else (cut.shape[1], cut.shape[0])
        small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


def in_camera(box_xyxy: Box, corner: tuple[int, int], view: Box) -> Box:
    """A box of the grid in pixels of the camera."""
    scale = (view[3] - view[1]) / TILE_SIZE_PX[1]
    x1, y1, x2, y2 = (edge - corner[index % 2] for index, edge in enumerate(box_xyxy))
    return view[0] + scale * x1, view[1] + scale * y1, view[0] + scale * x2, view[1] + scale * y2


if __name__ == "__main__":
    main()
