"""Classpulse and ``fer`` (from PyPI, with MTCNN) over the same frames, each in a process of its own.

    python -m venv peer && peer/bin/pip install fer 'setuptools<81'
    python benchmarks/peers.py room/film.mp4 --peer-python peer/bin/python --truth room/truth.json

Both read the film, find faces and read their expressions twice a second; ours also follows people. Prints
what each takes and the ratios: frames a second in steady state (without the first two seconds), time to the
first result, largest resident memory, faces found.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

SAMPLE_FPS = 2.0
WARM_SAMPLES = 4
"""Left out of the steady state: the first looks at the whole room."""

SAME_IOU = 0.3


def watch_with_fer(film: str, samples: int) -> list[list[list[float]]]:
    """The boxes (x1, y1, x2, y2) that fer finds in each sample."""
    # It brings torch, which must be loaded before the TensorFlow that fer brings: otherwise the two crash.
    import facenet_pytorch  # noqa: F401  # isort: skip
    import cv2
    from fer.fer import FER

    detector = FER(mtcnn=True)
    capture = cv2.VideoCapture(film)
    step_s, due_s = 1 / SAMPLE_FPS, 0.0
    found: list[list[list[float]]] = []
    while len(found) < samples:
        if not capture.grab():
            break
        if capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 + 1e-3 < due_s:
            continue
        _, frame = capture.retrieve()
        faces = detector.detect_emotions(frame)
        boxes = [[float(v) for v in face["box"]] for face in faces]
        found.append([[x, y, x + w, y + h] for x, y, w, h in boxes])
        tell(len(found), len(boxes))
        due_s += step_s
    return found


def watch_with_ours(film: str, samples: int) -> list[list[list[float]]]:
    """The boxes that Classpulse finds in each sample, by all that 'analyze' does but the database."""
    from functools import partial

    from model.inference.classifier import load_classifier
    from model.inference.crop import crop_face
    from monitor.detection.base import DetectionSettings
    from monitor.detection.factory import load_detector
    from monitor.faces.expression import QualityGatedEstimator
    from monitor.faces.quality import QualitySettings, assess_face
    from monitor.registration.camera_motion import CameraMotionEstimator
    from monitor.seating.assigner import SeatAssigner
    from monitor.session.pipeline import build_pipeline
    from monitor.sources.factory import open_source
    from monitor.tracking.appearance import colour_histogram
    from monitor.tracking.tracker import Tracker

    reader = QualityGatedEstimator(
        partial(assess_face, settings=QualitySettings()),
        lambda image, face: crop_face(image, face.box_xyxy, face.keypoints),
        load_classifier(None, threads=2).probabilities,
    )
    detector = load_detector(DetectionSettings())
    pipeline = build_pipeline(
        detector, reader, Tracker(), SeatAssigner(), CameraMotionEstimator(), colour_histogram
    )
    found: list[list[list[float]]] = []
    stop = threading.Event()
    with open_source(film) as source:
        for frame in source.frames(SAMPLE_FPS, stop):
            sample = pipeline.process(frame)
            found.append([list(one.box_xyxy) for one in sample.tracked_faces])
            tell(len(found), len(sample.tracked_faces))
            if len(found) == samples:
                break
    return found


def tell(sample: int, faces: int) -> None:
    """One line a sample, for the parent's clock."""
    print(json.dumps({"sample": sample, "faces": faces}), flush=True)


WATCHERS = {"fer": watch_with_fer, "ours": watch_with_ours}


def child(name: str, film: str, samples: int) -> None:
    """Watch, then tell what was found and how much memory it took."""
    boxes = WATCHERS[name](film, samples)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"boxes": boxes, "peak_mib": peak_mib}), flush=True)


def run(name: str, python: str, film: Path, samples: int) -> dict[str, object]:
    """One watcher in a process of its own: its times, by the parent's clock, and what it found."""
    command = [
        python,
        str(Path(__file__).resolve()),
        str(film.resolve()),
        "--child",
        name,
        "--samples",
        str(samples),
    ]
    environment = (
        os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])} if name == "ours" else None
    )
    began, times, last = time.perf_counter(), [], {}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith("{"):
                continue
            last = json.loads(line)
            if "sample" in last:
                times.append(time.perf_counter() - began)
    if process.returncode or "boxes" not in last:
        raise SystemExit(f"{name} failed; run by hand to see why: {' '.join(command)}")
    steady = times[-1] - times[WARM_SAMPLES - 1]
    return last | {
        "first_s": times[0],
        "fps": (len(times) - WARM_SAMPLES) / steady,
        "faces": sum(len(found) for found in last["boxes"]) / len(times),
    }


def right(boxes: list[list[list[float]]], truth_file: Path) -> tuple[float, float]:
    """The shares of the visible faces that were found, and of the boxes that lie on somebody."""
    from classpulse.evaluation.tracking import score_tracking
    from classpulse.simulation.ground_truth import read_ground_truth
    from monitor.types import FrameResult, TrackedFace

    truth = read_ground_truth(truth_file)
    samples = [
        FrameResult(
            i / SAMPLE_FPS,
            (),
            len(found),
            (0, 0),
            tuple(TrackedFace(j, None, tuple(b)) for j, b in enumerate(found)),
        )
        for i, found in enumerate(boxes)
    ]
    detection = score_tracking(truth, samples).detection
    return detection.recall or 0.0, detection.precision or 0.0


def main() -> None:
    """Run both and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("--peer-python", default=sys.executable, help="the Python that has fer")
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--child", choices=WATCHERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, str(arguments.film), arguments.samples)
        return
    pythons = {"fer": arguments.peer_python, "ours": sys.executable}
    results = {name: run(name, python, arguments.film, arguments.samples) for name, python in pythons.items()}
    print(f"{'':26}{'fer':>10}{'ours':>10}{'ratio':>9}")
    for label, key in (
        ("frames a second", "fps"),
        ("faces a frame", "faces"),
        ("first result, s", "first_s"),
        ("memory at most, MiB", "peak_mib"),
    ):
        peer, own = float(results["fer"][key]), float(results["ours"][key])
        print(f"{label:26}{peer:>10.2f}{own:>10.2f}{own / peer:>9.2f}")
    if arguments.truth:
        for index, label in enumerate(("visible faces found", "boxes on a face")):
            peer, own = (right(results[name]["boxes"], arguments.truth)[index] for name in ("fer", "ours"))
            print(f"{label:26}{peer:>10.3f}{own:>10.3f}")


if __name__ == "__main__":
    main()
