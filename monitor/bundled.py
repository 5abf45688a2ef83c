"""A landmark network of the installed mediapipe, run through LiteRT."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.litert import bundled_model, open_interpreter
from monitor.errors import DetectorError


class BundledNetwork:
    """One network with one picture in and flat vectors out, such as ``face_landmark/face_landmark.tflite``.

    Raises:
        DetectorError: mediapipe is not installed, or is a release without model files.
    """

    def __init__(self, relative: str, threads: int = 1) -> None:
        path = bundled_model(relative)
        if path is None:
            raise DetectorError(
                f"{relative} is not found in the installed mediapipe; expected mediapipe 0.10.21, "
                "the last release with the models inside: pip install mediapipe==0.10.21"
            )
        self._interpreter = open_interpreter(path, threads)
        details = self._interpreter.get_input_details()[0]
        self._input, self.input_px = details["index"], int(details["shape"][1])
        outputs = self._interpreter.get_output_details()
        self._outputs = {int(np.prod(out["shape"])): out["index"] for out in outputs}

    def run(self, square_rgb: NDArray[np.float32]) -> dict[int, NDArray[np.float32]]:
        """The outputs for a picture ``(input_px, input_px, 3)``, float32 in 0..1, by their length, which
        tells them apart."""
        self._interpreter.set_tensor(self._input, square_rgb[None])
        self._interpreter.invoke()
        return {
            length: np.asarray(self._interpreter.get_tensor(index), np.float32).ravel()
            for length, index in self._outputs.items()
        }
