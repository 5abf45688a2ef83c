"""How right head directions are: against the demo's drawn turns, and on real faces against the face mesh.

    python benchmarks/head_pose.py [PICTURE_OR_VIDEO ...]

Without arguments only the drawn turns, which need nothing. On pictures and videos (two frames a second) the
mesh of each face at its full size is the reference, and the same face shrunk is what is measured. Turns
are counted towards the side they were drawn to, so that left and right are averaged.
"""

from __future__ import annotations

import argparse
import math
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.demo.head_turn import rotate_mesh
from classpulse.simulation.demo.poses import FacePose, PoseFields, load_pose_fields
from classpulse.simulation.demo.warps import sample_grid
from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.factory import load_detector
from monitor.faces.head_pose import pose_from_keypoints, pose_from_mesh
from monitor.faces.mesh import MeshNetwork
from monitor.sources.factory import open_source
from monitor.types import Face, HeadPose, ImageBGR

TURNS_DEG = (0, 15, 30, 45, 60)
NODS_DEG = (-12, 0, 12)
DRAWN_PX = (24, 32, 48, 80, 120, 200)
"""Widths of the drawn face."""

ROLLS_DEG = (-8.0, 0.0, 8.0)
SHRUNK_PX = (24, 32, 48, 64)
"""Shorter sides of the detector's box to which real faces are shrunk."""

REFERENCE_PX = 60
"""The smallest real face whose mesh at full size is taken as the reference."""

SAMPLE_FPS = 2.0


@dataclass(frozen=True)
class Read:
    """The same face by its keypoints and by its mesh; None where that gave nothing."""

    keypoints: HeadPose | None
    mesh: HeadPose | None


class Reader:
    """Detector and mesh together."""

    def __init__(self) -> None:
        self.detector: Detector = load_detector(DetectionSettings())
        self._meshes = MeshNetwork()

    def read(self, image_bgr: ImageBGR, face: Face) -> Read:
        """Both directions of one face, whatever its size."""
        mesh = self._meshes.find_two_pass(image_bgr, face.box_xyxy, face.keypoints[:2])
        return Read(pose_from_keypoints(face), None if mesh is None else pose_from_mesh(mesh.points))


def nearest(faces: Sequence[Face], xy: tuple[float, float]) -> Face | None:
    """The face whose middle is nearest to a place, if that lies in its box."""
    face = min(faces, key=lambda f: math.dist(f.centre, xy), default=None)
    if face is None:
        return None
    x1, y1, x2, y2 = face.box_xyxy
    return face if x1 < xy[0] < x2 and y1 < xy[1] < y2 else None


