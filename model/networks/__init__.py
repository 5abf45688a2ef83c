"""The networks of other authors that come with Classpulse: files, origin and licences.

Out: the content of a network file, compared with its SHA-256. ``README.md`` has the table for readers,
``NOTICE`` and the ``LICENSE-*`` files the texts that the licences require.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from model.errors import NetworkFileError

_FOLDER = files("model.networks")

_MEDIAPIPE = "https://github.com/google-ai-edge/mediapipe"
_MEDIAPIPE_VERSION = "mediapipe 0.10.21"
_YUNET = "https://github.com/opencv/opencv_zoo"


@dataclass(frozen=True)
class BundledNetwork:
    """A network file in this folder.

    ``source`` is the address of the project that publishes the file, ``version`` the release it was taken
    from. ``sha256`` is hexadecimal, ``licence`` an SPDX identifier. ``reader`` is the module that runs the
    network; "" if none does yet.
    """

    file: str
    source: str
    version: str
    sha256: str
    licence: str
    reader: str

    def read(self) -> bytes:
        """The content of the file.

        Raises:
            NetworkFileError: the file is missing, or is not the one with this SHA-256.
        """
        try:
            content = _FOLDER.joinpath(self.file).read_bytes()
        except OSError as error:
            raise NetworkFileError(self.file) from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise NetworkFileError(self.file)
        return content

    @cached_property
    def label(self) -> str:
        """Release and first digits of the hash, e.g. ``mediapipe 0.10.21, bbff11ce``: the version that
        ``classpulse check``, sessions and reports name."""
        return f"{self.version}, {self.sha256[:8]}"


FACE_DETECTION_SHORT_RANGE = BundledNetwork(
    "face_detection_short_range.tflite",
    _MEDIAPIPE,
    _MEDIAPIPE_VERSION,
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    "Apache-2.0",
    "monitor.detection.blazeface",
)

FACE_DETECTION_FULL_RANGE = BundledNetwork(
    "face_detection_full_range_sparse.tflite",
    _MEDIAPIPE,
    _MEDIAPIPE_VERSION,
    "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    "Apache-2.0",
    "monitor.detection.blazeface",
)

FACE_DETECTION_YUNET = BundledNetwork(
    "face_detection_yunet_2026may.onnx",
    _YUNET,
    "opencv_zoo 2026-05",
    "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
    "MIT",
    "monitor.detection.yunet",
)

FACE_LANDMARK = BundledNetwork(
    "face_landmark.tflite",
    _MEDIAPIPE,
    _MEDIAPIPE_VERSION,
    "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    "Apache-2.0",
    "monitor.faces.mesh",
)

IRIS_LANDMARK = BundledNetwork(
    "iris_landmark.tflite",
    _MEDIAPIPE,
    _MEDIAPIPE_VERSION,
    "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    "Apache-2.0",
    "monitor.faces.eye_network",
)

SELFIE_SEGMENTATION = BundledNetwork(
    "selfie_segmentation.tflite",
    _MEDIAPIPE,
    _MEDIAPIPE_VERSION,
    "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    "Apache-2.0",
    "classpulse.simulation.demo.portrait",
)

POSE_DETECTION = BundledNetwork(
    "pose_detection.tflite",
    _MEDIAPIPE,
    _MEDIAPIPE_VERSION,
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "Apache-2.0",
    "",
)

NETWORKS = (
    FACE_DETECTION_SHORT_RANGE,
    FACE_DETECTION_FULL_RANGE,
    FACE_DETECTION_YUNET,
    FACE_LANDMARK,
    IRIS_LANDMARK,
    SELFIE_SEGMENTATION,
    POSE_DETECTION,
)
"""All networks of this folder."""
