"""Speed of expression models: one face on one core, and 32 faces on two.

Models are timed alternately in rounds, so that a machine whose speed drifts treats them equally; ratios are
relative to the first. ``classpulse model export`` writes every format to ``exported/`` in the run folder.

    python -m benchmarks.classifier [MODEL.tflite ...]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from model.inference.classifier import INPUT_PX, shipped_file
from model.inference.litert import open_interpreter

CASES = {"one face, one core": (1, 1), "32 faces, two cores": (32, 2)}
ROUNDS, REPEATS = 15, 10


def timer(model: bytes, faces: int, threads: int) -> Callable[[], float]:
    """A function that classifies ``faces`` random faces ``REPEATS`` times and returns the seconds per run."""
    interpreter = open_interpreter(model, threads)
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, (faces, INPUT_PX, INPUT_PX, 1))
    interpreter.allocate_tensors()
    batch = np.random.default_rng(0).integers(0, 256, (faces, INPUT_PX, INPUT_PX, 1)).astype(np.float32)

    def measure() -> float:
        started = time.perf_counter()
        for _ in range(REPEATS):
            interpreter.set_tensor(index, batch)
            interpreter.invoke()
        return (time.perf_counter() - started) / REPEATS

    measure()
    return measure


def main(arguments: Sequence[str] | None = None) -> None:
    """Print medians, faces per second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, help="default: the shipped model")
    paths = parser.parse_args(arguments).models
    models = {str(path): path.read_bytes() for path in paths}
    models = models or {"shipped": shipped_file("expression.tflite").read_bytes()}
    for name, (faces, threads) in CASES.items():
        timers = {model: timer(content, faces, threads) for model, content in models.items()}
        seconds: dict[str, list[float]] = {model: [] for model in models}
        for _ in range(ROUNDS):
            for model, measure in timers.items():
                seconds[model].append(measure())
        print(name)
        first = seconds[next(iter(models))]
        for model, own in seconds.items():
            ratio = statistics.median(a / b for a, b in zip(own, first, strict=True))
            median = statistics.median(own)
            print(
                f"  {median * 1000:8.2f} ms  {faces / median:7.0f} faces/s  {ratio:5.2f} x the time  "
                f"{len(models[model]) / 1000:6.0f} kB  {model}"
            )


if __name__ == "__main__":
    main()