def shrunk(image_bgr: ImageBGR, scale: float) -> ImageBGR:
    """A smaller picture, each pixel the mean of those it covers."""
    if scale >= 1:
        return image_bgr
    size = (round(image_bgr.shape[1] * scale), round(image_bgr.shape[0] * scale))
    return np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def drawn(fields: PoseFields, yaw_deg: float, pitch_deg: float, roll_deg: float, px: int) -> ImageBGR:
    """The demo's portrait turned, rolled in the picture, and shrunk until her face would be ``px`` wide."""
    image = fields.portrait.image_bgr
    height, width = image.shape[:2]
    field = fields.field_for(FacePose(yaw_deg=yaw_deg, pitch_deg=pitch_deg))
    where = np.asarray(cv2.resize(sample_grid(image.shape) - field, (width, height)), np.float32)
    turned = cv2.remap(image, where, np.empty(0), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    x1, _, x2, _ = fields.portrait.landmarks.box_xyxy
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), roll_deg, 1.0)
    rolled = cv2.warpAffine(turned, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return shrunk(np.asarray(rolled, np.uint8), px / (x2 - x1))


def cell(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    return f"{np.mean(values):5.1f} ±{np.std(values):4.1f}" if values else f"{'none':>11}"


def print_drawn(reader: Reader) -> None:
    """Readings of the drawn turns and nods by size: keypoints / mesh, mean ± standard deviation."""
    fields = load_pose_fields()
    print("keypoints / mesh by width of the drawn face, px; then the fit on the points that were drawn")
    print(f"{'':>10}" + "".join(f"{px:>26}" for px in DRAWN_PX) + f"{'the fit':>10}")
    for turn in TURNS_DEG:
        drawings = [(side * turn, 0, side) for side in ((1, -1) if turn else (1,))]
        print_row(reader, fields, f"yaw {turn}", "yaw_deg", drawings)
    for nod in NODS_DEG:
        print_row(reader, fields, f"pitch {nod}", "pitch_deg", [(0, nod, 1)])


def print_row(
    reader: Reader, fields: PoseFields, name: str, angle: str, drawings: Sequence[tuple[float, float, int]]
) -> None:
    """One angle drawn at every size. ``drawings`` are (yaw, pitch, side to which the angle counts)."""
    row = f"{name:>10}"
    for px in DRAWN_PX:
        read = [
            (_drawn_read(reader, fields, yaw, pitch, roll, px), side)
            for yaw, pitch, side in drawings
            for roll in ROLLS_DEG
        ]
        by_way = [
            [side * getattr(pose, angle) for both, side in read if both and (pose := getattr(both, way))]
            for way in ("keypoints", "mesh")
        ]
        row += f"{cell(by_way[0])} / {cell(by_way[1])}".rjust(26)
    yaw, pitch, _ = drawings[0]
    fit = pose_from_mesh(rotate_mesh(fields.portrait.landmarks, yaw, pitch).astype(np.float32))
    print(row + f"{getattr(fit, angle):10.1f}")


def _drawn_read(
    reader: Reader, fields: PoseFields, yaw_deg: float, pitch_deg: float, roll_deg: float, px: int
) -> Read | None:
    image = drawn(fields, yaw_deg, pitch_deg, roll_deg, px)
    face = max(reader.detector.detect(image), key=lambda f: f.size_px, default=None)
    return None if face is None else reader.read(image, face)


def frames(path: Path) -> Iterator[ImageBGR]:
    """The pictures of a file, two a second."""
    with open_source(str(path)) as source:
        for frame in source.frames(SAMPLE_FPS, threading.Event()):
            yield frame.image_bgr


Pairs = dict[int, list[tuple[HeadPose, Read | None]]]


def compare(reader: Reader, path: Path) -> Pairs:
    """For each size the reference of every face beside its reading when shrunk, None where not found."""
    pairs: Pairs = defaultdict(list)
    for image in frames(path):
        for face in reader.detector.detect(image):
            reference = reader.read(image, face).mesh if face.size_px >= REFERENCE_PX else None
            if reference is None:
                continue
            for px in SHRUNK_PX:
                scale = px / face.size_px
                if scale > 1:
                    continue
                small = shrunk(image, scale)
                x, y = face.centre
                again = nearest(reader.detector.detect(small), (x * scale, y * scale))
                pairs[px].append((reference, None if again is None else reader.read(small, again)))
    return pairs


def errors(pairs: Sequence[tuple[HeadPose, Read | None]], way: str) -> NDArray[np.float64]:
    """Yaw and pitch errors ``(N, 2)``, degrees, of one way of reading."""
    rows = []
    for reference, read in pairs:
        pose = None if read is None else getattr(read, way)
        if pose is not None and pose.pitch_deg is not None and reference.pitch_deg is not None:
            rows.append((pose.yaw_deg - reference.yaw_deg, pose.pitch_deg - reference.pitch_deg))
    return np.array(rows, np.float64).reshape(-1, 2)


def print_errors(name: str, pairs: Pairs) -> None:
    """Mean absolute error, bias and 90th percentile of both ways, by size."""
    for px in SHRUNK_PX:
        if not pairs[px]:
            continue
        for way in ("keypoints", "mesh"):
            rows = errors(pairs[px], way)
            told = f"{name:28} {px:3} px {way:10} {len(rows):4} of {len(pairs[px]):4}"
            for column, angle in enumerate(("yaw", "pitch")):
                wrong = rows[:, column]
                if len(wrong):
                    told += (
                        f"   {angle}: {np.abs(wrong).mean():4.1f} bias {wrong.mean():5.1f} "
                        f"90 % {np.percentile(np.abs(wrong), 90):4.1f}"
                    )
            print(told)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="*", type=Path, help="pictures or videos of real faces")
    paths = parser.parse_args().pictures
    reader = Reader()
    if not paths:
        print_drawn(reader)
        return
    whole: Pairs = defaultdict(list)
    for path in paths:
        pairs = compare(reader, path)
        print_errors(path.name, pairs)
        for px, some in pairs.items():
            whole[px] += some
    print_errors("all together", whole)


if __name__ == "__main__":
    main()
