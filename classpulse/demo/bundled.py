"""MediaPipe's bundled networks, run without MediaPipe.

Importing mediapipe takes seconds (15 with TensorFlow installed), so its package is only located and its
``.tflite`` files are run directly through LiteRT.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classpulse.demo.errors import DemoError
from model.litert import bundled_model, open_interpreter


def infer(relative: str, image_rgb: NDArray[np.float32]) -> dict[int, NDArray[np.float32]]:
    """Run a bundled network once on ``image_rgb (H, W, 3)``, float32 in 0..1.

    Returns the flattened outputs by their length, which tells the outputs of every network used here apart.
    Raises ``DemoError`` if mediapipe is not installed or its wheel lacks the file.
    """
    path = bundled_model(relative)
    if path is None:
        raise DemoError(
            f"the network {relative} was not found; expected inside the package mediapipe 0.10.21: "
            "pip install mediapipe==0.10.21"
        )
    interpreter = open_interpreter(path, threads=1)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image_rgb[None])
    interpreter.invoke()
    outputs = [
        np.array(interpreter.get_tensor(detail["index"]), np.float32).ravel()
        for detail in interpreter.get_output_details()
    ]
    return {output.size: output for output in outputs}
