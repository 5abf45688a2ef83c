"""Accuracy of head poses: on rendered poses of the demo's portrait, and on real faces relative to the face
mesh.

    python benchmarks/head_pose.py [IMAGE_OR_VIDEO ...]

Without arguments only rendered poses are measured. In images and videos (two frames per second) the mesh of
each face at full size is the reference for the same face downscaled. Yaw angles are counted towards the
rendered side, so that left and right are averaged.
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

YAWS_DEG = (0, 15, 30, 45, 60)
PITCHES_DEG = (-12, 0, 12)
RENDERED_PX = (24, 32, 48, 80, 120, 200)
"""Widths of the rendered face."""

ROLLS_DEG = (-8.0, 0.0, 8.0)
DOWNSCALED_PX = (24, 32, 48, 64)
"""Shorter sides of the face box to which real faces are downscaled."""

REFERENCE_PX = 60
"""The smallest real face whose mesh at full size is used as the reference."""

SAMPLE_FPS = 2.0


@dataclass(frozen=True)
class Poses:
    """The poses of one face from its keypoints and from its mesh; None without a result."""

    keypoints: HeadPose | None
    mesh: HeadPose | None


class PoseReader:
    """The detector and both pose estimators."""

    def __init__(self) -> None:
        self.detector: Detector = load_detector(DetectionSettings())
        self._meshes = MeshNetwork()

    def read(self, image_bgr: ImageBGR, face: Face) -> Poses:
        """Both poses of one face of any size."""
        mesh = self._meshes.find_two_pass(image_bgr, face.box_xyxy, face.keypoints[:2])
        return Poses(pose_from_keypoints(face), None if mesh is None else pose_from_mesh(mesh.points))


def nearest_face(faces: Sequence[Face], xy: tuple[float, float]) -> Face | None:
    """The face whose centre is nearest to a point, if the point is in its box."""
    face = min(faces, key=lambda f: math.dist(f.centre, xy), default=None)
    if face is None:
        return None
    x1, y1, x2, y2 = face.box_xyxy
    return face if x1 < xy[0] < x2 and y1 < xy[1] < y2 else None


def downscaled(image_bgr: ImageBGR, scale: float) -> ImageBGR:
    """The image scaled down by area averaging."""
    if scale >= 1:
        return image_bgr
    size = (round(image_bgr.shape[1] * scale), round(image_bgr.shape[0] * scale))
    return np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def render(fields: PoseFields, yaw_deg: float, pitch_deg: float, roll_deg: float, px: int) -> ImageBGR:
    """The demo's portrait turned, rolled, and downscaled to a face of ``px`` pixels width."""
    image = fields.portrait.image_bgr
    height, width = image.shape[:2]
    field = fields.field_for(FacePose(yaw_deg=yaw_deg, pitch_deg=pitch_deg))
    coordinates = np.asarray(cv2.resize(sample_grid(image.shape) - field, (width, height)), np.float32)
    x, y = np.moveaxis(coordinates, 2, 0)
    turned = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    x1, _, x2, _ = fields.portrait.landmarks.box_xyxy
    rotation = cv2.getRotationMatrix2D((width / 2, height / 2), roll_deg, 1.0)
    rolled = cv2.warpAffine(turned, rotation, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return downscaled(np.asarray(rolled, np.uint8), px / (x2 - x1))


def cell(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    return f"{np.mean(values):5.1f} ±{np.std(values):4.1f}" if values else f"{'none':>11}"


def print_rendered(reader: PoseReader) -> None:
    """Print the poses of rendered faces by size: keypoints / mesh, mean ± standard deviation."""
    fields = load_pose_fields()
    print("keypoints / mesh by width of the rendered face, px; then the fit to the rendered points")
    print(f"{'':>10}" + "".join(f"{px:>26}" for px in RENDERED_PX) + f"{'fit':>10}")
    for yaw in YAWS_DEG:
        poses = [(side * yaw, 0, side) for side in ((1, -1) if yaw else (1,))]
        print_row(reader, fields, f"yaw {yaw}", "yaw_deg", poses)
    for pitch in PITCHES_DEG:
        print_row(reader, fields, f"pitch {pitch}", "pitch_deg", [(0, pitch, 1)])


def print_row(
    reader: PoseReader, fields: PoseFields, name: str, angle: str, poses: Sequence[tuple[float, float, int]]
) -> None:
    """Print one angle at every size. ``poses`` are (yaw, pitch, sign of the angle)."""
    row = f"{name:>10}"
    for px in RENDERED_PX:
        estimates = [
            (_estimate_rendered(reader, fields, yaw, pitch, roll, px), side)
            for yaw, pitch, side in poses
            for roll in ROLLS_DEG
        ]
        by_method = [
            [
                side * getattr(pose, angle)
                for both, side in estimates
                if both and (pose := getattr(both, method))
            ]
            for method in ("keypoints", "mesh")
        ]
        row += f"{cell(by_method[0])} / {cell(by_method[1])}".rjust(26)
    yaw, pitch, _ = poses[0]
    fit = pose_from_mesh(rotate_mesh(fields.portrait.landmarks, yaw, pitch).astype(np.float32))
    print(row + f"{getattr(fit, angle):10.1f}")


def _estimate_rendered(
    reader: PoseReader, fields: PoseFields, yaw_deg: float, pitch_deg: float, roll_deg: float, px: int
) -> Poses | None:
    image = render(fields, yaw_deg, pitch_deg, roll_deg, px)
    face = max(reader.detector.detect(image), key=lambda f: f.size_px, default=None)
    return None if face is None else reader.read(image, face)


def frames(path: Path) -> Iterator[ImageBGR]:
    """The images of a file, two per second."""
    with open_source(str(path)) as source:
        for frame in source.frames(SAMPLE_FPS, threading.Event()):
            yield frame.image_bgr


Pairs = dict[int, list[tuple[HeadPose, Poses | None]]]


def compare(reader: PoseReader, path: Path) -> Pairs:
    """By size, the reference pose of each face and its poses when downscaled (None if it is not detected)."""
    pairs: Pairs = defaultdict(list)
    for image in frames(path):
        for face in reader.detector.detect(image):
            reference = reader.read(image, face).mesh if face.size_px >= REFERENCE_PX else None
            if reference is None:
                continue
            for px in DOWNSCALED_PX:
                scale = px / face.size_px
                if scale > 1:
                    continue
                small = downscaled(image, scale)
                x, y = face.centre
                match = nearest_face(reader.detector.detect(small), (x * scale, y * scale))
                pairs[px].append((reference, None if match is None else reader.read(small, match)))
    return pairs


def errors(pairs: Sequence[tuple[HeadPose, Poses | None]], method: str) -> NDArray[np.float64]:
    """Yaw and pitch errors ``(N, 2)``, degrees, of one method."""
    rows = []
    for reference, poses in pairs:
        pose = None if poses is None else getattr(poses, method)
        if pose is not None and pose.pitch_deg is not None and reference.pitch_deg is not None:
            rows.append((pose.yaw_deg - reference.yaw_deg, pose.pitch_deg - reference.pitch_deg))
    return np.array(rows, np.float64).reshape(-1, 2)


def print_errors(name: str, pairs: Pairs) -> None:
    """Print mean absolute error, bias and 90th percentile of both methods, by size."""
    for px in DOWNSCALED_PX:
        if not pairs[px]:
            continue
        for method in ("keypoints", "mesh"):
            rows = errors(pairs[px], method)
            line = f"{name:28} {px:3} px {method:10} {len(rows):4} of {len(pairs[px]):4}"
            for column, angle in enumerate(("yaw", "pitch")):
                error = rows[:, column]
                if len(error):
                    line += (
                        f"   {angle}: {np.abs(error).mean():4.1f} bias {error.mean():5.1f} "
                        f"90 % {np.percentile(np.abs(error), 90):4.1f}"
                    )
            print(line)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, help="images or videos of real faces")
    paths = parser.parse_args().paths
    reader = PoseReader()
    if not paths:
        print_rendered(reader)
        return
    total: Pairs = defaultdict(list)
    for path in paths:
        pairs = compare(reader, path)
        print_errors(path.name, pairs)
        for px, rows in pairs.items():
            total[px] += rows
    print_errors("total", total)


if __name__ == "__main__":
    main()
