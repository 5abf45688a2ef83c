"""Positions of BlazeFace's keypoints in FER2013's tiles: the constants in ``model.inference.crop``.

    python -m benchmarks.crop_geometry --data ../shared/data

Each tile is enlarged and gets a border of repeated edge pixels, because the detector expects faces that do
not fill the image; the result is scaled back to the tile's 48 pixels. Prints medians over Training faces, the
spread of candidates for a measure of size, and the accuracy of the shipped model when tiles of the reporting
half are detected and cropped like live faces.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data.faces import Faces, official_splits
from model.data.load import load_faces
from model.inference.classifier import LiteRTClassifier, load_classifier, read_model, shipped_file
from model.inference.crop import CROP_PX, crop_face
from monitor.detection.blazeface import SHORT_RANGE, BlazeFace
from monitor.detection.nms import Candidates

FACE_PX = 80
"""The side of a tile in the detector's 128 pixels. 64 and 96 changed no median by more than 0.3 pixels of 48,
nor did a grey or a mirrored border."""
MIN_SCORE = 0.5
FRONTAL = 0.15
"""A face is frontal if the nose is within this share of the inter-eye distance from the midpoint of the
eyes."""

Floats = NDArray[np.float64]


def padded(tile: NDArray[np.uint8], px: int = FACE_PX) -> tuple[NDArray[np.uint8], int]:
    """The tile as BGR in the centre of the detector's input, and the width of the border."""
    border = (SHORT_RANGE.input_px - px) // 2
    large = cv2.resize(tile, (px, px), interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2BGR), np.uint8), border


def best(candidates: Candidates) -> tuple[Floats, Floats] | None:
    """Box (4,) and keypoints (6, 2) of the candidate with the highest score, pixels of the input."""
    if not len(candidates):
        return None
    first = int(candidates.scores.argmax())
    return candidates.boxes_xyxy[first].astype(float), candidates.keypoints[first].astype(float)


def measure(detector: BlazeFace, tiles: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Boxes (M, 4) and keypoints (M, 6, 2) of the M tiles with a face, in pixels of the tile."""
    boxes, points = [], []
    for tile in tiles:
        image, border = padded(tile)
        face = best(detector.candidates(image, MIN_SCORE))
        if face is not None:
            boxes.append((face[0] - border) * CROP_PX / FACE_PX)
            points.append((face[1] - border) * CROP_PX / FACE_PX)
    return np.array(boxes), np.array(points)


def spread(values: Floats) -> float:
    """Interquartile range over median."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float((high - low) / middle)


def print_geometry(boxes: Floats, points: Floats) -> None:
    """Print the constants of ``model.inference.crop`` and the figures behind their choice."""
    between = points[:, 1] - points[:, 0]
    eyes, mouth = points[:, :2].mean(axis=1), points[:, 3]
    eye_distance = np.hypot(*between.T)
    eyes_to_mouth = np.hypot(*(mouth - eyes).T)
    frontal = np.abs((points[:, 2] - eyes)[:, 0]) < FRONTAL * eye_distance
    print(f"frontal faces              {frontal.mean():.2f}")
    print(f"eye distance, frontal      {np.median(eye_distance[frontal]):.2f}")
    print(f"eyes to mouth, frontal     {np.median(eyes_to_mouth[frontal]):.2f}")
    print(f"eyes' middle               {np.median(eyes, axis=0).round(2)}")
    print(f"mouth                      {np.median(mouth, axis=0).round(2)}")
    print(f"half way eyes to mouth     {np.median((eyes + mouth) / 2, axis=0).round(2)}")
    print(f"box middle                 {np.median((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0).round(2)}")
    print(f"box side                   {np.median(boxes[:, 2] - boxes[:, 0]):.2f}")
    roll_deg = np.degrees(np.arctan2(between[:, 1], between[:, 0]))
    print(f"roll 5, 25, 50, 75, 95 %   {np.percentile(roll_deg, [5, 25, 50, 75, 95]).round(1)} degrees")
    print(f"|roll| 50, 75, 90 %        {np.percentile(np.abs(roll_deg), [50, 75, 90]).round(1)} degrees")
    ears = np.hypot(*(points[:, 5] - points[:, 4]).T)
    larger = np.maximum(
        eye_distance / np.median(eye_distance[frontal]), eyes_to_mouth / np.median(eyes_to_mouth[frontal])
    )
    print(f"larger of the two, median  {np.median(larger):.3f}")
    measures = {
        "eye distance": eye_distance,
        "eyes to mouth": eyes_to_mouth,
        "larger of the two": larger,
        "hypotenuse": np.hypot(eye_distance, eyes_to_mouth),
        "box side": boxes[:, 2] - boxes[:, 0],
        "ears": ears,
    }
    for name, values in measures.items():
        print(f"spread of {name:<17} {spread(values):.3f}")


def recropped(detector: BlazeFace, tiles: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The tiles cropped like live faces, and which of them had a detected face."""
    crops, detected = [], np.zeros(len(tiles), bool)
    for index, tile in enumerate(tiles):
        image, _ = padded(tile)
        face = best(detector.candidates(image, MIN_SCORE))
        if face is not None:
            x1, y1, x2, y2 = face[0]
            crops.append(crop_face(image, (x1, y1, x2, y2), face[1].astype(np.float32)))
            detected[index] = True
    return np.array(crops, np.uint8), detected


def print_loss(detector: BlazeFace, faces: Faces) -> None:
    """Print the accuracy of both heads on the tiles as they are and as cropped again."""
    crops, detected = recropped(detector, faces.images)
    subset = faces.subset(detected)
    print(f"reporting half: face detected in {detected.sum()} of {len(faces)} tiles")
    fer2013 = LiteRTClassifier(read_model(shipped_file("expression.tflite")), head="fer2013")
    voted = subset.vote_weights > 0
    for name, images in (("tiles", subset.images), ("as live", crops)):
        label_accuracy = (fer2013.probabilities(images).argmax(axis=1) == subset.labels).mean()
        predictions = load_classifier().probabilities(images).argmax(axis=1)
        vote_accuracy = (predictions == subset.vote_shares.argmax(axis=1))[voted].mean()
        print(f"{name:<8} fer2013 head {label_accuracy:.3f}, expression head vs raters {vote_accuracy:.3f}")


def main() -> None:
    """Print geometry and accuracy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=6000)
    options = parser.parse_args()
    splits = official_splits(load_faces(options.data))
    detector = BlazeFace(SHORT_RANGE, threads=1)
    chosen = np.random.default_rng(0).permutation(len(splits.train))[: options.faces]
    boxes, points = measure(detector, splits.train.images[chosen])
    print(f"face detected in {len(points)} of {len(chosen)} training tiles")
    print_geometry(boxes, points)
    print_loss(detector, splits.report)


if __name__ == "__main__":
    main()
