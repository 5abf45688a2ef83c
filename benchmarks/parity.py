"""What detector, face mesh, iris network and expression model return, compared between two environments.

    python -m benchmarks.parity write FILE [IMAGE ...]      in the first environment
    python -m benchmarks.parity compare FILE [IMAGE ...]    in the second

For a change of a library (NumPy, OpenCV, LiteRT): ``write`` stores the results for the given images and for
matplotlib's portrait at several sizes, ``compare`` prints the largest and the median difference of each. The
mesh, the irises and the expression are computed from the stored boxes, so that a difference of the detector
is counted once.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import matplotlib.cbook
import numpy as np
from numpy.typing import NDArray

from model.inference.classifier import load_classifier
from model.inference.crop import crop_face
from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from monitor.faces.eye_closure import eye_aspect_ratio
from monitor.faces.eye_network import EyeNetwork
from monitor.faces.head_pose import pose_from_mesh
from monitor.faces.mesh import MeshNetwork
from monitor.types import ImageBGR

PORTRAIT_SCALES = (1.0, 0.5, 0.25, 0.15)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "media"
DEFAULT_IMAGES = ("group.jpg", "lecture_hall.jpg")
WIDTH_PX = 1920

Results = dict[str, NDArray[np.float64]]


def read_images(paths: list[Path]) -> Iterator[tuple[str, ImageBGR]]:
    """Name and pixels of each image, at most ``WIDTH_PX`` wide, and of the portrait at each scale."""
    portrait = cv2.imread(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    assert portrait is not None
    for scale in PORTRAIT_SCALES:
        small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas = np.full((600, 800, 3), 128, np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        yield f"portrait x {scale:g}", canvas
    for path in paths:
        image = cv2.imread(str(path))
        if image is None:
            raise SystemExit(f"{path} is not an image.")
        scale = min(1.0, WIDTH_PX / image.shape[1])
        yield (
            path.name,
            np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8),
        )


def detect(images: dict[str, ImageBGR]) -> Results:
    """Rows of x1, y1, x2, y2, score and 12 keypoint coordinates by image, best face first."""
    rows = {}
    for name, image in images.items():
        faces = load_detector(DetectionSettings()).detect(image)
        rows[name] = np.array([[*face.box_xyxy, face.score, *face.keypoints.ravel()] for face in faces])
    return rows


def read_faces(images: dict[str, ImageBGR], detections: Results) -> Results:
    """Mesh (x, y, z of 468 points), head pose, eye aspect ratio and expression of each face in
    ``detections``."""
    meshes, eyes, classifier = MeshNetwork(), EyeNetwork(), load_classifier()
    readings: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for name, image in images.items():
        for row in detections[name]:
            x1, y1, x2, y2 = (float(side) for side in row[:4])
            keypoints = np.asarray(row[5:].reshape(6, 2), np.float32)
            crop = crop_face(image, (x1, y1, x2, y2), keypoints)
            readings["expression"].append(np.asarray(classifier.probabilities(crop[None])[0], np.float64))
            mesh = meshes.find_two_pass(image, (x1, y1, x2, y2), keypoints[:2])
            points = np.full((468, 3), np.nan) if mesh is None else mesh.points.astype(np.float64)
            readings["mesh, px"].append(points)
            pose = None if mesh is None else pose_from_mesh(mesh.points)
            angles = (np.nan,) * 2 if pose is None else (pose.yaw_deg, pose.pitch_deg)
            readings["head pose, degrees"].append(np.array(angles))
            opening = None if mesh is None else eye_aspect_ratio(eyes.contours(image, mesh.xy))
            readings["eye aspect ratio"].append(np.array([np.nan if opening is None else opening]))
    return {kind: np.array(values) for kind, values in readings.items()}


def compare(before: Results, after: Results, images: dict[str, ImageBGR]) -> None:
    """Print the differences."""
    boxes, scores, found = [], [], 0
    for name in images:
        old, new = before[f"detection/{name}"], after[f"detection/{name}"]
        if len(old) != len(new):
            print(f"{name}: {len(old)} faces before, {len(new)} after")
            continue
        # Two faces with nearly the same score may change places.
        nearest = np.abs(old[:, None, :4] - new[None, :, :4]).max(axis=2).argmin(axis=1)
        boxes.append(np.abs(old[:, :4] - new[nearest, :4]).ravel())
        scores.append(np.abs(old[:, 4] - new[nearest, 4]))
        found += len(old)
    report("box, px", np.concatenate(boxes))
    report("score", np.concatenate(scores))
    for kind in sorted(key for key in before if not key.startswith("detection/")):
        if (np.isnan(before[kind]) != np.isnan(after[kind])).any():
            print(f"{kind}: not the same faces have one")
        difference = np.abs(before[kind] - after[kind])
        report(kind, difference[np.isfinite(difference)])
    changed = (before["expression"].argmax(axis=1) != after["expression"].argmax(axis=1)).sum()
    print(f"{found} faces; the most probable expression changed in {changed}")


def report(kind: str, difference: NDArray[np.float64]) -> None:
    """Print the median and the largest difference."""
    print(f"{kind:20} median {np.median(difference):.2g}, largest {difference.max():.2g}")


def main() -> None:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("write", "compare"))
    parser.add_argument("file", type=Path, help="results, .npz")
    parser.add_argument("images", type=Path, nargs="*")
    options = parser.parse_args()
    paths = options.images or [SHARED / name for name in DEFAULT_IMAGES if (SHARED / name).is_file()]
    images = dict(read_images(paths))
    results = {f"detection/{name}": rows for name, rows in detect(images).items()}
    if options.action == "write":
        faces = {name: results[f"detection/{name}"] for name in images}
        np.savez(options.file, **results, **read_faces(images, faces))
        print(f"{sum(len(rows) for rows in results.values())} faces in {len(images)} images")
        return
    before = dict(np.load(options.file))
    faces = {name: before[f"detection/{name}"] for name in images}
    compare(before, results | read_faces(images, faces), images)


if __name__ == "__main__":
    main()
